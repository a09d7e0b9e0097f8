"""The shapes of what stands in `rules/*.yaml` and playbooks, entry by entry. The JSON Schema is made from these too.

Strict: text is text, a number is a number, an unknown key is a fault. What a field may refer to is judged later, by the
modules that turn entries into values of `core.bundle`.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from paramedic.durations import Duration
from paramedic.matchers import Matchers

__all__ = [
    "LABEL",
    "NAME",
    "PARAM",
    "SETTING",
    "AckEntry",
    "CheckTerms",
    "CommunicationEntry",
    "EndpointEntry",
    "Entry",
    "LevelEntry",
    "OverrideEntry",
    "PageEntry",
    "ParamEntry",
    "PersonEntry",
    "PlaybookEntry",
    "PolicyEntry",
    "RecurrenceEntry",
    "RotaEntry",
    "RuleEntry",
    "ServiceEntry",
    "SourceEntry",
    "StepEntry",
    "TellEntry",
    "WindowEntry",
]

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
PARAM = r"^[a-z][a-z0-9_]{0,63}$"
SETTING = r"^[A-Z][A-Z0-9_]{0,99}$"
LABEL = r"^[^\s{}=!~,\"'`\\]{1,200}$"

Name = Annotated[str, StringConstraints(pattern=NAME)]
ParamName = Annotated[str, StringConstraints(pattern=PARAM)]
Setting = Annotated[str, StringConstraints(pattern=SETTING)]
Label = Annotated[str, StringConstraints(pattern=LABEL)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Positive = Annotated[Duration, Field(gt=0)]


class Entry(BaseModel):
    """Base of all entries."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceEntry(Entry):
    """A source: one Alertmanager cluster; its instances are twins."""

    name: Name
    instances: list[Text] = Field([], description="addresses of its instances, such as http://am-0:9093")
    token: Setting | None = Field(None, description="the setting that holds the token which it is known by")
    cluster: str = Field("", description="the cluster that its alerts are about")
    repeat: Positive = Field(4 * 3600.0, description="Alertmanager's repeat_interval")
    group_interval: Positive = Field(300.0, description="Alertmanager's group_interval")
    storm: int = Field(60, ge=0, le=5000, description="more new incidents in a minute are a storm; 0: never")


class PageEntry(Entry):
    """When a rule pages."""

    after: Duration = Field(default=0.0, description="page only when it still lasts after this long")
    unless: Literal["fixed"] | None = Field(default=None, description="fixed: do not page when it was fixed by then")


class RuleEntry(Entry):
    """A rule: matchers → playbook, parameters, severity, incident key, policy, plan. The first match wins."""

    name: Name
    match: Matchers = Field(description="matchers in Alertmanager's syntax; all must accept")
    playbook: Name
    severity: Literal["P0", "P1", "P2", "P3"] | None = Field(None, description="else what the label severity means")
    incident: list[Label] = Field([], description="labels that make the incident's key")
    with_: dict[str, Any] = Field(
        {},
        alias="with",
        description="the playbook's parameters; ${} sees labels, annotations, source, service",
        json_schema_extra={"additionalProperties": {"type": ["string", "number", "boolean"]}},
    )
    escalation: Name | None = Field(None, description="the policy that pages")
    communication: Name | None = Field(None, description="the plan that says who is told, beside those who are paged")
    mode: Literal["off", "shadow", "approve", "auto"] | None = Field(None, description="may only lower the mode")
    storm: Literal["on", "off"] = Field("on", description="off: exempt from the storm's bound")
    page: PageEntry = PageEntry()
    team: Name | None = Field(
        None, description="the team whose people act on its incidents; else all who have the role"
    )


