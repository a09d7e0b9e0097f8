"""What expressions may use, and typical values of it: against these an expression is tried out when it is loaded.

A shape is a plain tree like the scope that `core.scope` makes later. A mapping is closed: a field that it lacks is a
fault. `Open` is a mapping whose fields nobody can know beforehand, such as labels: any field is there, and is text.
`Known` is a tree of which only typical values are known: what it lacks may be there all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from paramedic.catalog.faults import did_you_mean, quoted
from paramedic.core.bundle import Param, ServiceEntry
from paramedic.errors import Fault

__all__ = [
    "OPEN",
    "Known",
    "Open",
    "Shape",
    "incident_shape",
    "playbook_shape",
    "rule_shape",
    "sample_of",
    "target_shape",
    "typical",
]

Shape = Mapping[str, Any]

# A typical text should be what a pattern of a parameter asks for; most patterns take one of these.
_TEXTS = ("example", "1", "main", "deployment/example", "example.org", "10.0.0.1", "P1", "15m", "EXAMPLE", "/example")
_OF_OBJECTS = {"spec": "replicas >= 2", "status": "readyReplicas == 0", "metadata": "generation > 1"}
_MOMENT = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Open:
    """A mapping of unknown fields."""


OPEN = Open()


@dataclass(frozen=True, slots=True)
class Known:
    """A tree that is typical, and not complete."""

    value: Any


def rule_shape(services: Iterable[ServiceEntry]) -> Shape:
    """What a rule's `with` sees: the fields of `service` are those that any service declares."""
    fields = {name: value for entry in services for name, value in entry.fields.items()}
    return {"labels": OPEN, "annotations": OPEN, "source": "main", "service": fields}


def target_shape(params: Mapping[str, Param]) -> Shape:
    """What a playbook's `target` sees."""
    return {"params": {name: sample_of(param) for name, param in params.items()}}


def playbook_shape(params: Mapping[str, Param]) -> Shape:
    """What a playbook's guards and steps see."""
    return {
        **target_shape(params),
        "target": {"name": "example"},
        "alert": {"labels": OPEN, "annotations": OPEN, "starts_at": _MOMENT},
        **incident_shape(),
        "run": {"id": "INC-1.1", "playbook": "example", "recurrence": 0, "started_at": _MOMENT},
    }


def incident_shape() -> Shape:
    """What a communication plan's `when` sees."""
    return {
        "incident": {
            "id": "INC-1",
            "key": "main{}",
            "title": "example",
            "severity": "P1",
            "phase": "responding",
            "source": "main",
            "opened_at": _MOMENT,
        }
    }


def sample_of(param: Param) -> Any:
    """A typical value of a parameter: its default where it has one."""
    if param.default is not None:
        return param.default
    match param.type:
        case "string":
            regex = param.regex
            fits = (text for text in _TEXTS if regex is None or regex.search(text) is not None)
            return next(fits, _TEXTS[0])
        case "integer":
            return 1
        case "number":
            return 1.5
        case "boolean":
            return True


def typical(shape: Shape, paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """A scope of this shape in which every path leads somewhere.

    Raises `Fault` for a path into a closed mapping, or into a plain value, that leads nowhere.
    """
    scope = _copied(shape)
    for path in paths:
        _follow(scope, shape, path)
    return scope


def _copied(shape: Shape) -> dict[str, Any]:
    return {name: _value(value) for name, value in shape.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Open):
        return {}
    if isinstance(value, Known):
        return value.value
    return _copied(value) if isinstance(value, Mapping) else value


def _follow(scope: dict[str, Any], shape: Shape, path: tuple[str, ...]) -> None:
    place: Any = shape
    values: Any = scope
    for position, name in enumerate(path):
        where = ".".join(path[:position])
        if isinstance(place, Known):
            return
        if isinstance(place, Open):
            values.setdefault(name, "1")
            place = ""
        elif isinstance(place, Mapping):
            if name not in place:
                raise Fault(where, *_nowhere(where, name, place))
            place = place[name]
        else:
            raise Fault(where, f"{where} is {_kind(place)}, it has no field {quoted(name)}")
        values = values[name] if isinstance(values, dict) else values


def _nowhere(where: str, name: str, place: Shape) -> tuple[str, str]:
    if not where:
        return f"{quoted(name)} refers to nothing", did_you_mean(name, place)
    if not place:
        return f"{where} has no field {quoted(name)}", f"no {where.removesuffix('s')} is declared"
    if where == "target" and name in _OF_OBJECTS:
        right = f'the guard "object" reads it: write for example object: "object.{name}.{_OF_OBJECTS[name]}"'
        return f"target has no field {quoted(name)}, because nothing is read for this expression", right
    return f"{where} has no field {quoted(name)}", did_you_mean(name, place)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "text"
