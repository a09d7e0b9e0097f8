"""Conditions on a live object: compiled when a playbook is loaded, decided when a plug-in has read the object.

`templates` makes one for a field whose escape is `live`. The expression sees what every expression of a playbook sees,
and `object`. What a cluster answers is as hostile as an alert, and CEL has no limit on cost: only the parts of the
object that the expression names are handed over, and only if they are of a sensible size.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paramedic.catalog.cel import CelCondition, compile_condition
from paramedic.catalog.shapes import Known, Shape
from paramedic.catalog.tokens import read_tokens
from paramedic.core.bundle import LiveCondition
from paramedic.errors import Fault

__all__ = ["LiveTemplate", "compile_live"]

MOST_ITEMS: Final = 256  # of one list
MOST_FIELDS: Final = 1000  # of one mapping
LONGEST_TEXT: Final = 16 * 1024  # characters of one text
MOST_TEXT: Final = 128 * 1024  # characters of all texts together
DEEPEST: Final = 32

Path = tuple[str, ...]

_CONTAINER: Final = {"name": "api", "image": "registry.example/api:42", "env": [], "ports": [], "resources": {}}
_POD: Final = {"containers": [_CONTAINER], "initContainers": [_CONTAINER], "nodeName": "node-1", "hostNetwork": False}
_COUNTS: Final = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas")
TYPICAL: Final[Mapping[str, Any]] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "api",
        "namespace": "shop",
        "uid": "1",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {},
        "annotations": {},
        "ownerReferences": [],
    },
    "spec": {
        **_POD,
        "replicas": 3,
        "paused": False,
        "minReadySeconds": 0,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {}},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "template": {"metadata": {"labels": {}, "annotations": {}}, "spec": _POD},
        "serviceName": "api",
        "minReplicas": 2,
        "maxReplicas": 10,
    },
    "status": {**dict.fromkeys(_COUNTS, 3), "observedGeneration": 3, "phase": "Running", "conditions": []},
}
"""What objects are like: an expression that cannot be decided on this, or on none of its kind, is a fault."""


@dataclass(frozen=True, slots=True)
class _Live:
    """A condition on an object, with the values of its run; the plug-in that has read the object asks it."""

    text: str
    _condition: CelCondition = field(repr=False)
    _paths: frozenset[Path] = field(repr=False)
    _scope: Mapping[str, Any] = field(repr=False)

    def holds(self, thing: Mapping[str, Any]) -> bool:
        """As `core.bundle.LiveCondition`."""
        part = _parts(thing, self._paths)
        _measure(part)
        return self._condition.holds({**self._scope, "object": part})

    def values(self, thing: Mapping[str, Any]) -> dict[str, Any]:
        """The plain values that it looks at, by their paths; at most ten."""
        found = {".".join(("object", *path)): _at(thing, path) for path in sorted(self._paths) if path}
        plain = {path: value for path, value in found.items() if isinstance(value, str | int | float | bool)}
        return dict(list(plain.items())[:10])


@dataclass(frozen=True, slots=True)
class LiveTemplate:
    """A field that is a condition on an object yet to be read."""

    text: str
    condition: CelCondition = field(repr=False)
    paths: frozenset[Path] = field(repr=False)

    def render(self, scope: Mapping[str, Any]) -> LiveCondition:
        """The condition for this run."""
        return _Live(self.text, self.condition, self.paths, scope)

    def sample(self) -> Any:
        """A condition that stands for any run's."""
        return self.render({})


def compile_live(text: str, shape: Shape) -> LiveTemplate:
    """Compile a condition on `object`. Raises `Fault` as `compile_condition` does, and if it does not look at it."""
    condition = compile_condition(text, {**shape, "object": Known(TYPICAL)})
    paths = frozenset(path[1:] for path in read_tokens(text).paths if path[0] == "object")
    if not paths:
        raise Fault(text, "it does not look at the object", 'name it, as in object.spec.replicas >= 2, or use "when"')
    return LiveTemplate(text, condition, paths)


def _parts(thing: Any, paths: Iterable[Path]) -> Any:
    """Only what the paths lead to; a path that ends takes all below it."""
    paths = frozenset(paths)
    if not isinstance(thing, Mapping) or () in paths:
        return thing
    return {
        name: _parts(thing[name], (path[1:] for path in paths if path[0] == name))
        for name in {path[0] for path in paths}
        if name in thing
    }


def _at(thing: Any, path: Path) -> Any:
    for name in path:
        thing = thing.get(name) if isinstance(thing, Mapping) else None
    return thing


def _measure(part: Any) -> None:
    """Raise `Fault`, naming the field, for what is larger than any expression needs."""
    texts = 0
    waiting: list[tuple[Path, Any]] = [(("object",), part)]
    while waiting:
        path, value = waiting.pop()
        texts += _checked(path, value)
        if texts > MOST_TEXT:
            raise Fault(_name(path), "and what is before it are more text than is looked at", f"at most {MOST_TEXT}")
        waiting += (((*path, name), below) for name, below in _below(value))


def _checked(path: Path, value: Any) -> int:
    """The characters of this value alone; raises `Fault` for one that is too large."""
    if len(path) > DEEPEST:
        raise Fault(_name(path), "lies too deep", f"at most {DEEPEST} levels")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise Fault(_name(path), f"is a text of {len(value)} characters", f"at most {LONGEST_TEXT}")
        return len(value)
    if isinstance(value, list | Mapping):
        most = MOST_ITEMS if isinstance(value, list) else MOST_FIELDS
        if len(value) > most:
            raise Fault(_name(path), f"has {len(value)} items", f"at most {most}")
    return sum(len(name) for name in value) if isinstance(value, Mapping) else 1


def _below(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(name), below) for name, below in value.items())
    elif isinstance(value, list):
        yield from ((str(n), below) for n, below in enumerate(value))


def _name(path: Path) -> str:
    return ".".join(part[:60] for part in path[:8])
