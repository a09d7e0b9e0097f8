"""From a delivery's elements to the incidents they concern: episodes, keys, rules, candidates. Pure.

The turn calls `route` once per delivery with what it knows; it gets back the episodes to write and, for each incident,
the events to fold. An alert whose episode is open stays with its incident, whatever the rules say by now.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from paramedic.core.bundle import OPERATOR, Bundle, Playbook, Rule
from paramedic.core.episodes import Change, observe
from paramedic.core.events import AlertsSeen, Opened
from paramedic.core.matching import Matcher, matches
from paramedic.core.model import Alert, Candidate, Episode, Exemplar
from paramedic.core.params import checked_params
from paramedic.core.scope import rule_scope, target_scope
from paramedic.core.sharing import shard_of
from paramedic.core.text import one_line
from paramedic.core.words import Mode, Severity
from paramedic.errors import Fault

__all__ = [
    "EXEMPLARS",
    "Known",
    "Routed",
    "Routing",
    "candidate_of",
    "home_of",
    "key_of",
    "route",
    "service_of",
    "title_of",
]

EXEMPLARS = 20

_LABELLED = {"critical": Severity.P1, "page": Severity.P1, "warning": Severity.P2, "info": Severity.P3}
_SUBJECTS = ("service", "workload", "deployment", "job", "pod", "instance")


def _calm(source: str, nth: int) -> tuple[int, int] | None:
    return None


class Known(msgspec.Struct, frozen=True):
    """What routing may ask: the latest episode of an alert, the open incident of a key, a fresh incident number.

    `storm` gives the parent that holds back the nth new incident of a source in this delivery, if there is a storm, and
    how many are new in this minute.
    """

    episode: Callable[[str, str], Episode | None]
    open_incident: Callable[[str], int | None]
    is_open: Callable[[int], bool]
    number: Callable[[], int]
    storm: Callable[[str, int], tuple[int, int] | None] = _calm


@dataclass(slots=True)
class Routed:
    """One incident's share of a delivery."""

    incident: int
    opened: Opened | None = None
    counts: dict[str, int] = field(default_factory=dict)
    exemplars: dict[str, Exemplar] = field(default_factory=dict)
    candidates: dict[tuple[str, str, str], Candidate] = field(default_factory=dict)
    severity: Severity | None = None

    def add(self, change: str) -> None:
        """Count one more alert to which this happened."""
        self.counts[change] = self.counts.get(change, 0) + 1

    def show(self, exemplar: Exemplar) -> None:
        """Keep an alert as an example, in its latest shape, while there is room."""
        if exemplar.identity in self.exemplars or len(self.exemplars) < EXEMPLARS:
            self.exemplars[exemplar.identity] = exemplar

    def seen(self, at: datetime, mode: Mode, cause: str, delivery: int | None) -> AlertsSeen:
        """This share as an event."""
        count = self.counts.get
        return AlertsSeen(
            at=at,
            mode=mode,
            cause=cause,
            delivery=delivery,
            opened=count("opened", 0),
            reopened=count("reopened", 0),
            closed=count("closed", 0),
            doubted=count("doubted", 0),
            undoubted=count("undoubted", 0),
            settled=count("settled", 0),
            moved=count("moved", 0),
            exemplars=tuple(self.exemplars.values()),
            candidates=tuple(self.candidates.values()),
            severity=self.severity,
        )


@dataclass(slots=True)
class Routing:
    """What a delivery comes to: episodes to write, shares to fold, and how many firing alerts no rule wants."""

    episodes: list[Episode] = field(default_factory=list)
    shares: dict[int, Routed] = field(default_factory=dict)
    unmatched: int = 0


OPENED_BY, OPENED_WAY = "opened_by", "opened_way"
"""The annotations that say which person has opened it, and how they came in; for the source `operator` only."""


def route(alerts: Iterable[Alert], known: Known, bundle: Bundle, now: datetime, mode: Mode) -> Routing:
    """Route every element; later elements of one delivery see what earlier ones changed."""
    router = _Router(known, bundle, now, mode)
    for alert in alerts:
        router.take(alert)
    return Routing(list(router.fresh.values()), router.shares, router.unmatched)


