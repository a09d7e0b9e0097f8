"""Each guard in the whole service: one fact flips, and so does the decision. The rehearsals are tests/guards/flips."""

import pytest

from tests.guards.flipped import FLIPS, GUARDS, differing, facts_of, flip_of, played, said

EVERY = pytest.mark.parametrize("guard", GUARDS)


@EVERY
def test_the_fact_decides_whether_the_step_happens(guard: str) -> None:
    for rehearsal in flip_of(guard):
        went = played(rehearsal)
        assert went.ok, f"{rehearsal.script.rehearsal}\n{said(went)}"


@EVERY
def test_it_is_about_one_step_that_happens_and_then_does_not(guard: str) -> None:
    """The first expects the step. The second forbids it, or one more of it; it expects that this guard says no, or that
    the run waits for what the guard has it claim.
    """
    allowed, denied = (rehearsal.script for rehearsal in flip_of(guard))

    assert any(one.step is not None for one in allowed.then)
    assert any(one.step is not None for one in denied.never) or any(
        one.step is not None and one.times is not None for one in denied.then
    )
    answers = [one.guard.wanted()["answer"] for one in denied.then if one.guard is not None and one.guard.name == guard]
    waits = [one.entry for one in denied.then if one.entry is not None and one.entry.kind == "waits"]
    assert {"deny", "unknown"} & set(answers) or waits, "nothing says that it is this guard that keeps it off"
    for rehearsal in flip_of(guard):
        kinds = {spec.kind for book in rehearsal.bundle.playbooks.values() for spec in book.guards}
        assert guard in kinds


@EVERY
def test_it_flips_one_fact(guard: str) -> None:
    flip_of(guard)
    assert differing(*facts_of(guard)) == 1


def test_no_flip_is_about_a_guard_that_does_not_exist() -> None:
    assert {path.name.removesuffix(".test.yaml") for path in FLIPS.iterdir()} <= set(GUARDS)


def test_what_counts_as_one_fact() -> None:
    alert = {"at": "0s", "alert": {"alertname": "Down"}}

    assert differing({"when": [alert]}, {"when": [alert]}) == 0
    assert differing({"when": [alert]}, {"when": [alert, {"at": "5s", "resolved": "Down"}]}) == 1
    assert differing({"when": [alert], "clock": None}, {"when": [{**alert, "at": "1s"}], "clock": {"until": "1h"}}) == 2
