"""The validated, immutable version of all rules and playbooks, as the core reads it. The catalog builds it from YAML.

Expressions are compiled by the catalog; for the core they are only the protocols of `conditions`.
Durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from paramedic.core.conditions import Condition, LiveCondition, Template
from paramedic.core.matching import Matcher, Pattern, RuleIndex
from paramedic.core.policies import AckTerms, Communication, Level, Person, Policy, Rota, Tell
from paramedic.core.words import Mode, Once, Severity

__all__ = [
    "OPERATOR",
    "AckTerms",
    "Asked",
    "Bundle",
    "CheckSpec",
    "Communication",
    "Condition",
    "Endpoint",
    "GuardSpec",
    "Level",
    "LiveCondition",
    "Param",
    "Person",
    "Playbook",
    "Policy",
    "Recurrence",
    "Rota",
    "Rule",
    "ServiceEntry",
    "Source",
    "StepSpec",
    "Tell",
    "Template",
    "Window",
    "dependencies",
]

Asked = Literal["first", "people", "last"]


@dataclass(frozen=True, slots=True)
class Source:
    """One Alertmanager cluster. `token` names the setting that holds its webhook token; empty: the default tokens.

    More than `storm` new incidents in a minute are a storm; 0: never.
    """

    name: str
    instances: tuple[str, ...] = ()
    token: str = ""
    cluster: str = ""
    repeat: float = 4 * 3600.0
    group_interval: float = 300.0
    storm: int = 60

    @property
    def expiry(self) -> float:
        """Seconds without a sighting after which an episode is taken as over: twice the longest silence expected."""
        return 2 * (self.repeat + self.group_interval)


OPERATOR = "operator"
"""The source of what people open by hand. No webhook has this name."""

_BY_HAND = Source(OPERATOR, repeat=7 * 86400.0)
"""Nobody repeats it: what is not closed by hand is taken as over after two weeks."""


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """What an alert that matches is about: fills labels that the alert lacks, and `service` in expressions."""

    match: tuple[Matcher, ...]
    fields: Mapping[str, Any]


def dependencies(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What a service depends on, by the field `depends_on` of its entry: a name, or a list of names; at most 50."""
    found = fields.get("depends_on") or ()
    names = (found,) if isinstance(found, str) else tuple(found) if isinstance(found, list | tuple) else ()
    return tuple(str(name) for name in names if name)[:50]


@dataclass(frozen=True, slots=True)
class Rule:
    """matchers → playbook, parameters, severity, incident key, escalation policy, communication plan.

    `team`: who acts on its incidents is of this team.
    """

    name: str
    match: tuple[Matcher, ...]
    playbook: str
    severity: Severity | None = None
    incident: tuple[str, ...] = ()
    with_: Mapping[str, Template] = field(default_factory=dict)
    escalation: str = ""
    communication: str = ""
    mode: Mode | None = None
    storm: bool = True
    page_after: float = 0.0
    page_unless_fixed: bool = False
    at: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """A playbook's parameter: its type, an optional RE2 pattern (`regex`: compiled) that must be found, and default."""

    name: str
    type: Literal["string", "integer", "number", "boolean"]
    pattern: str = ""
    regex: Pattern | None = field(default=None, compare=False, repr=False)
    default: Any = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """A guard in a playbook. `inline`: it reads no port, so the turn asks it in the same batch. `asked`: when."""

    kind: str
    params: Template
    inline: bool
    at: str = ""
    asked: Asked = "first"


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check in a step's verification: how long it may take to pass, and how often it is asked."""

    kind: str
    params: Template
    inline: bool
    within: float
    every: float
    at: str = ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step: one action on the run's target. `once` and `timeout` come from the action and what it names."""

    kind: str
    params: Template
    inline: bool
    mutates: bool
    once: Once
    timeout: float
    when: Condition | None = None
    verify: tuple[CheckSpec, ...] = ()
    on_failure: Literal["stop", "undo", "next"] = "stop"
    at: str = ""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Fixed `max` times within `within` seconds: stop treating."""

    max: int = 3
    within: float = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Playbook:
    """Guards, steps, verification and what happens on failure.

    `on_cluster`: something in it reads or writes a cluster, so its target is resolved before anything is judged.
    `team`: who acts on its runs is of this team; `changed_by` is the person who changed it last, where that is known.
    """

    name: str
    description: str
    params: Mapping[str, Param]
    target: Template
    mode: Mode
    guards: tuple[GuardSpec, ...]
    steps: tuple[StepSpec, ...]
    on_failure: Literal["escalate", "stop"] = "escalate"
    recurrence: Recurrence = Recurrence()
    supersedes: tuple[str, ...] = ()
    approval: float = 600.0
    on_cluster: bool = False
    at: str = ""
    team: str = ""
    changed_by: str = ""


class Window(Protocol):
    """A named stretch of time, once or recurring."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def mute_pages(self) -> bool:
        """Whether nobody is paged while it lasts."""
        ...

    def contains(self, at: datetime) -> bool:
        """Whether this moment lies in the window."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an `http` step may send: never a URL out of a label. `token` names the setting that holds its token."""

    name: str
    url: str
    token: str = ""
    idempotent: bool = False
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Bundle:
    """One version of everything, addressed by hash. `watched`: what some `not_firing` guard looks out for."""

    hash: str
    rules: RuleIndex["Rule"]
    sources: Mapping[str, Source]
    services: tuple[ServiceEntry, ...]
    playbooks: Mapping[str, Playbook]
    people: Mapping[str, Person]
    policies: Mapping[str, Policy]
    windows: Mapping[str, Window]
    endpoints: Mapping[str, Endpoint]
    watched: tuple[tuple[Matcher, ...], ...] = ()
    communication: Mapping[str, Communication] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """The source of this name; one with the default terms where none is declared."""
        return self.sources.get(name) or (_BY_HAND if name == OPERATOR else Source(name))
