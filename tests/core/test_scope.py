"""What expressions see, and above all what they must not see: another alert than their own."""

import msgspec

from paramedic.core.model import Exemplar, Firing
from paramedic.core.scope import exemplar_of, playbook_scope, rule_scope, target_scope
from tests.core.builders import T0, firing
from tests.core.story import Story


def test_a_rule_sees_its_alert_and_the_service() -> None:
    alert = firing(team="shop")

    scope = rule_scope(alert, {"workload": "deployment/api"})

    assert scope == {
        "labels": {"alertname": "HighErrorRate", "job": "api", "team": "shop"},
        "annotations": {"summary": "too many errors"},
        "source": "main",
        "service": {"workload": "deployment/api"},
    }


def test_a_target_sees_parameters_only() -> None:
    """It must not depend on a moment: two runs of the same parameters have the same target."""
    assert target_scope({"workload": "api"}) == {"params": {"workload": "api"}}


def test_a_playbook_sees_its_run_its_incident_and_its_alert() -> None:
    story = Story()
    story.deliver(firing())

    scope = playbook_scope(story.incident, story.run)

    assert scope["params"] == {"workload": "api"}
    assert scope["target"] == {"name": "main/api"}
    assert scope["alert"]["labels"]["job"] == "api"
    assert scope["alert"]["starts_at"] == T0.isoformat()
    assert scope["incident"] == {
        "id": "INC-1",
        "key": 'main{job="api"}',
        "title": "HighErrorRate api",
        "severity": "P2",
        "phase": "assessing",
        "source": "main",
        "opened_at": T0.isoformat(),
    }
    assert scope["run"] == {"id": "INC-1.1", "playbook": "restart", "recurrence": 0, "started_at": T0.isoformat()}


def test_a_run_sees_the_alert_that_asked_for_it() -> None:
    story = Story()
    story.deliver(firing(pod="a"), firing(pod="b"))

    asked = exemplar_of(story.incident, story.run)

    assert asked is not None
    assert asked.labels["pod"] == "a"


def test_a_run_never_sees_somebody_elses_alert() -> None:
    """Its labels could lead the step to another target: no alert at all makes expressions fail, which is safe."""
    story = Story()
    story.deliver(firing(pod="a"))
    others = Firing(open=1, exemplars=(Exemplar("other", {"pod": "z"}, {}, T0),))
    story.incidents[1] = msgspec.structs.replace(story.incident, firing=others)

    scope = playbook_scope(story.incident, story.run)

    assert exemplar_of(story.incident, story.run) is None
    assert scope["alert"] == {"labels": {}, "annotations": {}, "starts_at": ""}
