"""POST /api/v1/explain: what would be done, for whoever may read; bounded, and no page elsewhere can start it."""

import asyncio
import json
from io import BytesIO
from typing import Any

import pytest

from paramedic.catalog.explain import Explained, Heard
from paramedic.console.explaining import ALERTS, AT_ONCE
from paramedic.core.bundle import Bundle
from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Mode
from paramedic.errors import Temporary
from tests.console.serving import Serving
from tests.engine.texts import body, bundle_of, catalog, element


@pytest.fixture(autouse=True)
def in_force(bare: Serving) -> Bundle:
    """The bundle of the engine's tests, whose one rule takes alerts of the name Down."""
    bare.catalog.bundle = bundle_of(catalog(guards="{cooldown: {for: 15m}}"))
    return bare.catalog.bundle


async def asked(bare: Serving, text: bytes | None = None, status: int = 200, query: str = "", **headers: str) -> Any:
    given = {"Content-Type": "application/json", **headers}
    path = f"{bare.url}/api/v1/explain{query}"
    async with bare.http.post(path, data=BytesIO(text or body(element("api"))), headers=given) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


def hearing(bare: Serving, found: Heard) -> None:
    async def hear(explained: Explained, bundle: Bundle) -> Heard | None:
        return found

    bare.engine.hear = hear  # type: ignore[method-assign]


async def test_the_answer_of_each_guard_with_what_it_saw(bare: Serving, in_force: Bundle) -> None:
    guards = in_force.playbooks["act"].guards
    denied = Verdict("cooldown", Answer.DENY, "used 1m ago", {"scope": "x"}, again=840.0)
    modes = {"global": Mode.AUTO, "playbook": Mode.AUTO, "target": Mode.APPROVE}
    hearing(bare, Heard("svc/api", modes, ((guards[0], None), (guards[1], denied)), "POST /act", "INC-12"))

    found = await asked(bare)

    (one,) = found["explained"]
    assert one["guards"] == [
        {"guard": "still_firing", "asked": "first", "answer": None, "reason": "", "seen": {}, "again": None},
        {
            "guard": "cooldown",
            "asked": "first",
            "answer": "deny",
            "reason": "used 1m ago",
            "seen": {"scope": "x"},
            "again": 840.0,
        },
    ]
    assert (one["mode"], one["modes"], one["plan"], one["joins"]) == ("approve", modes, "POST /act", "INC-12")
    assert one["pages"] == [
        {"level": 1, "to": ["alice"], "after": 0.0},
        {"level": 2, "to": ["bob"], "after": 300.0},
    ]
    assert "      cooldown deny: used 1m ago" in one["lines"]
    assert (found["bundle"], found["rejected"], found["left_out"]) == (in_force.hash, [], 0)


async def test_reading_is_enough_and_strangers_are_refused(bare: Serving) -> None:
    await asked(bare, Authorization="Bearer token-of-vera")
    await asked(bare, status=401, Authorization="Bearer nobody")
    await asked(bare, status=401, Forwarded="for=1.2.3.4")


async def test_a_page_elsewhere_cannot_start_it(bare: Serving) -> None:
    """What a browser sends without asking first has another type."""
    path = f"{bare.url}/api/v1/explain"
    async with bare.http.post(path, data=body(element("api")), headers={"Content-Type": "text/plain"}) as answer:
        assert (answer.status, (await answer.json())["right"]) == (400, "send application/json")


async def test_why_nobody_could_be_asked_is_said(bare: Serving) -> None:
    bare.engine.raises = Temporary("this process is starting over")

    (one,) = (await asked(bare))["explained"]

    assert one["unheard"] == "this process is starting over"
    assert "      they were not asked now: this process is starting over" in one["lines"]


async def test_the_source_can_be_named(bare: Serving) -> None:
    (one,) = (await asked(bare, query="?source=main"))["explained"]

    assert one["alert"]["source"] == "main"


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"version": "3", "alerts": []}'])
async def test_what_is_no_body_is_refused(bare: Serving, text: bytes) -> None:
    assert (await asked(bare, text, status=400))["error"]


async def test_an_element_that_is_no_alert_is_said(bare: Serving) -> None:
    found = await asked(bare, body(element("api"), {"status": "odd"}))

    assert len(found["explained"]) == 1
    assert "alerts[1]" in found["rejected"][0]


async def test_more_alerts_than_can_be_asked_about_are_left_out(bare: Serving) -> None:
    found = await asked(bare, body(*(element(f"job-{n}") for n in range(ALERTS + 5))))

    assert (len(found["explained"]), found["left_out"]) == (ALERTS, 5)


async def test_a_body_without_end_is_refused(bare: Serving) -> None:
    text = json.dumps({"version": "4", "alerts": [], "x": "y" * 1024 * 1024}).encode()

    assert "longer than 1024 KiB" in (await asked(bare, text, status=400))["error"]


async def test_only_so_many_ask_at_the_same_time(bare: Serving) -> None:
    """Each question reads from clusters and Prometheus, and whoever may read may ask."""
    begun, go = asyncio.Semaphore(0), asyncio.Event()

    async def hear(explained: Explained, bundle: Bundle) -> Heard | None:
        begun.release()
        await go.wait()
        return None

    bare.engine.hear = hear  # type: ignore[method-assign]
    waiting = [asyncio.ensure_future(asked(bare)) for _ in range(AT_ONCE)]
    for _ in waiting:
        await begun.acquire()

    assert (await asked(bare, status=503))["error"] == "others are being explained to already"
    go.set()
    await asyncio.gather(*waiting)
    await asked(bare)


async def test_without_a_bundle_nothing_can_be_explained(bare: Serving) -> None:
    bare.catalog.bundle = None

    assert (await asked(bare, status=503))["error"] == "no bundle is in force"
