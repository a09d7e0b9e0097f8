"""`${}` in a query: where it may stand, and that no value there is ever more than a value."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from paramedic.catalog.load import load_files
from paramedic.catalog.promql import Quoted, read_quotes
from paramedic.catalog.shapes import OPEN, Shape
from paramedic.catalog.templates import Constant, TemplateFault, compile_tree
from paramedic.errors import Fault
from paramedic.plugin import discover
from tests.catalog.texts import PATIENT

SHAPE: Shape = {"params": {"ns": "shop", "n": 3}, "labels": OPEN}
ESCAPES = {"query": "promql"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def rendered(query: str, value: Any = "shop") -> str:
    scope: Mapping[str, Any] = {"params": {"ns": value, "n": 3}, "labels": {}}
    text: str = compile_tree({"query": query}, SHAPE, ESCAPES).render(scope)["query"]
    return text


def unquoted(written: str, quote: str) -> str:
    """What PromQL reads: its own rules, written down a second time. Fails on what it would refuse."""
    named = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", quote: quote}
    text, at = "", 0
    while at < len(written):
        char = written[at]
        assert char not in {quote, "\n"}, "the string ends here"
        if char != "\\":
            text, at = text + char, at + 1
        elif written[at + 1] == "x":
            text, at = text + chr(int(written[at + 2 : at + 4], 16)), at + 4
        else:
            text, at = text + named[written[at + 1]], at + 2
    return text


# -- where it may stand -----------------------------------------------------------------------------------------------

GOOD = [
    ('up{ns="${params.ns}"}', 'up{ns="shop"}'),
    ("up{ns='${params.ns}'}", "up{ns='shop'}"),
    ('up{ns = "${params.ns}"}', 'up{ns = "shop"}'),
    ('up{ns!="${params.ns}"}', 'up{ns!="shop"}'),
    ('up{pod=~"${params.ns}-.*"}', 'up{pod=~"shop-.*"}'),
    ('up{pod!~"^${params.ns}-[0-9]+$"}', 'up{pod!~"^shop-[0-9]+$"}'),
    ('sum(rate(x{a="b",ns="${params.ns}"}[5m]))', 'sum(rate(x{a="b",ns="shop"}[5m]))'),
    ('a{x="${params.ns}"} / b{x="${params.ns}",y=~"${params.n}"}', 'a{x="shop"} / b{x="shop",y=~"3"}'),
    ('{__name__="up",ns="${params.ns}"}', '{__name__="up",ns="shop"}'),
    ('a{x=# a "comment\n"${params.ns}"}', 'a{x=# a "comment\n"shop"}'),
    ('a{x="#${params.ns}"}', 'a{x="#shop"}'),
    ('a{x="\\\\${params.ns}"}', 'a{x="\\\\shop"}'),
    ('a{x=~"\\\\\\\\${params.ns}"}', 'a{x=~"\\\\\\\\shop"}'),
    ('a{x=~"\\\\d${params.ns}"}', 'a{x=~"\\\\dshop"}'),
    ('a{x="it\'s ${params.ns}"}', 'a{x="it\'s shop"}'),
    ('a{y=`\\`,x="${params.ns}"}', 'a{y=`\\`,x="shop"}'),
    ('a{x="$${params.ns}"}', 'a{x="${params.ns}"}'),
]


@pytest.mark.parametrize(("query", "becomes"), GOOD)
def test_it_stands_in_the_value_of_a_matcher(query: str, becomes: str) -> None:
    assert rendered(query) == becomes


OUTSIDE = "stands where its value could become a part of the query"
BAD = [
    ("${params.ns}", OUTSIDE),
    ("up > ${params.n}", OUTSIDE),
    ("up{ns=${params.ns}}", OUTSIDE),
    ('${params.ns}{a="b"}', OUTSIDE),
    ("rate(x[${params.n}m])", OUTSIDE),
    ("sum by (${params.ns}) (x)", OUTSIDE),
    ("x # ${params.ns}", OUTSIDE),
    ('x # "${params.ns}"', OUTSIDE),
    ('{"${params.ns}"}', OUTSIDE),
    ('{"${params.ns}"="x"}', OUTSIDE),
    ('label_replace(x, "a", "$1", "b", "${params.ns}.*")', OUTSIDE),
    ('count_values("${params.ns}", x)', OUTSIDE),
    ('x == "${params.ns}"', OUTSIDE),
    ('x = "${params.ns}"', OUTSIDE),
    ('a{{x="${params.ns}"}}', OUTSIDE),
    ('a{x="y"} == "${params.ns}"', OUTSIDE),
    ('a{x="${params.ns}"} + ${params.n}', OUTSIDE),
    ("a{x=`${params.ns}`}", "stands in backticks, where nothing can be escaped"),
    ('a{x="\\${params.ns}"}', "stands right after a backslash"),
    ('a{x=~"\\\\${params.ns}"}', "stands right after a backslash"),
    ('a{x!~"a\\\\\\\\\\\\${params.ns}"}', "stands right after a backslash"),
    ('a{x="${params.ns}}', 'a quote (") is not closed'),
    ('a{x="b}', 'a quote (") is not closed'),
    ("a{x='b}", "a quote (') is not closed"),
]


@pytest.mark.parametrize(("query", "said"), BAD)
def test_anywhere_else_it_is_a_fault_when_it_is_loaded(query: str, said: str) -> None:
    with pytest.raises(TemplateFault, match=re.escape(said)) as caught:
        compile_tree({"query": query}, SHAPE, ESCAPES)

    assert caught.value.path == ("query",)
    assert caught.value.right


def test_a_query_without_values_stays_as_it_is() -> None:
    query = 'sum(rate(x{code=~"5.."}[5m])) # all of them'

    assert compile_tree({"query": query}, SHAPE, ESCAPES) == Constant({"query": query})


@pytest.mark.parametrize("value", ["", None, ["a"], {"a": 1}])
def test_what_is_empty_or_no_text_is_a_fault(value: Any) -> None:
    """An empty value would match every series that lacks the label."""
    with pytest.raises(Fault, match=r"\$\{params\.ns\}"):
        rendered('up{ns="${params.ns}"}', value)


def test_an_empty_value_says_why() -> None:
    with pytest.raises(Fault, match="an empty value never stands for everything"):
        rendered('up{ns=~"${params.ns}.*"}', "")


def test_what_utf8_cannot_carry_is_a_fault() -> None:
    with pytest.raises(Fault, match="UTF-8"):
        Quoted('"', regex=False).write("a\ud800b")


# -- what a value can be ----------------------------------------------------------------------------------------------

HOSTILE = [
    '"} or vector(1) #',
    "'} or vector(1) #",
    "\\",
    '\\"',
    "a\nb",
    "\x00\x1b[2J\x7f",
    ".*",
    "a|b",
    "a-z",
    "\\E.*",
]


@PATIENT
@given(TEXTS, st.sampled_from("\"'"))
@example('"} or vector(1) #', '"')
@example("\\", '"')
@example("\x00\x7f\r\n\t", "'")
def test_a_value_is_read_back_as_it_was(value: str, quote: str) -> None:
    assert unquoted(Quoted(quote, regex=False).write(value), quote) == value


@PATIENT
@given(TEXTS, TEXTS)
@example(".*", "anything")
@example("a|b", "b")
@example("\\E.*", "E.")
def test_in_a_regular_expression_a_value_matches_itself_and_nothing_else(value: str, other: str) -> None:
    pattern = unquoted(Quoted('"', regex=True).write(value), '"')

    assert re2.fullmatch(pattern, value)
    assert bool(re2.fullmatch(pattern, other)) is (value == other)


@PATIENT
@given(TEXTS)
@example("a-z")
@example("^a")
@example("]")
def test_in_a_class_of_characters_a_value_is_its_characters(value: str) -> None:
    pattern = "[" + unquoted(Quoted('"', regex=True).write(value), '"') + "]"
    matched = {char for char in "abcxyz-^]09" if re2.fullmatch(pattern, char)}

    assert matched == set(value) & set("abcxyz-^]09")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("query", ['x{a="${params.ns}",b="c"}', "x{a=~'.*${params.ns}.*',b=\"c\"}"])
def test_whatever_an_alert_says_the_query_keeps_its_shape(query: str, value: str) -> None:
    """The quotes of the query end where they did: a second look at what came out finds the same strings."""
    text = rendered(query, value)
    strings = re.findall(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', text)

    assert len(strings) == 2
    assert strings[1] == '"c"'
    assert re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', "S", text) in {"x{a=S,b=S}", "x{a=~S,b=S}"}


def test_the_places_are_told_in_order() -> None:
    places = read_quotes(["a{x=~'", None, "',y=\"", None, '"}'], ["one", "two"])

    assert places == [Quoted("'", regex=True), Quoted('"', regex=False)]


BOOK = """\
endpoints: [{name: hook, url: "http://127.0.0.1:9"}]
---
playbook: act
params: {ns: {type: string}, limit: {type: number, default: 0.5}}
target: "hook/${params.ns}"
guards:
  - metric: {name: x, op: ">", threshold: "${params.limit}",
             query: 'QUERY'}
steps: [{http: {endpoint: hook, path: /act}}]
"""


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ('x{a="${params.ns}"}', []),
        ("x{a=${params.ns}}", [f"p.yaml:8:21: ${{params.ns}} {OUTSIDE}"]),
        ('x{a="${params.nss}"}', ["p.yaml:8:21: `params.nss`: params has no field"]),
        ('x{a="b}', ['p.yaml:8:21: a quote (") is not closed']),
    ],
)
def test_a_fault_in_a_playbook_has_its_line_and_column(query: str, faults: list[str]) -> None:
    loaded = load_files({"p.yaml": BOOK.replace("QUERY", query)}, discover())

    assert len(loaded.faults) == len(faults)
    assert all(str(fault).startswith(said) for fault, said in zip(loaded.faults, faults, strict=True)), loaded.faults
