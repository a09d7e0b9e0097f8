"""An incident of 500 episodes: one key, 500 alerts. What is kept of it stays small, and each delivery is folded fast.

Promise 2: however they are delivered, it is one incident and one run. The state holds counts and 20 exemplars.
"""

from datetime import timedelta

from paramedic.clock import SystemClock
from paramedic.core.routing import EXEMPLARS
from paramedic.rehearse.loop import START
from tests.engine.stage import Stage, play
from tests.engine.texts import catalog, element

MANY = 500
TOGETHER = 50
STATE = 24 * 1024  # bytes
FOLD = 0.5  # seconds for a delivery of 50 on a busy machine; some milliseconds are usual


def test_500_episodes_are_one_incident_whose_state_stays_small() -> None:
    async def story(stage: Stage) -> None:
        clock, sizes, slowest, number = SystemClock(), [], 0.0, 0
        for first in range(0, MANY, TOGETHER):
            began = clock.monotonic()
            await stage.deliver(*(element("api", n=str(n), pod=f"api-{n}") for n in range(first, first + TOGETHER)))
            slowest = max(slowest, clock.monotonic() - began)
            ((number, row),) = stage.disk.incidents.items()
            sizes.append(len(row.state))
        incident = stage.incident(number)
        assert incident.firing.open == MANY
        assert len(incident.firing.exemplars) == EXEMPLARS
        assert max(sizes) < STATE
        assert sizes[-1] < 1.1 * sizes[2], sizes  # it does not grow with them
        assert slowest < FOLD
        await stage.pass_(5.0)
        assert len({call.key for call in stage.world.to("hook")}) == 1

        await stage.restart()
        assert stage.incident(number).firing.open == MANY

        ends = stage.clock.now() + timedelta(seconds=1)
        for first in range(0, MANY, TOGETHER):
            gone = range(first, first + TOGETHER)
            await stage.deliver(*(element("api", starts=START, ends=ends, n=str(n), pod=f"api-{n}") for n in gone))
        await stage.pass_(5.0)
        assert stage.incident(number).phase == "resolved"
        assert not any(one.open for one in stage.disk.live.values())

    play(story, catalog())
