"""What a body says, told on bodies that a real Alertmanager sent and on variations of them."""

from datetime import UTC, datetime

import pytest

from paramedic.errors import Fault
from paramedic.intake.alertmanager import MOST_ALERTS, MOST_REJECTED, parse_body
from paramedic.intake.fields import identity_of
from tests.intake.bodies import NEVER, PAYLOADS, body, element, labelled, outer, payload


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_real_bodies_are_read_whole(name: str) -> None:
    parsed = parse_body("main", payload(name))

    assert parsed.alerts
    assert not parsed.rejected
    assert all(alert.source == "main" for alert in parsed.alerts)
    assert all(alert.firing == (alert.ends_at is None) for alert in parsed.alerts)


def test_a_firing_alert_is_read_field_by_field() -> None:
    [alert, other] = parse_body("main", payload("firing_two_alerts")).alerts

    assert alert.labels == {
        "alertname": "HighErrorRate",
        "pod": "checkout-0",
        "service": "checkout",
        "severity": "critical",
    }
    assert alert.annotations == {"summary": "error rate high on checkout-0"}
    assert alert.firing
    assert alert.starts_at == datetime(2026, 11, 22, 2, 47, 45, 170600, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.url == "http://prom/graph"
    assert alert.identity == identity_of(alert.labels) != other.identity


def test_a_resolved_alert_says_when_it_ended() -> None:
    [alert] = parse_body("main", payload("resolved_single")).alerts

    assert not alert.firing
    assert alert.ends_at is not None
    assert alert.ends_at > alert.starts_at


def test_one_body_may_hold_both() -> None:
    firing = [alert.firing for alert in parse_body("main", payload("mixed_one_resolved_one_firing")).alerts]

    assert sorted(firing) == [False, True]


def test_what_was_left_out_is_known() -> None:
    parsed = parse_body("main", payload("firing_truncated_max_alerts"))

    assert len(parsed.alerts) == 2
    assert parsed.truncated == 3
    assert parsed.group == '{}/{team="trunc"}:{team="trunc"}'
    assert parsed.receiver == "trunc"


def test_five_thousand_alerts_in_one_body() -> None:
    sent = body(*(labelled(alertname="Storm", pod=f"pod-{n}") for n in range(5000)))

    parsed = parse_body("main", sent)

    assert len(parsed.alerts) == 5000
    assert len({alert.identity for alert in parsed.alerts}) == 5000
    assert [alert.labels["pod"] for alert in parsed.alerts[:3]] == ["pod-0", "pod-1", "pod-2"]


def test_a_body_without_alerts_is_a_body() -> None:
    parsed = parse_body("main", body())

    assert (parsed.alerts, parsed.rejected, parsed.truncated) == ((), (), 0)


def test_unknown_fields_are_ignored_wherever_they_are() -> None:
    """Promise 1: a later Alertmanager adds fields; its deliveries are taken all the same."""
    sent = body(
        element(routeLabels={"team": "a"}, extra=[{"deep": [1, None, True, 1e5]}]),
        notification_reason="new alerts",
        routeLabels={},
        extra={"a": [1, 2]},
    )

    assert len(parse_body("main", sent).alerts) == 1


def test_fields_that_explain_nothing_may_be_missing() -> None:
    sent = outer(element(endsAt=None, annotations=None, generatorURL=None, fingerprint=None))
    for name in ("groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "externalURL"):
        del sent[name]

    [alert] = parse_body("main", body(**sent)).alerts

    assert (alert.ends_at, alert.annotations, alert.url) == (None, {}, "")


@pytest.mark.parametrize("fields", [{"annotations": {}}, {"endsAt": ""}, {"endsAt": NEVER}])
def test_empty_is_as_good_as_missing(fields: dict[str, object]) -> None:
    assert len(parse_body("main", body(element(status="resolved", **fields))).alerts) == 1


def test_null_is_as_good_as_missing() -> None:
    sent = body(element(annotations="@", endsAt="@", generatorURL="@")).replace(b'"@"', b"null")

    [alert] = parse_body("main", sent).alerts

    assert (alert.ends_at, alert.annotations, alert.url) == (None, {}, "")


def test_the_end_of_an_alert_that_fires_is_not_believed() -> None:
    """Promise 2: only `resolved` may close an episode, so an end beside `firing` must not be mistaken for one."""
    [alert] = parse_body("main", body(element(endsAt="2026-11-22T03:00:00Z"))).alerts

    assert alert.firing
    assert alert.ends_at is None


def test_fingerprints_are_not_believed() -> None:
    """Promise 2: identity is the labels'. Two alerts under one fingerprint stay two, one under two stays one."""
    sent = body(
        element(labels={"alertname": "A"}, fingerprint="de0095c972b12723"),
        element(labels={"alertname": "B"}, fingerprint="de0095c972b12723"),
        element(labels={"alertname": "A"}, fingerprint="0000000000000000"),
    )

    a, b, again = parse_body("main", sent).alerts

    assert a.identity == again.identity != b.identity


def test_equal_labels_pass_on_in_the_order_sent() -> None:
    sent = body(element(status="resolved", endsAt="2026-11-22T03:00:00Z"), element(), element(status="resolved"))

    assert [alert.firing for alert in parse_body("main", sent).alerts] == [False, True, False]


def test_the_same_body_is_read_the_same_twice() -> None:
    """Promise 9: recovery reads journalled bodies again."""
    sent = body(element(), element(labels={}), 7, element(startsAt="soon"))

    assert parse_body("main", sent) == parse_body("main", sent)


def test_a_bad_element_is_set_aside_and_the_rest_goes_on() -> None:
    sent = body(labelled(alertname="A"), element(labels={}), labelled(alertname="B"))

    parsed = parse_body("main", sent)

    assert [alert.labels["alertname"] for alert in parsed.alerts] == ["A", "B"]
    [rejected] = parsed.rejected
    assert rejected.reason == "alerts[1].labels: there are none; an alert is known by its labels"
    assert b'"fingerprint"' in rejected.body


def test_a_flood_of_bad_elements_is_counted_but_not_kept_one_by_one() -> None:
    parsed = parse_body("main", body(*[{}] * (MOST_REJECTED + 50), element()))

    assert len(parsed.alerts) == 1
    assert len(parsed.rejected) == MOST_REJECTED + 1
    assert parsed.rejected[-1].reason == "alerts: 50 more could not be used; see the delivery"


def test_more_elements_than_any_body_of_alerts_can_hold() -> None:
    sent = b'{"version":"4","alerts":[' + b"0," * MOST_ALERTS + b"0]}"

    with pytest.raises(Fault, match=r"^alerts: there are 50001; at most 50000"):
        parse_body("main", sent)


def test_a_body_of_nothing_but_commas_is_not_even_read() -> None:
    sent = b'{"version":"4","alerts":[' + b"0," * 2_100_000 + b"0]}"

    with pytest.raises(Fault, match=r"^body: holds more than two million values"):
        parse_body("main", sent)