class _Router:
    """One delivery on its way: what its elements so far have changed."""

    def __init__(self, known: Known, bundle: Bundle, now: datetime, mode: Mode) -> None:
        self.known, self.bundle, self.now, self.mode = known, bundle, now, mode
        self.fresh: dict[tuple[str, str], Episode] = {}
        self.shares: dict[int, Routed] = {}
        self.unmatched = 0
        self._keys: dict[str, int] = {}
        self._new: dict[str, int] = {}

    def take(self, alert: Alert) -> None:
        """Observe one element and add it to its incident's share."""
        who = (alert.source, alert.identity)
        before = self.fresh.get(who) or self.known.episode(*who)
        episode, change = observe(before, alert, self.now, self.bundle.source(alert.source).expiry)
        pinned = episode.incident if episode.incident is not None and self._is_open(episode.incident) else None
        if change != "ignored":
            self.fresh[who] = episode
        if pinned is None and episode.open and change in ("ignored", "seen", "moved"):
            self._join(alert, episode, "opened")  # no rule wanted it when it began; perhaps one does now
        elif change in ("ignored", "seen", "noted"):
            return
        elif change == "opened":
            if pinned is not None and before is not None and before.doubted_at is not None:
                self._share(pinned).add("settled")
            self._join(alert, episode, change)
        elif pinned is not None:
            self._take_part(self._share(pinned), alert, episode, change)
        elif change not in ("closed", "undoubted"):
            self._join(alert, episode, change)

    def _join(self, alert: Alert, episode: Episode, change: Change) -> None:
        """The alert goes where the rules of today say: into an open incident, a new one, or none."""
        rule = self.bundle.rules.first(alert.labels)
        if rule is None:
            self.unmatched += 1
            if (alert.source, alert.identity) in self.fresh:
                self.fresh[alert.source, alert.identity] = msgspec.structs.replace(episode, incident=None)
            return
        share = self._place(alert, rule, episode)
        self._take_part(share, alert, episode, change)
        if change == "opened":
            self._candidate(share, alert, rule)

    def _is_open(self, incident: int) -> bool:
        return incident in self.shares or self.known.is_open(incident)

    def _share(self, incident: int) -> Routed:
        return self.shares.setdefault(incident, Routed(incident))

    def _take_part(self, share: Routed, alert: Alert, episode: Episode, change: Change) -> None:
        """The alert belongs to this incident: pin its episode, count what changed, keep it as an exemplar."""
        self.fresh[alert.source, alert.identity] = msgspec.structs.replace(episode, incident=share.incident)
        share.add(change)
        share.show(Exemplar(alert.identity, alert.labels, alert.annotations, episode.starts_at, episode.open))

    def _place(self, alert: Alert, rule: Rule, episode: Episode) -> Routed:
        service = service_of(alert.labels, self.bundle)
        key = key_of(rule, alert, service)
        number = self._keys.get(key)
        number = self.known.open_incident(key) if number is None else number
        if number is not None:
            self._keys[key] = number
            return self._share(number)
        number = self._keys[key] = self.known.number()
        storm, openings = self._storm(alert.source) if rule.storm else (None, 0)
        opened = Opened(
            at=self.now,
            mode=self.mode,
            id=number,
            key=key,
            shard=shard_of(key),
            source=alert.source,
            title=title_of(alert.labels, service),
            bundle=self.bundle.hash,
            rule=rule.name,
            severity=severity_of(rule, alert.labels),
            kind=OPERATOR if alert.source == OPERATOR else "alert",
            previous=episode.incident,
            storm=storm,
            openings=openings,
            by=alert.annotations.get(OPENED_BY, "") if alert.source == OPERATOR else "",
            way=alert.annotations.get(OPENED_WAY, "") if alert.source == OPERATOR else "",
        )
        share = self.shares[number] = Routed(number, opened=opened)
        return share

    def _storm(self, source: str) -> tuple[int | None, int]:
        """The parent of the storm that the source's next incident begins in, if there is one."""
        nth = self._new[source] = self._new.get(source, 0) + 1
        return self.known.storm(source, nth) or (None, 0)

    def _candidate(self, share: Routed, alert: Alert, rule: Rule) -> None:
        severity = severity_of(rule, alert.labels)
        share.severity = min(severity, share.severity or severity)
        if len(share.candidates) >= EXEMPLARS:
            return
        candidate = candidate_of(rule, alert, self.bundle)
        who = (candidate.playbook, candidate.target, candidate.fault)
        if who not in share.candidates:
            share.candidates[who] = candidate
            started = self.fresh[alert.source, alert.identity].starts_at
            # Its expressions are about this alert, so it is kept even beyond the bound; the incident keeps the bound.
            share.exemplars[alert.identity] = Exemplar(alert.identity, alert.labels, alert.annotations, started)


