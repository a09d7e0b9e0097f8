"""Thousands of hours of trouble: crashes around any commit and any write, processes that are stopped and go on, a
database that comes and goes, endpoints that lie, bodies delivered twice, late, cut and out of order. All twelve
promises are checked after everything that happens.

`make simulate SEEDS=N` takes N seeds. One that fails is cut down to what it takes, and told with how to play it again.
"""

import gc
import os
import time
from collections.abc import Callable

import pytest

from tests.simulation.judge import judge
from tests.simulation.replay import story
from tests.simulation.scenario import scenario

SEEDS = int(os.environ.get("SEEDS", "300"))
CHUNK = 25
"""Seeds to a test, so that workers share them evenly."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_promises_hold(first: int, record_property: Callable[[str, object], None]) -> None:
    began, events = time.monotonic(), 0
    for seed in range(first, min(SEEDS, first + CHUNK)):
        plan = scenario(seed)
        verdict = judge(plan)
        if verdict.promise:
            pytest.fail(story(plan, verdict), pytrace=False)
        assert verdict.accepted
        events += verdict.events
    assert events
    gc.collect()
    record_property("simulated", (min(SEEDS, first + CHUNK) - first, events, time.monotonic() - began))
