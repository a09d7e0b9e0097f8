"""Two Alertmanagers with one configuration, as people run them: whichever delivers, it is done once (promise 2).

`test_outages` has the twins whose receiver answers 503 for a while.
"""

from tests.real.alertmanager import Alertmanagers
from tests.real.catalogs import Catalog
from tests.real.services import Services
from tests.real.sinks import Sink


async def test_twins_that_gossip_have_it_executed_once(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    service = await serve(Catalog(sink.url))
    first, second = await alertmanager.twins(service.url)

    starts = await first.push("alert-1")
    await second.push("alert-1", starts=starts)
    await service.incident()
    await first.resolve("alert-1", starts=starts)
    await second.resolve("alert-1", starts=starts)
    incident = await service.incident("resolved")

    assert await sink.executed() == {"alert-1": 1}
    assert incident["alerts_total"] == 1


async def test_twins_that_lost_each_other_both_deliver_and_it_is_executed_once(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """A partition between them: each believes to be alone, and everything comes twice."""
    service = await serve(Catalog(sink.url))
    first, second = await alertmanager(service.url), await alertmanager(service.url)

    starts = await first.push("alert-1", "alert-2")
    await second.push("alert-1", "alert-2", starts=starts)
    await service.accepts(2)
    await sink.has("alert-1", "alert-2")
    await first.resolve("alert-1", starts=starts)
    await second.resolve("alert-1", starts=starts)
    await service.accepts(4)

    assert await sink.executed() == {"alert-1": 1, "alert-2": 1}
    assert sorted(one["phase"] == "resolved" for one in await service.incidents()) == [False, True]
    assert (await first.attempts(), await second.attempts()) == (2, 2)


async def test_a_twin_that_lags_behind_reopens_nothing(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """One twin still tells of a firing that the other has seen end: an echo is not a new episode."""
    service = await serve(Catalog(sink.url))
    first, second = await alertmanager(service.url), await alertmanager(service.url)

    starts = await first.push("alert-1")
    await service.incident()
    await first.resolve("alert-1", starts=starts)
    incident = await service.incident("resolved")
    await second.push("alert-1", starts=starts)
    await service.told(incident["id"], "an echo or a refire")
    await second.resolve("alert-1", starts=starts)
    await service.told(incident["id"], "was an echo")

    assert await sink.executed() == {"alert-1": 1}
    assert (await service.detail(incident["id"]))["recurrence"] == 0
