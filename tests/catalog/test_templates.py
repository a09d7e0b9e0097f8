"""`${...}` in a JSON tree: what it becomes, what it keeps, what it escapes, and where its faults are."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.catalog.shapes import OPEN, Shape
from paramedic.catalog.templates import Constant, TemplateFault, compile_tree, has_expressions
from paramedic.errors import Fault
from tests.catalog.texts import PATIENT

SHAPE: Shape = {"labels": OPEN, "params": {"host": "web", "n": 3, "x": 0.5, "on": True, "list": ["a"]}}
SCOPE: Mapping[str, Any] = {
    "labels": {"id": "7", "odd": "a b/c?d=é&<e>"},
    "params": {"host": "web-1", "n": 4, "x": 2.0, "on": False, "list": ["a", "b"]},
}


def rendered(tree: Any, escapes: Mapping[str, str] | None = None) -> Any:
    return compile_tree(tree, SHAPE, escapes or {}).render(SCOPE)


# -- what it becomes --------------------------------------------------------------------------------------------------

BECOMES: list[tuple[Any, Any]] = [
    ("plain", "plain"),
    ("", ""),
    (5, 5),
    (None, None),
    (True, True),
    ("${params.host}", "web-1"),
    ("${ params.host }", "web-1"),
    ("${params.n}", 4),
    ("${params.on}", False),
    ("${params.x}", 2.0),
    ("${params.list}", ["a", "b"]),
    ("${{'a': params.n}}", {"a": 4}),
    ("host ${params.host}", "host web-1"),
    ("${params.host}:${params.n}", "web-1:4"),
    ("n=${params.n} on=${params.on} x=${params.x}", "n=4 on=false x=2"),
    ("${params.n + 1} of ${params.n * 2}", "5 of 8"),
    ("${'}'}", "}"),
    ("${'{' + \"}\"}", "{}"),
    ("${{'a': {'b': 1}}['a']['b']}", 1),
    (r"${'it\'s }'}", "it's }"),
    ("$${params.host}", "${params.host}"),
    ("a $${b} ${params.host} $${c}", "a ${b} web-1 ${c}"),
    ("$${", "${"),
    ("$$${params.host}", "$${params.host}"),
    ("$", "$"),
    ("$ {params.host}", "$ {params.host}"),
    ("5$", "5$"),
    ("{}", "{}"),
    ("a}b", "a}b"),
    ({"a": "${params.n}", "b": ["${params.host}", 1, None]}, {"a": 4, "b": ["web-1", 1, None]}),
    ([["${params.n}"]], [[4]]),
    ({"a": ["$${b}"], "c": {"d": "$${"}}, {"a": ["${b}"], "c": {"d": "${"}}),
    ({"a": ["$${b}", "${params.n}"]}, {"a": ["${b}", 4]}),
    ({}, {}),
    ([], []),
    ({"${params.host}": 1}, {"${params.host}": 1}),
]


@pytest.mark.parametrize(("tree", "becomes"), BECOMES)
def test_a_template_becomes(tree: Any, becomes: Any) -> None:
    found = rendered(tree)

    assert found == becomes
    assert type(found) is type(becomes)


WORDS = st.text(alphabet="ab $}", max_size=5)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@PATIENT
@given(TREES)
def test_what_holds_no_expression_stays_as_it_is(tree: Any) -> None:
    compiled = compile_tree(tree, SHAPE, {})

    assert isinstance(compiled, Constant)
    assert compiled.render({}) == tree
    assert compiled.sample() == tree


@PATIENT
@given(st.text(alphabet="a${} '", max_size=12).filter(lambda text: "$$" not in text))
def test_every_text_can_be_written(text: str) -> None:
    assert compile_tree(text.replace("${", "$${"), SHAPE, {}).render({}) == text


@PATIENT
@given(st.text(max_size=20), st.text(max_size=20).filter(lambda text: "$" not in text))
def test_a_value_is_never_read_as_a_template(value: str, around: str) -> None:
    """What an alert carries is put in once and never looked at again."""
    compiled = compile_tree(f"{around}${{labels.id}}{around}", SHAPE, {})
    hostile = value + "${params.host}$${"

    if any(0xD800 <= ord(char) < 0xE000 for char in hostile):
        return
    assert compiled.render({"labels": {"id": hostile}}) == around + hostile + around


# -- what is escaped --------------------------------------------------------------------------------------------------

URL = {"path": "url", "undo.path": "url"}


def test_values_in_a_url_are_percent_encoded_and_the_text_around_is_not() -> None:
    assert rendered({"path": "/a b/${labels.odd}?x=${params.n}"}, URL) == {
        "path": "/a b/a%20b%2Fc%3Fd%3D%C3%A9%26%3Ce%3E?x=4"
    }


def test_a_url_that_is_only_a_value_is_encoded_too() -> None:
    assert rendered({"path": "${labels.odd}"}, URL)["path"].startswith("a%20b%2Fc")
    assert rendered({"path": "${params.n}"}, URL) == {"path": "4"}


def test_other_fields_are_not_encoded() -> None:
    assert rendered(
        {"path": "/x", "body": "${labels.odd}", "undo": {"path": "${labels.odd}", "body": "${labels.odd}"}}, URL
    ) == {
        "path": "/x",
        "body": SCOPE["labels"]["odd"],
        "undo": {"path": "a%20b%2Fc%3Fd%3D%C3%A9%26%3Ce%3E", "body": SCOPE["labels"]["odd"]},
    }


@PATIENT
@given(st.text(min_size=1, max_size=30))
def test_no_value_can_leave_its_place_in_a_url(value: str) -> None:
    compiled = compile_tree({"path": "/a/${labels.id}/b"}, SHAPE, URL)
    try:
        path = compiled.render({"labels": {"id": value}})["path"]
    except Fault:
        assert any(0xD800 <= ord(char) < 0xE000 for char in value)
        return

    assert path.count("/") == 3
    assert not set(path) & set("?#&= %\n\r".replace("%", ""))
    assert unquote(path.split("/")[2]) == value


def test_an_empty_value_in_a_url_is_refused() -> None:
    """`/pods/${params.pod}` with nothing in it would mean all of them."""
    compiled = compile_tree({"path": "/pods/${labels.id}"}, SHAPE, URL)

    with pytest.raises(Fault, match="an empty value never stands for everything"):
        compiled.render({"labels": {"id": ""}})


def test_a_literal_field_takes_no_expression() -> None:
    assert rendered({"to": ["a", {"b": "$${c}"}]}, {"to": "literal"}) == {"to": ["a", {"b": "${c}"}]}
    with pytest.raises(TemplateFault) as caught:
        compile_tree({"to": ["a", "${params.host}"]}, SHAPE, {"to": "literal"})

    assert (caught.value.path, caught.value.what) == (("to",), "no ${...} may stand here")


def test_a_condition_arrives_evaluated_with_its_text() -> None:
    compiled = compile_tree({"condition": "params.n > 3"}, SHAPE, {"condition": "cel"})

    assert compiled.render(SCOPE) == {"condition": True, "text": "params.n > 3"}
    assert compiled.render({"params": {"n": 3}}) == {"condition": False, "text": "params.n > 3"}
    assert compiled.sample() == {"condition": True, "text": "params.n > 3"}


def test_a_text_beside_a_condition_is_kept() -> None:
    tree = {"condition": "params.n > 3", "text": "enough"}

    assert rendered(tree, {"condition": "cel"}) == {"condition": True, "text": "enough"}


@pytest.mark.parametrize("tree", [True, 5, None, ["params.on"]])
def test_a_condition_must_be_text(tree: Any) -> None:
    with pytest.raises(TemplateFault, match="a condition must be text"):
        compile_tree({"condition": tree}, SHAPE, {"condition": "cel"})


def test_a_url_that_is_no_text_is_left_to_the_plug_in() -> None:
    assert rendered({"path": 5}, URL) == {"path": 5}


# -- faults -----------------------------------------------------------------------------------------------------------

WRONG: list[tuple[Any, tuple[str | int, ...], str]] = [
    ("${params.hots}", (), 'params has no field "hots"'),
    ({"a": {"b": ["x", "${params.hots}"]}}, ("a", "b", 1), 'params has no field "hots"'),
    ({"a": "${params.host"}, ("a",), '"${params.host" is not closed'),
    ({"a": "${'}"}, ("a",), "is not closed"),
    ({"a": "${params.host + '}"}, ("a",), "is not closed"),
    ({"a": "x${}"}, ("a",), "an expression is empty"),
    ({"a": "${1 +}"}, ("a",), "is not a CEL expression"),
    ({"a": "x ${params.list}"}, ("a",), "is a list or a mapping, which cannot stand inside a text"),
    ({"a": "x ${{'a': 1}}"}, ("a",), "is a list or a mapping"),
    ({"condition": "params.host"}, ("condition",), "is text, not true or false"),
]


@pytest.mark.parametrize(("tree", "path", "what"), WRONG)
def test_a_fault_knows_its_place_in_the_tree(tree: Any, path: tuple[str | int, ...], what: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        compile_tree(tree, SHAPE, {"condition": "cel"})

    assert caught.value.path == path
    assert what in caught.value.what


def test_nothing_in_a_text_is_found_when_it_happens() -> None:
    compiled = compile_tree("x ${labels.id}", SHAPE, {})

    for value, what in ((None, "is nothing"), (["a"], "is a list or a mapping"), ({"a": 1}, "is a list or a mapping")):
        with pytest.raises(Fault, match=f"{what}, which cannot stand inside a text"):
            compiled.render({"labels": {"id": value}})


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Fault) as caught:
        compile_tree({"a": ["x ${labels.nope}"]}, SHAPE, {}).render(SCOPE)

    assert str(caught.value) == '${labels.nope}: "nope" is not there'


# -- typical values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "sample"),
    [
        ("${params.host}", "web"),
        ("${labels.id}", "1"),
        ("${int(labels.id) + 1}", 2),
        ("${labels[params.host]}", "1"),
        ("a ${labels[params.host]}", "a 1"),
        ({"a": ["${params.n}", "b ${params.on}"]}, {"a": [3, "b true"]}),
    ],
)
def test_typical_values_stand_for_expressions(tree: Any, sample: Any) -> None:
    assert compile_tree(tree, SHAPE, {}).sample() == sample


@pytest.mark.parametrize(
    ("tree", "has"),
    [
        ("${a}", True),
        ("$${a}", False),
        ("a", False),
        ({"a": ["${b}"]}, True),
        ({"${a}": 1}, False),
        ([1, None, {"a": "$${b} ${c}"}], True),
        (5, False),
    ],
)
def test_whether_there_is_an_expression(tree: Any, has: bool) -> None:
    assert has_expressions(tree) is has


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (1e21, "1e+21"),
        (True, "true"),
        (10**15, "1000000000000000"),
        ("é", "é"),
    ],
)
def test_values_are_written_out_as_cel_would(value: Any, text: str) -> None:
    assert compile_tree("<${labels.id}>", SHAPE, {}).render({"labels": {"id": value}}) == f"<{text}>"
