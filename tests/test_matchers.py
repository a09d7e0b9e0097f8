"""Matchers are Alertmanager's own, to the letter: both of its parsers, and RE2 anchored at both ends."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from paramedic.core.matching import Matcher, matches
from paramedic.errors import Fault
from paramedic.matchers import LONGEST, Matchers, Regex, parse_matchers
from tests.catalog.texts import PATIENT


def parsed(text: str) -> list[tuple[str, str, str]]:
    return [(one.name, one.op, one.value) for one in parse_matchers(text)]


# What both parsers read alike, and what only the first one reads.
CLASSIC = {
    'alertname="Down"': [("alertname", "=", "Down")],
    "alertname=Down": [("alertname", "=", "Down")],
    '  alertname  =  "Down"  ': [("alertname", "=", "Down")],
    'job!="api"': [("job", "!=", "api")],
    'job=~"api|web"': [("job", "=~", "api|web")],
    'job!~"api.*"': [("job", "!~", "api.*")],
    'a:b="c"': [("a:b", "=", "c")],
    '_a="c"': [("_a", "=", "c")],
    'job=""': [("job", "=", "")],
    "job=": [("job", "=", "")],
    'a="b",c="d"': [("a", "=", "b"), ("c", "=", "d")],
    'a="b", c!="d" , e=~"f"': [("a", "=", "b"), ("c", "!=", "d"), ("e", "=~", "f")],
    '{a="b",c="d"}': [("a", "=", "b"), ("c", "=", "d")],
    '{a="b",}': [("a", "=", "b")],
    'a="b",': [("a", "=", "b")],
    'a="b,c"': [("a", "=", "b,c")],
    'a="b}c"': [("a", "=", "b}c")],
    'a="two words"': [("a", "=", "two words")],
    "a=two words": [("a", "=", "two words")],
    r'a="say \"no\""': [("a", "=", 'say "no"')],
    r'a="back\\slash"': [("a", "=", r"back\slash")],
    r'a="line\nbreak"': [("a", "=", "line\nbreak")],
    r'a="\d+\t"': [("a", "=", r"\d+\t")],
    r"a=\d+": [("a", "=", r"\d+")],
    r"a=end\\": [("a", "=", "end\\")],
    "a=b=c": [("a", "=", "b=c")],
    "a=~b{2}": [("a", "=~", "b{2}")],
    'a="groß 💡"': [("a", "=", "groß 💡")],
    'a="b\nc"': [("a", "=", "b\nc")],
}

# What only the newer one reads: names in quotes, Go's escapes.
NEWER = {
    '"a"="b"': [("a", "=", "b")],
    '"with space"="b"': [("with space", "=", "b")],
    '"größe"=~"x.*"': [("größe", "=~", "x.*")],
    'größe="b"': [("größe", "=", "b")],
    '{"a"="b", c="d"}': [("a", "=", "b"), ("c", "=", "d")],
    '"a"=b': [("a", "=", "b")],
    '"a,b"="c"': [("a,b", "=", "c")],
    r'"a\"b"="c"': [('a"b', "=", "c")],
    r'"a"="\u00e9\x41\101\U0001F4A1"': [("a", "=", "éAA💡")],
    r'"a"="\xc3\xa9"': [("a", "=", "é")],
    r'"a"="\a\b\f\n\r\t\v\\"': [("a", "=", "\a\b\f\n\r\t\v\\")],
    '"1a"!~"b"': [("1a", "!~", "b")],
}


@pytest.mark.parametrize(("text", "expected"), CLASSIC.items())
def test_the_classic_parser(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize(("text", "expected"), NEWER.items())
def test_the_newer_parser(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert parsed(text) == expected


def test_where_both_can_read_a_text_the_classic_one_counts() -> None:
    r"""In `\t` the classic parser sees a backslash and a t, the newer one a tab; Alertmanager takes the former."""
    assert parsed(r'a="\t"') == [("a", "=", r"\t")]
    assert parsed(r'"a"="\t"') == [("a", "=", "\t")]


WRONG = {
    "": ("a matcher is empty", "write NAME="),
    "   ": ("a matcher is empty", ""),
    "{}": ("a matcher is empty", ""),
    "alertname": ("alertname is not a matcher", "one of = != =~ !~"),
    '"alertname"': ("is not a matcher", ""),
    'job=="api"': ('job=="api" is not a matcher', ""),
    'job="api': ("cannot be read", ""),
    'job=api"': ("is not a matcher: position 8 cannot be read", ""),
    '"job="api"': ("is not a matcher", ""),
    '="api"': ("is not a matcher", ""),
    '""="api"': ("is not a matcher", ""),
    '1job="api" x': ("is not a matcher", ""),
    '{"job"="api"': ("opens a brace and does not close it", ""),
    '"job"="api"}': ("is not a matcher", "a comma"),
    '"a"="b" "c"="d"': ("is not a matcher", "a comma between two"),
    '"a"="b",,"c"="d"': ("is not a matcher", ""),
    r'"a"="\q"': (r"unknown escape \q", r"written \\"),
    r'"a"="\777"': ("unknown escape", ""),
    r'"a"="\ud800"': ("an escape that is not a character", ""),
    r'"a"="\UFFFFFFFF"': ("an escape that is not a character", ""),
    r'"a"="\xff"': ("an escape that is not a character", ""),
    "a=~(": ('matcher a=~"(" is not a regular expression: missing ) at position 1', ""),
    'a!~"[z-a]"': ("invalid character class range at position 2", ""),
    'a=~"*"': ("no argument for repetition operator at position 1", ""),
    'a=~"b**"': ("bad repetition operator at position 2", ""),
    'a=~"(?=b)"': ("invalid perl operator at position 1", "no look-around and no back-references"),
    r'a=~"(b)\\1"': ("invalid escape sequence at position 4", "no look-around and no back-references"),
    'a=~"b{1001}"': ("invalid repetition size at position 2", ""),
    "a=~((b{100}){100}){100}": ("is not a regular expression", ""),
}


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_a_wrong_matcher_is_a_fault_that_says_what_would_be_right(text: str, said: tuple[str, str]) -> None:
    with pytest.raises(Fault) as caught:
        parse_matchers(text)

    assert said[0] in caught.value.what
    assert said[1] in caught.value.right


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(Fault, match="too long"):
        parse_matchers('a="' + "b" * LONGEST + '"')


def test_a_long_wrong_text_is_cut_in_its_fault() -> None:
    with pytest.raises(Fault) as caught:
        parse_matchers("x" * 1000)

    assert len(caught.value.what) < 120


def test_re2_does_not_write_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fault):
        parse_matchers("a=~(((")

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "labels", "accepted"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {"a": "B"}, False),
        ('a=""', {}, True),
        ('a!=""', {}, False),
        ('a!="b"', {}, True),
        ('a=~"b"', {"a": "abc"}, False),
        ('a=~".*b.*"', {"a": "abc"}, True),
        ('a=~"b|"', {}, True),
        ('a!~"b"', {}, True),
        ('a!~".+"', {"a": "x"}, False),
        ('a=~"(?i)B"', {"a": "b"}, True),
        ('a=~"a.c"', {"a": "a\nc"}, False),
        ('a=~"(?s)a.c"', {"a": "a\nc"}, True),
        ('a="b",c="d"', {"a": "b", "c": "d"}, True),
        ('a="b",c="d"', {"a": "b"}, False),
    ],
)
def test_labels_are_judged_as_alertmanager_judges_them(text: str, labels: dict[str, str], accepted: bool) -> None:
    """An absent label is the empty text; an expression must fit the whole value."""
    assert matches(parse_matchers(text), labels) is accepted


@PATIENT
@given(st.text(min_size=1, max_size=20), st.sampled_from(["=", "!=", "=~", "!~"]), st.text(max_size=20))
def test_what_a_matcher_shows_reads_as_itself(name: str, op: str, value: str) -> None:
    """`explain` and timelines show matchers; whoever copies one gets the same. Names beyond Prometheus' are quoted."""
    try:
        made = parse_matchers(str(Matcher("name", "=", value)))[0]
    except Fault:
        return

    assert made.value == value


