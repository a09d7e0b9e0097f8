"""Health checks: alive says nothing about the database, ready says what is missing, metrics are Prometheus' text."""

import json

import pytest

from paramedic.core.bundle import Bundle
from tests.intake.bodies import body, element
from tests.intake.serving import Desk, bundle_of, serving

DATABASE = "service: it starts or stops, or its database cannot be reached"
CATALOG = "catalog: no valid rules and playbooks were loaded yet; see `paramedic check`"


@pytest.mark.parametrize("live", [True, False])
async def test_liveness_does_not_ask_the_database(live: bool) -> None:
    """A process that is restarted because its database is away is of no use to anyone."""
    async with serving(Desk(live=live), bundle=lambda: None) as served:
        reply = await served.ask("GET", "/healthz")

        assert (reply.status, json.loads(reply.body)) == (200, {"alive": True})


async def test_ready_names_the_bundle() -> None:
    async with serving() as served:
        reply = await served.ask("GET", "/readyz")

        assert (reply.status, json.loads(reply.body)) == (200, {"ready": True, "bundle": "4f1c9a"})


@pytest.mark.parametrize(
    ("live", "bundle", "missing"),
    [
        (False, bundle_of(), [DATABASE]),
        (True, None, [CATALOG]),
        (False, None, [DATABASE, CATALOG]),
    ],
)
async def test_not_ready_says_what_is_missing(live: bool, bundle: Bundle | None, missing: list[str]) -> None:
    async with serving(Desk(live=live), bundle=lambda: bundle) as served:
        reply = await served.ask("GET", "/readyz")

        assert reply.status == 503
        assert reply.headers["Retry-After"] == "1"
        assert json.loads(reply.body) == {"ready": False, "missing": missing}


async def test_metrics_are_there_for_the_taking() -> None:
    async with serving() as served:
        await served.post(body(element()))
        reply = await served.ask("GET", "/metrics")

        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert b'paramedic_deliveries_total{result="accepted",source="default"} 1.0' in reply.body


async def test_probes_ask_for_no_token() -> None:
    async with serving(tokens=("t",)) as served:
        assert {(await served.ask("GET", path)).status for path in ("/healthz", "/readyz", "/metrics")} == {200}
