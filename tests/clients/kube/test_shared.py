"""Reading once for all: who shares which answer, for how long, and what drops it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from paramedic.clients.kube import shared as shared_module
from paramedic.clients.kube.shared import Shared
from paramedic.cluster.port import Json, Kube, PatchKind
from paramedic.cluster.resources import DEPLOYMENTS, PODS, REPLICA_SETS, Place
from paramedic.errors import Missing, ParamedicError, Temporary, UnknownOutcome
from tests.contract.kube.passing import PassingClock

API = Place("main", DEPLOYMENTS, "shop", "api")
DB = Place("main", DEPLOYMENTS, "data", "db")
PODS_OF_SHOP = Place("main", PODS, "shop")
ALL_PODS = Place("main", PODS)


class Counting:
    """A port that counts, and answers when it is let."""

    clusters: Sequence[str] = ("main", "eu")

    def __init__(self) -> None:
        self.reads: list[object] = []
        self.writes: list[Place] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.fails: ParamedicError | None = None
        self.size = 1

    async def _said(self, key: object) -> Json:
        self.reads.append(key)
        number = len(self.reads)
        fails = self.fails
        await self.answers.wait()
        if fails is not None:
            raise fails
        return {"number": number}

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        return await self._said((place, subresource))

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0,
        timeout: float = 1,
    ) -> Sequence[Json]:
        return [await self._said((place, labels, fields, limit))] * self.size

    async def _wrote(self, place: Place) -> Json:
        self.writes.append(place)
        if self.fails is not None:
            raise self.fails
        return {}

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        return await self._wrote(place)

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        return await self._wrote(place)

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        await self._wrote(place)

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        await self._wrote(place)

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        await self._said("logs")
        return b"log"


@pytest.fixture
def clock() -> PassingClock:
    return PassingClock()


@pytest.fixture
def behind() -> Counting:
    return Counting()


@pytest.fixture
async def kube(behind: Counting, clock: PassingClock) -> AsyncIterator[Shared]:
    port: Kube = behind
    shared = Shared(port, clock)
    yield shared
    await shared.close()


async def settled() -> None:
    """Let everybody come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_fifty_who_ask_at_once_read_once(kube: Shared, behind: Counting) -> None:
    behind.answers.clear()
    asking = [asyncio.create_task(kube.get(API, max_age=1.0)) for _ in range(50)]
    await settled()
    behind.answers.set()

    assert await asyncio.gather(*asking) == [{"number": 1}] * 50
    assert len(behind.reads) == 1


async def test_an_answer_serves_until_it_is_too_old_for_who_asks(
    kube: Shared, behind: Counting, clock: PassingClock
) -> None:
    """Fifty a second for ten seconds: once a second."""
    numbers = []
    for _ in range(500):
        numbers.append((await kube.get(API, max_age=0.99))["number"])
        await clock.sleep(0.02)

    assert numbers[-1] == len(behind.reads) == 10
    await clock.sleep(2)
    assert (await kube.get(API, max_age=3.0))["number"] == 10
    assert (await kube.get(API, max_age=1.0))["number"] == 11


async def test_who_wants_it_fresh_reads(kube: Shared, behind: Counting) -> None:
    for _ in range(3):
        await kube.get(API)
        await kube.list(PODS_OF_SHOP)

    assert len(behind.reads) == 6


async def test_different_questions_have_different_answers(kube: Shared, behind: Counting) -> None:
    for _ in range(2):
        await kube.get(API, max_age=1)
        await kube.get(API, subresource="scale", max_age=1)
        await kube.get(DB, max_age=1)
        await kube.list(PODS_OF_SHOP, max_age=1)
        await kube.list(PODS_OF_SHOP, labels="app=api", max_age=1)
        await kube.list(PODS_OF_SHOP, fields="spec.nodeName=n", max_age=1)
        await kube.list(PODS_OF_SHOP, limit=5, max_age=1)

    assert len(behind.reads) == 7


async def test_an_answer_is_as_old_as_its_question(kube: Shared, behind: Counting, clock: PassingClock) -> None:
    """What was asked two seconds ago may be two seconds old, however long the answer took."""
    behind.answers.clear()
    first = asyncio.create_task(kube.get(API, max_age=1))
    await settled()
    await clock.sleep(2)
    second = asyncio.create_task(kube.get(API, max_age=1))
    await settled()
    behind.answers.set()

    assert [await first, await second] == [{"number": 1}, {"number": 2}]
    assert await kube.get(API, max_age=1) == {"number": 2}


WRITES: dict[str, Any] = {
    "patch": lambda kube, dry_run: kube.patch(API, {}, "merge", dry_run=dry_run),
    "create": lambda kube, dry_run: kube.create(Place("main", PODS, "shop"), {}, dry_run=dry_run),
    "delete": lambda kube, dry_run: kube.delete(API, uid="u", dry_run=dry_run),
    "evict": lambda kube, dry_run: kube.evict(Place("main", PODS, "shop", "api-1"), uid="u", dry_run=dry_run),
}


