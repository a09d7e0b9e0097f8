"""The bad input that must be shown, over HTTP: one clear message, nothing else lost, no answer over 499 but 503."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from paramedic.core.model import Alert
from tests.intake.bodies import body, element, labelled, nested, outer
from tests.intake.serving import serving
from tests.intake.test_fuzz import JSON, OUTERS

FORMAT = 'the webhook format of Alertmanager, version "4"'
KIB = 1024

REFUSED = {
    "not JSON": (b"alertname=Up", 400, f"body: is not JSON: expecting value at line 1, column 1; {FORMAT}"),
    "wrong version": (body(element(), version="3"), 400, f"version: is '3'; {FORMAT}"),
    "8 MiB + 1": (
        b" " * (8 * KIB * KIB + 1),
        413,
        "the body has more than 8388608 bytes; set max_alerts in Alertmanager, or group by more labels",
    ),
    "deep nesting": (nested(100_000), 400, f"body: is nested too deep; {FORMAT}"),
    "raw NUL": (
        b'{"version":"4","x":"\0"}',
        400,
        f"body: is not JSON: invalid control character at line 1, column 21; {FORMAT}",
    ),
}

QUARANTINED = {
    "lone surrogate": (
        element(labels={"alertname": "A", "pod": "\ud800"}),
        "alerts[1].labels['pod']: holds half of a surrogate pair, or bytes that are not UTF-8; valid Unicode",
    ),
    "NUL": (
        element(labels={"alertname": "A\0"}),
        "alerts[1].labels['alertname']: holds a NUL character; text without NUL",
    ),
    "a label over 64 KiB": (
        element(labels={"alertname": "A", "trace": "x" * (64 * KIB + 1)}),
        "alerts[1].labels['trace']: the value has 65537 bytes; at most 65536",
    ),
}


def taken(**labels: str) -> set[tuple[str, str]]:
    return set(labels.items())


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_body_is_refused_with_its_message_and_the_next_one_is_taken(name: str) -> None:
    sent, status, message = REFUSED[name]
    async with serving(tokens=("t",)) as served:
        reply = await served.post(sent, Authorization="Bearer t")

        assert (reply.status, json.loads(reply.body)) == (status, {"error": message})
        assert [(source, reason) for source, reason, _ in served.desk.bodies] == (
            [("default", message)] if status == 400 else []
        )
        assert (await served.post(body(element()), Authorization="Bearer t")).status == 200


@pytest.mark.parametrize("name", QUARANTINED)
async def test_a_bad_element_is_set_aside_with_its_reason_and_the_others_are_taken(name: str) -> None:
    """Promise 1: for one odd alert the group it came with must not be lost."""
    bad, reason = QUARANTINED[name]
    async with serving() as served:
        reply = await served.post(body(labelled(alertname="Before"), bad, labelled(alertname="After")))

        assert json.loads(reply.body) == {"delivery": 68_719_476_737, "alerts": 2, "rejected": 1}
        [delivery] = served.desk.deliveries
        assert [alert.labels["alertname"] for alert in delivery.alerts] == ["Before", "After"]
        assert [rejected.reason for rejected in delivery.rejected] == [reason]


async def test_five_thousand_alerts() -> None:
    sent = body(*(labelled(alertname="Storm", pod=f"pod-{n}") for n in range(5000)))
    async with serving() as served:
        reply = await served.post(sent)

        assert json.loads(reply.body) == {"delivery": 68_719_476_737, "alerts": 5000}
        assert len({alert.identity for alert in served.desk.deliveries[0].alerts}) == 5000


@pytest.mark.parametrize("size", [64 * KIB - 1, 64 * KIB])
async def test_a_label_of_64_kib_is_taken(size: int) -> None:
    async with serving() as served:
        await served.post(body(labelled(alertname="A", trace="x" * size)))

        assert len(served.desk.deliveries[0].alerts[0].labels["trace"]) == size


async def test_unknown_fields_and_a_missing_end_are_no_reason_to_refuse() -> None:
    async with serving() as served:
        reply = await served.post(body(element(endsAt=None, novel={"a": [1]}), novelty=True))

        assert (reply.status, len(served.desk.deliveries[0].alerts)) == (200, 1)


async def test_forged_and_duplicate_fingerprints_do_no_harm() -> None:
    """Promise 2: nobody can make one alert pass for another by its fingerprint."""

    def identities(alerts: tuple[Alert, ...]) -> list[str]:
        return [alert.identity for alert in alerts]

    a, b = {"alertname": "A"}, {"alertname": "B"}
    async with serving() as served:
        await served.post(body(element(labels=a), element(labels=b)))
        await served.post(
            body(element(labels=a, fingerprint="f" * 16), element(labels=b, fingerprint="f" * 16)),
        )
        await served.post(body(element(labels=a, fingerprint=["x"]), element(labels=b, fingerprint=None)))

        plain, forged, odd = (identities(delivery.alerts) for delivery in served.desk.deliveries)
        assert plain == forged == odd
        assert len(set(plain)) == 2


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
async def test_a_wrong_token_and_none(header: str | None) -> None:
    async with serving(tokens=("t",)) as served:
        reply = await served.post(body(element()), **({"Authorization": header} if header else {}))

        assert reply.status == 401
        assert json.loads(reply.body) == {"error": "no known token; Authorization: Bearer TOKEN, or basic with it"}
        assert not served.desk.deliveries


async def test_whatever_json_is_sent_the_answer_is_200_or_400() -> None:
    """The engine behind answers always, so there is no doubt that would allow a 503."""
    statuses: set[int] = set()
    samples: list[object] = []

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(OUTERS | JSON)
    def collect(value: object) -> None:
        samples.append(value)

    collect()
    async with serving() as served:
        for value in [*samples, outer(element())]:
            statuses.add((await served.post(json.dumps(value).encode())).status)

        assert statuses == {200, 400}
        assert served.counted("paramedic_failures_total", where="intake") == 0
