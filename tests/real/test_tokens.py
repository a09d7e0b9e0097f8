"""Alertmanager says who it is, in the two ways that it can; whoever does not is refused and changes nothing."""

from typing import Any

import pytest

from tests.real.alertmanager import Alertmanagers, configuration
from tests.real.catalogs import Catalog
from tests.real.processes import until
from tests.real.services import Services
from tests.real.sinks import Sink

COMMON, OWN = "the-common-token", "the-token-of-eu"
SOURCES = "sources:\n  - {name: eu, token: EU_TOKEN}"


def bearer(token: str) -> dict[str, Any]:
    """`http_config` of a receiver with a bearer token."""
    return {"authorization": {"type": "Bearer", "credentials": token}}


def basic(token: str) -> dict[str, Any]:
    """`http_config` of a receiver with the token as a password."""
    return {"basic_auth": {"username": "alertmanager", "password": token}}


@pytest.mark.parametrize("way", [bearer, basic])
async def test_a_wrong_token_is_refused_and_the_right_one_is_taken(
    alertmanager: Alertmanagers, serve: Services, sink: Sink, way: Any
) -> None:
    """A 401 is not repeated within seconds, but with the next flush: once the token is mended, nothing is missing."""
    service = await serve(Catalog(sink.url), PARAMEDIC_WEBHOOK_TOKEN=f"an-older-token,{COMMON}")
    monitor = await alertmanager(service.url, auth=way("a-wrong-token"))

    await monitor.push("alert-1")

    async def refused() -> bool:
        return await service.answered("unauthorized") >= 1

    await until(refused, "an answer 401")
    assert await sink.executed() == {}
    assert await service.incidents() == []

    await monitor.configure(configuration(service.url, auth=way(COMMON)))
    incident = await service.incident()

    assert incident["source"] == "default"
    assert await sink.executed() == {"alert-1": 1}


async def test_without_a_token_nothing_is_taken(alertmanager: Alertmanagers, serve: Services, sink: Sink) -> None:
    service = await serve(Catalog(sink.url), PARAMEDIC_WEBHOOK_TOKEN=COMMON)
    stranger = await alertmanager(service.url)
    friend = await alertmanager(service.url, auth=bearer(COMMON))

    await stranger.push("alert-1")

    async def refused() -> bool:
        return await service.answered("unauthorized") >= 1

    await until(refused, "an answer 401")
    await friend.push("alert-2")
    await service.incident()

    assert await sink.executed() == {"alert-2": 1}


async def test_a_source_is_known_by_its_own_token(alertmanager: Alertmanagers, serve: Services, sink: Sink) -> None:
    """The same alert from two sources is two episodes."""
    service = await serve(Catalog(sink.url, more=SOURCES), PARAMEDIC_WEBHOOK_TOKEN=COMMON, EU_TOKEN=OWN)
    europe = await alertmanager(service.url, auth=basic(OWN))
    others = await alertmanager(service.url, auth=bearer(COMMON))

    starts = await europe.push("alert-1")
    await service.incident()
    await others.push("alert-1", starts=starts)
    await service.incident(count=2)

    assert [one["source"] for one in await service.incidents()] == ["eu", "default"]
    assert await sink.executed() == {"alert-1": 2}
    assert await service.metric("paramedic_deliveries_total", source="eu", result="accepted") == 1
