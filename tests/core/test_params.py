"""A playbook's parameters: hostile or mistaken values stop here, with what, where and what would be right."""

import re
from typing import Any, Literal

import pytest

from paramedic.core.bundle import Param
from paramedic.core.params import checked_params
from paramedic.errors import Fault
from tests.core.builders import book

Type = Literal["string", "integer", "number", "boolean"]


def checked(type_: Type, value: Any) -> Any:
    return checked_params(book(params={"p": Param("p", type_)}), {"p": value})["p"]


@pytest.mark.parametrize(
    ("type_", "value"),
    [("string", "api"), ("integer", 3), ("number", 3), ("number", 2.5), ("boolean", False)],
)
def test_a_value_of_the_right_type_passes(type_: Type, value: object) -> None:
    assert checked(type_, value) == value


@pytest.mark.parametrize(("value", "text"), [(5432, "5432"), (1.5, "1.5")])
def test_a_number_may_stand_for_a_string(value: float, text: str) -> None:
    """YAML reads a port as a number."""
    assert checked("string", value) == text


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("string", True, "is a bool; a string is wanted"),
        ("string", ["a"], "is a list; a string is wanted"),
        ("string", None, "is a NoneType; a string is wanted"),
        ("string", "", "is empty; an empty value never stands for everything"),
        ("integer", "3", "is a str; a integer is wanted"),
        ("integer", 3.0, "is a float; a integer is wanted"),
        ("integer", True, "is a bool; a integer is wanted"),
        ("number", "many", "is a str; a number is wanted"),
        ("boolean", 1, "is a int; a boolean is wanted"),
    ],
)
def test_a_value_of_another_type_is_a_fault(type_: Type, value: object, message: str) -> None:
    with pytest.raises(Fault) as fault:
        checked(type_, value)

    assert str(fault.value) == f"playbook restart, parameter p: {message}"


def test_an_unknown_parameter_is_a_fault_that_names_the_known_ones() -> None:
    with pytest.raises(Fault, match=r'has no parameter "wrkload"; it has workload$'):
        checked_params(book(), {"wrkload": "api"})
    with pytest.raises(Fault, match=r'has no parameter "x"; it has none$'):
        checked_params(book(params={}), {"x": 1})


def test_what_is_required_must_be_given_and_what_is_not_has_its_default() -> None:
    optional = book(params={"count": Param("count", "integer", default=2, required=False)})

    with pytest.raises(Fault, match="parameter workload: is missing"):
        checked_params(book(), {})
    assert checked_params(optional, {}) == {"count": 2}
    assert checked_params(optional, {"count": 5}) == {"count": 5}


def test_a_pattern_must_be_found() -> None:
    pattern = "^(deployment|statefulset)/"
    kinds = book(params={"workload": Param("workload", "string", pattern, re.compile(pattern))})

    assert checked_params(kinds, {"workload": "deployment/api"})
    with pytest.raises(Fault, match=r'"pod/api" does not match'):
        checked_params(kinds, {"workload": "pod/api"})


def test_a_pattern_concerns_strings_only() -> None:
    odd = book(params={"n": Param("n", "integer", "^5$", re.compile("^5$"))})

    assert checked_params(odd, {"n": 7}) == {"n": 7}
