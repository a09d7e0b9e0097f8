"""The timeline's chain: each row's hash covers the row before it, so that nothing can be changed or left out unseen.

The turn calls `chain` for every row it writes; `verify` is what people and tests call. Promise 8.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import msgspec

from paramedic.core.decision import Entry
from paramedic.core.text import iso

__all__ = ["chain", "decode_entries", "encode_entries", "first_link", "verify"]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Entry, ...])


def first_link(incident: int) -> bytes:
    """What the first row of an incident is chained to."""
    return sha256(f"INC-{incident}".encode()).digest()


def chain(previous: bytes, at: datetime, body: bytes) -> bytes:
    """The hash of a row: sha256 over the hash before it, its time in ISO 8601, a line feed and its body."""
    return sha256(previous + iso(at).encode() + b"\n" + body).digest()


def verify(incident: int, rows: Iterable[tuple[datetime, bytes, bytes]], head: bytes | None = None) -> bool:
    """Whether these rows (time, body, hash), in order, are the whole unbroken chain, up to `head` where it is given."""
    link = first_link(incident)
    for at, body, found in rows:
        link = chain(link, at, body)
        if link != found:
            return False
    return head is None or head == link


def encode_entries(entries: tuple[Entry, ...]) -> bytes:
    """Entries as the JSON list that a row holds."""
    return _encoder.encode(entries)


def decode_entries(body: bytes) -> tuple[Entry, ...]:
    """The entries of a row."""
    return _decoder.decode(body)
