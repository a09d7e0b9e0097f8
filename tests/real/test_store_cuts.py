"""Every operation that the engine asks of PostgreSQL, cut at every request that it sends, on both sides: promise 1.

Some three hundred lost connections. `tests/store/cuts.py` says what must hold after each; the default suite does the
same for the model, and for what an alert waits for.
"""

import pytest

from tests.store.cuts import assert_whole, fates_in_postgresql
from tests.store.operations import OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
async def test_all_or_nothing_wherever_it_is_cut(postgres_server: str, name: str) -> None:
    found = await fates_in_postgresql(postgres_server, OPERATIONS[name])

    assert_whole(found)
    assert len(found) > 1
