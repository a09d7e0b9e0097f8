"""The real engine on the stage: the same turn, decide, plug-ins and bundle as in service, in virtual time."""

from typing import Any

import pytest

from paramedic.errors import Fault
from paramedic.rehearse.moments import say_moment
from tests.rehearse.staged import DOWN, WORLD, findings, played, scripted


def as_told(**written: Any) -> None:
    found = findings(scripted(**written))
    assert not found, "\n".join(f"{one.expected}\n  {one.happened}\n  {one.because}" for one in found)


def test_an_alert_is_treated_and_the_incident_resolves() -> None:
    as_told(
        then=[
            {"by": "1s", "page": {"level": 1, "to": "alice", "notifier": "webhook"}},
            {"by": "1s", "guard": {"still_firing": "allow"}},
            {"by": "1s", "step": {"http": "hook/api"}},
            {"at": "10s", "incident": {"phase": "responding", "severity": "P1"}},
            {"by": "31s", "run": {"playbook": "restart", "outcome": "fixed"}},
            {"by": "31s", "incident": {"phase": "resolved", "fixed_by": "paramedic"}},
            {"by": "20m", "incident": {"open": False}},
        ],
        never=[{"page": {"level": 2}}],
    )


def test_what_did_not_help_climbs_at_once() -> None:
    as_told(
        world={"endpoints": {"hook": {}, "bell": {}}},
        then=[{"by": "6m", "run": {"outcome": "ineffective"}}, {"within": "1s", "page": {"level": 2, "to": "bob"}}],
    )


def test_people_acknowledge_after_their_time() -> None:
    as_told(
        world={
            **WORLD,
            "people": {"alice": {"acks": {"after": "3m", "level": 1}}},
            "endpoints": {"hook": {}, "bell": {}},
        },
        then=[
            {"at": "2m59s", "incident": {"acked_by": ""}},
            {"by": "3m1s", "incident": {"acked_by": "alice"}},
            {"by": "3m1s", "entry": {"kind": "acknowledged", "who": "alice"}},
        ],
    )


def test_an_approval_is_given() -> None:
    as_told(
        world={**WORLD, "people": {"bob": {"approves": {"after": "2m"}}}},
        when=[{"at": "0s", "alert": {"alertname": "Asked", "job": "api"}}],
        then=[
            {"after": "2m", "by": "121s", "step": {"http": "*"}},
            {"by": "3m", "check": {"http": "pass"}},
            {"by": "3m", "run": {"playbook": "ask", "outcome": "fixed"}},
        ],
    )


def test_an_approval_is_denied() -> None:
    as_told(
        world={**WORLD, "people": {"bob": {"denies": {"after": "2m"}}}},
        when=[{"at": "0s", "alert": {"alertname": "Asked", "job": "api"}}],
        then=[{"by": "121s", "run": {"outcome": "denied"}}],
        never=[{"step": {"http": "*"}}],
    )


def test_what_people_do_by_hand_and_what_they_are_answered() -> None:
    as_told(
        world={"endpoints": {"hook": {}, "bell": {}}},
        when=[
            DOWN,
            {"at": "1m", "person": {"name": "alice", "does": "ack"}},
            {"at": "2m", "person": {"name": "bob", "does": "ack", "of": "ServiceDown*"}},
            {"at": "3m", "person": {"name": "bob", "does": "note", "text": "looking"}},
            {"at": "4m", "person": {"name": "bob", "does": "take"}},
        ],
        then=[
            {"by": "61s", "incident": {"acked_by": "alice"}},
            {"by": "121s", "entry": {"kind": "answer", "text": "acknowledged already by alice", "who": "bob"}},
            {"by": "181s", "entry": {"kind": "note", "text": "looking"}},
            {"by": "241s", "incident": {"owner": "bob"}},
            {"by": "241s", "run": {"outcome": "cancelled"}},
        ],
    )


def test_the_switch_is_set_by_hand() -> None:
    as_told(
        when=[{"at": "0s", "switch": "shadow"}, {**DOWN, "at": "1m"}],
        then=[{"by": "2m", "run": {"outcome": "shadowed", "mode": "shadow"}}, {"by": "2m", "page": {"level": 1}}],
        never=[{"step": {"http": "*"}}],
    )


def test_the_process_may_do_no_more_than_its_mode() -> None:
    as_told(world={**WORLD, "mode": "off"}, never=[{"step": {"http": "*"}}, {"run": {}}], then=[{"page": {}}])


def test_an_endpoint_that_the_world_does_not_name_refuses_connections() -> None:
    as_told(
        world={"endpoints": {"bell": {}}},
        then=[{"by": "1m", "run": {"outcome": "failed"}}, {"entry": {"text": "has no such endpoint"}}],
    )


