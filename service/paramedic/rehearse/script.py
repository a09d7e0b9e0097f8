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
from paramedic.rehearse.cluster.spec import Hand, KubeFails
from paramedic.rehearse.expectations import Expected, Forbidden, Part
from paramedic.rehearse.loop import START
from paramedic.rehearse.moments import After, Date, Moment
from paramedic.rehearse.scenery import World

__all__ = [
    "FAULTS",
    "HAPPENINGS",
    "Alerting",
    "Away",
    "Clustered",
    "Crash",
    "Failing",
    "Fails",
    "Happens",
    "Outline",
    "Personal",
    "Repeating",
    "Resolving",
    "Script",
    "Switching",
]

Labels = dict[str, str]


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


class Clustered(Timed):
    """Somebody else changes something on a cluster."""

    cluster: Hand


HAPPENINGS: Mapping[str, type[Timed]] = MappingProxyType(
    {
        "alert": Alerting,
        "resolved": Resolving,
        "repeat": Repeating,
        "person": Personal,
        "switch": Switching,
        "cluster": Clustered,
    }
)
"""What can happen, by the key that says so."""


def _kind_of_happening(value: Any) -> str:
    return _key_of(value, HAPPENINGS)


Happens = Annotated[
    Annotated[Alerting, Tag("alert")]
    | Annotated[Resolving, Tag("resolved")]
    | Annotated[Repeating, Tag("repeat")]
    | Annotated[Personal, Tag("person")]
    | Annotated[Switching, Tag("switch")]
    | Annotated[Clustered, Tag("cluster")],
    Discriminator(
        _kind_of_happening,
        custom_error_type="happening",
        custom_error_message="names nothing that happens; one of alert, resolved, repeat, person, switch, cluster",
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


FAULTS: Mapping[str, type[Part]] = MappingProxyType(
    {"crash": Crash, "database": Away, "notifier": Failing, "cluster": KubeFails}
)
"""What can fail, by the key that says so."""


def _kind_of_fault(value: Any) -> str:
    return _key_of(value, FAULTS)


def _key_of(value: Any, keys: Iterable[str]) -> str:
    given = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return next((key for key in keys if key in given), "")


Fails = Annotated[
    Annotated[Crash, Tag("crash")]
    | Annotated[Away, Tag("database")]
    | Annotated[Failing, Tag("notifier")]
    | Annotated[KubeFails, Tag("cluster")],
    Discriminator(
        _kind_of_fault,
        custom_error_type="fault",
        custom_error_message="names nothing that fails; one of crash, database, notifier, cluster",
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

    @model_validator(mode="after")
    def _something_happens(self) -> "Framed":
        if not getattr(self, "when", ()) and not self.world.alerts:
            raise ValueError("nothing happens in it: say when, or world: {alerts: ...} that follow the clusters")
        return self


class Outline(Framed):
    """A rehearsal whose lists have not been read yet: each item of them is read by itself, to say what is wrong."""

    when: list[Any] = Field(default_factory=list)
    faults: list[Any] = Field(default_factory=list)
    then: list[Any] = Field(default_factory=list)
    never: list[Any] = Field(default_factory=list)


class Script(Framed):
    """One rehearsal."""

    when: tuple[Happens, ...] = ()
    faults: tuple[Fails, ...] = ()
    then: tuple[Expected, ...] = ()
    never: tuple[Forbidden, ...] = ()

    @property
    def end(self) -> float:
        """Seconds after which it is over: `until`, else the last moment named, a minute after the last happening."""
        if self.clock.until is not None:
            return self.clock.until
        happenings = [0.0, *(step.at for step in self.when), *(fault.last for fault in self.faults)]
        return max([max(happenings) + 60.0, *(moment for expected in self.then for moment in expected.moments)])
