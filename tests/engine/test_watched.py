"""What fires, as guards ask for it: the same answer whether it is watched for, begins as that does, or is neither."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from paramedic.core.matching import Matcher
from paramedic.core.model import Episode
from paramedic.engine.holdings import Watched
from paramedic.matchers import parse_matchers
from tests.core.builders import T0

DOWN = parse_matchers('alertname="Down"')
SHOP = parse_matchers('alertname="Down", namespace="shop"')
ALL = parse_matchers('alertname=~".+"')
OTHER = parse_matchers('namespace="shop"')


def episode(n: int, *, is_open: bool = True, **labels: str) -> Episode:
    at = T0 + timedelta(seconds=n)
    return Episode("main", f"e{n}", labels["alertname"], labels, starts_at=at, seen_at=at, open=is_open)


def watching(*wanted: tuple[Matcher, ...]) -> Watched:
    watched = Watched()
    watched.look_for(wanted)
    for n, name in enumerate(("Down", "Up", "Down", "Down")):
        watched.note(episode(n, alertname=name, namespace="shop" if n else "bank"))
    return watched


def names(found: Sequence[Episode]) -> list[str]:
    return [one.identity for one in found]


@pytest.mark.parametrize("wanted", [(DOWN, ALL), (SHOP, ALL), (ALL,), (SHOP, DOWN, ALL)])
@pytest.mark.parametrize(
    ("asked", "found"),
    [(DOWN, ["e0", "e2", "e3"]), (SHOP, ["e2", "e3"]), (OTHER, ["e1", "e2", "e3"]), ((), ["e0", "e1", "e2", "e3"])],
)
def test_what_is_asked_for_is_found_however_it_is_kept(
    wanted: tuple[tuple[Matcher, ...], ...], asked: tuple[Matcher, ...], found: list[str]
) -> None:
    assert names(watching(*wanted).matching(asked)) == found


def test_what_nobody_watches_for_is_not_kept() -> None:
    assert names(watching(SHOP).matching(DOWN)) == ["e2", "e3"]
    assert names(watching(SHOP).matching(ALL)) == ["e2", "e3"]


def test_what_is_over_is_found_no_more_by_whoever_asks() -> None:
    watched = watching(DOWN, SHOP, ALL)
    watched.note(episode(2, is_open=False, alertname="Down", namespace="shop"))

    assert [names(watched.matching(asked)) for asked in (DOWN, SHOP)] == [["e0", "e3"], ["e3"]]
    assert "e2" not in names(watched.matching(ALL))


def test_at_most_twenty_and_the_oldest_first() -> None:
    watched = Watched()
    watched.look_for([DOWN])
    for n in reversed(range(30)):
        watched.note(episode(n, alertname="Down"))

    assert names(watched.matching(DOWN)) == [f"e{n}" for n in range(20)]
