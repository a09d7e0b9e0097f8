"""Expressions as the core knows them: what the catalog compiles behind these protocols. `bundle` hands them on."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

__all__ = ["Condition", "LiveCondition", "Scope", "Template"]

Scope = Mapping[str, Any]


class Template(Protocol):
    """A JSON value with `${...}` in it."""

    def render(self, scope: Scope) -> Any:
        """The value with every expression replaced; raises `Fault` naming the expression that has no value."""
        ...


class Condition(Protocol):
    """A CEL expression that must be exactly true."""

    @property
    def text(self) -> str:
        """The expression as written."""
        ...

    def holds(self, scope: Scope) -> bool:
        """Whether it is true; raises `Fault` when it is neither true nor false."""
        ...


@runtime_checkable
class LiveCondition(Protocol):
    """A CEL expression about an object that is read later: what a parameter with the escape `live` arrives as."""

    @property
    def text(self) -> str:
        """The expression as written."""
        ...

    def holds(self, thing: Mapping[str, Any]) -> bool:
        """Whether it is true of the object; raises `Fault` when it is neither true nor false, or cannot be decided."""
        ...

    def values(self, thing: Mapping[str, Any]) -> dict[str, Any]:
        """The plain values that it looks at, by their paths, as evidence."""
        ...
