"""What a member remembers of storms: bounded, and of its own shards only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from paramedic.clock import SystemClock
from paramedic.core.decide import decide
from paramedic.core.events import Opened
from paramedic.core.storm import KIND, MINUTE, storm_key
from paramedic.core.words import Mode, Severity
from paramedic.engine.holdings import Held, Holdings, encode
from paramedic.engine.sharing import Sharing
from paramedic.engine.storms import Storms, others
from paramedic.store.port import OpeningRow
from tests.core.builders import T0, bundle, rule

ELSEWHERE = {"main": [OpeningRow("main", "errors", "P1", 30), OpeningRow("main", "slow", "P2", 12)]}


@pytest.fixture
def storms() -> Storms:
    """One new incident a second, for two minutes, on the shards 0 and 1 in turn."""
    found = Storms()
    for second in range(120):
        found.count("main", T0 + timedelta(seconds=second), second % 2)
    return found


def test_only_the_last_minute_counts(storms: Storms) -> None:
    now = T0 + timedelta(seconds=119)
    assert storms.openings("main", now - MINUTE) == 61
    assert storms.openings("main", now) == 1
    assert storms.openings("main", now + MINUTE) == 0
    assert storms.openings("other", now) == 0


def test_those_of_other_members_count_too(storms: Storms) -> None:
    storms.others = ELSEWHERE

    assert storms.openings("main", T0) == 120 + 42
    assert storms.openings("main", T0, ours=True) == 120
    assert storms.openings("other", T0) == 0


def test_what_goes_to_another_member_is_counted_there(storms: Storms) -> None:
    storms.hold_back("main", 900, 1)
    storms.hold_back("main", 900, 2)
    storms.part({1}, {2}, {})

    assert storms.openings("main", T0) == 60
    assert storms.held == {("main", 900): {1: None}}
    storms.part({0}, {1}, {})
    assert (storms.openings("main", T0), storms.held) == (0, {})


def test_it_remembers_so_many_and_no_more() -> None:
    storms = Storms()
    for _ in range(12_000):
        storms.count("main", T0, 0)

    assert storms.openings("main", T0) == 10_000


def test_nothing_is_left_of_a_storm_that_holds_nobody_back() -> None:
    storms = Storms()
    storms.hold_back("main", 900, 1)
    storms.gone_on["main", 900] = 1
    storms.let_go("main", 900, 1)
    storms.let_go("main", 900, 7)

    assert (storms.held, storms.queues, storms.gone_on) == ({}, {}, {})


def test_it_can_leave_those_of_other_members_out_and_forgets_what_is_older(storms: Storms) -> None:
    storms.others = ELSEWHERE
    assert storms.openings("main", T0 + timedelta(seconds=100), ours=True) == 20
    assert len(storms.begun["main"]) == 20


def test_what_is_exempt_is_not_counted_elsewhere_either() -> None:
    world = bundle(rules=(rule(), rule("calm", "Calm", storm=False)))
    rows = [
        OpeningRow("main", "errors", "P1", 3),
        OpeningRow("main", "calm", "P1", 900),
        OpeningRow("x", "gone", "P1", 2),
    ]

    assert others(rows, world) == {"main": [rows[0]], "x": [rows[2]]}


def test_a_look_takes_in_the_storms_of_sources_that_there_are() -> None:
    storms = Storms()
    assert not storms.looked
    storms.look(["main"], {"main": 900, "old": 1})

    assert (storms.looked, storms.parents) == (True, {"main": 900})


def test_a_storm_that_began_after_the_last_look_is_known_when_its_shard_goes() -> None:
    """Whom it holds back here would else be let go, as if it were over (promise 7)."""
    holdings = Holdings(shards={3, 5}, bundles={})
    opened = Opened(T0, Mode.AUTO, 9, storm_key("main"), 3, "main", "a storm", "", "errors", Severity.P1, kind=KIND)
    storm = decide(None, opened, bundle()).incident
    holdings.storms.look(["main"], {})
    held = Held(encode(storm), storm.key, 3, 1, 1, 1, b"", storm.severity, storm=True)
    holdings.incidents[9], holdings.keys[storm.key] = held, 9
    holdings.storms.hold_back("main", 9, 17)

    holdings.part([3])

    assert holdings.storms.parents == {"main": 9}
    assert 9 not in holdings.incidents


async def test_a_look_that_was_on_its_way_while_we_parted_is_not_believed() -> None:
    holdings = Holdings(shards={5})
    holdings.storms.parents = {"main": 9}

    class Store:
        """Answers with what it read before the storm began."""

        async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
            holdings.storms.part({3}, set(), {"main": 9})
            return {}

        async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
            return []

    inbox, unused = SimpleNamespace(wake=lambda: None), AsyncMock()
    shell: Any = SimpleNamespace(holdings=holdings, store=Store(), clock=SystemClock(), current=bundle(), inbox=inbox)
    await Sharing(shell, 1, unused, Mock())._storms()

    assert holdings.storms.parents == {"main": 9}
