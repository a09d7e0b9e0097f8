"""The fields of one alert, brought into bounds: labels, times, annotations, link. Called for each element.

Labels and times decide what the alert is, so what is wrong with them is a `Fault`. Annotations and the link only
explain it, so they are cut or dropped.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from paramedic.errors import Fault

__all__ = [
    "annotations_within",
    "check_annotations",
    "check_labels",
    "clean",
    "digest_of",
    "identity_of",
    "labels_json",
    "link_or_none",
    "moment",
]

MOST_LABELS = 256
LONGEST_NAME = 1024
"""Bytes in a label's name, and in the value of `alertname`: both are indexed, and an index row has a limit."""
LONGEST_VALUE = 64 * 1024
LARGEST_LABELS = 128 * 1024
"""Bytes in all labels of an alert: they are kept with every open episode."""
LONGEST_ANNOTATION = 16 * 1024
LARGEST_ANNOTATIONS = 64 * 1024
LONGEST_LINK = 8 * 1024
CUT = "… (cut)"
FIRST_YEAR, LAST_YEAR = 1970, 2261
"""Outside of them a sender's clock is broken, and Go itself cannot count nanoseconds."""

_SORTED = msgspec.json.Encoder(order="sorted")


def labels_json(labels: Mapping[str, str]) -> bytes:
    """The canonical form of a label set: a JSON object, names in code point order, no white space, UTF-8.

    Only the quote, the backslash and control characters are escaped.
    """
    return _SORTED.encode(labels)


def identity_of(labels: Mapping[str, str]) -> str:
    """An alert's identity within its source: sha256 of the canonical form of its labels, as 64 hex digits."""
    return digest_of(labels_json(labels))


def digest_of(canonical: bytes) -> str:
    """The identity that a canonical form stands for."""
    return hashlib.sha256(canonical).hexdigest()


def clean(text: str, most: int = 80) -> str:
    """`text` in quotes, for a message: at most `most` characters, everything but printable ASCII escaped."""
    return ascii(text if len(text) <= most else text[:most] + "...")


def check_labels(labels: Mapping[str, str]) -> None:
    """Raises `Fault` when the labels are not such that an alert can be known and kept by them."""
    if not labels:
        raise Fault("labels", "there are none", "an alert is known by its labels")
    if len(labels) > MOST_LABELS:
        raise Fault("labels", f"there are {len(labels)}", f"at most {MOST_LABELS}")
    total = 0
    for name, value in labels.items():
        total += _size_of_label(name, value)
    if total > LARGEST_LABELS:
        raise Fault("labels", f"they have {total} bytes in all", f"at most {LARGEST_LABELS}")


def _size_of_label(name: str, value: str) -> int:
    where = f"labels[{clean(name)}]"
    if "\0" in name or "\0" in value:
        raise Fault(where, "holds a NUL character", "text without NUL")
    name_size, size = len(name.encode()), len(value.encode())
    if name_size > LONGEST_NAME:
        raise Fault(where, f"the name has {name_size} bytes", f"at most {LONGEST_NAME}")
    most = LONGEST_NAME if name == "alertname" else LONGEST_VALUE
    if size > most:
        raise Fault(where, f"the value has {size} bytes", f"at most {most}")
    return name_size + size


def check_annotations(annotations: Mapping[str, str]) -> None:
    """Raises `Fault` for a NUL character, which no page and no timeline could show."""
    for name, value in annotations.items():
        if "\0" in name or "\0" in value:
            raise Fault(f"annotations[{clean(name)}]", "holds a NUL character", "text without NUL")


def moment(where: str, text: str) -> datetime | None:
    """A time in UTC, what is finer than a microsecond cut off; None for Go's zero time. Raises `Fault` at `where`."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Fault(where, f"{clean(text)} is not a time", "for example 2026-11-22T02:47:45.17Z") from None
    if when.year == 1:
        return None
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise Fault(where, f"{clean(text)} is no time for an alert", f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    if when.tzinfo is None:
        raise Fault(where, f"{clean(text)} has no time zone", "end it with Z, or with an offset such as +02:00")
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def annotations_within(annotations: Mapping[str, str]) -> dict[str, str]:
    """The annotations, each value cut at 16 KiB with a mark, all of them together at 64 KiB."""
    kept: dict[str, str] = {}
    room = LARGEST_ANNOTATIONS
    for name, value in annotations.items():
        room -= len(name.encode())
        if room <= 0 or len(name) > LONGEST_NAME:
            break
        kept[name] = _cut(value, min(room, LONGEST_ANNOTATION))
        room -= len(kept[name].encode())
    return kept


def _cut(text: str, most: int) -> str:
    body = text.encode()
    if len(body) <= most:
        return text
    return body[:most].decode(errors="ignore") + CUT


def link_or_none(url: str | None) -> str:
    """The link if it is one that a browser may follow; empty otherwise. A cut link would lead elsewhere."""
    if url and len(url) <= LONGEST_LINK and url.startswith(("http://", "https://")) and url.isprintable():
        return url
    return ""