class ServiceEntry(BaseModel):
    """A service: what an alert that matches is about. Every key beside `match` is a field of `service`."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    match: Matchers
    __pydantic_extra__: dict[str, str | int | float | bool | list[str]]


class PersonEntry(Entry):
    """A person, or a pager service. Notifiers add the contacts that they need."""

    name: Name
    notifier: Name | None = Field(None, description="how this person is paged; else by the first contact given")
    email: Text | None = None
    slack: Text | None = None
    pagerduty: Text | None = None
    pagerduty_key: Setting | None = Field(None, description="a PagerDuty service: the setting that holds its key")
    roles: list[Literal["viewer", "operator", "approver", "admin", "ci"]] = []
    teams: list[Name] = []


class OverrideEntry(Entry):
    """Somebody else has the watch for a while."""

    person: Name
    from_: Text = Field(alias="from", description="a moment, such as 2026-12-24T09:00Z")
    to: Text


class RotaEntry(Entry):
    """A rota: people who take turns."""

    name: Name
    rota: list[Name] = Field(min_length=1, max_length=100, description="people, in the order of their turns")
    turn: Positive = Field(604800.0, description="how long a turn lasts")
    handover: Text = Field("Mon 09:00", description="when the watch changes: a time, with a day for turns of weeks")
    zone: Text = Field("UTC", description="the time zone of the handover, such as Europe/London")
    starts: Text = Field("2024-01-01", description="at the handover on or after this day the first one begins")
    overrides: list[OverrideEntry] = []


class LevelEntry(Entry):
    """One level of a policy."""

    after: Duration
    page: list[Name] = Field(min_length=1, description="people, pagers or rotas")
    second: list[Name] = Field([], description="who is paged when that fails")


class AckEntry(Entry):
    """What an acknowledgement is worth."""

    for_: Positive = Field(default=3600.0, alias="for", description="how long it holds the climb")
    remind: Duration = Field(default=0.0, description="how often whoever acknowledged is reminded; 0: never")


class PolicyEntry(Entry):
    """An escalation policy."""

    name: Name
    levels: list[LevelEntry] = Field(min_length=1, max_length=20)
    respond: Duration = Field(0.0, description="an acknowledgement is due by then")
    climbs: Literal["paramedic", "pagerduty"] = Field("paramedic", description="who climbs the levels")
    ack: AckEntry = AckEntry()


def _every(value: Any) -> Any:
    return 0.0 if value == "change" else value


def _not_too_often(seconds: float) -> float:
    if 0 < seconds < 10:
        about = {"what": "that is more often than every 10s", "right": "write change, or for example 15m"}
        raise PydanticCustomError("every", "{what}; {right}", about)
    return seconds


Every = Annotated[
    Duration,
    BeforeValidator(_every),
    AfterValidator(_not_too_often),
    WithJsonSchema({"anyOf": [{"const": "change"}, {"type": "string", "pattern": "^[0-9]"}, {"type": "number"}]}),
]


class TellEntry(Entry):
    """One audience of a plan."""

    audience: Name = Field(description="who it is, such as engineering")
    by: Name = Field(description="the notifier that tells them, such as slack")
    to: Text | None = Field(None, description="where: for slack the id of a channel")
    every: Every = Field(0.0, description="change: whenever something changes; or a duration such as 15m")
    when: Text | None = Field(None, description="a CEL expression about the incident: once true, they are told")


class CommunicationEntry(Entry):
    """A communication plan: who is told what happens, beside those who are paged."""

    name: Name
    tell: list[TellEntry] = Field(min_length=1, max_length=20)


class WindowEntry(Entry):
    """A named stretch of time: once (`from` and `to`) or again and again (`on`)."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["from", "to"]}, {"required": ["on"]}]})
    name: Name
    from_: Text | None = Field(None, alias="from", description="a moment, such as 2026-12-20T00:00Z")
    to: Text | None = None
    on: Text | None = Field(None, description='such as "first Sunday 02:00-06:00", "weekdays 22:00-06:00"')
    zone: Text = Field("UTC", description="the time zone of `on`, such as Europe/London")
    mute: Literal["pages"] | None = None


class EndpointEntry(Entry):
    """Where `http` steps, checks and notifiers may send."""

    name: Name
    url: Text = Field(json_schema_extra={"pattern": "^https?://"})
    token: Setting | None = Field(None, description="the setting that holds its bearer token")
    idempotent: bool = Field(False, description="whether it deduplicates the Idempotency-Key")
    timeout: Annotated[Duration, Field(gt=0, le=300)] = Field(10.0, description="how long an answer may take")


class ParamEntry(Entry):
    """A parameter of a playbook."""

    type: Literal["string", "integer", "number", "boolean"]
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        None, description="an RE2 expression that must be found in the value"
    )
    default: str | int | float | bool | None = Field(None, description="used when a rule does not give the parameter")
    description: str = ""


class RecurrenceEntry(Entry):
    """How often fixing it is enough."""

    max: Annotated[int, Field(ge=1, le=1000)] = 3
    within: Positive = 4 * 3600.0


class StepEntry(Entry):
    """What a step may say beside its action."""

    when: Text | None = Field(None, description="a CEL expression; false means that the step is skipped")
    verify: list[Any] = Field([], max_length=20, description="checks that must pass afterwards")
    on_failure: Literal["stop", "undo", "next"] = "stop"


class CheckTerms(Entry):
    """What a check in `verify` may say beside its own parameters."""

    within: Positive = Field(default=600.0, description="how long it may take to pass")
    every: Annotated[Duration, Field(ge=1)] = Field(default=10.0, description="how often it is asked")


class PlaybookEntry(Entry):
    """A playbook: guards, steps, verification and what happens on failure."""

    playbook: Name
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    params: dict[ParamName, ParamEntry] = Field({}, json_schema_extra={"additionalProperties": False})
    target: Text = Field(description="what the run acts on; ${} sees params")
    mode: Literal["off", "shadow", "approve", "auto"] = Field("shadow", description="may only lower the mode")
    defaults: Literal["none"] | None = Field(None, description="none: of the default guards only still_firing")
    guards: list[Any] = Field([], max_length=50)
    steps: list[Any] = Field(min_length=1, max_length=50)
    on_failure: Literal["escalate", "stop"] = "escalate"
    recurrence: RecurrenceEntry = RecurrenceEntry()
    supersedes: list[Name] = Field([], description="playbooks whose runs this one replaces")
    approval: Positive = Field(600.0, description="how long an approval is waited for")
    team: Name | None = Field(None, description="the team whose people act on its runs; else that of the rule")
    changed_by: Name | None = Field(None, description="who changed it last, and so cannot approve what it plans")
