"""What runs share: exclusive targets, budgets and cooldowns; all or nothing.

Promise 4: two runs never act on one target at once, whichever incidents they belong to.
"""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.claims import LONGEST, MOST_HELD, Blocked, Granted, Ledger, claimed, grant, slots
from paramedic.core.model import Claim
from tests.core.builders import HOUR, T0, after

TARGET = Claim("target/main/api")
BUDGET = Claim("budget/shop", limit=2, per=HOUR)


def take(ledger: Ledger, *claims: Claim, incident: int = 1, run: int = 1, at: datetime = T0) -> Granted | Blocked:
    """Grant, and book what was granted, as the turn does in the commit of an intent."""
    answer = grant(ledger, claims, incident, run, at)
    if isinstance(answer, Granted):
        for scope in answer.holds:
            ledger.hold(scope, incident, run)
        for scope in answer.uses:
            ledger.use(scope, at, incident, run)
    return answer


def test_a_free_target_is_held() -> None:
    ledger = Ledger()

    assert take(ledger, TARGET) == Granted(holds=("target/main/api",), uses=())
    assert ledger.holder("target/main/api") == "INC-1.1"
    assert ledger.holder("target/main/web") is None


def test_a_held_target_blocks_everybody_else_and_says_by_whom() -> None:
    """Promise 4."""
    ledger = Ledger()
    take(ledger, TARGET)

    assert take(ledger, TARGET, incident=2) == Blocked("target/main/api", "INC-1.1")
    assert take(ledger, TARGET, run=2) == Blocked("target/main/api", "INC-1.1")


def test_what_a_run_holds_itself_never_stands_in_its_way() -> None:
    ledger = Ledger()
    take(ledger, TARGET, BUDGET)

    assert take(ledger, TARGET, BUDGET) == Granted((), ())


def test_letting_go_frees_the_targets_and_keeps_the_uses() -> None:
    ledger = Ledger()
    take(ledger, TARGET, BUDGET)

    assert ledger.release(1, 1) == ["target/main/api"]
    assert ledger.release(1, 1) == []
    assert take(ledger, TARGET, incident=2) == Granted(("target/main/api",), ())
    assert list(ledger.since("budget/shop", T0)) == [T0]


def test_what_was_learned_given_back_or_taken_over_is_let_go_by_its_holder_only() -> None:
    ledger = Ledger()
    for scope in ("a", "b", "c"):
        ledger.hold(scope, 1, 1)
    ledger.learn("a", (2, 1), ())
    ledger.learn("d", (1, 1), ())
    ledger.give_back("b", 1, 1)
    ledger.hold("c", 3, 1)

    assert ledger.release(1, 1) == ["d"]
    assert ledger.release(2, 1) == ["a"]
    assert ledger.release(3, 1) == ["c"]
    assert not ledger.held


def test_a_budget_counts_runs_and_is_used_up() -> None:
    ledger = Ledger()

    for incident in (1, 2):
        assert take(ledger, BUDGET, incident=incident, at=after(incident)) == Granted((), ("budget/shop",))

    blocked = take(ledger, BUDGET, incident=3, at=after(10))
    assert blocked == Blocked("budget/shop", "INC-2.1", after(1 + HOUR))


def test_a_budget_is_free_again_once_the_oldest_use_has_aged() -> None:
    ledger = Ledger()
    take(ledger, BUDGET, incident=1, at=after(1))
    take(ledger, BUDGET, incident=2, at=after(2))

    assert isinstance(take(ledger, BUDGET, incident=3, at=after(HOUR)), Blocked)
    assert isinstance(take(ledger, BUDGET, incident=3, at=after(HOUR + 1)), Granted)


def test_one_claim_that_cannot_be_had_means_none_is_taken() -> None:
    ledger = Ledger()
    take(ledger, TARGET, incident=1)

    assert isinstance(take(ledger, BUDGET, TARGET, incident=2), Blocked)
    assert list(ledger.since("budget/shop", T0)) == []


def test_two_budgets_with_one_scope_are_both_kept_and_used_once() -> None:
    ledger = Ledger()
    tight = Claim("budget/shop", limit=1, per=HOUR)

    assert take(ledger, BUDGET, tight) == Granted((), ("budget/shop",))
    assert isinstance(take(ledger, BUDGET, tight, incident=2), Blocked)
    assert isinstance(take(ledger, BUDGET, incident=2), Granted)


def test_guards_do_not_see_what_their_own_run_has_used() -> None:
    """Asked again before its second step, a run is not put off by its own cooldown."""
    ledger = Ledger()
    take(ledger, TARGET, BUDGET, incident=1, at=after(5))

    own, others = ledger.seen_by(1, 1), ledger.seen_by(2, 1)

    assert (own.holder(TARGET.scope), list(own.since(BUDGET.scope, T0))) == (None, [])
    assert (others.holder(TARGET.scope), list(others.since(BUDGET.scope, T0))) == ("INC-1.1", [after(5)])
    assert list(others.since(BUDGET.scope, after(6))) == []


def test_what_others_hold_is_told_by_where_it_is_and_never_ones_own() -> None:
    ledger = Ledger()
    for number, scope in enumerate(("target/main/shop/b", "target/main/shop/a", "target/main/bank/a", "domain/db")):
        ledger.hold(scope, number, 1)

    assert ledger.seen_by(9, 1).holding("target/main/shop/") == ["target/main/shop/a", "target/main/shop/b"]
    assert ledger.seen_by(0, 1).holding("target/main/shop/") == ["target/main/shop/a"]
    assert ledger.seen_by(0, 2).holding("target/main/") == [
        "target/main/bank/a",
        "target/main/shop/a",
        "target/main/shop/b",
    ]
    assert ledger.seen_by(9, 1).holding("target/other/") == []


