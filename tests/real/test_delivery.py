"""A real Alertmanager fires, groups, repeats, resolves and fires again; the sink says what was executed.

Promise 2: however often a delivery comes, an episode opens once and asks for one run.
"""

from tests.real.alertmanager import Alertmanagers, Timing
from tests.real.catalogs import Catalog
from tests.real.receiver import Receiver
from tests.real.services import Services
from tests.real.sinks import Sink


async def test_a_firing_alert_is_executed_once_and_recorded(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)

    await monitor.push("alert-1")
    incident = await service.incident()

    assert await sink.executed() == {"alert-1": 1}
    assert (incident["open"], incident["firing"], incident["rule"]) == (True, 1, "every-alert")
    assert [(one["playbook"], one["target"], one["outcome"]) for one in incident["past"]] == [
        ("call-the-hook", "hook/alert-1", "done")
    ]
    assert incident["alerts"][0]["annotations"] == {"summary": "alert-1 answers with errors"}
    assert {"alert", "apply", "run"} <= {entry["kind"] for entry in await service.entries(incident["id"])}


async def test_every_alert_of_a_group_is_executed(alertmanager: Alertmanagers, serve: Services, sink: Sink) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)
    ids = [f"alert-{n}" for n in range(20)]

    await monitor.push(*ids)
    await sink.has(*ids)

    assert await sink.executed() == dict.fromkeys(ids, 1)
    assert await monitor.attempts() == 1, "one body, with all of them"
    assert len(await service.incidents()) == 20


async def test_alerts_that_share_a_key_are_one_incident_with_one_run(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """A later alert of the same key attaches to what was done already."""
    service = await serve(Catalog(sink.url, key="service", id="service"))
    monitor = await alertmanager(service.url)

    await monitor.push("alert-1", "alert-2", "alert-3", service="api")
    await sink.has("api")
    await monitor.push("alert-4", service="api")
    await service.accepts(2)
    incident = await service.incident()

    assert await sink.executed() == {"api": 1}
    assert (incident["alerts_total"], incident["firing"], len(incident["past"])) == (4, 4, 1)


async def test_repeats_do_nothing(alertmanager: Alertmanagers, serve: Services, sink: Sink) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url, Timing(repeat="1s"))

    await monitor.push("alert-1")
    first = await service.incident()
    entries = await service.entries(first["id"])
    await service.accepts(4)
    incident = await service.incident()

    assert await sink.executed() == {"alert-1": 1}
    assert [one["id"] for one in incident["past"]] == [one["id"] for one in first["past"]]
    assert await service.entries(first["id"]) == entries, "a repeat is not worth a line"


async def test_a_resolved_alert_resolves_its_incident(alertmanager: Alertmanagers, serve: Services, sink: Sink) -> None:
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url)

    starts = await monitor.push("alert-1")
    await service.incident()
    await monitor.resolve("alert-1", starts=starts)
    incident = await service.incident("resolved")

    assert (incident["firing"], incident["fixed_by"]) == (0, "paramedic")
    assert [one["firing"] for one in incident["alerts"]] == [False]
    assert await sink.executed() == {"alert-1": 1}


async def test_an_alert_that_comes_back_is_treated_again_under_a_new_key(
    alertmanager: Alertmanagers, serve: Services, receiver: Receiver
) -> None:
    """Within the quiet time it is the same incident; a new episode is a recurrence, and asks for a run of its own."""
    service = await serve(Catalog(receiver.url))
    monitor = await alertmanager(service.url)

    starts = await monitor.push("alert-1")
    await service.incident()
    await monitor.resolve("alert-1", starts=starts)
    first = await service.incident("resolved")
    await monitor.push("alert-1")
    await service.told(first["id"], "came back")
    await service.accepts(3)
    second = await service.incident()

    assert (second["id"], first["recurrence"], second["recurrence"]) == (first["id"], 0, 1)
    assert [one["outcome"] for one in second["past"]] == ["done", "done"]
    assert [one.key for one in receiver.requests] == [f"{first['id']}/1/1/1", f"{first['id']}/2/1/1"]
    assert second["phase"] != "resolved"


async def test_a_flap_between_two_flushes_is_noted_and_not_treated_again(
    alertmanager: Alertmanagers, serve: Services, sink: Sink
) -> None:
    """Alertmanager never tells of the end in between; the next repeat only shows a later start. It is one episode."""
    service = await serve(Catalog(sink.url))
    monitor = await alertmanager(service.url, Timing(interval="4s", repeat="5s"))

    starts = await monitor.push("alert-1")
    incident = await service.incident()
    await monitor.resolve("alert-1", starts=starts)
    later = await monitor.push("alert-1")
    moved = await service.told(incident["id"], "its start moved")
    incident = await service.incident()

    assert "ended and came back unseen" in moved["text"]
    assert incident["alerts"][0]["starts_at"][:23] == later.isoformat()[:23]
    assert (incident["recurrence"], len(incident["past"])) == (0, 1)
    assert await sink.executed() == {"alert-1": 1}
