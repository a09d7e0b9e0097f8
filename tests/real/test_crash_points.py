"""Processes that kill themselves with SIGKILL before and after every await that leads out of them, and come up again.

Promises 1, 3, 6, 7 and 8: the timeline is at its end what it is without a crash, but for the lines that tell of the
interruption; a write that nothing protects and that was under way is not repeated, and a person is told. The points
are derived from the code (`tests/crash/points.py`), and each commit counts by itself. The other test kills at every
point in every story, in virtual time: `tests/crash/test_points.py` does with a part of that.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest

from paramedic.core.words import Once
from tests.crash import cases
from tests.crash.came import Came
from tests.crash.compare import differences, handed_over
from tests.crash.outside import outside
from tests.crash.trials import Trials
from tests.real.processes import Processes

ELSEWHERE: Mapping[str, str] = {
    **cases.UNREACHED,
    "actions.collect": "on a cluster",
    "actions.restart": "on a cluster",
    "actions.roll_back": "on a cluster",
    "actions.scale": "on a cluster",
    "checks.rollout": "on a cluster",
    "cluster.": "on a cluster",
    "engine.gated:GatedKube": "on a cluster",
    "engine.perform:Performer._resolve": "on a cluster",
    "engine.perform:Performer._observe": "a write that compares, on a cluster",
    "guards.access": "on a cluster",
    "guards.blast_radius": "on a cluster",
    "guards.capacity": "on a cluster",
    "guards.dependency": "on a cluster",
    "guards.opt_out": "on a cluster",
    "guards.object": "on a cluster",
    "guards.owned": "on a cluster",
    "guards.preflight": "on a cluster",
    "guards.recent_change": "on a cluster",
    "guards.metric": "there is no Prometheus",
    "guards.data_safety": "there is no Prometheus",
    "guards.self_health": "there is no Prometheus",
    "guards.silenced": "there is no Alertmanager",
    "checks.metric": "there is no Prometheus",
    "engine.perform:Performer._check:check.ask:": "every check of the story asks",
    "engine.engine:Engine._recovered:watch": "the catalog is not changed while it starts",
    "engine.engine:Engine.adopt": "the catalog is not changed",
    "engine.engine:Engine._bundle_by_hash": "the catalog is not changed",
    "engine.recovery:recover:bundle_of": "the catalog is not changed",
    "engine.turn:Turn._read:shell.store.episodes_of": "nothing is closed by hand or expires",
    "engine.turn:Turn._read:shell.store.places": "it is alone",
    "engine.turn:Turn._read:shell.store.switch": "it is alone",
    "engine.claiming": "it is alone",
    "engine.sharing:Sharing._fetch": "it is alone",
    "engine.sharing:Sharing._take_in": "it is alone",
    "engine.sharing:Sharing._storms": "it is alone",
    "engine.sharing:Sharing._look:watch": "it is alone",
    "engine.sharing:Sharing._look:shell.store.take_over": "it is alone",
    "engine.sharing:Sharing._look:shell.store.standing#2": "it is alone",
    "engine.highest:Highest.joined:store.commit": "the database is the one that it knew",
    "engine.highest:Highest.joined:self._positions.froze": "the database is the one that it knew",
}
"""Points that the story of `trials` does not pass, by how they begin, and why. In virtual time each is tried."""

SOMETIMES = ("engine.gate:Gate._switch",)
"""Points that it passes only where a write takes longer than a reading of the switch lasts, half a second."""

COMMIT = "engine.turn:Turn._send:shell.store.commit"
BARE = "engine.gated:GatedHttp.request:self._http.request"
WROTE = "engine.perform:Performer._apply:action.apply:after"


@pytest.fixture
async def trials(tmp_path: Path, postgres_server: str) -> AsyncIterator[Trials]:
    timeout = aiohttp.ClientTimeout(total=5.0)
    many = Processes(tmp_path)  # what the one of a fault said stands in the failure; a hundred would hide it
    try:
        async with outside() as world, aiohttp.ClientSession(timeout=timeout, trust_env=False) as http:
            yield Trials(many, tmp_path, postgres_server, world, http)
    finally:
        await many.end()


def firsts(calm: Came) -> Iterator[str]:
    """The first passing of each point, and every one of commits and of writes over HTTP."""
    seen: Counter[str] = Counter()
    for point in calm.lives[0]:
        seen[point] += 1
        if seen[point] == 1 or point.startswith((COMMIT, BARE)):
            yield f"{point}@{seen[point]}"


def before_the_alert(calm: Came) -> Sequence[str]:
    """What is passed while it comes up."""
    first = next(n for n, point in enumerate(calm.lives[0]) if point.startswith("engine.turn:"))
    return list(dict.fromkeys(calm.lives[0][:first]))


def wrong(calm: Came, came: Came, *kills: str) -> list[str]:
    """What is wrong with what came of these kills."""
    found = list(handed_over(calm, came) if Once.NONE in came.flying else differences(calm, came))
    certain = [kill for kill in kills if not kill.startswith(COMMIT)]  # how many commits there are depends on the time
    if came.killed < len(certain):
        found.append(f"only {came.killed} kills")
    return [f"killed at {', '.join(kills)}: {one}" for one in found]


@pytest.mark.timeout(1200)
async def test_killed_at_every_point_and_started_again_it_ends_as_if_nothing_had_been(trials: Trials) -> None:
    calm = await trials.run()
    faults: list[str] = []
    second: dict[str, str] = {}
    handed = 0

    async def kill(*kills: str) -> None:
        nonlocal handed
        came = await trials.run(*kills)
        faults.extend(wrong(calm, came, *kills))
        handed += Once.NONE in came.flying
        for point in {one for life in came.lives for one in life} - set(calm.lives[0]):
            second.setdefault(point, kills[0])

    async with asyncio.TaskGroup() as group:
        for point in firsts(calm):
            group.create_task(kill(point))
        for point in before_the_alert(calm):
            group.create_task(kill(WROTE, point))
    again = dict(second)
    async with asyncio.TaskGroup() as group:
        for point, first in again.items():
            group.create_task(kill(first, point))
    print(f"{trials.count} trials, {handed} of them ended with a person")
    assert not faults, "\n".join(faults)
    passed = {point for point in cases.wanted() if point in again or point in calm.lives[0]}
    missing = [point for point in cases.wanted() - passed if not point.startswith((*ELSEWHERE, *SOMETIMES))]
    assert not missing, f"the story does not pass {sorted(missing)}: say in ELSEWHERE why, or let it"
    assert not [point for point in passed if point.startswith(tuple(ELSEWHERE))], "ELSEWHERE says what is not so"
    assert handed > 0


@pytest.mark.timeout(900)
def test_killed_at_every_point_in_every_story() -> None:
    with cases.set_up():
        tried = cases.many()
    print(f"{tried.kills.total()} kills, {tried.handed} of them ended with a person")
    assert not tried.wrong, "\n".join(tried.wrong)
