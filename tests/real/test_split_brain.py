"""Two processes on one PostgreSQL: one is stopped past its lease while it holds an effect, the other one takes over.

Then the first one goes on. Promise 3: one effect on a target that compares, one key for a target that knows keys, never
twice where nothing protects. What the first one knows is recorded in the incident, late.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.api_proxy import Mood, proxying
from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, firing, held_sink
from tests.real.processes import until
from tests.real.remedies import Playbooks
from tests.real.served_cluster import kubeconfig, served_cluster
from tests.real.services import Files, Service, Services

RESTART = """\
steps:
  - restart: {settle: 1s}
"""


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


STOPS = {
    "before the gate's last look": "engine.gate:Gate._fence:self._store.alive:before",
    "between the gate and the call": "engine.gated:GatedHttp.request:self._http.request:before",
    "after the call": "engine.perform:Performer._apply:action.apply:after",
}
"""Where a process stands still by itself, at the first write it makes: see `tests.crash.serve`."""

SERVE = (sys.executable, "-m", "tests.crash.serve")


@dataclass
class Pair:
    """The one that acted first, and the other one."""

    first: Service
    second: Service

    @asynccontextmanager
    async def first_stopped(self) -> AsyncIterator[None]:
        """The first one stands still while the other one takes over and does what the block waits for."""
        os.kill(self.first.process.pid, signal.SIGSTOP)  # where it does not stand still already
        try:
            await self.second.start()  # ready once the lease of the first one is over
            yield
        finally:
            os.kill(self.first.process.pid, signal.SIGCONT)

    async def told_late(self, incident: str) -> str:
        """What the first one says about its call, in the incident's timeline, once it is back beside the second one."""
        return str((await self.second.told(incident, "after its process was taken for gone"))["text"])


async def pair_on(serve: Services, database: str, files: Files, **settings: str) -> Pair:
    """Two services with the same rules; only the first one runs."""
    first = await serve(files, PARAMEDIC_DATABASE_URL=database, **settings)
    return Pair(first, serve.new(files, PARAMEDIC_DATABASE_URL=database, **settings))


async def outcome(service: Service, incident: str, wanted: str) -> None:
    """Wait until the incident's run has ended so."""

    async def there() -> bool:
        past = (await service.detail(incident))["past"]
        return bool(past) and past[-1]["outcome"] == wanted

    await until(there, f"{incident} to end {wanted}")


@pytest.mark.parametrize("endpoint", ["hook", "raw"])
async def test_a_call_that_hangs_in_its_target_is_never_made_under_another_key(
    serve: Services, outside: Database, held: HeldSink, endpoint: str
) -> None:
    pair = await pair_on(serve, outside.url, Acting(held.url, timeout="2s"))
    held.hold("one")
    await pair.first.takes(alert("one", endpoint))
    await held.came("one")
    (incident,) = [one["id"] for one in await pair.first.incidents()]

    async with pair.first_stopped():
        if endpoint == "hook":
            await held.came("one", 2)
            held.let_go("one")
            await outcome(pair.second, incident, "done")
        else:
            await outcome(pair.second, incident, "unknown")
            await pair.second.told(incident, "nobody can say whether the treatment took effect")
            held.let_go("one")

    assert "the write of step 1 of run INC-" in await pair.told_late(incident)
    assert held.keys["one"] == [f"{incident}/1/1/1"] * (2 if endpoint == "hook" else 1)
    past = (await pair.second.detail(incident))["past"]
    assert [one["outcome"] for one in past] == ["done" if endpoint == "hook" else "unknown"]
    assert pair.first.process.code is None


@pytest.mark.parametrize("mood", ["held", "unanswered"])
async def test_a_target_that_compares_is_changed_once(
    serve: Services, outside: Database, tmp_path: Path, mood: Mood
) -> None:
    """Stopped between the gate and the target (`held`: the write arrives after the other one's), or after it."""
    async with served_cluster() as cluster, proxying(cluster.url) as proxy:
        file = kubeconfig(tmp_path / "kubeconfig", proxy.url)
        pair = await pair_on(serve, outside.url, Playbooks(RESTART), KUBECONFIG=str(file))
        before = cluster.deployment()["metadata"]["generation"]
        proxy.moods.append(mood)
        labels = {"alertname": "HighErrorRate", "namespace": "shop", "workload": "deployment/api"}
        await pair.first.takes(firing(labels))
        async with asyncio.timeout(60.0):
            await proxy.there.wait()
        (incident,) = [one["id"] for one in await pair.first.incidents()]

        async with pair.first_stopped():
            await outcome(pair.second, incident, "done")
            made = [status for path, status in cluster.writes if status == 200]
            assert len(made) == 1
            proxy.release.set()
            if mood == "held":  # it reaches the target now, and the target compares

                async def arrived() -> bool:
                    return len(cluster.writes) == 2

                await until(arrived, "the late write")

        assert "the write of step 1 of run INC-" in await pair.told_late(incident)
        assert [status for _, status in cluster.writes].count(200) == 1
        assert cluster.deployment()["metadata"]["generation"] == before + 1
        assert cluster.deployment()["metadata"]["annotations"]["paramedic/run"] == f"{incident}/1/1/1"


@pytest.mark.parametrize("stop", STOPS)
async def test_stopped_with_the_write_in_hand_it_makes_it_once_or_not_at_all_and_a_person_hears_of_it(
    serve: Services, outside: Database, held: HeldSink, stop: str
) -> None:
    """Nothing protects the target: the other one concludes that nobody can say, and the first one can."""
    files = Acting(held.url, timeout="2s")
    fate = {"CRASH_AT": STOPS[stop], "CRASH_BY": "SIGSTOP", "PARAMEDIC_DATABASE_URL": outside.url}
    first = serve.new(files, command=SERVE, **fate)
    pair = Pair(first, serve.new(files, PARAMEDIC_DATABASE_URL=outside.url))
    await first.start()
    delivering = asyncio.create_task(first.deliver(alert("one", "raw")))
    await until(lambda: stands_still(first), "the first one to stand still")

    async with pair.first_stopped():
        (incident,) = [one["id"] for one in await pair.second.incidents()]
        await outcome(pair.second, incident, "unknown")
        await pair.second.told(incident, "nobody can say whether the treatment took effect")
        assert len(held.keys.get("one", ())) == (1 if stop == "after the call" else 0)

    said = await pair.told_late(incident)
    await delivering
    assert len(held.keys.get("one", ())) <= 1
    if stop == "after the call":
        assert "it was done" in said
        await pair.second.told(incident, "and now its process says: it was done")
    elif stop == "before the gate's last look":
        assert "nothing was written: " in said
        await pair.second.told(incident, "and now its process says: nothing was written")
        assert "one" not in held.keys
    assert (await pair.second.detail(incident))["past"][-1]["outcome"] == "unknown"


async def stands_still(service: Service) -> bool:
    """Whether its process has been stopped."""
    return os.waitid(os.P_PID, service.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
