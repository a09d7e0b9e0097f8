"""What intake hands on, and what it asks of the engine. The engine takes these shapes; the webhook fills them."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from paramedic.core.model import Alert

__all__ = ["Delivery", "Engine", "Rejected"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An element that could not be used: why, in printable ASCII, and the element itself as JSON."""

    reason: str
    body: bytes


class Delivery(msgspec.Struct, frozen=True):
    """One POST of a source: the body as received, the alerts read from it, and the elements that were none."""

    source: str
    body: bytes
    alerts: tuple[Alert, ...]
    rejected: tuple[Rejected, ...] = ()


class Engine(Protocol):
    """The part of the engine that intake knows."""

    @property
    def live(self) -> bool:
        """Whether this process has joined, recovered, and its commits succeed."""
        ...

    async def deliver(self, delivery: Delivery) -> int:
        """The delivery's number, once it is committed. Raises `Temporary` when it cannot be taken now."""
        ...

    async def reject(self, source: str, reason: str, body: bytes) -> None:
        """Keep a body that is no delivery. Raises `Temporary` when it cannot be kept now."""
        ...
