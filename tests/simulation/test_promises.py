"""Thousands of hours of trouble: crashes around any commit, a database that comes and goes, endpoints that lie, bodies
delivered twice, late and out of order. Promises 1 to 9 are checked after every commit and every write.

`make simulate SEEDS=N` takes N seeds; a seed that fails is reproduced by its number.
"""

import os

import pytest

from tests.simulation.scenario import scenario
from tests.simulation.watched import simulate

SEEDS = int(os.environ.get("SEEDS", "40"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_promises_hold(seed: int) -> None:
    stage = simulate(scenario(seed), seed)
    assert stage.accepted
