"""The trouble that plans speak of really happens: a simulation in which nothing goes wrong would hold every promise."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from paramedic.core.model import Alert
from paramedic.store.port import Batch
from tests.simulation import estate
from tests.simulation.judge import judge
from tests.simulation.listening import Listener, Written
from tests.simulation.plan import Plan
from tests.simulation.processes import Process
from tests.simulation.stage import Replicas

DOWN = {"alertname": "Down", "job": "api"}
SLOW = {"alertname": "Slow", "job": "api"}
CALM: dict[str, Any] = {
    "seed": 1,
    "processes": 2,
    "latency": 0.002,
    "batch": 256,
    "calm": 300.0,
    "until": 1500.0,
    "world": {
        "endpoints": {
            "keyed": {"effects": [{"on": "POST /restart*", "resolves": "Down", "after": 20}]},
            "bare": {},
            "bell": {},
        },
        "people": {},
        "metrics": {"load": [[0.0, 9.0]], "errors": [[0.0, 0.0]]},
    },
    "when": [{"at": 0.0, "alert": DOWN}],
    "trouble": [],
    "faults": [],
}


class Seen(Listener):
    """What happened, and the stage on which it did."""

    def __init__(self, stage: Replicas, listener: Listener) -> None:
        self.stage, self._listener = stage, listener
        self.deliveries = 0
        self.answered = 0
        self.writes: list[Written] = []
        self.events: list[dict[str, Any]] = []
        self.by: list[int] = []

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        self.deliveries += 1
        self._listener.sent(source, alerts)

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        self.answered += 1
        self._listener.accepted(number, source, body, alerts)

    def committed(self, process: Process, batch: Batch) -> None:
        self.events += [msgspec.json.decode(row.body) for row in batch.events if row.done]
        self.by.append(process.number)
        self._listener.committed(process, batch)

    def written(self, write: Written) -> None:
        if write.on != "bell":
            self.writes.append(write)
        self._listener.written(write)

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]


def played(**changed: Any) -> Seen:
    """Play the calm plan with these changes; it keeps every promise all the same."""
    seen: list[Seen] = []

    def telling(stage: Replicas, listener: Listener) -> Listener:
        seen.append(Seen(stage, listener))
        return seen[0]

    verdict = judge(Plan({**CALM, **changed}), telling)
    assert verdict.promise == 0, verdict.seen
    return seen[0]


def fenced(seen: Seen) -> int:
    """How many members have been taken over."""
    return sum(one.fenced for one in seen.stage.disk.members.all.values())


def test_where_nothing_befalls_it_an_alert_is_treated_once() -> None:
    seen = played()

    assert [write.path for write in seen.writes] == ["/restart?v=1&job=api"]
    assert fenced(seen) == 0
    assert "interrupted" not in seen.kinds()


@pytest.mark.parametrize("around", [{"commit": 2}, {"write": 1}])
def test_a_process_that_is_killed_is_followed_by_another_member(around: dict[str, int]) -> None:
    seen = played(trouble=[{**around, "crash": "after", "down": 5}])

    assert fenced(seen) == 1
    assert len(seen.stage.disk.members.all) == 3


def test_a_write_that_was_under_way_when_its_process_was_killed_is_known_to_be_interrupted() -> None:
    pages = 1  # the first write is the page
    seen = played(trouble=[{"write": pages + 1, "crash": "after", "down": 5}])

    assert "interrupted" in seen.kinds()
    assert [write.did for write in seen.writes] == [True, False]  # sent again under its key, and known by it


def test_a_process_that_is_stopped_past_its_lease_is_taken_over_and_its_late_write_is_seen_as_late() -> None:
    seen = played(when=[{"at": 0.0, "alert": SLOW}], trouble=[{"write": 2, "pause": 60}])

    assert fenced(seen) >= 1
    [late] = [write for write in seen.writes if write.late]
    assert late.at >= 60.0
    assert len(seen.writes) == 1  # nobody writes again what may have been written
    assert "late" in seen.kinds()


def test_one_that_is_stopped_for_a_moment_goes_on_as_the_same_member() -> None:
    seen = played(trouble=[{"write": 2, "pause": 3}])

    assert fenced(seen) == 0
    assert len(seen.stage.disk.members.all) == 2


def test_one_that_is_cut_off_from_the_database_is_taken_over() -> None:
    assert fenced(played(trouble=[{"process": n, "at": 1.0, "cut": 50} for n in (0, 1)])) >= 1


@pytest.mark.parametrize("answer", ["lost", "never", "late"])
def test_a_commit_in_doubt_makes_its_member_begin_anew(answer: str) -> None:
    seen = played(trouble=[{"commit": 2, "answer": answer}])

    assert fenced(seen) == 1


def test_a_slow_commit_makes_alertmanager_try_again() -> None:
    seen = played(trouble=[{"commit": number, "answer": "slow"} for number in (1, 2, 3)])

    assert seen.deliveries > seen.answered


def test_a_twin_delivers_again_and_what_is_lost_does_not_arrive() -> None:
    once = played(until=250.0, calm=1.0)
    twice = played(until=250.0, calm=1.0, trouble=[{"delivery": 1, "goes": "twice", "after": 5.0}])
    lost = played(until=250.0, calm=1.0, trouble=[{"delivery": 1, "goes": "lost", "after": 0.0}])

    assert (once.answered, twice.answered, lost.answered) == (2, 3, 0)  # it fires, and is resolved once it was treated


def test_what_is_torn_is_kept_as_rejected() -> None:
    seen = played(trouble=[{"delivery": 1, "goes": "torn", "after": 0.0}])

    assert len(seen.stage.disk.rejected) == 1


def test_what_is_cut_lacks_alerts() -> None:
    when = [{"at": 0.0, "alert": [DOWN, SLOW]}]
    seen = played(when=when, trouble=[{"delivery": 1, "goes": "cut", "after": 0.0}], until=250.0, calm=1.0)

    assert len(seen.stage.disk.incidents) == 1


def test_a_reload_is_for_what_begins_after_it() -> None:
    later = {"at": 60.0, "alert": SLOW}
    seen = played(when=[{"at": 0.0, "alert": DOWN}, later], trouble=[{"at": 30.0, "reload": "2"}])

    assert [write.path.split("&")[0] for write in seen.writes[:2]] == ["/restart?v=1", "/poke?v=2"]


def test_a_guard_that_raises_denies() -> None:
    seen = played(trouble=[{"guard": "cooldown", "from": 0.0, "to": 100.0}])

    assert seen.writes == []
    [judged] = [event for event in seen.events if event["event"] == "judged"]
    assert {verdict["answer"] for verdict in judged["verdicts"]} == {"allow", "error"}


def test_both_processes_work() -> None:
    when = [{"at": 0.0, "alert": {"alertname": "Slow", "job": job}} for job in estate.JOBS]

    assert {*played(when=when).by} == {0, 1}
