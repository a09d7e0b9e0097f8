"""What a rehearsal may say, as models: the world as it is, what happens when, what must and must never follow.

`files` fills them from YAML and makes the JSON Schema of them; the tests in tests/simulation fill them from a seed. The
stage plays them. Every key is named here and nowhere else; an unknown one is a fault.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from paramedic.core.words import Mode
from paramedic.durations import Duration
from paramedic.rehearse.expectations import Expected, Forbidden, Part
from paramedic.rehearse.loop import START
from paramedic.rehearse.moments import After, Date, Moment

__all__ = [
    "FAULTS",
    "HAPPENINGS",
    "Alerting",
    "Answer",
    "Away",
    "Consequence",
    "Crash",
    "EndpointWorld",
    "Failing",
    "Fails",
    "Habits",
    "Happens",
    "Outline",
    "Personal",
    "Reaction",
    "Repeating",
    "Resolving",
    "Script",
    "Switching",
    "World",
]

Labels = dict[str, str]


# -- the world --------------------------------------------------------------------------------------------------------


class Answer(Part):
    """How an endpoint answers the requests it is `on`: the first that applies is taken.

    `reports` puts a metric's value into the body. `fails`: `refused` (nobody listens), `lost` (it arrives and takes
    effect, the answer never comes), `dropped` (neither arrives).
    """

    on: str = Field(default="*", description="METHOD PATH, with * for anything")
    while_: str = Field(default="", alias="while", description="only in this state of the endpoint")
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    times: int | None = Field(default=None, ge=1, description="only so many requests")
    status: int = Field(default=200, ge=100, le=599)
    body: Any = None
    reports: str = Field(default="", description="the name of a metric whose value is the body")
    delay: Duration = 0.02
    fails: Literal["", "refused", "lost", "dropped"] = ""


class Consequence(Part):
    """What a request does to the world, some time `after` it arrived."""

    on: str = Field(default="*", description="METHOD PATH, with * for anything")
    after: Duration = 0.0
    resolves: str | Labels = Field(default="", description="the alert that ends: its name or labels")
    fires: Labels = Field(default_factory=dict, description="the labels of an alert that begins")
    becomes: str = Field(default="", description="the endpoint's next state")


class EndpointWorld(Part):
    """A simulated HTTP service behind an endpoint of the bundle. Where no answer applies it says 200."""

    state: str | tuple[tuple[Moment, str], ...] = ""
    answers: tuple[Answer, ...] = ()
    effects: tuple[Consequence, ...] = ()


class Reaction(Part):
    """When a person does something about a page or an approval: how long `after`, and to which."""

    after: Duration
    level: int | None = Field(default=None, ge=1)
    to: str = "*"
    of: str = Field(default="*", description="the incident's title, with * for anything")


class Habits(Part):
    """What one person does whenever there is cause."""

    acks: Reaction | None = None
    takes: Reaction | None = None
    approves: Reaction | None = None
    denies: Reaction | None = None


class World(Part):
    """What the world is when the rehearsal begins. A metric without a series, or before its first point, is unknown."""

    endpoints: dict[str, EndpointWorld] = Field(default_factory=dict)
    metrics: dict[str, tuple[tuple[Moment, float | None], ...]] = Field(default_factory=dict)
    people: dict[str, Habits] = Field(default_factory=dict)
    mode: Mode = Mode.AUTO
    repeats: bool = Field(default=True, description="whether Alertmanager repeats what still fires, as it does")


# -- what happens when ------------------------------------------------------------------------------------------------


class Timed(Part):
    """Base of everything that happens at a moment."""

    at: After


class Alerting(Timed):
    """Alertmanager delivers that these alerts fire; several are one delivery."""

    alert: Labels | tuple[Labels, ...]
    annotations: Labels = Field(default_factory=dict)
    source: str = ""
    started: Moment | None = None


class Resolving(Timed):
    """Alertmanager delivers that these alerts are over: by name, or by labels."""

    resolved: str | Labels


class Repeating(Timed):
    """Alertmanager delivers what it delivered before once more: by name, or by labels."""

    repeat: str | Labels


class Act(Part):
    """What a person does by hand, to the newest open incident whose title fits `of`."""

    name: str
    does: Literal["ack", "take", "snooze", "escalate", "close", "note", "approve", "deny", "cancel"]
    of: str = "*"
    for_: Duration | None = Field(default=None, alias="for")
    text: str = ""


class Personal(Timed):
    """A person does something by hand."""

    person: Act


class Switching(Timed):
    """Somebody sets the global switch."""

    switch: Mode
    who: str = "operator"
    reason: str = ""
    for_: Duration | None = Field(default=None, alias="for")


HAPPENINGS: Mapping[str, type[Timed]] = MappingProxyType(
    {"alert": Alerting, "resolved": Resolving, "repeat": Repeating, "person": Personal, "switch": Switching}
)
"""What can happen, by the key that says so."""


def _kind_of_happening(value: Any) -> str:
    return _key_of(value, HAPPENINGS)


Happens = Annotated[
    Annotated[Alerting, Tag("alert")]
    | Annotated[Resolving, Tag("resolved")]
    | Annotated[Repeating, Tag("repeat")]
    | Annotated[Personal, Tag("person")]
    | Annotated[Switching, Tag("switch")],
    Discriminator(
        _kind_of_happening,
        custom_error_type="happening",
        custom_error_message="names nothing that happens; one of alert, resolved, repeat, person, switch",
    ),
]

# -- faults -----------------------------------------------------------------------------------------------------------


class Crash(Part):
    """The process is killed: at a moment, or just before or after its Nth commit. It is back after `down`."""

    crash: Literal[True, "before", "after"]
    at: After | None = None
    commit: int | None = Field(default=None, ge=1)
    down: Duration = 5.0

    @model_validator(mode="after")
    def _one_moment(self) -> "Crash":
        if (self.at is None) is (self.commit is None):
            raise ValueError("a crash has one moment: at, or commit")
        if (self.crash is True) is (self.commit is not None):
            raise ValueError("write {at: 90s, crash: true} or {commit: 3, crash: before}")
        return self

    @property
    def last(self) -> float:
        """The last moment that it names, in seconds."""
        return (self.at or 0.0) + self.down


class Away(Part):
    """The database cannot be reached: what it is asked is not done (away), or done and never answered (silent)."""

    database: Literal["away", "silent"]
    from_: After = Field(alias="from")
    to: After

    @property
    def last(self) -> float:
        """The last moment that it names, in seconds."""
        return self.to


class Failing(Part):
    """A notifier fails."""

    notifier: str
    fails: Literal["temporary", "permanent", "unknown"]
    from_: After = Field(default=0.0, alias="from")
    to: After | None = None

    @property
    def last(self) -> float:
        """The last moment that it names, in seconds."""
        return self.to or self.from_


FAULTS: Mapping[str, type[Part]] = MappingProxyType({"crash": Crash, "database": Away, "notifier": Failing})
"""What can fail, by the key that says so."""


def _kind_of_fault(value: Any) -> str:
    return _key_of(value, FAULTS)


def _key_of(value: Any, keys: Iterable[str]) -> str:
    given = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return next((key for key in keys if key in given), "")


Fails = Annotated[
    Annotated[Crash, Tag("crash")] | Annotated[Away, Tag("database")] | Annotated[Failing, Tag("notifier")],
    Discriminator(
        _kind_of_fault,
        custom_error_type="fault",
        custom_error_message="names nothing that fails; one of crash, database, notifier",
    ),
]

# -- the whole --------------------------------------------------------------------------------------------------------


class Time(Part):
    """When the rehearsal begins, and until when it is watched."""

    start: Date = START
    until: After | None = None


class Framed(Part):
    """What a rehearsal says beside its lists."""

    rehearsal: str = Field(min_length=1, max_length=200, description="what it shows, in a sentence")
    world: World = World()
    clock: Time = Time()


class Outline(Framed):
    """A rehearsal whose lists have not been read yet: each item of them is read by itself, to say what is wrong."""

    when: list[Any] = Field(min_length=1)
    faults: list[Any] = Field(default_factory=list)
    then: list[Any] = Field(default_factory=list)
    never: list[Any] = Field(default_factory=list)


class Script(Framed):
    """One rehearsal."""

    when: tuple[Happens, ...] = Field(min_length=1)
    faults: tuple[Fails, ...] = ()
    then: tuple[Expected, ...] = ()
    never: tuple[Forbidden, ...] = ()

    @property
    def end(self) -> float:
        """Seconds after which it is over: `until`, else the last moment named, a minute after the last happening."""
        if self.clock.until is not None:
            return self.clock.until
        happenings = [step.at for step in self.when] + [fault.last for fault in self.faults]
        return max([max(happenings) + 60.0, *(moment for expected in self.then for moment in expected.moments)])
