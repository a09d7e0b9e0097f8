"""CEL within its bounds: what can never work is a fault when it is loaded, what does not work now denies."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.catalog.cel import LONGEST, LONGEST_LIST, LONGEST_TEXT, MOST_MACROS, compile_cel, compile_condition
from paramedic.catalog.shapes import OPEN, Shape
from paramedic.errors import Fault
from tests.catalog.texts import PATIENT

SHAPE: Shape = {"labels": OPEN, "params": {"host": "web", "n": 3, "x": 1.5, "on": True}, "source": "main"}
SCOPE: Mapping[str, Any] = {
    "labels": {"id": "7", "a b": "c", "time": "2026-01-01T00:00:00Z"},
    "params": {"host": "web-1", "n": 4, "x": 0.25, "on": False},
    "source": "main",
}

VALUES: list[tuple[str, Any]] = [
    ("labels.id", "7"),
    ('labels["a b"]', "c"),
    ("params.n", 4),
    ("params.x", 0.25),
    ("params.on", False),
    ("source", "main"),
    ("params.n + 1", 5),
    ("params.n / 3", 1),
    ("double(params.n) / 8.0", 0.5),
    ("labels.id + '-' + params.host", "7-web-1"),
    ("int(labels.id) * 2", 14),
    ("has(labels.nope) ? labels.nope : 'none'", "none"),
    ("params.host.startsWith('web')", True),
    ("params.host.matches('^web-[0-9]+$')", True),
    ("labels.id in ['6', '7']", True),
    ("'id' in labels", True),
    ("'nope' in labels", False),
    ("size(params.host)", 5),
    ("[1, 2, 3].filter(n, n > 1)", [2, 3]),
    ("{'host': params.host, 'n': [params.n]}", {"host": "web-1", "n": [4]}),
    ("[params.n].exists(n, n == 4)", True),
    ("labels.all(k, k != 'zzz')", True),
    ("null", None),
    ("string(timestamp(labels.time) + duration('1h'))", "2026-01-01T01:00:00+00:00"),
    ("timestamp(labels.time).getFullYear()", 2026),
    ("params.n > 3 && !params.on", True),
    ("params.x < 1", True),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_an_expression_has_the_value_that_cel_gives_it(text: str, value: Any) -> None:
    found = compile_cel(text, SHAPE).value(SCOPE)

    assert found == value
    assert type(found) is type(value)


NEVER = [
    ("", "an expression is empty", "write one"),
    ("  ", "an expression is empty", ""),
    ("labels.id +", "`labels.id +` is not a CEL expression: it ends too early (position 12)", ""),
    ("labels..id", "position 8 cannot be read (..)", ""),
    ("labels.id; 1", "position 10 cannot be read (;)", ""),
    ("a b", "position 3 cannot be read (b)", ""),
    ("labels\n.id +", "it ends too early (line 2, position 6)", ""),
    ("'open", "cannot be read", ""),
    ("lables.id", '`lables.id`: "lables" refers to nothing', 'did you mean "labels"?'),
    (".labels.id", '".labels" refers to nothing', 'did you mean "labels"?'),
    ("now", '"now" refers to nothing', "known: labels, params, source"),
    ("params.hots", 'params has no field "hots"', 'did you mean "host"?'),
    ("params.nope == 1 || true", 'params has no field "nope"', "known: host, n, on, x"),
    ("has(params.hots)", 'params has no field "hots"', ""),
    ("params.host.x", 'params.host is text, it has no field "x"', ""),
    ("lower(labels.id)", 'there is no function "lower"', ""),
    ("labels.id.upperAscii()", 'there is no function "upperAscii"', ""),
    ("labels.id.startWith('a')", 'there is no function "startWith"', 'did you mean "startsWith"?'),
    ("type(1)", 'there is no function "type"', ""),
    ("dyn(1)", 'there is no function "dyn"', ""),
    ("bytes('a')", 'there is no function "bytes"', ""),
    ("optional.of(1)", '"optional" refers to nothing', ""),
    ("labels.id + 1", "mixes kinds of values that do not go together", ""),
    ("params.n > '3'", "mixes kinds of values", ""),
    ("params.host > 3", "mixes kinds of values", ""),
    ("!params.n", "mixes kinds of values", ""),
    ("params.n ? 1 : 2", "mixes kinds of values", ""),
    ("1.0 + 1", "mixes kinds of values", ""),
    ("string([1])", "mixes kinds of values", ""),
    ("labels.id[0]", "mixes kinds of values", ""),
    ("'a' in 'abc'", "mixes kinds of values", ""),
    ("params.host.matches('(')", "holds a regular expression that cannot be read", ""),
    ("timestamp('2026-01-01T00:00:00Z')", "is a moment or a duration, not text", "write string(timestamp("),
    ("duration('1h')", "is a moment or a duration, not text", ""),
    ("b'abc'", "is of a kind (bytes) that cannot be used here", ""),
    ("{1: 2}", "is a mapping whose keys are not text", ""),
    ("[1].map(labels, labels)", "the variable labels hides labels", "name it differently"),
    ("[1].map(x, [2].map(y, x + y))", "a comprehension stands inside another", "one level is allowed"),
    ("labels.all(k, labels.all(j, j == k))", "a comprehension stands inside another", ""),
    ("[1]" + ".map(x, x)" * (MOST_MACROS + 1), f"has {MOST_MACROS + 1} comprehensions", f"at most {MOST_MACROS}"),
    ("'" + "x" * LONGEST + "'", f"an expression of {LONGEST + 2} characters is too long", f"at most {LONGEST}"),
    ("(" * 400 + "1" + ")" * 400, "is not a CEL expression", ""),
    ("Foo{a: 1}", "refers to nothing", ""),
]


@pytest.mark.parametrize(("text", "what", "right"), NEVER)
def test_what_can_never_work_is_a_fault_when_it_is_loaded(text: str, what: str, right: str) -> None:
    with pytest.raises(Fault) as caught:
        compile_cel(text, SHAPE)

    assert what in caught.value.what
    assert right in caught.value.right


@pytest.mark.parametrize(
    "text",
    [
        "int(labels.id)",
        "double(labels.id)",
        "1 / (params.n - 3)",
        "[1][params.n]",
        "labels[params.host]",
        "duration(labels.t)",
    ],
)
def test_what_only_depends_on_the_value_is_no_fault_yet(text: str) -> None:
    """Typical values are only typical: another one may do."""
    assert compile_cel(text, {**SHAPE, "params": {"host": "web", "n": 3}}).text == text


AT_NIGHT = [
    ("labels.nope", '${labels.nope}: "nope" is not there'),
    ("labels.nope == 'x'", '"nope" is not there'),
    ("labels[params.host]", '"web-1" is not there'),
    ("int(params.host)", "cannot be evaluated"),
    ("1 / (params.n - 4)", "divides by zero"),
    ("[1, 2][params.n]", "has no value here"),
    ("duration(params.host)", "cannot be evaluated"),
    ("params.n * 9223372036854775807", "cannot be evaluated"),
    ("double(params.n) * 1e308 * 10.0", "is not a finite number"),
]


@pytest.mark.parametrize(("text", "said"), AT_NIGHT)
def test_what_has_no_value_now_is_a_fault_that_names_the_expression(text: str, said: str) -> None:
    with pytest.raises(Fault, match=r"^\$\{") as caught:
        compile_cel(text, SHAPE).value(SCOPE)

    assert said in str(caught.value)
    assert text in str(caught.value)


def test_an_error_is_not_swallowed_into_a_yes() -> None:
    """CEL lets `||` absorb an error; what refers to nothing is therefore found before."""
    condition = compile_condition("labels.a == 'x' || labels.b == 'y'", SHAPE)

    assert condition.holds({**SCOPE, "labels": {"a": "z", "b": "y"}}) is True
    with pytest.raises(Fault):
        condition.holds({**SCOPE, "labels": {"a": "z"}})


def test_values_that_are_too_large_are_refused() -> None:
    text, items = compile_cel("labels.id + labels.id", SHAPE), compile_cel("labels.map(k, k)", SHAPE)

    with pytest.raises(Fault, match=f"at most {LONGEST_TEXT}"):
        text.value({**SCOPE, "labels": {"id": "x" * (LONGEST_TEXT - 1)}})
    with pytest.raises(Fault, match=f"at most {LONGEST_LIST}"):
        items.value({**SCOPE, "labels": {str(n): "" for n in range(LONGEST_LIST + 1)}})
    with pytest.raises(Fault, match=f"at most {LONGEST_TEXT}"):
        compile_cel("labels.id", SHAPE).value({**SCOPE, "labels": {"id": "x" * (LONGEST_TEXT + 1)}})


@pytest.mark.parametrize(
    "odd", [float("nan"), float("inf"), b"x", "\ud800", datetime(2026, 1, 1, tzinfo=UTC), object()]
)
def test_a_value_that_is_not_plain_json_is_refused(odd: object) -> None:
    with pytest.raises(Fault):
        compile_cel("labels.id", SHAPE).value({"labels": {"id": odd}})


# -- conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "holds"), [(text, value) for text, value in VALUES if isinstance(value, bool)])
def test_a_condition_is_true_or_false(text: str, holds: bool) -> None:
    assert compile_condition(text, SHAPE).holds(SCOPE) is holds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("params.host", "text"),
        ("params.n", "a number"),
        ("params.x * 2.0", "a number"),
        ("[true]", "a list or a mapping"),
    ],
)
def test_a_condition_that_is_neither_is_a_fault_when_it_is_loaded(text: str, kind: str) -> None:
    with pytest.raises(Fault) as caught:
        compile_condition(text, SHAPE)

    assert caught.value.what == f"`{text}` is {kind}, not true or false"
    assert caught.value.right == "compare it, for example with =="


@pytest.mark.parametrize("value", ["true", 1, 0, None, "", [True]])
def test_a_condition_that_turns_out_to_be_neither_is_no_yes(value: object) -> None:
    """Promise 11: a guard that cannot know denies. Only true is true."""
    condition = compile_condition("params.on", SHAPE)

    with pytest.raises(Fault, match="neither true nor false"):
        condition.holds({"params": {"on": value}})


def test_a_condition_keeps_its_text() -> None:
    assert compile_condition("params.n > 3", SHAPE).text == "params.n > 3"


# -- the fast way -----------------------------------------------------------------------------------------------------

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5) | st.binary(max_size=2)
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


def slow(text: str, scope: Mapping[str, Any]) -> Any:
    """What CEL says by itself; a marker where it, or a bound of ours, refuses."""
    try:
        value = cel.compile(text).execute(dict(scope))
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError, LookupError):
        return "refused"
    return value


@settings(PATIENT, max_examples=150)
@given(
    st.dictionaries(st.sampled_from("abc"), TREES, max_size=3), st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
)
def test_following_fields_gives_exactly_what_cel_gives(tree: dict[str, Any], path: list[str]) -> None:
    text, scope = ".".join(["root", *path]), {"root": tree}
    expected = slow(text, scope)
    try:
        found = compile_cel(text, {"root": OPEN} if len(path) == 1 else {"root": _shape(path)}).value(scope)
    except Fault:
        # Refused by CEL, or by a bound: not finite, not plain JSON.
        assert expected == "refused" or not isinstance(expected, bool | int | str)
        return
    assert found == expected
    assert type(found) is type(expected)


def _shape(path: list[str]) -> Any:
    inner: Any = OPEN
    for name in reversed(path[:-1]):
        inner = {name: inner}
    return inner


@PATIENT
@given(
    st.dictionaries(st.sampled_from(["id", "host", "x"]), st.text(max_size=4), max_size=3),
    st.sampled_from(
        [
            "labels.id + labels.host",
            "has(labels.id) ? labels.id : labels.host",
            "'id' in labels && labels.id == ''",
            "size(labels) + size(labels.id)",
            "labels.id == labels.x || labels.host == ''",
            "labels.all(k, labels[k] != '')",
            "[labels.id, labels.host].exists(v, v == '')",
        ]
    ),
)
def test_handing_over_only_what_is_named_changes_nothing(labels: dict[str, str], text: str) -> None:
    expected = slow(text, {"labels": labels})
    try:
        found = compile_cel(text, {"labels": OPEN}).value({"labels": labels})
    except Fault:
        assert expected == "refused"
    else:
        assert found == expected


def test_a_long_computation_is_impossible() -> None:
    """The library holds the interpreter while it runs. What the bounds allow ends long before a test's deadline."""
    worst = "labels.filter(k, labels[k] != 'a').map(k, labels[k] + k).filter(k, k.contains('1')).exists(k, k == 'zzz')"
    labels = {f"label{n}": "x" * 100 for n in range(1000)}

    assert compile_cel(worst, SHAPE).value({"labels": labels}) is False
