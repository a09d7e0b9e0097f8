"""Incidents opened by hand: by somebody with the role and of the team, through the same door as every alert."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from paramedic.catalog.load import load_files
from paramedic.errors import Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import discover
from paramedic.store.connect import Connection
from tests.console.seed import an_incident, write
from tests.console.serving import Serving

RULES = """\
rules:
  - {name: down, match: ['alertname="ServiceDown"'], incident: [job], playbook: nothing}
  - {name: dba, match: ['alertname="PrimaryDown"'], incident: [job], playbook: nothing, team: dba}
people: [{name: tina, roles: [operator], teams: [dba]}]
endpoints: [{name: hook, url: "http://127.0.0.1:9000"}]
---
playbook: nothing
target: "hook/x"
steps: [http: {endpoint: hook, path: /}]
"""
PATH = "/api/v1/incidents"
DOWN = {"title": "customers cannot pay", "labels": {"alertname": "ServiceDown", "job": "payments"}}
Ruled = Callable[[Serving], Serving]


@pytest.fixture
def ruled() -> Ruled:
    """A console with these rules, and the people whom tests have tokens for."""
    rules = load_files({"rules.yaml": RULES}, discover()).bundle
    assert rules is not None

    def set_up(serving: Serving) -> Serving:
        assert serving.catalog.bundle is not None
        serving.catalog.bundle = replace(rules, people=serving.catalog.bundle.people)
        return serving

    return set_up


async def test_it_is_delivered_as_an_alert_of_the_source_operator(
    console: Serving, ruled: Ruled, seeding: Connection
) -> None:
    served = ruled(console)
    await write(seeding, an_incident(7, key='operator{job="payments"}', source="operator"))

    assert await served.post(PATH, DOWN) == {"incident": "INC-7"}

    [delivery] = served.engine.delivered
    [alert] = delivery.alerts
    assert (delivery.source, alert.source, alert.firing) == ("operator", "operator", True)
    assert alert.labels == DOWN["labels"]
    assert alert.annotations == {
        "summary": "customers cannot pay",
        "opened_by": "alice",
        "opened_way": "by api from 127.0.0.1",
    }
    assert parse_body("operator", delivery.body).alerts == delivery.alerts, "what is kept is what was decided by"


async def test_what_is_not_there_in_a_moment_is_kept_all_the_same(bare: Serving, ruled: Ruled) -> None:
    assert await ruled(bare).post(PATH, DOWN) == {"incident": ""}
    assert len(bare.engine.delivered) == 1


async def test_without_a_rule_nothing_is_opened(bare: Serving, ruled: Ruled) -> None:
    said = await ruled(bare).post(PATH, {"title": "something"}, status=400)

    assert said["error"] == "labels: no rule takes an alert with these labels"
    assert bare.engine.delivered == []


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("tina", 200), ("ada", 200), ("vera", 403)])
async def test_where_the_rule_names_a_team_its_people_open(bare: Serving, ruled: Ruled, who: str, status: int) -> None:
    primary = {"title": "primary is gone", "labels": {"alertname": "PrimaryDown", "job": "pg"}}

    await ruled(bare).post(PATH, primary, who=who, status=status)

    assert len(bare.engine.delivered) == (status == 200)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "x", "labels": {"job": ""}},
        {"title": "x", "labels": {"job": 1}},
        {"title": "x", "labels": {f"label{n}": "x" for n in range(41)}},
        {"title": "x", "labels": {"alertname": "ServiceDown", "job": "x" * 2000}},
        {"title": "x", "labels": {"alertname": "ServiceDown", "job": "a\u0000b"}},
        {"title": "x", "opened_by": "ada"},
    ],
)
async def test_what_makes_no_alert_is_refused(bare: Serving, ruled: Ruled, body: Any) -> None:
    await ruled(bare).post(PATH, body, status=400)
    assert bare.engine.delivered == []


async def test_an_engine_that_cannot_take_it_now_says_so(bare: Serving, ruled: Ruled) -> None:
    bare.engine.raises = Temporary("starting over")

    await ruled(bare).post(PATH, DOWN, status=503)


async def test_nobody_opens_in_the_name_of_somebody_else(bare: Serving, ruled: Ruled) -> None:
    labels = {"alertname": "ServiceDown", "job": "x", "opened_by": "ada"}

    await ruled(bare).post(PATH, {"title": "x", "labels": labels})

    [alert] = bare.engine.delivered[0].alerts
    assert alert.annotations["opened_by"] == "alice"
    assert msgspec.json.decode(bare.engine.delivered[0].body)["receiver"] == "operator"
