"""A lost connection leaves all of what was asked or nothing, and whoever comes next goes on. The same for both stores.

Promise 1. In PostgreSQL here for what an alert waits for; `tests/real/test_store_cuts.py` cuts everything else.
"""

import inspect

import pytest

from paramedic.store.port import Store
from tests.store.cuts import Fate, MemoryTrials, assert_whole, fates, fates_in_postgresql
from tests.store.operations import OPERATIONS


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.writes])
async def test_the_model_fails_whole_as_ordered(name: str) -> None:
    (before, after) = await fates(MemoryTrials(), OPERATIONS[name])

    assert (before, after) == (Fate(0, "before", False), Fate(0, "after", True))


@pytest.mark.parametrize("name", ["commit", "claim"])
async def test_postgresql_has_all_or_nothing_wherever_it_is_cut(postgres_server: str, name: str) -> None:
    assert_whole(await fates_in_postgresql(postgres_server, OPERATIONS[name]))


def test_every_method_of_the_port_is_cut() -> None:
    """Whoever adds one to the port adds it to the table; these send nothing, or are tried with the heartbeat."""
    asked = {name for name, method in vars(Store).items() if inspect.iscoroutinefunction(method)}

    assert asked - {one.of for one in OPERATIONS.values()} == {"alive", "news"}
