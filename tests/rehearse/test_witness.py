"""The witness tells what every recorded event came to, by folding it again with the same `decide` (promise 9)."""

from collections import Counter
from itertools import pairwise
from typing import Any

from paramedic.engine.holdings import decode
from paramedic.rehearse.witness import Happened
from tests.rehearse.staged import RULES, WORLD, played, scripted


def happened(**written: Any) -> list[Happened]:
    return list(played(scripted(**written))[1].happened)


def of(kind: str, seen: list[Happened]) -> list[dict[str, Any]]:
    return [dict(one.facts) for one in seen if one.kind == kind]


def test_each_thing_is_told_with_its_facts() -> None:
    seen = happened(world={**WORLD, "people": {"bob": {"acks": {"after": "10s"}}}})
    (page,) = of("page", seen)
    assert {**page, "text": ""} == {"level": 1, "to": "alice", "policy": "sre", "notifier": "webhook", "text": ""}
    assert page["text"].startswith("ServiceDown api")
    assert of("guard", seen)[0] | {"reason": ""} == {"name": "still_firing", "answer": "allow", "reason": ""}
    assert of("step", seen) == [
        {
            "action": "http",
            "target": "hook/api",
            "to": {"endpoint": "hook", "method": "POST", "path": "/restart?job=api"},
            "outcome": "done",
            "undo": False,
        }
    ]
    about = {"playbook": "restart", "target": "hook/api", "mode": "auto"}
    assert of("run", seen) == [{**about, "outcome": "running"}, {**about, "outcome": "fixed"}]
    assert [one["answer"] for one in of("check", seen)] == ["fail", "fail", "fail", "pass"]
    last = of("incident", seen)[-1]
    assert (last["phase"], last["fixed_by"], last["acked_by"], last["rule"]) == (
        "resolved",
        "paramedic",
        "bob",
        "service-down",
    )


def test_an_unchanged_incident_is_not_told_again() -> None:
    states = of("incident", happened(world={"endpoints": {"hook": {}, "bell": {}}}))
    assert states
    assert all(one != other for one, other in pairwise(states))


def test_a_write_whose_answer_was_lost_is_a_step_of_unknown_outcome() -> None:
    lost = {
        "answers": [{"on": "POST *", "times": 1, "fails": "lost"}],
        "effects": WORLD["endpoints"]["hook"]["effects"],
    }
    steps = of("step", happened(world={"endpoints": {"hook": lost, "bell": {}}}))
    assert Counter(step["outcome"] for step in steps)["done"] == 1
    assert len(steps) == 2


def test_an_undone_step_is_told_with_what_was_taken_back() -> None:
    text = RULES.replace(
        'path: "/restart?job=${params.job}"}\n    verify: [alert',
        '"path": "/restart", undo: {path: /stop}}\n    on_failure: undo\n    verify: [alert',
    )
    script = scripted(world={"endpoints": {"hook": {}, "bell": {}}}, clock={"until": "6m"})
    _, came_of_it = played(script, text)
    steps = [one for one in came_of_it.happened if one.kind == "step"]
    assert [(one.facts["undo"], one.facts["to"]["path"]) for one in steps] == [(False, "/restart"), (True, "/stop")]
    assert "(taken back)" in steps[1].text


def test_what_is_told_is_in_order_and_belongs_to_its_incident() -> None:
    seen = happened(
        when=[{"at": "0s", "alert": [{"alertname": "ServiceDown", "job": job} for job in ("api", "web")]}],
        world={"endpoints": {"hook": {}, "bell": {}}},
    )
    assert [one.at for one in seen] == sorted(one.at for one in seen)
    assert {(one.incident, one.title) for one in seen} == {(1, "ServiceDown api"), (2, "ServiceDown web")}


def test_folding_again_gives_the_stored_state_whatever_happened() -> None:
    stage, _ = played(
        scripted(
            faults=[{"commit": 2, "crash": "after"}, {"commit": 5, "crash": "before"}],
            world={**WORLD, "people": {"bob": {"acks": {"after": "5s"}}}},
        )
    )
    assert {number: decode(row.state) for number, row in stage.disk.incidents.items()} == stage.witness.incidents
