"""What only all rules together show: a rule that no alert can reach. `load` calls this last.

Only what can be proved is said. A rule is unreachable when its own matchers contradict each other, or when one earlier
rule accepts whatever it accepts. That is so when each matcher of the earlier rule is one of its own, or accepts the
only values that the rule leaves for that label, or accepts everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from paramedic.core.bundle import Rule
from paramedic.core.matching import Matcher
from paramedic.matchers import Regex

__all__ = ["Unreachable", "unreachable"]

_EVERYTHING = frozenset((".*", "(?s).*", "(?s:.*)"))


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A rule that can never match, and the earlier rule that takes its alerts, or None: it contradicts itself."""

    rule: Rule
    taken_by: Rule | None


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a rule leaves open: for some labels the only values that it accepts."""

    rule: Rule
    values: Mapping[str, frozenset[str]]
    matchers: frozenset[Matcher]
    strict: tuple[Matcher, ...]
    labels: frozenset[str]


def unreachable(rules: Sequence[Rule]) -> list[Unreachable]:
    """The rules that can never match, each with the first rule that is to blame."""
    found: list[Unreachable] = []
    earlier = _Earlier()
    for rule in rules:
        reach = _reach(rule)
        if any(not values for values in reach.values.values()):
            found.append(Unreachable(rule, None))
        elif (taker := earlier.taker(reach)) is not None:
            found.append(Unreachable(rule, taker))
        else:
            earlier.add(reach)
    return found


class _Earlier:
    """The rules so far, found by a label and a value that they insist on, so that a thousand are not all compared."""

    def __init__(self) -> None:
        self._count = 0
        self._anywhere: list[tuple[int, _Reach]] = []
        self._insisting: dict[tuple[str, str], list[tuple[int, _Reach]]] = {}

    def add(self, reach: _Reach) -> None:
        """One more rule, after all others."""
        one = (self._count, reach)
        self._count += 1
        if not reach.values:
            self._anywhere.append(one)
            return
        name = min(reach.values, key=lambda label: len(reach.values[label]))
        for value in reach.values[name]:
            self._insisting.setdefault((name, value), []).append(one)

    def taker(self, later: _Reach) -> Rule | None:
        """The first rule that accepts whatever `later` accepts."""
        candidates = list(self._anywhere)
        for name, values in later.values.items():
            candidates += self._insisting.get((name, next(iter(values))), ())
        takers = [one for one in candidates if _takes(one[1], later)]
        return min(takers, key=lambda one: one[0])[1].rule if takers else None


def _reach(rule: Rule) -> _Reach:
    strict = tuple(matcher for matcher in rule.match if not _accepts_all(matcher))
    values: dict[str, frozenset[str]] = {}
    for matcher in strict:
        literals = _literals(matcher)
        if literals is not None:
            values[matcher.name] = values.get(matcher.name, literals) & literals
    for matcher in strict:
        if matcher.name in values:
            left = values[matcher.name]
            values[matcher.name] = frozenset(value for value in left if matcher.accepts({matcher.name: value}))
    return _Reach(rule, values, frozenset(rule.match), strict, frozenset(matcher.name for matcher in strict))


def _accepts_all(matcher: Matcher) -> bool:
    return matcher.op == "=~" and matcher.value in _EVERYTHING


def _literals(matcher: Matcher) -> frozenset[str] | None:
    """The only values that the matcher accepts, where these can be listed."""
    if matcher.op == "=":
        return frozenset((matcher.value,))
    if matcher.op == "=~" and isinstance(matcher.pattern, Regex):
        return matcher.pattern.literals
    return None


def _takes(earlier: _Reach, later: _Reach) -> bool:
    """Whether `earlier` accepts every alert that `later` accepts."""
    return earlier.labels <= later.labels and all(_implied(matcher, later) for matcher in earlier.strict)


def _implied(matcher: Matcher, later: _Reach) -> bool:
    if matcher in later.matchers:
        return True
    values = later.values.get(matcher.name)
    if values is not None:
        return _all_accepted(matcher, values)
    return _not_empty(matcher) and any(_excludes_empty(other) for other in later.strict if other.name == matcher.name)


def _all_accepted(matcher: Matcher, values: Iterable[str]) -> bool:
    return all(matcher.accepts({matcher.name: value}) for value in values)


def _not_empty(matcher: Matcher) -> bool:
    """Whether the matcher only asks that the label is there."""
    return (matcher.op == "=~" and matcher.value == ".+") or (matcher.op == "!=" and matcher.value == "")


def _excludes_empty(matcher: Matcher) -> bool:
    return not matcher.accepts({})