# -- the fast ways past RE2 -------------------------------------------------------------------------------------------

PATTERNS = st.one_of(
    st.sampled_from([".*", ".+", "a.*", "a.+", "a|b", "a b|c", "a", "api-.*", "", "a||b", "a,b", "-", "a:b/c@d"]),
    st.text(alphabet="ab|.*+- ", max_size=8),
)


@PATIENT
@given(PATTERNS, st.text(alphabet="ab\n -|.é", max_size=8))
def test_lists_and_beginnings_are_matched_exactly_as_re2_does(pattern: str, text: str) -> None:
    try:
        regex = Regex(pattern)
    except Fault:
        return
    options = re2.Options()
    options.log_errors = False
    theirs = re2.compile(pattern, options)

    assert (regex.fullmatch(text) is not None) == (theirs.fullmatch(text) is not None)
    assert (regex.search(text) is not None) == (theirs.search(text) is not None)


@pytest.mark.parametrize("pattern", ["a.*", "a|b", "[ab]", "(a)"])
def test_half_a_surrogate_pair_is_no_reason_to_fail(pattern: str) -> None:
    """A label may hold what is no character; it must not be able to stop the turn."""
    assert Regex(pattern).fullmatch("a\ud800") is (True if pattern == "a.*" else None)
    assert Regex("[a]").search("\ud800a") is True


def test_an_expression_that_is_only_a_list_says_so() -> None:
    assert Regex("a|b-c").literals == frozenset(("a", "b-c"))
    assert Regex("a|b.*").literals is None
    assert Regex("").literals is None


def test_half_a_surrogate_pair_in_an_expression_is_a_fault() -> None:
    with pytest.raises(Fault, match="not UTF-8"):
        Regex("\ud800")


def test_the_place_is_the_end_where_something_is_missing() -> None:
    with pytest.raises(Fault) as caught:
        Regex("api-(.*")

    assert caught.value.what == "missing ) at position 7"


# -- as a field of a model --------------------------------------------------------------------------------------------


class Model(BaseModel):
    match: Matchers


def test_a_model_takes_a_list_of_texts_as_one_set() -> None:
    found = Model.model_validate({"match": ['a="b",c="d"', 'e=~"f"']}).match

    assert [str(one) for one in found] == ['a="b"', 'c="d"', 'e=~"f"']


@pytest.mark.parametrize(
    ("value", "where", "kind"),
    [
        (["a=b", "c"], ("match", 1), "matcher"),
        ([5], ("match", 0), "matcher"),
        ([None], ("match", 0), "matcher"),
        ([], ("match",), "too_short"),
        ("a=b", ("match",), "list_type"),
        (None, ("match",), "list_type"),
    ],
)
def test_a_model_says_which_text_is_wrong(value: object, where: tuple[str | int, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"match": value})

    (error,) = caught.value.errors()
    assert (error["loc"], error["type"]) == (where, kind)
    if kind == "matcher":
        assert error["ctx"]["what"]
        assert error["ctx"]["right"]


def test_editors_see_a_list_of_texts() -> None:
    schema = Model.model_json_schema()["properties"]["match"]

    assert (schema["type"], schema["minItems"], schema["items"]["type"]) == ("array", 1, "string")
