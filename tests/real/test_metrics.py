"""The metrics port, the escaping of `${}` and the doctor against a real Prometheus, whose parser decides."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from paramedic.catalog.shapes import OPEN
from paramedic.catalog.templates import compile_tree
from paramedic.clients.comparing import Finding, Question, look
from paramedic.clients.prometheus import PrometheusClient
from paramedic.clock import SystemClock
from paramedic.core.words import Answer
from paramedic.doctor.alerting import examine_prometheus
from paramedic.errors import Permanent
from paramedic.plugin import Measured, discover
from paramedic.settings import read_settings
from tests.contract.plugin_scene import seen
from tests.guards.asked import asked
from tests.real.processes import Processes, until
from tests.real.prometheus import Prometheus, prometheus

HOSTILE = (
    "shop",
    '"} or vector(1) #',
    "'} or vector(1) #",
    "\\",
    '\\"',
    "a\nb",
    "a\r\tb",
    "\x01\x1b[2J\x7f",
    ".*",
    ".+|shop",
    "a-z]",
    "[^x]",
    "(?i)SHOP",
    "\\E.*",
    "$1${x}",
    "caf\u00e9 \u202e\U0001f4a5",
    "`",
    "#",
    "{{}}",
)
QUERIES = (
    'hostile{v="${labels.v}"}',
    "hostile{v='${labels.v}'}",
    'hostile{v=~"${labels.v}"}',
    "hostile{v=~'^(?:${labels.v})$'}",
)


@pytest.fixture
async def server(processes: Processes, http: aiohttp.ClientSession) -> AsyncIterator[Prometheus]:
    async with prometheus(processes, http) as one:
        yield one


@pytest.fixture
async def client(server: Prometheus) -> AsyncIterator[PrometheusClient]:
    async with PrometheusClient(server.url, "", SystemClock()) as one:
        yield one


async def instant(client: PrometheusClient, query: str) -> Measured:
    return await client.instant("it", query, max_age=120, timeout=10)


async def scraped(client: PrometheusClient, query: str, series: int = 1) -> Measured:
    """The answer once it has so many series."""

    async def there() -> Measured | None:
        found = await instant(client, query)
        return found if len(found.samples) == series else None

    found = await until(there, f"{series} series of {query}")
    assert found is not None
    return found


async def compared(client: PrometheusClient, **given: Any) -> Finding:
    question = {"name": "it", "query": "gauge", "op": ">", "threshold": 0.5, "held": 0.0, "reduce": "only"}
    asked = Question(**{**question, "max_age": 120.0, "timeout": 10.0, **given})
    return await look(asked, client, SystemClock().now())


async def test_every_hostile_value_selects_itself_and_nothing_else(
    server: Prometheus, client: PrometheusClient
) -> None:
    for number, value in enumerate(HOSTILE):
        server.exposed.set("hostile", number, v=value)
    await scraped(client, "hostile", len(HOSTILE))

    for query in QUERIES:
        template = compile_tree({"query": query}, {"labels": OPEN}, {"query": "promql"})
        for number, value in enumerate(HOSTILE):
            text = template.render({"labels": {"v": value}})["query"]
            found = await instant(client, text)
            assert [(one.value, one.labels["v"]) for one in found.samples] == [(number, value)], text


async def test_numbers_come_as_they_are(server: Prometheus, client: PrometheusClient) -> None:
    server.exposed.set("gauge", 0.25)
    await scraped(client, "gauge")

    assert [one.value for one in (await instant(client, "gauge")).samples] == [0.25]
    assert [one.value for one in (await instant(client, "1 / 0")).samples] == [math.inf]
    assert (await instant(client, "scalar(gauge)")).samples[0].labels == {}
    assert (await instant(client, "nothing_of_the_kind")).samples == ()


async def test_nan_is_unknown(server: Prometheus, client: PrometheusClient) -> None:
    server.exposed.set("gauge", math.nan)
    await scraped(client, "gauge")

    for op in (">", "<", "==", "!="):
        assert (await compared(client, op=op)).holds is None


async def test_a_target_that_is_gone_leaves_no_value_behind(server: Prometheus, client: PrometheusClient) -> None:
    """A failed scrape ends its series at once: the last value is not taken for the present one."""
    server.exposed.set("gauge", 1.0)
    await scraped(client, "gauge")
    assert (await compared(client)).holds is True

    server.exposed.down = True
    await scraped(client, "gauge", 0)

    assert (await compared(client)).holds is None


async def test_it_held_for_as_long_as_it_is_said_to(server: Prometheus, client: PrometheusClient) -> None:
    server.exposed.set("gauge", 1.0)
    await scraped(client, "gauge")

    async def held() -> Finding | None:
        found = await compared(client, held=2.0)
        return found if found.holds else None

    young = await compared(client, held=600.0)
    assert young.holds is None
    assert young.again is not None
    assert await until(held, "the gauge to have been high for 2 s")
    server.exposed.set("gauge", 0.0)
    await scraped(client, "gauge == 0")
    assert (await compared(client, held=2.0)).holds is False


async def test_how_long_ago_it_scraped_is_known_and_both_clocks_agree(
    server: Prometheus, client: PrometheusClient
) -> None:
    guard, ports = discover().guards["self_health"], {"metrics": client}
    await scraped(client, "up")
    there = msgspec.structs.replace(seen(), now=SystemClock().now())
    verdict = await asked(guard, scene=there, ports=ports, database=0, watchdog=False)

    assert verdict.answer is Answer.ALLOW
    assert 0 <= verdict.seen["scrape_age"] < 60
    there = msgspec.structs.replace(seen(), now=SystemClock().now() - timedelta(seconds=60))
    verdict = await asked(guard, scene=there, ports=ports, database=0, watchdog=False)
    assert verdict.answer is Answer.DENY
    assert "ahead of ours" in verdict.reason


async def test_what_a_database_tells_of_itself_is_asked_as_it_is_written(
    server: Prometheus, client: PrometheusClient
) -> None:
    guard, ports = discover().guards["data_safety"], {"metrics": client}
    server.exposed.set("gauge", 3.0)
    await scraped(client, "gauge")
    there = msgspec.structs.replace(seen(), now=SystemClock().now())
    given = {"quorum": {"query": "sum(gauge)", "members": 3}, "timeline": {"query": "max(gauge) - min(gauge)"}}

    assert (await asked(guard, scene=there, ports=ports, **given)).answer is Answer.ALLOW
    verdict = await asked(guard, scene=there, ports=ports, **given, lag_bytes={"query": "nothing", "max": 5})
    assert verdict.answer is Answer.UNKNOWN
    verdict = await asked(guard, scene=there, ports=ports, **given, lag_bytes={"query": "gauge", "max": 2.9})
    assert verdict.answer is Answer.DENY


async def test_what_is_no_query_for_numbers_is_permanent_in_its_own_words(client: PrometheusClient) -> None:
    for query in ("sum(", "gauge{a=}", "rate(gauge)"):
        with pytest.raises(Permanent, match=r"this is not a query that it takes: .*parse error"):
            await instant(client, query)
    for query in ("prometheus[5m]", '"text"'):
        with pytest.raises(Permanent, match="not to a number for each series"):
            await instant(client, query)


async def test_the_doctor_tells_whether_it_keeps_max_age(server: Prometheus, client: PrometheusClient) -> None:
    """Prometheus does since 2.43; Debian's own is older than that."""
    await scraped(client, "up")
    settings = read_settings({"PARAMEDIC_PROMETHEUS_URL": server.url})
    found = {each.about: each for each in await examine_prometheus(settings, None, discover(), SystemClock(), 10.0)}
    major, minor = (int(part) for part in (await client.version(timeout=10)).split(".")[:2])

    assert found["queries"].state == found["clock"].state == "fine"
    assert found["max_age"].state == ("fine" if (major, minor) >= (2, 43) else "wrong")