@pytest.mark.parametrize("crash", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4, 5, 6])
def test_a_crash_around_any_commit_changes_nothing_in_the_end(commit: int, crash: str) -> None:
    """Promises 1 and 3: what was accepted goes on after a restart, and the endpoint does nothing twice."""
    slow = {"effects": [{"on": "POST /restart*", "resolves": "ServiceDown", "after": "90s"}]}
    script = scripted(
        world={"endpoints": {"hook": slow, "bell": {}}},
        faults=[{"commit": commit, "crash": crash}],
        then=[
            {"by": "1m", "page": {"level": 1}},
            {"by": "3m", "incident": {"phase": "resolved", "fixed_by": "paramedic"}},
        ],
    )
    stage, came_of_it = played(script)
    assert not findings(script)
    assert sum(request.did for request in stage.world.requests if request.endpoint == "hook") == 1
    assert stage.disk.members.count == 2
    assert came_of_it.seconds == script.end


def test_a_crash_at_a_moment() -> None:
    """Alertmanager's resolved finds nobody, is tried again, and is taken when the process is back."""
    script = scripted(
        faults=[{"at": "10s", "crash": True, "down": "1m"}],
        then=[{"at": "70s", "incident": {"phase": "responding"}}, {"by": "2m", "incident": {"phase": "resolved"}}],
    )
    assert not findings(script)
    assert played(script)[0].disk.members.count == 2


def test_a_database_that_is_away_delays_and_loses_nothing() -> None:
    """Promise 1: Alertmanager is refused until the database is back, and then delivers."""
    as_told(
        faults=[{"database": "away", "from": "0s", "to": "1m"}],
        then=[
            {"after": "1m", "by": "2m", "step": {"http": "hook/api"}},
            {"by": "3m", "incident": {"phase": "resolved"}},
            {"times": 1, "step": {"http": "*"}},
        ],
    )


def test_a_database_that_answers_nothing_for_a_moment_makes_nothing_happen_twice() -> None:
    """Promise 3: what was committed is known again after the restart, and the endpoint's key is the same."""
    script = scripted(
        faults=[{"database": "silent", "from": "0s", "to": "1s"}],
        then=[{"by": "2m", "incident": {"phase": "resolved", "fixed_by": "paramedic"}}],
    )
    stage, _ = played(script)
    assert not findings(script)
    assert stage.disk.members.count > 1
    assert len(stage.disk.incidents) == 1
    assert len({request.key for request in stage.world.requests if request.endpoint == "hook"}) == 1


def test_a_page_that_fails_takes_the_second_channel() -> None:
    """Promise 7."""
    as_told(
        world={"endpoints": {"hook": {}, "bell": {}}},
        faults=[{"notifier": "webhook", "fails": "temporary", "to": "30s"}],
        then=[{"by": "2s", "page": {"to": "carol"}}, {"after": "5s", "page": {"to": "alice"}}],
        never=[{"page": {"to": "alice", "level": 2}}],
    )


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ({"resolved": "ServiceDown"}, "at 00:00:07: no alert ServiceDown fires at that moment"),
        ({"repeat": {"job": "web"}}, 'no alert job="web" fires'),
        ({"person": {"name": "alice", "does": "ack"}}, 'no open incident for alice to ack whose title fits "*"'),
    ],
)
def test_a_step_that_cannot_be_is_a_fault_of_the_rehearsal(when: Any, says: str) -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        played(scripted(when=[{"at": "7s", **when}]))
    (fault,) = raised.value.exceptions
    assert isinstance(fault, Fault)
    assert says in str(fault)


def test_the_same_rehearsal_happens_the_same_each_time() -> None:
    script = scripted(
        faults=[{"at": "3s", "crash": True}, {"notifier": "webhook", "fails": "temporary", "to": "20s"}],
        world={**WORLD, "people": {"bob": {"acks": {"after": "1m"}}}},
    )
    first, second = (
        [f"{say_moment(one.at)} {one.at} {one.kind} {one.text}" for one in played(script)[1].happened] for _ in range(2)
    )
    assert first == second


def test_a_source_repeats_what_still_fires_so_that_no_episode_expires() -> None:
    script = scripted(world={"endpoints": {"hook": {}, "bell": {}}}, clock={"until": "3d"})
    stage, _ = played(script)
    assert [episode.open for episode in stage.disk.episodes.values()] == [True]
    silent = scripted(world={"endpoints": {"hook": {}, "bell": {}}, "repeats": False}, clock={"until": "3d"})
    stage, _ = played(silent)
    assert [episode.closed_by for episode in stage.disk.episodes.values()] == ["expired"]


def test_the_witness_folds_to_the_stored_state() -> None:
    """Promise 9."""
    from paramedic.engine.holdings import decode

    stage, _ = played(scripted(faults=[{"commit": 3, "crash": "after"}]))
    stored = {number: decode(row.state) for number, row in stage.disk.incidents.items()}
    assert stored == stage.witness.incidents