def candidate_of(rule: Rule, alert: Alert, bundle: Bundle) -> Candidate:
    """The treatment that this alert asks for; what cannot be rendered becomes its `fault`, never an exception."""
    playbook = bundle.playbooks.get(rule.playbook)
    candidate = Candidate(rule.name, rule.playbook, severity_of(rule, alert.labels), alert.identity)
    try:
        if playbook is None:
            raise Fault(f"rule {rule.name}", f'names the playbook "{rule.playbook}", which does not exist')
        params, target = _rendered(rule, playbook, alert, bundle)
    except Fault as fault:
        return msgspec.structs.replace(candidate, fault=one_line(str(fault), 300))
    return msgspec.structs.replace(candidate, params=params, target=target)


def _rendered(rule: Rule, playbook: Playbook, alert: Alert, bundle: Bundle) -> tuple[dict[str, Any], str]:
    scope = rule_scope(alert, service_of(alert.labels, bundle))
    given = {name: template.render(scope) for name, template in rule.with_.items()}
    params = checked_params(playbook, given)
    target = str(playbook.target.render(target_scope(params)))
    if not target or target != one_line(target, 512):
        raise Fault(f"playbook {playbook.name}", "its target is empty, too long or not printable")
    return params, target


def key_of(rule: Rule, alert: Alert, service: Mapping[str, Any]) -> str:
    """The incident key: the source and the rule's labels by name.

    A field of the matched service fills an absent label; one that stays absent adds the alert's own identity, so alerts
    that lack what would tell them apart never merge. Values are quoted, so none can look like another key's end.
    """
    named = [Matcher(name, "=", alert.labels.get(name) or _field(service, name)) for name in rule.incident]
    key = f"{alert.source}{{{','.join(map(str, named))}}}"
    if not named or not all(part.value for part in named):
        key += f"#{alert.identity}"
    return key if len(key) <= 600 else f"{key[:500]}…{sha256(key.encode()).hexdigest()}"


def home_of(alert: Alert, bundle: Bundle) -> int:
    """The shard that an alert belongs to by today's rules; one that no rule wants belongs somewhere too."""
    rule = bundle.rules.first(alert.labels)
    if rule is None:
        return shard_of(alert.identity)
    return shard_of(key_of(rule, alert, service_of(alert.labels, bundle)))


def service_of(labels: Mapping[str, str], bundle: Bundle) -> Mapping[str, Any]:
    """The fields of the first service that the labels match; empty where none does."""
    return next((entry.fields for entry in bundle.services if matches(entry.match, labels)), {})


def _field(service: Mapping[str, Any], name: str) -> str:
    value = service.get(name)
    return "" if value is None else str(value)


def severity_of(rule: Rule, labels: Mapping[str, str]) -> Severity:
    """The rule's severity, else what the `severity` label means, else P2."""
    return rule.severity or _LABELLED.get(labels.get("severity", ""), Severity.P2)


def title_of(labels: Mapping[str, str], service: Mapping[str, Any]) -> str:
    """What people call the incident: `HighErrorRate shop/api`."""
    namespace = labels.get("namespace") or _field(service, "namespace")
    subject = next((labels[name] for name in _SUBJECTS if labels.get(name)), _field(service, "workload"))
    about = "/".join(part for part in (namespace, subject) if part)
    return one_line(f"{labels.get('alertname', 'alert')} {about}".strip(), 160)
