"""What an expression uses is known before it runs: its paths, its variables, how its comprehensions are nested."""

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.catalog.tokens import read_tokens
from tests.catalog.texts import PATIENT

PATHS = {
    "labels": [("labels",)],
    "labels.id": [("labels", "id")],
    "labels . id": [("labels", "id")],
    'labels["a b"]': [("labels", "a b")],
    "labels['a.b']": [("labels", "a.b")],
    'labels["a"].b["c"]': [("labels", "a", "b", "c")],
    "a.b.c.d": [("a", "b", "c", "d")],
    "labels[params.key]": [("labels",), ("params", "key")],
    "labels[0]": [("labels",)],
    r'labels["a\"b"]': [("labels",)],
    'labels["""a"""]': [("labels",)],
    "labels.id.startsWith('x')": [("labels", "id")],
    "labels.size()": [("labels",)],
    "size(labels)": [("labels",)],
    "has(labels.id)": [("labels", "id")],
    "'labels.id'": [],
    '"labels.id" + r"x.y"': [],
    "labels.id == 'a.b' ? params.x : params.y": [("labels", "id"), ("params", "x"), ("params", "y")],
    "true && false || null == null": [],
    "'a' in labels": [("labels",)],
    "labels.id in ['a', params.b]": [("labels", "id"), ("params", "b")],
    "{'a': labels.id}": [("labels", "id")],
    "labels.id // params.x": [("labels", "id")],
    "labels.id // params.x\n+ labels.y": [("labels", "id"), ("labels", "y")],
    "1.5 + 2e3 - 0x1F": [],
    "-params.n": [("params", "n")],
    "(params).n": [("params",)],
    "[1, 2].map(x, x + params.n)": [("x",), ("x",), ("params", "n")],
    "labels.map": [("labels", "map")],
    "labels.map(k, k)": [("labels",), ("k",), ("k",)],
    "b'labels' == rb'x'": [],
    "'''it's labels.id'''": [],
}


@pytest.mark.parametrize(("expression", "paths"), PATHS.items())
def test_paths(expression: str, paths: list[tuple[str, ...]]) -> None:
    assert list(read_tokens(expression).paths) == paths


@pytest.mark.parametrize(
    ("expression", "bare"),
    [
        ("labels.id", set()),
        ("labels", {"labels"}),
        ("labels.id + string(size(labels))", {"labels"}),
        ("labels[params.key]", {"labels"}),
        ("'x' in labels && labels.x == 'y'", {"labels"}),
    ],
)
def test_what_is_used_as_a_whole(expression: str, bare: set[str]) -> None:
    assert read_tokens(expression).bare == frozenset(bare)


@pytest.mark.parametrize(
    ("expression", "variables", "macros", "depth"),
    [
        ("labels.id", set(), 0, 0),
        ("labels.all(k, k != '')", {"k"}, 1, 1),
        ("[1].map(x, x).filter(y, y > 0)", {"x", "y"}, 2, 1),
        ("[1].map(x, [2].map(y, x + y))", {"x", "y"}, 2, 2),
        ("[1].map(x, (([2]).exists(y, y == x)))", {"x", "y"}, 2, 2),
        ("[[1].map(x, x)].exists_one(y, true)", {"x", "y"}, 2, 1),
        ("'[1].map(x, x)'", set(), 0, 0),
        ("labels.map", set(), 0, 0),
        ("map(x)", set(), 0, 0),
        ("a.all(b, b.all(c, c.all(d, d)))", {"b", "c", "d"}, 3, 3),
    ],
)
def test_comprehensions(expression: str, variables: set[str], macros: int, depth: int) -> None:
    reading = read_tokens(expression)

    assert (reading.variables, reading.macros, reading.depth) == (frozenset(variables), macros, depth)


NAMES = st.sampled_from(["labels", "params", "x", "id", "true", "in", "size", "map", "all", "has"])
PIECES = st.one_of(
    NAMES, st.sampled_from([".", "(", ")", "[", "]", "{", "}", ",", "+", "==", "?", ":", "'a'", '"b.c"', "1", "!", " "])
)


@settings(PATIENT, max_examples=150)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_every_name_that_the_library_sees_is_seen_here(expression: str) -> None:
    """The allow-list rests on this: a name that is missed here would never be tried out."""
    try:
        names = set(cel.compile(expression).variables())
    except ValueError:
        return
    reading = read_tokens(expression)
    names = {name for name in names if not name.startswith(".")}  # `.a` is no name of any scope, so it is refused

    assert names <= {path[0] for path in reading.paths} | reading.variables


@PATIENT
@given(st.text(max_size=40))
def test_no_expression_whatever_raises(expression: str) -> None:
    reading = read_tokens(expression)

    assert reading.depth <= reading.macros
