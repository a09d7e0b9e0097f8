"""The commands against a running service, over its private socket: what a person on the same machine sees and does."""

import getpass

from tests.real.alertmanager import Alertmanagers
from tests.real.catalogs import Catalog
from tests.real.services import Services
from tests.real.sinks import Sink


async def test_incidents_are_listed_shown_acknowledged_and_exported(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)
    await monitor.push("alert-1", namespace="shop")
    number = (await service.incident())["id"]

    listed = await service.command("incidents", "list")
    shown = await service.command("incidents", "show", number)
    await service.command("incidents", "ack", number)
    acknowledged = await service.json_of("incidents", "show", number)
    exported = await service.json_of("incidents", "export", number)
    missing = await service.command("incidents", "show", "INC-4711", code=1)

    assert number in listed
    assert "HighErrorRate shop/api" in listed
    assert "POST hook/act?id=alert-1" in shown
    assert acknowledged["incident"]["acknowledged_by"] == getpass.getuser()
    assert acknowledged["timeline"]["entries"][-1]["who"] == getpass.getuser()
    assert exported["chain"]["verified"]
    assert exported["rows"][-1]["hash"] == exported["chain"]["head"]
    assert "INC-4711" in missing


async def test_the_switch_at_off_keeps_everything_from_being_executed(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """Promise 5: the switch counts at once. Promise 8: the timeline says that nothing was done, and why."""
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url, by=["id"])

    said = await service.command("switch", "off", "--reason", "a test of ours")
    await monitor.push("alert-1")
    await service.accepts(1)
    (incident,) = await service.incidents()
    refused = await service.told(incident["id"], "the mode is off")
    await service.command("switch", "auto")
    await monitor.push("alert-2")
    await sink.has("alert-2")

    assert said.startswith("off: ")
    assert "a test of ours" in said
    assert refused["kind"] == "refused"
    assert await sink.executed() == {"alert-2": 1}
    assert (await service.detail(incident["id"]))["past"] == []
    assert (await service.json_of("switch"))["in_force"] == "auto"


async def test_the_shadow_mode_tells_what_it_would_have_done(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """Promise 12: no target is changed. This process may do no more, whatever the switch says."""
    service = await serve(Catalog(sink.url), PARAMEDIC_MODE="shadow")
    monitor = await alertmanager(service.url)

    await service.command("switch", "auto")
    await monitor.push("alert-1")
    incident = await service.incident()

    assert [one["outcome"] for one in incident["past"]] == ["shadowed"]
    assert "it would have done: POST hook/act?id=alert-1" in incident["past"][0]["reason"]
    assert await sink.executed() == {}
