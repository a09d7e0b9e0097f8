"""The shape of Alertmanager's webhook, version 4, as far as it is used; every other field is ignored.

`alertmanager` decodes with it. Where anything is wrong the elements stay raw, so that a bad one spoils only itself.
"""

from typing import Annotated, Literal

import msgspec

__all__ = ["BODY", "ELEMENT", "ELEMENT_FIELDS", "UNREADABLE", "WHOLE", "Body", "Element"]


class Outer(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """The outer object. `truncated_alerts` says how many alerts of the group were left out (`max_alerts`)."""

    version: Literal["4"]
    truncated_alerts: Annotated[int, msgspec.Meta(ge=0)] = 0
    group_key: str = ""
    receiver: str = ""


class Body(Outer, frozen=True, gc=False, rename="camel", kw_only=True):
    """The outer object, its elements not looked at."""

    alerts: list[msgspec.Raw]


class Element(msgspec.Struct, frozen=True, gc=False):
    """One alert. The sender's `fingerprint` is not read: identity is computed from the labels."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    starts_at: str = msgspec.field(name="startsAt")
    ends_at: str | None = msgspec.field(name="endsAt", default=None)
    annotations: dict[str, str] | None = None
    url: str | None = msgspec.field(name="generatorURL", default=None)


class Whole(Outer, frozen=True, gc=False, rename="camel", kw_only=True):
    """The outer object with all that is in it: one that cannot be read as this may hold a bad element."""

    alerts: list[Element]


BODY = msgspec.json.Decoder(Body)
WHOLE = msgspec.json.Decoder(Whole)
ELEMENT = msgspec.json.Decoder(Element)
ELEMENT_FIELDS = Element.__struct_encode_fields__

# Bytes that are no UTF-8 and deep nesting surface as Python's own exceptions, not as the library's.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
