"""The service as a whole, in this process: what it starts with, what keeps it from starting, and how it stops."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import asyncpg
import pytest

from paramedic import app
from paramedic.app import Service
from paramedic.clock import SystemClock
from paramedic.errors import Fault, Permanent
from paramedic.settings import Settings
from tests.clients.servers import serving as prometheus_server
from tests.clients.test_prometheus import says, success
from tests.crash.sink import Sink, sink_on_a_port
from tests.engine.texts import body, element
from tests.postgres import OTHERS
from tests.store.clock import until

CATALOG = """\
endpoints: [{name: hook, url: "SINK/hook", idempotent: true}]
rules: [{name: down, match: ['alertname="Down"'], incident: [job], playbook: act, with: {id: "${labels.job}"}}]
---
playbook: act
mode: auto
defaults: none
params: {id: {type: string}}
target: "hook/${params.id}"
steps: [{http: {endpoint: hook, path: "/act?id=${params.id}"}}]
"""
BROKEN = CATALOG.replace("playbook: act,", "playbook: acct,")


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with sink_on_a_port(0.0) as one:
        yield one


@pytest.fixture
def settings(database: str, tmp_path: Path, sink: Sink) -> Settings:
    """Of a service on a database of its own, with a good catalog."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "playbooks").mkdir()
    made = Settings(
        port=0,
        database_url=database,
        data=tmp_path / "data",
        rules=tmp_path / "rules",
        playbooks=tmp_path / "playbooks",
    )
    write(made, CATALOG, sink)
    return made


def write(settings: Settings, text: str, sink: Sink) -> None:
    """Write the catalog."""
    (settings.rules / "all.yaml").write_text(text.replace("SINK", sink.url))


def serving(settings: Settings) -> Service:
    return Service(settings, SystemClock())


async def send(service: Service, *alerts: Mapping[str, object]) -> int:
    """Deliver until it is taken; the status."""
    async with aiohttp.ClientSession(trust_env=False) as http:

        async def taken() -> bool:
            async with http.post(f"{service.address}/api/v1/alertmanager", data=body(*alerts)) as answer:
                return answer.status == 200

        await until(taken)
        return 200


async def rows(dsn: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def acted(sink: Sink, *ids: str) -> None:
    """Wait until all of these were acted on, each under one key."""
    await until(lambda: set(ids) <= sink.calls["hook"].keys())
    assert all(len(sink.calls["hook"][one]) == 1 for one in ids)


async def test_an_alert_over_http_is_acted_on_and_the_service_stops_without_a_trace(
    settings: Settings, sink: Sink, database: str
) -> None:
    before = asyncio.all_tasks()
    async with serving(settings) as service:
        assert service.address.startswith("http://127.0.0.1:")
        await send(service, element("api"))
        await acted(sink, "api")
        door = settings.data / "paramedic.sock"
        assert door.is_socket()
    assert asyncio.all_tasks() == before
    assert not door.exists()
    assert not service.broken.is_set()
    assert {row["fenced"] for row in await rows(database, "select fenced from member")} == {True}
    assert await rows(database, OTHERS) == []


async def test_the_next_one_goes_on_where_the_last_one_stopped(settings: Settings, sink: Sink) -> None:
    async with serving(settings) as service:
        await send(service, element("one"))
        await acted(sink, "one")
    async with serving(settings) as service:
        await send(service, element("one"), element("two"))
        await acted(sink, "one", "two")


async def test_a_bad_catalog_refuses_to_start_with_the_place_of_the_fault(settings: Settings, sink: Sink) -> None:
    """Promise 10."""
    write(settings, BROKEN, sink)
    with pytest.raises(Fault, match=r'all\.yaml:2:\d+: .*"acct"'):
        async with serving(settings):
            pass


async def test_a_bad_catalog_starts_with_the_last_good_one(settings: Settings, sink: Sink) -> None:
    """Promise 10."""
    async with serving(settings) as service:
        good = service.engine.bundle
    write(settings, BROKEN, sink)
    async with serving(settings) as service:
        assert good is not None
        assert service.engine.bundle is not None
        assert service.engine.bundle.hash == good.hash
        assert service.catalog.faults
        await send(service, element("api"))
        await acted(sink, "api")


async def test_a_catalog_that_was_asked_for_is_adopted_and_a_bad_one_is_not(settings: Settings, sink: Sink) -> None:
    async with serving(settings) as service:
        first = service.catalog.bundle
        write(settings, BROKEN, sink)
        service.catalog.ask()
        await until(lambda: bool(service.catalog.faults))
        assert service.engine.bundle is first

        write(settings, CATALOG.replace("/act?id=", "/act?id=new-"), sink)
        service.catalog.ask()
        await until(lambda: service.engine.bundle is not first)
        await send(service, element("api"))
        await acted(sink, "new-api")


async def test_a_port_in_use_is_one_clear_fault_and_leaves_nothing_behind(settings: Settings, database: str) -> None:
    before = asyncio.all_tasks()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Fault, match=rf"PARAMEDIC_LISTEN: cannot listen on 127\.0\.0\.1:{port}: Address already"):
            async with serving(replace(settings, port=port)):
                pass
    assert asyncio.all_tasks() == before
    assert await rows(database, OTHERS) == []


