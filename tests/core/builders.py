"""Tiny bundles and alerts, built by hand: no YAML, no CEL. Every builder gives something that works, to be varied."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from paramedic.core.bundle import (
    AckTerms,
    Asked,
    Bundle,
    CheckSpec,
    GuardSpec,
    Level,
    Param,
    Person,
    Playbook,
    Policy,
    Rule,
    ServiceEntry,
    Source,
    StepSpec,
)
from paramedic.core.matching import Matcher, RuleIndex
from paramedic.core.model import Alert
from paramedic.core.words import Mode, Once
from paramedic.errors import Fault

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR = 60.0, 3600.0
EXPIRY = 36_000.0
"""Seconds after which the sources of these tests expire: twice (17,700 s + 300 s), ten hours."""


def after(seconds: float) -> datetime:
    """The moment so many seconds into a test."""
    return T0 + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Given:
    """A template: `${labels.job}` in strings is looked up, what is missing is a fault."""

    value: Any

    def render(self, scope: Mapping[str, Any]) -> Any:
        if not isinstance(self.value, str):
            return self.value
        whole = re.fullmatch(r"\$\{([^}]*)\}", self.value)
        if whole:
            return self._look_up(scope, whole[1])
        return re.sub(r"\$\{([^}]*)\}", lambda found: str(self._look_up(scope, found[1])), self.value)

    @staticmethod
    def _look_up(scope: Mapping[str, Any], path: str) -> Any:
        value: Any = scope
        for name in path.split("."):
            if name not in value:
                raise Fault(f"${{{path}}}", "has no value")
            value = value[name]
        return value


@dataclass(frozen=True)
class When:
    """A condition: `text` is only for people."""

    text: str
    answer: Callable[[Mapping[str, Any]], bool]

    def holds(self, scope: Mapping[str, Any]) -> bool:
        return self.answer(scope)


@dataclass(frozen=True)
class Turns:
    """A rota of two: the first until a moment, the second from then on."""

    first: str
    second: str
    until: datetime

    def on_call(self, at: datetime) -> str:
        return self.first if at < self.until else self.second


# -- alerts ---------------------------------------------------------------------------------------------------------


def identity_of(labels: Mapping[str, str]) -> str:
    return sha256(repr(sorted(labels.items())).encode()).hexdigest()


def labelled(labels: Mapping[str, str], starts: float = 0.0, source: str = "main") -> Alert:
    """An alert with these labels beside its name and job, firing since `starts` seconds into the test."""
    every = {"alertname": "HighErrorRate", "job": "api", **labels}
    every = {key: value for key, value in every.items() if value}
    return Alert(source, identity_of(every), every, {"summary": "too many errors"}, True, after(starts))


def firing(starts: float = 0.0, source: str = "main", name: str = "HighErrorRate", **labels: str) -> Alert:
    """An alert that fires since `starts` seconds into the test."""
    return labelled({"alertname": name, **labels}, starts, source)


def resolved(ends: float, starts: float = 0.0, source: str = "main", **labels: str) -> Alert:
    """The same alert, over since `ends`."""
    alert = firing(starts, source, labels.pop("name", "HighErrorRate"), **labels)
    return Alert(source, alert.identity, alert.labels, alert.annotations, False, alert.starts_at, after(ends))


# -- the bundle -----------------------------------------------------------------------------------------------------


def matcher(name: str, op: Any, value: str) -> Matcher:
    pattern = re.compile(value) if op in ("=~", "!~") else None
    return Matcher(name, op, value, pattern)


def rule(name: str = "errors", alertname: str = "HighErrorRate", **changes: Any) -> Rule:
    """Alerts of this name are treated with `restart`, one incident a job, and paged by `sre`."""
    plain = Rule(
        name=name,
        match=(matcher("alertname", "=", alertname),),
        playbook="restart",
        incident=("job",),
        with_={"workload": Given("${labels.job}")},
        escalation="sre",
    )
    return replace(plain, **changes)


def step(kind: str = "restart", **changes: Any) -> StepSpec:
    plain = StepSpec(
        kind=kind, params=Given({}), inline=False, mutates=True, once=Once.KEY, timeout=10.0, on_failure="stop"
    )
    return replace(plain, **changes)


def check(kind: str = "alert_cleared", *, within: float = 600.0, every: float = 10.0) -> CheckSpec:
    return CheckSpec(kind=kind, params=Given({}), inline=True, within=within, every=every)


def guard(kind: str = "still_firing", *, inline: bool = True, asked: Asked = "first") -> GuardSpec:
    return GuardSpec(kind=kind, params=Given({}), inline=inline, asked=asked)


def book(name: str = "restart", **changes: Any) -> Playbook:
    """One guard, one step, no verification."""
    plain = Playbook(
        name=name,
        description="",
        params={"workload": Param("workload", "string")},
        target=Given("main/${params.workload}"),
        mode=Mode.AUTO,
        guards=(guard(),),
        steps=(step(),),
    )
    return replace(plain, **changes)


def verified(name: str = "restart", **changes: Any) -> Playbook:
    """As `book`, and its step is verified by `alert_cleared`."""
    return book(name, **{"steps": (step(verify=(check(),)),), **changes})


def policy(name: str = "sre", **changes: Any) -> Policy:
    """Alice at once (by mail where that fails), Bob after 15 minutes, Carol after 30; an hour's hold."""
    plain = Policy(
        name=name,
        levels=(
            Level(0.0, ("alice",), ("alice-mail",)),
            Level(15 * MINUTE, ("bob",)),
            Level(30 * MINUTE, ("carol",)),
        ),
        ack=AckTerms(hold=HOUR),
    )
    return replace(plain, **changes)


def people(*more: Person) -> dict[str, Person]:
    known = [Person(name, "webhook") for name in ("alice", "bob", "carol")]
    return {person.name: person for person in (*known, Person("alice-mail", "log"), *more)}


def bundle(
    *books: Playbook,
    rules: tuple[Rule, ...] = (),
    policies: tuple[Policy, ...] = (),
    services: tuple[ServiceEntry, ...] = (),
    staff: dict[str, Person] | None = None,
    hash_: str = "b1",
) -> Bundle:
    """A bundle of these playbooks and rules; by default one of each, and the policy `sre`."""
    return Bundle(
        hash=hash_,
        rules=RuleIndex(rules or (rule(),)),
        sources={"main": Source("main", repeat=17_700.0, group_interval=300.0)},
        services=services,
        playbooks={one.name: one for one in (books or (book(),))},
        people=people() if staff is None else staff,
        policies={one.name: one for one in (policies or (policy(),))},
        windows={},
        endpoints={},
    )
