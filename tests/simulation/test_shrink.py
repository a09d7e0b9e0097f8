"""What is told of a seed that fails: as little as it takes to break the same promise, as a file that plays again."""

from typing import Any

import pytest

from paramedic.engine.gate import Gate
from tests.simulation import replay
from tests.simulation.judge import judge
from tests.simulation.plan import Plan
from tests.simulation.scenario import scenario
from tests.simulation.shrink import shrunk

BROKEN = 16
"""A seed that finds a gate which does not look at the switch."""


def needs(plan: Plan, *wanted: Any) -> bool:
    """Whether these are all still in the plan."""
    told = [*plan.told["when"], *plan.told["trouble"], *plan.told["faults"]]
    return all(one in told for one in wanted)


def rich() -> Plan:
    """A plan with much in it."""
    plans = (scenario(seed) for seed in range(100))
    return max(plans, key=lambda one: len(one.told["when"]) + len(one.told["trouble"]))


def test_only_what_it_takes_is_left() -> None:
    plan = rich()
    first, last, trouble = plan.told["when"][0], plan.told["when"][-1], plan.told["trouble"][-1]
    small = shrunk(plan, lambda one: needs(one, first, last, trouble))

    assert small.told["when"] == [first, last]
    assert small.told["trouble"] == [trouble]
    assert small.told["faults"] == []
    assert small.processes == 1
    assert small.told["world"]["people"] == {}


def test_a_delivery_loses_the_alerts_that_do_not_matter() -> None:
    alerts = [{"alertname": "Down", "n": str(n)} for n in range(4)]
    plan = scenario(1).but(when=[{"at": 0.0, "alert": alerts}])
    small = shrunk(plan, lambda one: any(alerts[2] in step["alert"] for step in one.told["when"]))

    assert small.told["when"] == [{"at": 0.0, "alert": [alerts[2]]}]


def test_it_ends_when_enough_was_tried() -> None:
    tried: list[Plan] = []

    def breaks(plan: Plan) -> bool:
        tried.append(plan)
        return True

    shrunk(rich(), breaks, tries=3)
    assert len(tried) == 3


def test_a_plan_is_the_same_after_it_was_written_down_and_read() -> None:
    for seed in range(8):
        plan = scenario(seed)
        assert Plan.read(plan.lines()).told == plan.told


def test_the_same_seed_is_the_same_plan_and_comes_to_the_same() -> None:
    assert scenario(5).told == scenario(5).told
    assert judge(scenario(5)) == judge(scenario(5))


def test_a_seed_that_fails_is_told_so_that_it_can_be_played_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setattr(Gate, "_mode", lambda *_: None)
    plan = scenario(BROKEN)
    verdict = judge(plan)
    told = replay.story(plan, verdict)

    assert verdict.promise == 5
    assert told.startswith(f"seed {BROKEN} breaks promise 5: promise 5: at ")
    lines = told[told.index("seed: ") : told.index("To see it happen")]
    small = Plan.read(lines)
    assert len(small.told["when"]) <= 4
    assert judge(small).promise == 5

    file = tmp_path / "small.yaml"
    file.write_text(lines)
    assert replay.main([str(file)]) == 1
    shown = capsys.readouterr().out
    assert "WRITES" in shown
    assert "broken: promise 5" in shown
    monkeypatch.undo()
    assert replay.main([str(file)]) == 0
