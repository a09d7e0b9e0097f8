"""Silences and inhibitions as a real Alertmanager tells of them, through the client that the guard `silenced` asks."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from paramedic.clients.alertmanager import AlertmanagerClient
from paramedic.clients.http import HttpClient
from paramedic.errors import Temporary
from paramedic.plugin import Standing
from tests.real.alertmanager import Alertmanager, Alertmanagers, configuration
from tests.real.processes import until

NOWHERE = "http://127.0.0.1:9"
HOSTILE = (
    "plain",
    '"} or vector(1) #',
    "a,b=~c",
    "\\",
    '\\"',
    "a\nb",
    "{}",
    ".*",
    "\u202eabc",
    "&silenced=false",
    "caf\u00e9 \U0001f4a5",
    "../..",
    "x" * 3000,
)


def labels_of(one: str, **labels: str) -> dict[str, str]:
    """The labels of an alert as `Alertmanager.push` makes it."""
    return {"alertname": "HighErrorRate", "id": one, "service": "api", **labels}


@pytest.fixture
async def port() -> AsyncIterator[HttpClient]:
    async with HttpClient(lambda name: "", most=8) as http:
        yield http


async def standing(port: HttpClient, one: str, *monitors: Alertmanager, **labels: str) -> Standing:
    client = AlertmanagerClient(port, lambda name: [each.url for each in monitors])
    return await client.standing("main", labels_of(one, **labels), timeout=5.0)


async def silence(http: aiohttp.ClientSession, monitor: Alertmanager, one: str) -> None:
    """Silence the alert with this id."""
    now = datetime.now(UTC)
    body: dict[str, Any] = {
        "matchers": [{"name": "id", "value": one, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "alice",
        "comment": "I have it",
    }
    async with http.post(f"{monitor.url}/api/v2/silences", json=body) as answer:
        assert answer.status == 200, await answer.text()


async def becomes(state: str, port: HttpClient, one: str, *monitors: Alertmanager) -> Standing:
    async def stands() -> Standing | None:
        found = await standing(port, one, *monitors)
        return found if found.state == state else None

    found = await until(stands, f"{one[:20]!a} to be {state}")
    assert found is not None
    return found


async def test_a_silence_is_seen_whatever_the_labels_hold(
    alertmanager: Alertmanagers, http: aiohttp.ClientSession, port: HttpClient
) -> None:
    monitor = await alertmanager(NOWHERE)
    await monitor.push(*HOSTILE, "decoy")
    for one in HOSTILE:
        await becomes("active", port, one, monitor)
        await silence(http, monitor, one)
        (by,) = (await becomes("silenced", port, one, monitor)).by
        assert re.fullmatch(r"alice until \d{4}-\d\d-\d\d \d\d:\d\d UTC \(I have it\)", by)
        assert (await standing(port, "decoy", monitor)).state == "active"
    assert await standing(port, "never heard of", monitor) == Standing("absent")
    assert (await standing(port, "decoy", monitor, zone="a")).state == "absent"


async def test_what_another_alert_inhibits_is_told(
    alertmanager: Alertmanagers, http: aiohttp.ClientSession, port: HttpClient
) -> None:
    monitor = await alertmanager(NOWHERE)
    rule = {"source_matchers": ['id="cause"'], "target_matchers": ['id="effect"']}
    await monitor.configure(json.dumps(json.loads(configuration(NOWHERE)) | {"inhibit_rules": [rule]}))
    await monitor.push("effect")
    await becomes("active", port, "effect", monitor)
    await monitor.push("cause")
    found = await becomes("inhibited", port, "effect", monitor)

    assert len(found.by) == 1
    assert (await standing(port, "cause", monitor)).state == "active"


async def test_of_twins_one_that_knows_is_enough_and_none_that_answers_is_an_error(
    alertmanager: Alertmanagers, http: aiohttp.ClientSession, port: HttpClient
) -> None:
    first, second = await alertmanager.twins(NOWHERE)
    await second.push("a", "b")
    assert (await becomes("active", port, "a", first, second)).state == "active", "the first has not heard of it"
    await silence(http, first, "a")
    await becomes("silenced", port, "a", second)
    await second.process.stop()
    assert (await standing(port, "b", first, second)).state == "absent"
    await first.push("a", "b")
    assert (await becomes("silenced", port, "a", first, second)).state == "silenced"
    assert (await becomes("active", port, "b", first, second)).state == "active"
    await first.process.stop()
    with pytest.raises(Temporary, match="did not answer"):
        await standing(port, "a", first, second)