async def test_a_second_service_on_the_same_folder_is_refused(settings: Settings) -> None:
    async with serving(settings):
        with pytest.raises(Fault, match="another service listens here"):
            async with serving(settings):
                pass


async def test_a_bad_catalog_leaves_no_connection_behind(settings: Settings, sink: Sink, database: str) -> None:
    write(settings, BROKEN, sink)
    with pytest.raises(Fault):
        async with serving(settings):
            pass
    assert await rows(database, OTHERS) == []


async def test_a_database_that_is_not_there_is_said_in_one_line(settings: Settings) -> None:
    from paramedic.errors import ParamedicError

    with pytest.raises(ParamedicError) as refused:
        async with serving(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")):
            pass
    assert "\n" not in str(refused.value)
    assert not isinstance(refused.value, Permanent) or "none" in str(refused.value)


async def test_a_part_that_ends_by_itself_breaks_the_service(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def follow(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(app.Service, "_follow", follow)
    async with serving(settings) as service:
        async with asyncio.timeout(10.0):
            await service.broken.wait()


async def test_metrics_and_live_pages_hear_of_each_commit(settings: Settings, sink: Sink) -> None:
    async with serving(settings) as service:
        with service.live.watch() as watch:
            await send(service, element("api"))
            await acted(sink, "api")
            async with asyncio.timeout(10.0):
                assert await watch.next(10.0)
        async with aiohttp.ClientSession(trust_env=False) as http, http.get(f"{service.address}/metrics") as answer:
            text = await answer.text()
    assert 'paramedic_deliveries_total{result="accepted",source="default"} 1.0' in text
    assert "paramedic_steps_total" in text


async def test_a_change_that_is_reported_is_kept(settings: Settings, database: str) -> None:
    change = {"workload": "deployment/api", "namespace": "shop", "cluster": "main", "version": "api:42"}
    async with serving(settings):
        through_the_door = aiohttp.UnixConnector(str(settings.data / "paramedic.sock"))
        async with (
            aiohttp.ClientSession(connector=through_the_door, trust_env=False) as http,
            http.post("http://paramedic/api/v1/changes", json=change) as answer,
        ):
            assert (answer.status, (await answer.json())["new"]) == (200, True)

    [kept] = await rows(database, "select target, service, version from change")
    assert tuple(kept) == ("main/shop/deployment/api", "", "api:42")


MEASURING = """\
guards: [{metric: {name: up, query: 'up{job="${params.id}"}', op: ">", threshold: 0}}]
steps:"""


async def test_a_playbook_that_measures_acts_on_what_prometheus_says(settings: Settings, sink: Sink) -> None:
    write(settings, CATALOG.replace("steps:", MEASURING), sink)
    async with prometheus_server(says(200, success("scalar", [SystemClock().now().timestamp(), "1"]))) as server:
        address = {"PARAMEDIC_PROMETHEUS_URL": f"http://127.0.0.1:{server.port}"}
        async with serving(replace(settings, environment=address)) as service:
            await send(service, element("api"))
            await acted(sink, "api")

    assert parse_qs(server.requests[0].body.decode())["query"] == ['up{job="api"}']


SILENT = """\
guards: [{silenced: {}}]
steps:"""


async def test_a_playbook_that_heeds_silences_asks_the_alertmanager_of_the_source(
    settings: Settings, sink: Sink
) -> None:
    write(settings, CATALOG.replace("steps:", SILENT), sink)
    quiet, loud = element("quiet"), element("loud")
    silenced = {"labels": quiet["labels"], "status": {"state": "suppressed", "silencedBy": ["4f1c"]}}
    active = {"labels": loud["labels"], "status": {"state": "active"}}
    async with prometheus_server(says(200, json.dumps([silenced, active]).encode())) as server:
        address = {
            "PARAMEDIC_ALERTMANAGER_URL": f"http://127.0.0.1:{server.port}",
            "PARAMEDIC_ALERTMANAGER_TOKEN": "s3cret",
        }
        async with serving(replace(settings, environment=address)) as service:
            await send(service, quiet, loud)
            await acted(sink, "loud")
            await until(lambda: len(server.requests) >= 2)

    assert set(sink.calls["hook"]) == {"loud"}
    assert {one.headers["authorization"] for one in server.requests} == {"Bearer s3cret"}


async def test_an_address_of_an_alertmanager_that_is_none_keeps_it_from_starting(settings: Settings) -> None:
    with pytest.raises(Fault, match="PARAMEDIC_ALERTMANAGER_URL: is not http:// or https://"):
        async with serving(replace(settings, environment={"PARAMEDIC_ALERTMANAGER_URL": "alertmanager"})):
            pass


async def test_an_address_of_prometheus_that_is_none_keeps_it_from_starting(settings: Settings) -> None:
    with pytest.raises(Fault, match="PARAMEDIC_PROMETHEUS_URL: is not http:// or https://"):
        async with serving(replace(settings, environment={"PARAMEDIC_PROMETHEUS_URL": "prometheus:9090"})):
            pass
