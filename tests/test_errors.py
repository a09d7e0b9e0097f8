"""The four kinds of failure and the fault: what they carry, and that nobody catches one by catching another."""

import itertools

import pytest

from paramedic.core.words import Kind
from paramedic.errors import Fault, ParamedicError, Permanent, Refused, Temporary, UnknownOutcome

KINDS = (Temporary, Permanent, Refused, UnknownOutcome, Fault)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_one_of_ours(kind: type[Exception]) -> None:
    assert issubclass(kind, ParamedicError)


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)))
def test_none_is_a_kind_of_another(one: type[Exception], other: type[Exception]) -> None:
    """The engine treats them differently; a retry must never catch what must not be repeated."""
    assert not issubclass(one, other)


def test_each_outcome_has_its_word_in_the_record() -> None:
    outcomes = {kind.__name__.removesuffix("Outcome").lower() for kind in KINDS if kind is not Fault}

    assert outcomes == set(Kind)


@pytest.mark.parametrize(("given", "wanted"), [({}, 1.0), ({"delay": 0.25}, 0.25)])
def test_temporary_says_when_to_come_again(given: dict[str, float], wanted: float) -> None:
    error = Temporary("the database is away", **given)

    assert (str(error), error.delay) == ("the database is away", wanted)


def test_a_fault_says_where_what_and_what_would_be_right() -> None:
    fault = Fault("PARAMEDIC_MODE", '"automatic" is not a mode', "one of freeze, off")

    assert str(fault) == 'PARAMEDIC_MODE: "automatic" is not a mode; one of freeze, off'
    assert (fault.where, fault.what, fault.right) == (
        "PARAMEDIC_MODE",
        '"automatic" is not a mode',
        "one of freeze, off",
    )


def test_what_would_be_right_may_be_plain() -> None:
    assert str(Fault("rules.yaml:3:1", "tabs are not allowed")) == "rules.yaml:3:1: tabs are not allowed"
