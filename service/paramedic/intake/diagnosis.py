"""What is wrong with a body or an element that the fast reader refused. Slow, tolerant, and only called then.

Alertmanager copies label values as they are, so one odd character in one alert makes the whole body unreadable to a
strict reader. Here the body is read with the standard library, which takes lone surrogates, and is cut into elements
again; each is then judged by itself.
"""

import json
from typing import Any

import msgspec

from paramedic.errors import Fault
from paramedic.intake.fields import clean
from paramedic.intake.wire import ELEMENT_FIELDS, Body

__all__ = ["dissect", "why_unfit"]

FORMAT = 'the webhook format of Alertmanager, version "4"'
SHAPE = "an object with status, labels and startsAt"
LONGEST_NUMBER = 64
BEYOND = 1 << 63
"""Stands for every number too long to be worth reading."""


def dissect(body: bytes) -> Body:
    """The outer object, its elements as JSON of their own. Raises `Fault`: no JSON, or not of version 4."""
    top = _read(body)
    if not isinstance(top, dict):
        raise Fault("body", f"is {_kind(top)}", f"{FORMAT}, is an object")
    if "version" not in top:
        raise Fault("version", "is missing", f"{FORMAT}; a custom payload is not understood")
    if top["version"] != "4":
        raise Fault("version", f"is {_shown(top['version'])}", FORMAT)
    if not isinstance(top.get("alerts"), list):
        found = f"is {_kind(top['alerts'])}" if "alerts" in top else "is missing"
        raise Fault("alerts", found, "a list of alerts")
    truncated = top.get("truncatedAlerts", 0)
    if not isinstance(truncated, int) or isinstance(truncated, bool) or not 0 <= truncated < BEYOND:
        raise Fault("truncatedAlerts", f"is {_shown(truncated)}", "how many alerts were left out: a whole number")
    return Body(
        version="4",
        alerts=[_again(element) for element in top["alerts"]],
        truncated_alerts=truncated,
        group_key=_text(top.get("groupKey")),
        receiver=_text(top.get("receiver")),
    )


def _again(element: object) -> msgspec.Raw:
    """The element as JSON, without the fields that are ignored: what is odd about them must not count against it."""
    if isinstance(element, dict):
        element = {name: element[name] for name in ELEMENT_FIELDS if name in element}
    try:
        return msgspec.Raw(json.dumps(element).encode())
    except RecursionError as error:
        raise Fault("body", "is nested too deep", FORMAT) from error


def why_unfit(element: bytes) -> Fault:
    """The first thing that keeps this element from being an alert; `where` is the field, or empty for all of it."""
    try:
        value = _read(element)
    except Fault as fault:
        return Fault("", fault.what, SHAPE)
    if not isinstance(value, dict):
        return Fault("", f"is {_kind(value)}", SHAPE)
    fields = {name: field for name, field in value.items() if field is not None}
    if fields.get("status") not in ("firing", "resolved"):
        return Fault("status", _is(fields, "status"), '"firing" or "resolved"')
    if "labels" not in fields:
        return Fault("labels", "is missing", "an alert is known by its labels")
    if "startsAt" not in fields:
        return Fault("startsAt", "is missing", "when the alert began to fire")
    return (
        _unfit_texts("labels", fields["labels"])
        or _unfit_texts("annotations", fields.get("annotations", {}))
        or _unfit_text("startsAt", fields["startsAt"])
        or _unfit_text("endsAt", fields.get("endsAt", ""))
        or _unfit_text("generatorURL", fields.get("generatorURL", ""))
        or Fault("", "cannot be read", SHAPE)
    )


def _unfit_texts(where: str, value: object) -> Fault | None:
    if not isinstance(value, dict):
        return Fault(where, f"is {_kind(value)}", "an object of strings")
    faults = (_unfit_text(f"{where}[{clean(name)}]", text, name) for name, text in value.items())
    return next((fault for fault in faults if fault), None)


def _unfit_text(where: str, text: object, name: str = "") -> Fault | None:
    if not isinstance(text, str):
        return Fault(where, f"is {_kind(text)}", "a string")
    if any("\ud800" <= character <= "\udfff" for character in name + text):
        return Fault(where, "holds half of a surrogate pair, or bytes that are not UTF-8", "valid Unicode")
    return None


def _read(body: bytes) -> Any:
    """Any JSON. Bytes that are no UTF-8 become lone surrogates, which the caller then finds in their place."""
    if not body.strip():
        raise Fault("body", "is empty", FORMAT)
    reader = json.JSONDecoder(parse_constant=_no_constant, parse_int=_number, parse_float=_number)
    try:
        return reader.decode(body.decode(errors="surrogateescape"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Fault("body", f"is not JSON: {error.msg.removesuffix(' at').lower()} at {place}", FORMAT) from error
    except RecursionError as error:
        raise Fault("body", "is nested too deep", FORMAT) from error


def _no_constant(name: str) -> Any:
    raise Fault("body", f"is not JSON: {name} is not a number", FORMAT)


def _number(text: str) -> int | float:
    # Converting takes time that grows with the square of the length. No field that is read needs a long number.
    if len(text) > LONGEST_NUMBER:
        return BEYOND
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _text(value: object) -> str:
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _is(value: dict[str, Any], name: str) -> str:
    return f"is {_shown(value[name])}" if name in value else "is missing"


def _shown(value: object) -> str:
    return clean(value) if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}" if abs(value) < BEYOND else "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
