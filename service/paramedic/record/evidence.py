"""Evidence: what a plug-in saw, kept whole, once, under the digest that the timeline cites."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from paramedic.core.model import Evidence

__all__ = ["LARGEST", "Kept", "keep"]

LARGEST = 256 * 1024
"""Bytes of one piece; what is longer is cut, and its name says so."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A piece of evidence with its reference."""

    reference: Evidence
    body: bytes


def keep(pieces: Iterable[tuple[str, bytes]]) -> tuple[Kept, ...]:
    """References for named pieces of evidence, each cut at `LARGEST` bytes."""
    kept = []
    for name, body in pieces:
        cut = body[:LARGEST]
        title = name if len(cut) == len(body) else f"{name} (first {LARGEST} of {len(body)} bytes)"
        kept.append(Kept(Evidence(title, sha256(cut).hexdigest(), len(cut)), cut))
    return tuple(kept)
