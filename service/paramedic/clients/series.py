"""What Prometheus answers, as measurements or as a failure: the half of `prometheus` that waits for nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from paramedic.clients.answers import excerpt, retry_after
from paramedic.core.text import one_line
from paramedic.errors import ParamedicError, Permanent, Temporary
from paramedic.plugin import Measured, Sample

__all__ = ["MOST_SERIES", "Answered", "judged", "read_instant", "read_moments", "read_version"]

MOST_SERIES = 1000
"""Series of an answer; a query that has more must aggregate."""

T = TypeVar("T")
Point = tuple[float, str]


class Answered(msgspec.Struct):
    """What every answer is wrapped in."""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    kind: str = msgspec.field(default="", name="errorType")
    error: str = ""
    warnings: list[str] = []


class _Series(msgspec.Struct):
    """A series with one value (a vector's) or several (a matrix's); what has neither has histograms."""

    metric: dict[str, str]
    value: Point | None = None
    values: list[Point] = []


class _Data(msgspec.Struct):
    kind: str = msgspec.field(name="resultType")
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Build(msgspec.Struct):
    version: str


_ANSWERED: Final = msgspec.json.Decoder(Answered)
_DATA: Final = msgspec.json.Decoder(_Data)
_VECTOR: Final = msgspec.json.Decoder(list[_Series])
_SCALAR: Final = msgspec.json.Decoder(Point)
_BUILD: Final = msgspec.json.Decoder(_Build)


def judged(status: int, headers: Mapping[str, str], body: bytes, asked: str) -> Answered:
    """The answer, if it is one. Raises `Temporary` or `Permanent`, in Prometheus' words where it has some."""
    try:
        answer = _ANSWERED.decode(body)
    except (msgspec.MsgspecError, ValueError):
        raise _other(status, headers, body, asked) from None
    if answer.status == "success" and 200 <= status <= 299:
        return answer
    said = one_line(answer.error, 300)
    if answer.kind == "bad_data":
        raise Permanent(f"{asked}: this is not a query that it takes: {said}")
    if answer.kind == "execution":
        raise Permanent(f"{asked}: the query cannot be evaluated: {said}")
    raise _other(status, headers, answer.error.encode("utf-8", "replace"), asked)


def read_instant(answer: Answered, name: str, now: datetime) -> Measured:
    """The answer to an instant query; `now` is its moment where it holds nothing that says one."""
    data = _read(answer.data, _DATA, name)
    match data.kind:
        case "vector":
            series = _bounded(_read(data.result, _VECTOR, name), name)
            points = [(each.metric, _there(each.value, name)) for each in series]
        case "scalar":
            points = [({}, _read(data.result, _SCALAR, name))]
        case _:
            raise Permanent(f"{name} comes to a {one_line(data.kind, 40)}, not to a number for each series")
    at = max((_moment(at, name) for _, (at, _) in points), default=now)
    return Measured(at, tuple(Sample(labels, _number(text, name)) for labels, (_, text) in points), _warned(answer))


def read_moments(answer: Answered, name: str, moments: Sequence[int]) -> Sequence[Measured]:
    """The answer about a stretch of time: what there was at each of `moments` (ms since 1970)."""
    data = _read(answer.data, _DATA, name)
    if data.kind != "matrix":
        raise Permanent(f"{name} comes to a {one_line(data.kind, 40)}, not to numbers over time")
    found: dict[int, list[Sample]] = {moment: [] for moment in moments}
    for each in _bounded(_read(data.result, _VECTOR, name), name):
        for at, text in each.values or [_there(None, name)]:
            found.get(round(at * 1000), []).append(Sample(each.metric, _number(text, name)))
    warned = _warned(answer)
    return [Measured(datetime.fromtimestamp(at / 1000, UTC), tuple(found[at]), warned) for at in moments]


def read_version(answer: Answered) -> str:
    """The version out of an answer about the build."""
    return one_line(_read(answer.data, _BUILD, "its version").version, 60)


def _other(status: int, headers: Mapping[str, str], body: bytes, asked: str) -> ParamedicError:
    said = excerpt(body)
    text = f"{asked}: it answered {status}" + (f": {said}" if said else "")
    if status in {401, 403}:
        return Permanent(f"{text}; check PARAMEDIC_PROMETHEUS_TOKEN, or the user in PARAMEDIC_PROMETHEUS_URL")
    if status in {408, 425, 429} or status >= 500:
        return Temporary(text, delay=retry_after(headers))
    return Permanent(f"{text}; is PARAMEDIC_PROMETHEUS_URL the address of Prometheus?")


def _read(raw: msgspec.Raw, decoder: "msgspec.json.Decoder[T]", name: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Permanent(f"Prometheus, asked for {one_line(name, 80)}: its answer cannot be read") from error


def _there(point: Point | None, name: str) -> Point:
    if point is None:
        raise Permanent(f"{name} comes to histograms, not to numbers")
    return point


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Permanent(f"{name} comes to {one_line(text, 40)}, which is not a number") from error


def _moment(seconds: float, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Permanent(f"{name} comes with a moment that is none") from error


def _bounded(series: list[_Series], name: str) -> list[_Series]:
    if len(series) > MOST_SERIES:
        raise Permanent(f"{name} comes to more than {MOST_SERIES} series; aggregate in the query")
    return series


def _warned(answer: Answered) -> tuple[str, ...]:
    return tuple(one_line(warning, 200) for warning in answer.warnings[:10])
