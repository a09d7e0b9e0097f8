"""What members pass on to each other, as it lies in the store: alerts, questions of people, and what was answered.

`folds` writes the rows and reads them back; `sharing` fetches them.
"""

from typing import assert_never

import msgspec

from paramedic.core.effects import Effect
from paramedic.core.events import Event, Swell
from paramedic.core.model import Alert
from paramedic.engine.acts import Act, Conflict, Forbidden, NotFound
from paramedic.errors import Fault, ParamedicError, Permanent

__all__ = [
    "Answer",
    "Forwarded",
    "PassedAlerts",
    "PassedResult",
    "PassedSwell",
    "Question",
    "pack",
    "unpack",
    "unpack_answer",
]


class PassedAlerts(msgspec.Struct, frozen=True, omit_defaults=True, tag="alerts"):
    """Elements of a delivery that are at home elsewhere. `final`: the shard's owner takes them, wherever pinned."""

    delivery: int
    alerts: tuple[Alert, ...]
    final: bool = False


class Question(msgspec.Struct, frozen=True, omit_defaults=True, tag="act"):
    """A person's act on an incident; the answer is kept under the row's id."""

    incident: int
    act: Act


class PassedResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="result"):
    """What an effect came to whose incident is another member's by now."""

    incident: int
    effect: Effect
    event: Event


class PassedSwell(msgspec.Struct, frozen=True, omit_defaults=True, tag="swell"):
    """What a storm's parent is to hear of children that another member opened."""

    incident: int
    event: Swell


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was done, in words, or what stands against it: `error` is `missing`, `conflict`, `forbidden` or `other`."""

    text: str = ""
    error: str = ""
    where: str = ""
    right: str = ""

    @classmethod
    def of(cls, came: str | Exception) -> "Answer":
        """A text, or an error, as an answer."""
        match came:
            case str():
                return cls(came)
            case NotFound():
                return cls(came.what, "missing", came.where, came.right)
            case Conflict():
                return cls(came.what, "conflict", came.where, came.right)
            case Forbidden():
                return cls(came.what, "forbidden", came.where, came.right)
            case Exception():
                return cls(str(came), "other")
            case _:
                assert_never(came)

    def error_of(self) -> ParamedicError | None:
        """The error that it carries."""
        kinds: dict[str, type[Fault]] = {"missing": NotFound, "conflict": Conflict, "forbidden": Forbidden}
        if not self.error:
            return None
        kind = kinds.get(self.error)
        return kind(self.where, self.text, self.right) if kind else Permanent(self.text)


Forwarded = PassedAlerts | PassedResult | PassedSwell | Question

_encoder = msgspec.json.Encoder()
_forwarded: msgspec.json.Decoder[Forwarded] = msgspec.json.Decoder(Forwarded)
_answer = msgspec.json.Decoder(Answer)


def pack(value: Forwarded | Answer) -> bytes:
    """As it lies in the store."""
    return _encoder.encode(value)


def unpack(body: bytes) -> Forwarded:
    """What a forwarded row holds."""
    return _forwarded.decode(body)


def unpack_answer(body: bytes) -> Answer:
    """What an answer holds."""
    return _answer.decode(body)
