"""The metrics: the promised names, nothing out of an alert, and a bound on how many there can be."""

import re
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from paramedic.core.words import Mode, Severity
from paramedic.telemetry import CONTENT_TYPE, MOST_CHILDREN, OTHER, Telemetry

PROMISED = {
    "paramedic_deliveries_total": {"source", "result"},
    "paramedic_alerts_total": {"source"},
    "paramedic_intake_seconds": set(),
    "paramedic_episodes_open": set(),
    "paramedic_incidents_open": {"severity"},
    "paramedic_runs_total": {"playbook", "outcome"},
    "paramedic_steps_total": {"action", "outcome"},
    "paramedic_step_seconds": {"action"},
    "paramedic_guard_answers_total": {"guard", "answer"},
    "paramedic_pages_total": {"outcome"},
    "paramedic_messages_total": {"notifier", "outcome"},
    "paramedic_timer_lateness_seconds": set(),
    "paramedic_effects_waiting": {"lane"},
    "paramedic_oldest_effect_seconds": {"lane"},
    "paramedic_unknown_outcomes_open": set(),
    "paramedic_mode": {"mode"},
    "paramedic_catalog_errors": set(),
}
"""The names that dashboards and alert rules of users rely on, with their labels."""

OWN = {
    "paramedic_commit_seconds": set(),
    "paramedic_failures_total": {"where"},
    "paramedic_storms_open": set(),
}


def busy() -> Telemetry:
    """Telemetry to which everything was reported once."""
    telemetry = Telemetry()
    telemetry.delivered("main", "accepted", 5, 0.004)
    telemetry.committed([1, 2], 0.003)
    telemetry.run_ended("restart", "fixed")
    telemetry.step_ended("http", "done", 0.2)
    telemetry.guard_answered("cooldown", "deny")
    telemetry.paged("sent")
    telemetry.messaged("slack", "dry")
    telemetry.timer_fired(0.02)
    telemetry.waiting("write", 3, 1.5)
    telemetry.open_incidents({Severity.P0: 1})
    telemetry.open_episodes(7)
    telemetry.unknown_outcomes(2)
    telemetry.storms(1)
    telemetry.mode(Mode.SHADOW)
    telemetry.catalog_faults(4)
    telemetry.failed("turn")
    return telemetry


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"paramedic_{name}", labels)


def test_every_promised_metric_is_there_under_its_name_and_labels() -> None:
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(busy().expose().decode()):
        for sample in family.samples:
            name = re.sub(r"_(bucket|sum|count)$", "", sample.name)
            if name.startswith("paramedic_") and not name.endswith("_created"):
                found.setdefault(name, set()).update(set(sample.labels) - {"le"})

    assert found == {**PROMISED, **OWN}


@pytest.mark.parametrize(
    ("name", "labels", "wanted"),
    [
        ("deliveries_total", {"source": "main", "result": "accepted"}, 1),
        ("alerts_total", {"source": "main"}, 5),
        ("messages_total", {"notifier": "slack", "outcome": "dry"}, 1),
        ("intake_seconds_count", {}, 1),
        ("commit_seconds_sum", {}, 0.003),
        ("episodes_open", {}, 7),
        ("incidents_open", {"severity": "P0"}, 1),
        ("incidents_open", {"severity": "P3"}, 0),
        ("runs_total", {"playbook": "restart", "outcome": "fixed"}, 1),
        ("steps_total", {"action": "http", "outcome": "done"}, 1),
        ("step_seconds_sum", {"action": "http"}, 0.2),
        ("guard_answers_total", {"guard": "cooldown", "answer": "deny"}, 1),
        ("pages_total", {"outcome": "sent"}, 1),
        ("timer_lateness_seconds_sum", {}, 0.02),
        ("effects_waiting", {"lane": "write"}, 3),
        ("oldest_effect_seconds", {"lane": "write"}, 1.5),
        ("unknown_outcomes_open", {}, 2),
        ("storms_open", {}, 1),
        ("mode", {"mode": "shadow"}, 1),
        ("mode", {"mode": "auto"}, 0),
        ("catalog_errors", {}, 4),
        ("failures_total", {"where": "turn"}, 1),
    ],
)
def test_what_was_reported_is_what_is_shown(name: str, labels: dict[str, str], wanted: float) -> None:
    assert value(busy(), name, **labels) == wanted