@pytest.mark.parametrize("fails", [None, UnknownOutcome("lost"), Temporary("busy")])
@pytest.mark.parametrize("write", WRITES)
async def test_what_we_wrote_is_read_anew_with_all_beside_it(
    kube: Shared, behind: Counting, write: str, fails: ParamedicError | None
) -> None:
    """A Deployment's change is one of its ReplicaSets and pods as well; a write that got lost may have been done."""
    beside = (API, Place("main", REPLICA_SETS, "shop", "api-1"))
    for place in (*beside, DB, Place("eu", DEPLOYMENTS, "shop", "api")):
        await kube.get(place, max_age=5)
    for place in (PODS_OF_SHOP, ALL_PODS, Place("main", PODS, "data")):
        await kube.list(place, max_age=5)
    behind.reads.clear()
    behind.fails = fails
    with suppress(UnknownOutcome, Temporary):
        await WRITES[write](kube, False)
    behind.fails = None

    for place in (*beside, DB, Place("eu", DEPLOYMENTS, "shop", "api")):
        await kube.get(place, max_age=5)
    for place in (PODS_OF_SHOP, ALL_PODS, Place("main", PODS, "data")):
        await kube.list(place, max_age=5)
    assert [key[0] for key in behind.reads if isinstance(key, tuple)] == [*beside, PODS_OF_SHOP, ALL_PODS]


@pytest.mark.parametrize("write", WRITES)
async def test_a_dry_run_drops_nothing(kube: Shared, behind: Counting, write: str) -> None:
    await kube.get(API, max_age=5)
    await WRITES[write](kube, True)
    await kube.get(API, max_age=5)

    assert len(behind.reads) == 1


async def test_a_read_from_before_a_write_serves_nobody_after_it(kube: Shared, behind: Counting) -> None:
    behind.answers.clear()
    before = asyncio.create_task(kube.get(API, max_age=5))
    await settled()
    await kube.patch(API, {}, "merge")
    after = asyncio.create_task(kube.get(API, max_age=5))
    await settled()
    behind.answers.set()

    assert [await before, await after] == [{"number": 1}, {"number": 2}]
    assert await kube.get(API, max_age=5) == {"number": 2}


async def test_an_error_is_shared_by_those_who_wait_and_not_kept(kube: Shared, behind: Counting) -> None:
    behind.fails = Missing("gone")
    behind.answers.clear()
    asking = [asyncio.create_task(kube.get(API, max_age=5)) for _ in range(3)]
    await settled()
    behind.answers.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(one) for one in answers] == [Missing] * 3
    assert len(behind.reads) == 1
    behind.fails = None
    assert await kube.get(API, max_age=5) == {"number": 2}


async def test_who_is_told_to_stop_does_not_stop_the_others(kube: Shared, behind: Counting) -> None:
    behind.answers.clear()
    first, second = (asyncio.create_task(kube.get(API, max_age=5)) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    behind.answers.set()

    assert await second == {"number": 1}
    assert first.cancelled()


async def test_each_has_a_deadline_of_its_own(kube: Shared, behind: Counting) -> None:
    behind.answers.clear()
    patient = asyncio.create_task(kube.get(API, max_age=5, timeout=30))
    await settled()
    with pytest.raises(Temporary, match="no answer within"):
        await kube.get(API, max_age=5, timeout=0.01)
    behind.answers.set()

    assert await patient == {"number": 1}


async def test_closing_ends_who_waits(kube: Shared, behind: Counting) -> None:
    behind.answers.clear()
    asking = [asyncio.create_task(kube.get(API, max_age=5)), asyncio.create_task(kube.list(ALL_PODS, max_age=5))]
    await settled()
    await kube.close()

    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in answers] == [Temporary, Temporary]


async def test_only_so_many_answers_are_kept(kube: Shared, behind: Counting) -> None:
    places = [Place("main", DEPLOYMENTS, "shop", f"api-{n}") for n in range(300)]
    for place in places:
        await kube.get(place, max_age=5)
    behind.reads.clear()
    await kube.get(places[-1], max_age=5)
    await kube.get(places[299 - 255], max_age=5)
    assert behind.reads == []
    await kube.get(places[0], max_age=5)
    assert len(behind.reads) == 1


async def test_only_so_many_objects_are_kept(kube: Shared, behind: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first; one list that is too large alone does not push out the others."""
    monkeypatch.setattr(shared_module, "_MOST_OBJECTS", 10)
    places = [Place("main", PODS, name) for name in ("a", "b", "c", "d")]
    for place, behind.size in zip(places, (4, 4, 4, 11), strict=True):
        await kube.list(place, max_age=5)
        await settled()
    behind.reads.clear()
    for place in places[1:3]:
        await kube.list(place, max_age=5)
    assert behind.reads == []
    behind.size = 1
    for place in (places[0], places[3]):
        await kube.list(place, max_age=5)
    assert len(behind.reads) == 2


async def test_old_answers_are_dropped_however_old_they_may_be(
    kube: Shared, behind: Counting, clock: PassingClock
) -> None:
    await kube.get(API, max_age=60)
    await clock.sleep(11)
    await kube.get(DB, max_age=60)
    await kube.get(API, max_age=60)

    assert len(behind.reads) == 3


async def test_logs_are_read_by_each(kube: Shared, behind: Counting) -> None:
    assert [await kube.logs(API), await kube.logs(API)] == [b"log"] * 2
    assert (len(behind.reads), list(kube.clusters)) == (2, ["main", "eu"])