def test_what_others_hold_is_shown_up_to_a_bound() -> None:
    ledger = Ledger()
    for number in range(MOST_HELD + 1):
        ledger.hold(f"target/main/shop/{number:04}", number, 1)

    assert len(ledger.seen_by(9999, 1).holding("target/")) == MOST_HELD


def test_uses_are_forgotten_once_no_window_reaches_them() -> None:
    """And not a moment earlier: a restart must not give a fresh budget, nor must housekeeping."""
    ledger = Ledger()
    ledger.use("a", T0, 1, 1)
    ledger.use("b", T0, 1, 1)
    ledger.use("b", after(HOUR), 2, 1)

    ledger.forget(after(60))
    assert list(ledger.since("a", T0)) == [T0]
    ledger.forget(T0 + LONGEST + timedelta(minutes=1))
    assert (list(ledger.since("a", T0)), list(ledger.since("b", T0))) == ([], [after(HOUR)])
    assert "a" not in ledger.used


_RUNS = st.tuples(st.integers(1, 4), st.integers(1, 2))


@given(st.lists(st.tuples(st.booleans(), _RUNS, st.sets(st.sampled_from("xyz"), min_size=1)), max_size=25))
@settings(max_examples=50, deadline=None)
def test_no_target_is_ever_held_twice(moves: list[tuple[bool, tuple[int, int], set[str]]]) -> None:
    """Promise 4, over any sequence of taking and letting go."""
    ledger = Ledger()
    holds: dict[str, tuple[int, int]] = {}
    for taking, who, targets in moves:
        if not taking:
            for scope in ledger.release(*who):
                assert holds.pop(scope) == who
            continue
        answer = take(ledger, *(Claim(scope) for scope in sorted(targets)), incident=who[0], run=who[1])
        if isinstance(answer, Granted):
            for scope in answer.holds:
                assert scope not in holds
                holds[scope] = who
        assert ledger.held == holds


# -- so many at once ---------------------------------------------------------------------------------------------------

THREE = Claim("concurrent/all/", limit=3)


def test_so_many_runs_may_hold_it_and_each_has_a_slot_of_its_own() -> None:
    ledger = Ledger()

    granted = [take(ledger, THREE, incident=n) for n in (1, 2, 3)]

    assert granted == [Granted((f"slot/{n}/concurrent/all/",), ()) for n in (1, 2, 3)]
    assert take(ledger, THREE, incident=4) == Blocked("concurrent/all/", "INC-1.1 and 2 more")


def test_the_first_slot_that_is_free_is_taken() -> None:
    ledger = Ledger()
    for n in (1, 2, 3):
        take(ledger, THREE, incident=n)

    assert ledger.release(2, 1) == ["slot/2/concurrent/all/"]
    assert take(ledger, THREE, incident=4) == Granted(("slot/2/concurrent/all/",), ())


def test_a_run_takes_no_second_slot() -> None:
    """Asked again before its next step, or where two of its guards ask for it."""
    ledger = Ledger()
    five = Claim(THREE.scope, limit=5)

    assert take(ledger, THREE, five) == Granted(("slot/1/concurrent/all/",), ())
    assert take(ledger, five, THREE) == Granted((), ())


def test_no_more_than_the_largest_number_that_anybody_names_hold_it() -> None:
    ledger = Ledger()
    five = Claim(THREE.scope, limit=5)
    for n in range(1, 4):
        take(ledger, five, incident=n)

    assert isinstance(take(ledger, THREE, incident=9), Blocked)
    assert isinstance(take(ledger, five, incident=4), Granted)
    assert isinstance(take(ledger, five, incident=5), Granted)
    assert isinstance(take(ledger, five, incident=6), Blocked)


def test_without_a_slot_nothing_else_is_taken_either() -> None:
    ledger = Ledger()
    for n in (1, 2, 3):
        take(ledger, THREE, incident=n)

    assert isinstance(take(ledger, BUDGET, THREE, TARGET, incident=4), Blocked)
    assert ledger.holder(TARGET.scope) is None
    assert list(ledger.since(BUDGET.scope, T0)) == []


def test_a_slot_is_known_by_what_was_claimed_and_by_nothing_that_looks_like_it() -> None:
    assert {claimed(scope) for scope in slots(THREE)} == {THREE.scope}
    for other in (TARGET, BUDGET, Claim("target/slot/1/x"), Claim("target/x#1")):
        assert slots(other) == (other.scope,)
        assert claimed(other.scope) == other.scope


@given(st.lists(st.tuples(st.booleans(), _RUNS), max_size=40), st.lists(st.integers(1, 3), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_never_more_hold_it_than_may(moves: list[tuple[bool, tuple[int, int]]], limits: list[int]) -> None:
    """Whatever is taken and let go, by whichever numbers: each is kept when its own claim is granted.

    The number is the playbook's, so that a run asks by the same one each time.
    """
    ledger = Ledger()
    for taking, who in moves:
        limit = limits[sum(who) % len(limits)]
        if not taking:
            ledger.release(*who)
            continue
        before = dict(ledger.held)
        answer = take(ledger, Claim("c", limit=limit), incident=who[0], run=who[1])
        if isinstance(answer, Granted) and answer.holds:
            (slot,) = answer.holds
            assert slot not in before
            assert slot in slots(Claim("c", limit=limit))
        assert len(ledger.held) <= 3
        assert len(set(ledger.held.values())) == len(ledger.held), "one slot a run"
