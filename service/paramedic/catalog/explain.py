"""`paramedic explain`: what a bundle would do about an alert, and why, without doing anything.

The functions of `core.routing` that the turn calls give the rule, the incident's key, the parameters and the target;
here their answers are only put into words. What a running service found when it asked the guards comes as `Heard`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paramedic.core.bundle import Bundle, GuardSpec, Playbook, Policy, Rule, StepSpec
from paramedic.core.matching import Matcher
from paramedic.core.model import Alert, Candidate, Verdict
from paramedic.core.routing import candidate_of, key_of, service_of, severity_of
from paramedic.core.text import one_line, span
from paramedic.core.words import Mode

__all__ = ["Explained", "Heard", "explain", "explained_lines"]

_INDENT = " " * 6
_PLACES = {"global": "switch", "rule": "rule", "playbook": "playbook", "target": "target"}
_UNASKED = {"first": "not asked", "people": "asked of people, once there is a plan", "last": "asked before the write"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a service found for a run that does not exist: nothing was claimed, and nothing is kept.

    `answers` has all guards of the playbook in its order, None for those that were not asked. `target` is the one name
    of the target, `modes` are by place as in `Seen`, `plan` says what the first write would be, `joins` is the open
    incident that the alert would be a part of. `fault`: why nobody could be asked.
    """

    target: str
    modes: Mapping[str, Mode]
    answers: tuple[tuple[GuardSpec, Verdict | None], ...]
    plan: str = ""
    joins: str = ""
    fault: str = ""


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

    def as_json(self, limit: Mode, bundle: Bundle, now: datetime, heard: Heard | None = None) -> dict[str, Any]:
        """The same for programs."""
        candidate = self.candidate
        guards = self.playbook.guards if self.playbook is not None else ()
        answers = heard.answers if heard is not None else tuple((guard, None) for guard in guards)
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
            "mode": str(Mode.lowest(*heard.modes.values()) if heard is not None else self.mode(limit)),
            "modes": {place: str(mode) for place, mode in heard.modes.items()} if heard is not None else {},
            "params": {} if candidate is None else candidate.params,
            "target": heard.target if heard is not None else "" if candidate is None else candidate.target,
            "fault": "" if candidate is None else candidate.fault or (heard.fault if heard is not None else ""),
            "guards": [_guard_json(guard, verdict) for guard, verdict in answers],
            "plan": heard.plan if heard is not None else "",
            "joins": heard.joins if heard is not None else "",
            "pages": [
                {"level": number, "to": people, "after": after} for number, people, after in _levels(self, bundle, now)
            ],
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


def _guard_json(guard: GuardSpec, verdict: Verdict | None) -> dict[str, Any]:
    said = (
        {"answer": str(verdict.answer), "reason": verdict.reason, "seen": verdict.seen} if verdict is not None else {}
    )
    again = {"again": verdict.again} if verdict is not None and verdict.again is not None else {}
    return {"guard": guard.kind, "asked": guard.asked, **said, **again}


def explained_lines(
    explained: Explained, bundle: Bundle, limit: Mode, now: datetime, heard: Heard | None = None, unheard: str = ""
) -> Iterator[str]:
    """The lines that people read. `limit` is the highest mode of the process that would act.

    `heard` is what a service found when it asked; without it, `unheard` says why none was asked.
    """
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
        yield from _treatment(explained, explained.rule, explained.candidate, limit, heard, unheard)
        yield from _paging(explained, explained.rule, bundle, now)


def _rule_line(explained: Explained) -> str:
    rule, candidate = explained.rule, explained.candidate
    if rule is None or candidate is None:
        return "rule  none matches: no incident is opened"
    policy = f"policy {rule.escalation}" if rule.escalation else "no policy"
    severity = severity_of(rule, explained.alert.labels)
    return f"rule  {rule.name} ({rule.at}) → playbook {rule.playbook}, {severity}, {policy}"


def _treatment(
    explained: Explained, rule: Rule, candidate: Candidate, limit: Mode, heard: Heard | None, unheard: str
) -> Iterator[str]:
    playbook = explained.playbook
    yield _mode_line(explained, rule, limit, heard)
    if heard is not None and heard.joins:
        yield f"joins {heard.joins}, which is open: {one_line(explained.key, 300)}"
    else:
        yield f"opens {one_line(explained.key, 300)}"
    if candidate.fault:
        yield f"with  cannot be rendered, so a person is asked: {one_line(candidate.fault, 300)}"
        return
    params = ", ".join(f"{name}={value!r}" for name, value in candidate.params.items())
    yield f"with  {one_line(params, 1000) or 'no parameters'}"
    yield f"on    {one_line(heard.target if heard is not None else candidate.target, 300)}"
    if playbook is not None:
        yield from _guards(playbook, heard, unheard)
        yield f"then  {', then '.join(map(_step, playbook.steps))}"
        if heard is not None and heard.plan:
            yield f"{_INDENT}now: {one_line(heard.plan, 400)}"


def _mode_line(explained: Explained, rule: Rule, limit: Mode, heard: Heard | None) -> str:
    if heard is not None:
        places = ", ".join(f"{word} {heard.modes.get(place, '-')}" for place, word in _PLACES.items())
        return f"mode  {Mode.lowest(*heard.modes.values())} ({places})"
    own = explained.playbook.mode if explained.playbook is not None else "-"
    return f"mode  {explained.mode(limit)} (at most {limit}, rule {rule.mode or '-'}, playbook {own})"


def _guards(playbook: Playbook, heard: Heard | None, unheard: str) -> Iterator[str]:
    """One line for each guard with its answer; without answers all in one, and why there are none."""
    if heard is None or heard.fault or not playbook.guards:
        yield f"asks  {' · '.join(guard.kind for guard in playbook.guards) or 'no guard'}"
        why = heard.fault if heard is not None else unheard
        if why and playbook.guards:
            yield f"{_INDENT}they were not asked now: {one_line(why, 300)}"
        return
    for n, (guard, verdict) in enumerate(heard.answers):
        said = f"{verdict.answer}: {verdict.reason}" if verdict is not None else _UNASKED[guard.asked]
        yield f"{_INDENT if n else 'asks  '}{guard.kind} {one_line(said, 400)}"


def _step(step: StepSpec) -> str:
    checks = ", ".join(f"{check.kind} within {span(check.within)}" for check in step.verify)
    return (
        step.kind
        + (f" when {one_line(step.when.text, 100)}" if step.when else "")
        + (f" (verified by {checks})" if checks else "")
    )


def _paging(explained: Explained, rule: Rule, bundle: Bundle, now: datetime) -> Iterator[str]:
    for number, people, after in _levels(explained, bundle, now):
        unless = ", unless it is fixed by then" if number == 1 and rule.page_unless_fixed else ""
        yield f"{'page ' if number == 1 else '     '} level {number} {', '.join(people)} {_when(after)}{unless}"


def _levels(explained: Explained, bundle: Bundle, now: datetime) -> Iterator[tuple[int, list[str], float]]:
    """Number, people and delay (s) of each level that would be paged."""
    if explained.policy is None or explained.rule is None or not explained.alert.firing:
        return
    for number, level in enumerate(explained.policy.levels, 1):
        after = level.after + (explained.rule.page_after if number == 1 else 0)
        yield number, [_person(name, bundle, now) for name in level.page], after


def _when(after: float) -> str:
    return f"after {span(after)}" if after else "at once"


def _person(name: str, bundle: Bundle, now: datetime) -> str:
    person = bundle.people.get(name)
    return f"{name} (now {person.rota.on_call(now)})" if person is not None and person.rota is not None else name
