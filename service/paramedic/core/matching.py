"""Matchers in Alertmanager's own syntax, with RE2 semantics, and the index that finds the first rule that matches.

The catalog parses and compiles; routing asks. An absent label is the empty string, as in Alertmanager.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

__all__ = ["Matchable", "Matcher", "Pattern", "RuleIndex", "about", "matches"]

Op = Literal["=", "!=", "=~", "!~"]


class Pattern(Protocol):
    """A compiled regular expression."""

    def fullmatch(self, text: str) -> object | None:
        """Not None if the whole text matches."""
        ...

    def search(self, text: str) -> object | None:
        """Not None if some part of the text matches."""
        ...


@dataclass(frozen=True, slots=True)
class Matcher:
    """`name op "value"`; `pattern` is the compiled value where the operator is a regular expression's."""

    name: str
    op: Op
    value: str
    pattern: Pattern | None = field(default=None, compare=False, repr=False)

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels satisfy the matcher."""
        have = labels.get(self.name, "")
        if self.pattern is not None:
            return (self.pattern.fullmatch(have) is not None) is (self.op == "=~")
        return (have == self.value) is (self.op == "=")

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{escaped}"'


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all matchers accept the labels."""
    return all(matcher.accepts(labels) for matcher in matchers)


def about(name: str) -> tuple[tuple[Matcher, ...], ...]:
    """The matcher sets for the alerts about a service of this name: it is their `job`, or their `service`."""
    return tuple((Matcher(label, "=", name),) for label in ("job", "service"))


class Matchable(Protocol):
    """Anything with a name that labels can match."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def match(self) -> tuple[Matcher, ...]:
        """Its matchers."""
        ...


R = TypeVar("R", bound=Matchable)


class RuleIndex(Generic[R]):
    """Rules in their order, found by alertname without asking each: 1,000 rules cost about as much as 10."""

    def __init__(self, rules: Iterable[R]) -> None:
        self.all: tuple[R, ...] = tuple(rules)
        self._by_name = {rule.name: rule for rule in self.all}
        self._anywhere: list[tuple[int, R]] = []
        self._named: dict[str, list[tuple[int, R]]] = {}
        for position, rule in enumerate(self.all):
            names = [m.value for m in rule.match if m.name == "alertname" and m.op == "="]
            (self._named.setdefault(names[0], []) if names else self._anywhere).append((position, rule))

    def __iter__(self) -> Iterator[R]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def named(self, name: str) -> R | None:
        """The rule of this name."""
        return self._by_name.get(name)

    def first(self, labels: Mapping[str, str]) -> R | None:
        """The first rule, in the order written, whose matchers all accept the labels."""
        best = self._first_of(self._named.get(labels.get("alertname", ""), ()), labels, len(self.all))
        limit = best[0] if best else len(self.all)
        other = self._first_of(self._anywhere, labels, limit)
        found = other or best
        return found[1] if found else None

    @staticmethod
    def _first_of(rules: Iterable[tuple[int, R]], labels: Mapping[str, str], limit: int) -> tuple[int, R] | None:
        for position, rule in rules:
            if position >= limit:
                return None
            if matches(rule.match, labels):
                return position, rule
        return None
