"""What must and must never follow, as a rehearsal file says it. `script` contains these models, `compare` judges.

An expectation names one thing (a page, a step, …) and as much about it as matters; text may hold `*` for anything.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from paramedic.core.words import Answer, Mode, Outcome, Phase, Severity
from paramedic.durations import Duration
from paramedic.rehearse.moments import After, say_moment

__all__ = ["KINDS", "Expected", "Forbidden", "Incident", "Message", "Named", "Page", "Part", "Run", "say_times"]

KINDS = ("page", "message", "step", "incident", "run", "guard", "check", "entry")


class Part(BaseModel):
    """Base of every part of a rehearsal: frozen, and an unknown key is a fault. A label written as a number is text."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, coerce_numbers_to_str=True)


class Thing(Part):
    """Base of the things that can be expected. `of` is the title of the incident it belongs to."""

    of: str = Field(default="*", description="the incident's title, with * for anything")

    def wanted(self) -> dict[str, Any]:
        """What was written about it."""
        return self.model_dump(exclude_unset=True, exclude={"of"}, mode="json")


class Page(Thing):
    """A page that was sent. `text` is a part of it."""

    level: int | None = Field(default=None, ge=1)
    to: str = ""
    policy: str = ""
    notifier: str = ""
    text: str = ""


class Message(Thing):
    """A message that an audience was told, the root's or one of its thread. `text` is a part of it."""

    audience: str = ""
    by: str = Field(default="", description="the notifier")
    to: str = ""
    text: str = ""


class Incident(Thing):
    """A state that an incident came to."""

    phase: Phase | None = None
    severity: Severity | None = None
    fixed_by: str = ""
    title: str = ""
    rule: str = ""
    owner: str = ""
    acked_by: str = ""
    open: bool | None = None


class Run(Thing):
    """A run that began (`running`) or ended."""

    playbook: str = ""
    target: str = ""
    outcome: Outcome | Literal["running"] | None = None
    mode: Mode | None = None


class Entry(Thing):
    """An entry of the timeline. `text` is a part of it."""

    kind: str = ""
    text: str = ""
    who: str = ""


class Named(Thing):
    """Base of the things that are known by a plug-in's name: it is the one key that is not among the fields."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str]

    @model_validator(mode="after")
    def _one_name(self) -> "Named":
        if len(self.__pydantic_extra__) != 1:
            raise ValueError(f"write {self.pattern}")
        return self

    @property
    def pattern(self) -> str:
        """How it is written, for whoever wrote it otherwise."""
        return "{NAME: ...}"

    @property
    def name(self) -> str:
        """The plug-in's name."""
        return next(iter(self.__pydantic_extra__))


class Step(Named):
    """A step that was carried out: `ACTION: TARGET`. `to` is a part of what it wrote."""

    to: Any = None
    outcome: Literal["done", "failed", "unknown", "refused"] | None = None
    undo: bool | None = None

    @property
    def pattern(self) -> str:
        """How it is written."""
        return '{ACTION: TARGET}, for example {http: "*"}'

    def wanted(self) -> dict[str, Any]:
        """What was written about it, under the names of what happens."""
        wanted = super().wanted()
        return {"action": self.name, "target": wanted.pop(self.name), **wanted}


class Judgement(Named):
    """Base of a guard's or a check's answer: `NAME: ANSWER`. `reason` is a part of its reason."""

    reason: str = ""

    def wanted(self) -> dict[str, Any]:
        """What was written about it, under the names of what happens."""
        wanted = super().wanted()
        return {"name": self.name, "answer": wanted.pop(self.name), **wanted}


class Guard(Judgement):
    """A guard's answer."""

    @model_validator(mode="after")
    def _known_answer(self) -> "Guard":
        _one_of(self.__pydantic_extra__[self.name], (Answer.ALLOW, Answer.DENY, Answer.ERROR, Answer.UNKNOWN))
        return self

    @property
    def pattern(self) -> str:
        """How it is written."""
        return "{GUARD: ANSWER}, for example {cooldown: deny}"


class Check(Judgement):
    """A check's answer."""

    @model_validator(mode="after")
    def _known_answer(self) -> "Check":
        _one_of(self.__pydantic_extra__[self.name], (Answer.PASS, Answer.FAIL, Answer.UNKNOWN))
        return self

    @property
    def pattern(self) -> str:
        """How it is written."""
        return "{CHECK: ANSWER}, for example {alert_cleared: pass}"


def _one_of(answer: str, answers: tuple[Answer, ...]) -> None:
    if answer not in answers:
        raise ValueError(f'"{answer}" is not an answer; one of {", ".join(answers)}')


def say_times(count: int) -> str:
    """How often, in words."""
    return {0: "not once", 1: "once"}.get(count, f"{count} times")


class Forbidden(Part):
    """Something that must never happen while the rehearsal is watched."""

    page: Page | None = None
    message: Message | None = None
    step: Step | None = None
    incident: Incident | None = None
    run: Run | None = None
    guard: Guard | None = None
    check: Check | None = None
    entry: Entry | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "Forbidden":
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"names exactly one of {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """Which thing it names."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def thing(self) -> Thing:
        """What it says about the thing."""
        thing: Thing = getattr(self, self.kind)
        return thing

    @property
    def moments(self) -> list[float]:
        """The moments that it names, in seconds."""
        return []

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that it means where a step names none: whatever may have touched the target is forbidden."""
        return "done", "failed", "unknown"

    def when(self) -> str:
        """The time it gives, in words."""
        return "never"


class Expected(Forbidden):
    """Something that must happen.

    `by` a moment at the latest, `at` it (within the second that begins then; for an incident: its state then), not
    before `after`, `within` so long of the expectation above; `times`: exactly so often.
    """

    by: After | None = None
    at: After | None = None
    after: After | None = None
    within: Duration | None = None
    times: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> "Expected":
        if self.at is not None and not (self.by is self.after is self.within is None):
            raise ValueError("at says when already; leave by, after and within away")
        if self.within is not None and self.by is not None:
            raise ValueError("by and within are two deadlines; give one of them")
        if self.by is not None and self.after is not None and self.by < self.after:
            raise ValueError("by lies before after")
        return self

    @property
    def moments(self) -> list[float]:
        """The moments that it names, in seconds."""
        return [moment for moment in (self.by, self.at, self.after) if moment is not None]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome that it means where a step names none: an expected step is one that worked."""
        return ("done",)

    def when(self) -> str:
        """The time it gives, in words."""
        said = [f"{word} {say_moment(moment)}" for word, moment in self._said() if moment is not None]
        if self.within is not None:
            said.append(f"within {self.within:g}s of the one above")
        if self.times is not None:
            said.append(say_times(self.times))
        return ", ".join(said) or "at any time"

    def _said(self) -> tuple[tuple[str, float | None], ...]:
        return ("at", self.at), ("after", self.after), ("by", self.by)
