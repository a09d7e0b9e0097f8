"""What a rehearsal may say, and what its faults sound like."""

from typing import Any

import pytest
from pydantic import ValidationError

from paramedic.core.words import Mode
from paramedic.rehearse.cluster.spec import KubeFails
from paramedic.rehearse.script import Alerting, Away, Clustered, Crash, Failing, Script, Switching

MINIMAL: dict[str, Any] = {"rehearsal": "It is taken", "when": [{"at": "0s", "alert": {"alertname": "Down"}}]}


def script(**rest: Any) -> Script:
    return Script.model_validate({**MINIMAL, **rest})


def test_the_least_that_a_rehearsal_says() -> None:
    least = script()
    assert least.world.mode is Mode.AUTO
    assert [*least.then, *least.never, *least.faults] == []
    (step,) = least.when
    assert isinstance(step, Alerting)
    assert step.alert == {"alertname": "Down"}


def test_labels_written_as_numbers_are_text() -> None:
    (step,) = script(when=[{"at": 0, "alert": [{"alertname": "Down", "port": 8080}]}]).when
    assert isinstance(step, Alerting)
    assert step.alert == ({"alertname": "Down", "port": "8080"},)


def test_each_thing_that_happens_is_known_by_its_key() -> None:
    steps = script(
        when=[
            {"at": "0s", "alert": {"alertname": "Down"}, "annotations": {"summary": "x"}, "started": "-5m"},
            {"at": "1s", "resolved": "Down"},
            {"at": "2s", "repeat": {"alertname": "Down"}},
            {"at": "3s", "person": {"name": "alice", "does": "snooze", "for": "1h"}},
            {"at": "5s", "cluster": {"edit": "deployment/api.shop", "replicas": 3}},
            {"at": "4s", "switch": "shadow", "for": "2h", "reason": "a change"},
        ]
    ).when
    kinds = ["Alerting", "Resolving", "Repeating", "Personal", "Clustered", "Switching"]
    assert [type(step).__name__ for step in steps] == kinds
    clustered = steps[-2]
    assert isinstance(clustered, Clustered)
    assert clustered.cluster.edit == "main/shop/deployment/api"
    last = steps[-1]
    assert isinstance(last, Switching)
    assert (last.switch, last.for_) == (Mode.SHADOW, 7200)


def test_each_fault_is_known_by_its_key() -> None:
    faults = script(
        faults=[
            {"at": "90s", "crash": True},
            {"commit": 3, "crash": "after", "down": "0s"},
            {"database": "away", "from": "1m", "to": "2m"},
            {"notifier": "webhook", "fails": "temporary", "to": "10m"},
            {"cluster": "main", "fails": "lost", "on": "patch *", "times": 1, "to": "3m"},
        ]
    ).faults
    assert [type(fault) for fault in faults] == [Crash, Crash, Away, Failing, KubeFails]
    assert [fault.last for fault in faults] == [95, 0, 120, 600, 180]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"when": []}, "nothing happens in it: say when, or world"),
        (
            {"when": [{"at": "0s"}]},
            "names nothing that happens; one of alert, resolved, repeat, person, switch, cluster",
        ),
        ({"when": [{"alert": {"alertname": "X"}}]}, "Field required"),
        ({"when": [{"at": "-1s", "alert": {"alertname": "X"}}]}, "nothing happens before 0s"),
        ({"when": [{"at": "0s", "person": {"name": "a", "does": "sleep"}}]}, "'ack', 'take'"),
        ({"when": [{"at": "0s", "switch": "on"}]}, "'freeze', 'off', 'shadow'"),
        ({"faults": [{"at": "1s"}]}, "names nothing that fails; one of crash, database, notifier, cluster"),
        ({"faults": [{"crash": True}]}, "a crash has one moment: at, or commit"),
        ({"faults": [{"crash": True, "at": "1s", "commit": 2}]}, "one moment"),
        ({"faults": [{"crash": "before", "at": "1s"}]}, "commit: 3, crash: before"),
        ({"faults": [{"crash": True, "commit": 1}]}, "commit: 3, crash: before"),
        ({"faults": [{"database": "slow", "from": "1s", "to": "2s"}]}, "'away' or 'silent'"),
        ({"world": {"endpoints": {"hook": {"answers": [{"status": 42}]}}}}, "greater than or equal to 100"),
        ({"world": {"endpoints": {"hook": {"answers": [{"fails": "often"}]}}}}, "'refused', 'lost' or 'dropped'"),
        ({"world": {"metrics": {"load": [["soon", 1]]}}}, "is not a duration"),
        ({"world": {"lions": []}}, "Extra inputs"),
        ({"world": {"pods": [{"name": "A/b"}]}}, "is not the name of an object"),
        ({"world": {"deployments": [{"name": "api"}]}}, "in one way: image, or revisions"),
        ({"world": {"deployments": [{"name": "api", "image": "a", "revisions": [{"image": "b"}]}]}}, "in one way"),
        ({"world": {"deployments": [{"name": "api", "image": "a", "cluster": "a/b"}]}}, "the cluster 'a/b' is not a"),
        ({"world": {"deployments": [{"name": "api", "image": "a", "owner": "x"}]}}, "should match pattern"),
        ({"world": {"disruption_budgets": [{"name": "a", "selects": {"a": "b"}}]}}, "one of available, unavailable"),
        ({"world": {"alerts": [{"alert": {}, "while": {"target": "deployment/api"}}]}}, "says no namespace"),
        ({"world": {"alerts": [{"alert": {}, "while": {"target": "deployment/a.b"}}]}}, "one of is, runs, fewer"),
        ({"world": {"alerts": [{"alert": {}, "while": {"target": "lion/a.b", "fewer": 1}}]}}, 'no kind "lion"'),
        ({"world": {"changes": [{"at": "-1m"}]}}, "target, or service"),
        ({"when": [{"at": "0s", "cluster": {"edit": "deployment/a.b"}}]}, "with image, replicas, paused or patch"),
        ({"when": [{"at": "0s", "cluster": {"delete": "pod/a.b", "replicas": 3}}]}, "with image, replicas, paused"),
        ({"faults": [{"cluster": "main", "fails": "often"}]}, "'forbidden', 'busy', 'error'"),
        ({"rehearsal": ""}, "at least 1 character"),
        ({"then": {"page": {}}}, "valid tuple"),
    ],
)
def test_what_is_no_rehearsal(written: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        script(**written)


def test_the_schema_knows_every_key() -> None:
    schema = Script.model_json_schema(by_alias=True)
    assert set(schema["properties"]) == {"rehearsal", "world", "when", "faults", "then", "never", "clock"}
    assert "while" in schema["$defs"]["Answer"]["properties"]
    assert schema["$defs"]["Step"]["additionalProperties"]["type"] == "string"