def test_a_request_that_brought_nothing_counts_as_a_request_only() -> None:
    telemetry = Telemetry()
    telemetry.delivered("unknown", "unauthorized", 0, 0.001)

    assert value(telemetry, "deliveries_total", source="unknown", result="unauthorized") == 1
    assert value(telemetry, "alerts_total", source="unknown") is None


def test_exactly_one_mode_is_in_force() -> None:
    telemetry = Telemetry()
    for mode in (Mode.AUTO, Mode.FREEZE, Mode.APPROVE):
        telemetry.mode(mode)

        assert {each: value(telemetry, "mode", mode=each) for each in Mode} == {each: each is mode for each in Mode}


def test_a_severity_that_is_no_longer_open_goes_back_to_zero() -> None:
    telemetry = Telemetry()
    telemetry.open_incidents({Severity.P0: 2, Severity.P2: 1})
    telemetry.open_incidents({Severity.P2: 1})

    assert [value(telemetry, "incidents_open", severity=severity) for severity in Severity] == [0, 0, 1, 0]


def test_a_timer_cannot_be_late_by_less_than_nothing() -> None:
    telemetry = Telemetry()
    telemetry.timer_fired(-0.5)

    assert value(telemetry, "timer_lateness_seconds_sum") == 0


@pytest.mark.parametrize(
    ("report", "metric", "label"),
    [
        (lambda telemetry, n: telemetry.run_ended(f"playbook-{n}", "fixed"), "runs_total", "playbook"),
        (lambda telemetry, n: telemetry.delivered(f"source-{n}", "accepted", 1, 0.0), "alerts_total", "source"),
        (lambda telemetry, n: telemetry.step_ended(f"action-{n}", "done", 0.0), "step_seconds_count", "action"),
    ],
)
def test_there_are_never_more_children_than_the_bound(
    report: Callable[[Telemetry, int], None], metric: str, label: str
) -> None:
    """A catalog that is reloaded for ever with other names must not fill Prometheus, nor this process."""
    telemetry = Telemetry()
    for n in range(MOST_CHILDREN + 50):
        report(telemetry, n)

    samples = [s for m in telemetry.registry.collect() for s in m.samples if s.name == f"paramedic_{metric}"]
    assert len(samples) == MOST_CHILDREN + 1
    assert [s.value for s in samples if s.labels[label] == OTHER] == [50]


def test_names_that_were_known_stay_when_the_bound_is_reached() -> None:
    telemetry = Telemetry()
    for n in range(MOST_CHILDREN + 50):
        telemetry.run_ended(f"playbook-{n}", "fixed")
    telemetry.run_ended("playbook-0", "fixed")

    assert value(telemetry, "runs_total", playbook="playbook-0", outcome="fixed") == 2


def test_two_of_them_share_nothing() -> None:
    one, other = busy(), Telemetry()

    assert value(one, "episodes_open") == 7
    assert value(other, "episodes_open") == 0


def test_the_process_itself_is_measured() -> None:
    assert b"process_resident_memory_bytes" in Telemetry().expose()


def test_it_is_the_text_format_that_prometheus_asks_for() -> None:
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"
    assert busy().expose().startswith(b"# HELP ")


def test_hostile_label_values_stay_inside_their_quotes() -> None:
    telemetry = Telemetry()
    telemetry.run_ended('x"} 1\nevil_metric 7', "fixed")

    families = {family.name for family in text_string_to_metric_families(telemetry.expose().decode())}
    assert "evil_metric" not in families
