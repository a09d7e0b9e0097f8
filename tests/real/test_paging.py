"""Pages go to a second endpoint: at once, to the next level when nobody acknowledges, and resolved when it is over.

Promise 7: a page that is not acknowledged climbs every level. Its timer starts when the page before it was sent
(promise 6).
"""

from tests.real.alertmanager import Alertmanagers
from tests.real.catalogs import Catalog
from tests.real.processes import until
from tests.real.receiver import Receiver
from tests.real.services import Services
from tests.real.sinks import Sink

PEOPLE = """\
  - {{name: pager, url: "{pager}"}}
people:
  - {{name: sre-primary, webhook: pager}}
  - {{name: sre-secondary, webhook: pager}}
escalation:
  - name: sre
    levels:
      - {{after: 0s, page: [sre-primary]}}
      - {{after: 4s, page: [sre-secondary]}}
"""


def paging(sink: Sink, pager: Receiver) -> Catalog:
    """A catalog that also pages, through `pager`."""
    return Catalog(sink.url, more=PEOPLE.format(pager=pager.url), terms="    escalation: sre")


async def pages(pager: Receiver, verb: str, count: int) -> list[tuple[str, int, str]]:
    """Wait for so many pages of this kind: incident, level and whom each is for."""

    async def enough() -> bool:
        return len(pager.pages(verb)) >= count

    await until(enough, f"{count} pages to {verb}")
    return [(one["incident"], one["level"], one["to"]) for one in pager.pages(verb)]


async def test_an_unacknowledged_page_climbs_and_is_resolved_with_the_alert(
    alertmanager: Alertmanagers, serve: Services, sink: Sink, receiver: Receiver
) -> None:
    """The treatment has run and nothing verifies it; the alert fires on, so a person is needed."""
    service = await serve(paging(sink, receiver))
    monitor = await alertmanager(service.url)

    starts = await monitor.push("alert-1", severity="critical")
    paged = await pages(receiver, "trigger", 2)
    incident = await service.incident()
    await monitor.resolve("alert-1", starts=starts, severity="critical")
    resolved = await pages(receiver, "resolve", 2)

    assert paged == [(incident["id"], 1, "sre-primary"), (incident["id"], 2, "sre-secondary")]
    assert sorted(resolved) == paged
    opened, closed = receiver.pages("trigger"), receiver.pages("resolve")
    assert {one["dedup_key"] for one in opened} == {one["dedup_key"] for one in closed}
    assert len({one["dedup_key"] for one in opened}) == 2
    assert [one["severity"] for one in opened] == ["P1", "P1"]
    assert (await service.told(incident["id"], "(level 1 not acknowledged)"))["kind"] == "page"
    assert await sink.executed() == {"alert-1": 1}


async def test_an_acknowledged_page_does_not_climb(
    alertmanager: Alertmanagers, serve: Services, sink: Sink, receiver: Receiver
) -> None:
    """A later incident that nobody acknowledges reaches level 2; the acknowledged one was due before it."""
    service = await serve(paging(sink, receiver))
    monitor = await alertmanager(service.url, by=["id"])

    await monitor.push("alert-1")
    ((first, _, _),) = await pages(receiver, "trigger", 1)
    said = await service.command("incidents", "ack", first)
    acknowledged = await pages(receiver, "acknowledge", 1)
    await monitor.push("alert-2")
    paged = await pages(receiver, "trigger", 3)

    assert acknowledged == [(first, 1, "sre-primary")]
    second = paged[1][0]
    assert paged == [(first, 1, "sre-primary"), (second, 1, "sre-primary"), (second, 2, "sre-secondary")]
    assert said.strip()
    assert (await service.detail(first))["paging"]["level"] == 1
    assert [one["id"] for one in await service.incidents()] == [first, second]


async def test_a_climb_survives_a_restart_of_the_service(
    alertmanager: Alertmanagers, serve: Services, sink: Sink, receiver: Receiver
) -> None:
    """The timer of level 2 is in the database; nobody is paged twice for level 1."""
    service = await serve(paging(sink, receiver))
    monitor = await alertmanager(service.url)

    await monitor.push("alert-1")
    await pages(receiver, "trigger", 1)
    await service.incident()
    assert await service.process.stop() == 0
    await service.start()
    paged = await pages(receiver, "trigger", 2)

    assert [(level, to) for _, level, to in paged] == [(1, "sre-primary"), (2, "sre-secondary")]
    assert await sink.executed() == {"alert-1": 1}
