"""Something is away for a while: the database, Alertmanager, the service. What was promised is still executed, once.

Promise 1: a delivery that was answered 2xx is never lost, and what cannot be kept is answered 503, which Alertmanager
tries again. Promise 2: what it then tells twice opens one episode.
"""

import os
import signal
from pathlib import Path

from tests.real.alertmanager import Alertmanagers
from tests.real.catalogs import Catalog
from tests.real.databases import Database
from tests.real.processes import until
from tests.real.services import Service, Services
from tests.real.sinks import Sink


async def refuses(service: Service) -> None:
    """Wait until a delivery was answered 503."""

    async def turned_away() -> bool:
        return await service.answered("unavailable") >= 1

    await until(turned_away, "a delivery answered 503")


def postmaster_of(service: Service) -> int:
    """The number of the process that is the service's embedded PostgreSQL."""
    folder = Path(service.settings["PARAMEDIC_DATA"]) / "postgres"
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


async def test_503_while_postgresql_is_stopped_then_delivered_and_executed_once(
    alertmanager: Alertmanagers, outside: Database, serve: Services, sink: Sink
) -> None:
    service = await serve(Catalog(sink.url), PARAMEDIC_DATABASE_URL=outside.url)
    monitor = await alertmanager(service.url)
    await monitor.push("before", service="one")
    await sink.has("before")

    await outside.stop()
    await monitor.push("during", service="two")
    await refuses(service)
    assert not await service.ready()
    assert await sink.executed() == {"before": 1}
    assert await service.answered() == 1

    await outside.start()
    await sink.has("during")
    incident = await service.incident(count=2)

    assert await sink.executed() == {"before": 1, "during": 1}
    assert [one["id"] for one in incident["past"]] == [f"{incident['id']}.1"]
    assert service.process.code is None, "an outage of the database ends nothing"
    assert await monitor.metric("alertmanager_notification_requests_failed_total", integration="webhook") >= 1


async def test_twins_retry_through_an_outage_and_it_is_executed_once(
    alertmanager: Alertmanagers, outside: Database, serve: Services, sink: Sink
) -> None:
    """Refused, neither has anything to tell the other: both try again, and usually both get through."""
    service = await serve(Catalog(sink.url), PARAMEDIC_DATABASE_URL=outside.url)
    first, second = await alertmanager.twins(service.url)

    await outside.stop()
    starts = await first.push("alert-1")
    await second.push("alert-1", starts=starts)

    async def both_try() -> bool:
        return await first.attempts() >= 1 and await second.attempts() >= 1

    await until(both_try, "an attempt of each twin")
    await refuses(service)
    await outside.start()
    await sink.has("alert-1")
    await first.push("alert-2", service="other")
    await sink.has("alert-2")
    incident = await service.incident(count=2)

    assert incident["key"].endswith('{id="alert-2"}')
    assert await sink.executed() == {"alert-1": 1, "alert-2": 1}


async def test_the_embedded_postgresql_is_killed_and_what_comes_is_executed_once(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)
    await monitor.push("before", service="one")
    await service.incident()

    os.kill(postmaster_of(service), signal.SIGKILL)
    await monitor.push("after", service="two")
    await sink.has("after")
    await service.incident(count=2)

    assert await sink.executed() == {"before": 1, "after": 1}
    assert service.process.code is None


async def test_an_alertmanager_that_was_killed_tells_again_and_nothing_is_executed_again(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """A killed Alertmanager has forgotten what it has told: it tells all again."""
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)
    starts = await monitor.push("alert-1")
    incident = await service.incident()

    await monitor.process.stop(signal.SIGKILL)
    await monitor.start()
    await monitor.push("alert-1", starts=starts)
    await service.accepts(2)
    await monitor.push("alert-2", service="other")
    await sink.has("alert-2")

    assert await sink.executed() == {"alert-1": 1, "alert-2": 1}
    assert (await service.detail(incident["id"]))["recurrence"] == 0


async def test_a_service_that_was_stopped_goes_on_where_it_was(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """SIGTERM ends it with 0; started again on its data, it knows what it has done and takes what was held back."""
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)
    starts = await monitor.push("alert-1", service="one")
    before = await service.incident()

    assert await service.process.stop() == 0
    await monitor.push("alert-2", service="two")
    await service.start()
    await monitor.push("alert-1", starts=starts, service="one")
    await sink.has("alert-2")
    await service.incident(count=2)

    assert await sink.executed() == {"alert-1": 1, "alert-2": 1}
    assert (await service.incidents())[0]["id"] == before["id"]
