"""`paramedic explain`: what a bundle would do about an alert, and why, without doing anything.

The functions of `core.routing` that the turn calls give the rule, the incident's key, the parameters and the target;
here their answers are only put into words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paramedic.core.bundle import Bundle, Playbook, Policy, Rule, StepSpec
from paramedic.core.matching import Matcher
from paramedic.core.model import Alert, Candidate
from paramedic.core.routing import candidate_of, key_of, service_of, severity_of
from paramedic.core.text import one_line, span
from paramedic.core.words import Mode

__all__ = ["Explained", "explain", "explained_lines"]

_INDENT = " " * 6


@dataclass(frozen=True, slots=True)
class Explained:
    """One alert through one bundle. `refused_by` are the rules asked before one matched, each with its first no."""

    alert: Alert
    rule: Rule | None
    refused_by: tuple[tuple[Rule, Matcher], ...]
    after: int
    playbook: Playbook | None
    candidate: Candidate | None
    policy: Policy | None
    key: str

    def as_json(self, limit: Mode) -> dict[str, Any]:
        """The same for programs."""
        candidate = self.candidate
        return {
            "alert": {"source": self.alert.source, "labels": self.alert.labels, "firing": self.alert.firing},
            "rule": None if self.rule is None else {"name": self.rule.name, "at": self.rule.at},
            "refused_by": [
                {"rule": rule.name, "matcher": str(matcher), "value": self.alert.labels.get(matcher.name, "")}
                for rule, matcher in self.refused_by
            ],
            "playbook": None if self.rule is None else self.rule.playbook,
            "severity": None if candidate is None else str(candidate.severity),
            "escalation": None if self.policy is None else self.policy.name,
            "incident": self.key,
            "mode": str(self.mode(limit)),
            "params": {} if candidate is None else candidate.params,
            "target": "" if candidate is None else candidate.target,
            "fault": "" if candidate is None else candidate.fault,
        }

    def mode(self, limit: Mode) -> Mode:
        """The mode in which a run would act."""
        rule = self.rule.mode if self.rule is not None else None
        return Mode.lowest(limit, rule, self.playbook.mode if self.playbook is not None else None)


def explain(alert: Alert, bundle: Bundle) -> Explained:
    """What the bundle would do about the alert."""
    rule = bundle.rules.first(alert.labels)
    rules = bundle.rules.all
    position = rules.index(rule) if rule is not None else len(rules)
    refused_by = tuple((each, matcher) for each in rules[:position] for matcher in _first_no(each, alert.labels))
    if rule is None:
        return Explained(alert, None, refused_by, 0, None, None, None, "")
    return Explained(
        alert=alert,
        rule=rule,
        refused_by=refused_by,
        after=len(rules) - position - 1,
        playbook=bundle.playbooks.get(rule.playbook),
        candidate=candidate_of(rule, alert, bundle),
        policy=bundle.policies.get(rule.escalation),
        key=key_of(rule, alert, service_of(alert.labels, bundle)),
    )


def _first_no(rule: Rule, labels: Mapping[str, str]) -> Sequence[Matcher]:
    return [matcher for matcher in rule.match if not matcher.accepts(labels)][:1]


def explained_lines(explained: Explained, bundle: Bundle, limit: Mode, now: datetime) -> Iterator[str]:
    """The lines that people read. `limit` is the highest mode of the process that would act."""
    alert = explained.alert
    labels = ", ".join(f'{name}="{value}"' for name, value in alert.labels.items() if name != "alertname")
    state = "" if alert.firing else ", resolved"
    name = one_line(alert.labels.get("alertname", "without a name"), 100)
    yield f"alert {name} {{{one_line(labels, 1000)}}} from source {alert.source}{state}"
    yield _rule_line(explained)
    for rule, matcher in explained.refused_by:
        value = one_line(alert.labels.get(matcher.name, ""), 100)
        yield f'{_INDENT}{rule.name} said no: {one_line(str(matcher), 200)} (it is "{value}")'
    if explained.after:
        more = "1 more rule comes" if explained.after == 1 else f"{explained.after} more rules come"
        yield f"{_INDENT}{more} after the first match"
    if not alert.firing:
        yield "then  its episode closes, if one is open; nothing is started"
    elif explained.rule is not None and explained.candidate is not None:
        yield from _treatment(explained, explained.rule, explained.candidate, limit)
        yield from _paging(explained, explained.rule, bundle, now)


def _rule_line(explained: Explained) -> str:
    rule, candidate = explained.rule, explained.candidate
    if rule is None or candidate is None:
        return "rule  none matches: no incident is opened"
    policy = f"policy {rule.escalation}" if rule.escalation else "no policy"
    severity = severity_of(rule, explained.alert.labels)
    return f"rule  {rule.name} ({rule.at}) → playbook {rule.playbook}, {severity}, {policy}"


def _treatment(explained: Explained, rule: Rule, candidate: Candidate, limit: Mode) -> Iterator[str]:
    playbook = explained.playbook
    own = playbook.mode if playbook is not None else "-"
    yield f"mode  {explained.mode(limit)} (at most {limit}, rule {rule.mode or '-'}, playbook {own})"
    yield f"opens {one_line(explained.key, 300)}"
    if candidate.fault:
        yield f"with  cannot be rendered, so a person is asked: {one_line(candidate.fault, 300)}"
        return
    params = ", ".join(f"{name}={value!r}" for name, value in candidate.params.items())
    yield f"with  {one_line(params, 1000) or 'no parameters'}"
    yield f"on    {one_line(candidate.target, 300)}"
    if playbook is not None:
        yield f"asks  {' · '.join(guard.kind for guard in playbook.guards) or 'no guard'}"
        yield f"then  {', then '.join(map(_step, playbook.steps))}"


def _step(step: StepSpec) -> str:
    checks = ", ".join(f"{check.kind} within {span(check.within)}" for check in step.verify)
    return (
        step.kind
        + (f" when {one_line(step.when.text, 100)}" if step.when else "")
        + (f" (verified by {checks})" if checks else "")
    )


def _paging(explained: Explained, rule: Rule, bundle: Bundle, now: datetime) -> Iterator[str]:
    if explained.policy is None:
        return
    for number, level in enumerate(explained.policy.levels, 1):
        after = level.after + (rule.page_after if number == 1 else 0)
        unless = ", unless it is fixed by then" if number == 1 and rule.page_unless_fixed else ""
        who = ", ".join(_person(name, bundle, now) for name in level.page)
        yield f"{'page ' if number == 1 else '     '} level {number} {who} {_when(after)}{unless}"


def _when(after: float) -> str:
    return f"after {span(after)}" if after else "at once"


def _person(name: str, bundle: Bundle, now: datetime) -> str:
    person = bundle.people.get(name)
    return f"{name} (now {person.rota.on_call(now)})" if person is not None and person.rota is not None else name
