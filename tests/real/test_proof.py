"""A few rounds of the proof. ROUNDS=20 ALERTS=5000 for all of it; `python -m tests.crash.proof` prints as it goes.

Promise 1: nothing accepted is lost, whether the service is killed, frozen or ended, alone or with another. Promise 3:
nothing is executed under a second key, nothing twice where nothing deduplicates.
"""

import os
from pathlib import Path

import pytest

from tests.crash.proof import BACK, prove

ROUNDS = int(os.environ.get("ROUNDS", "3"))
ALERTS = int(os.environ.get("ALERTS", "600"))


@pytest.mark.timeout(120 + ROUNDS * (30 + ALERTS // 50))
@pytest.mark.parametrize("members", [1, 2])
async def test_rounds_of_trouble_lose_nothing_and_do_nothing_twice(members: int, tmp_path: Path) -> None:
    done, tally = await prove(tmp_path, ROUNDS, ALERTS, members)
    assert not tally.faults
    assert tally.alike, tally.tellings
    assert tally.accepted == ROUNDS * ALERTS
    assert tally.unknown + tally.repeated > 0, "no fault hit anything"
    if members == 1:
        assert max(one.back for one in done) <= BACK
