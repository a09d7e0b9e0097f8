"""What a model refuses is said in plain words, at the column of the key or value, whatever pydantic calls it."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from paramedic.catalog.documents import read
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import NAME, SETTING, Entry
from paramedic.catalog.wording import validated
from paramedic.durations import Duration
from paramedic.matchers import Matchers


def only_odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("it must be odd")
    return value


def sour(value: str) -> str:
    raise PydanticCustomError("taste", "no", {"what": f"{value} is not sour", "right": "write lemon"})


def plain(value: str) -> str:
    raise PydanticCustomError("strange", "Input should be something that pydantic says")


class Inner(Entry):
    depth: int = 0
    label: str = ""


class Outer(Entry):
    name: Annotated[str, Field(pattern=NAME)]
    word: str = ""
    count: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    finite: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    on: bool = True
    colour: Literal["red", "green"] = "red"
    only: Literal["this"] = "this"
    short: Annotated[str, Field(min_length=1, max_length=5)] = "x"
    long: Annotated[str, Field(min_length=2)] = "xx"
    many: list[int] = Field([1, 2], min_length=2, max_length=3)
    inner: Inner | None = None
    inners: list[Inner] = Field([])
    named: dict[str, Inner] = Field({})
    either: str | int | list[str] = ""
    wait: Annotated[Duration, Field(ge=1, le=300)] = 1.0
    setting: Annotated[str, Field(pattern=SETTING)] = "X"
    fits: Annotated[str, Field(pattern="^a+$")] = "a"
    match: Matchers | None = None
    odd: Annotated[int, AfterValidator(only_odd)] = 1
    taste: Annotated[str, AfterValidator(sour)] = ""
    strange: Annotated[str, AfterValidator(plain)] = ""
    alias_: str = Field("", alias="alias")


def said(text: str, model: type[BaseModel] = Outer) -> list[str]:
    faults = Faults()
    (document,) = read("f", text, faults)
    validated("f", document.root, model, faults, "thing")
    return [str(fault).removeprefix("f:") for fault in faults.sorted()]


def test_what_is_right_comes_back_as_the_model() -> None:
    faults = Faults()
    (document,) = read("f", "name: a\ninner: {depth: 2}\nalias: b\n", faults)
    found = validated("f", document.root, Outer, faults, "thing")

    assert found is not None
    assert (found.name, found.inner and found.inner.depth, found.alias_) == ("a", 2, "b")
    assert not faults.found


KEYS = {
    "word: a\n": ['1:1: thing has no "name"; needed: name'],
    "name: a\nnmae: b\n": ['2:1: unknown key "nmae"; did you mean "name"?'],
    "nmae: b\n": ['1:1: unknown key "nmae"; did you mean "name"?'],
    "name: a\ninner: {dpeth: 1}\n": ['2:9: unknown key "dpeth"; did you mean "depth"?'],
    "name: a\ninners: [{depth: 1}, {zzz: 1}]\n": ['2:23: unknown key "zzz"; keys: depth, label'],
    "name: a\nnamed: {x: {labl: y}}\n": ['2:13: unknown key "labl"; did you mean "label"?'],
    "name: a\nalias_: b\n": ['2:1: unknown key "alias_"; did you mean "alias"?'],
    "name: a\nword: b\nname_: c\n": ['3:1: unknown key "name_"; did you mean "name"?'],
}


@pytest.mark.parametrize(("text", "faults"), KEYS.items())
def test_keys(text: str, faults: list[str]) -> None:
    assert said(text) == faults


VALUES: dict[str, str] = {
    "word: 5": "word must be text, not 5; quote it",
    "word: 1.5": "word must be text, not 1.5; quote it",
    "word: true": "word must be text, not true; quote it",
    "word: [a]": "word must be text, not a list",
    "word: {a: b}": "word must be text, not a mapping",
    "word:": "word must be text, not nothing",
    "count: a": 'count must be a whole number, not "a"',
    "count: '5'": 'count must be a whole number, not "5"',
    "count: 1.5": "count must be a whole number, not 1.5",
    "count: true": "count must be a whole number, not true",
    "count: 0": "count must be at least 1, not 0",
    "count: 10": "count must be at most 9, not 10",
    "share: a": 'share must be a number, not "a"',
    "share: 0": "share must be more than 0, not 0",
    "share: 1": "share must be less than 1, not 1",
    "on: 'yes'": 'on must be true or false, not "yes"',
    "on: 1": "on must be true or false, not 1",
    "colour: blue": 'colour must be one of red, green, not "blue"',
    "colour: reed": 'colour must be one of red, green, not "reed"; did you mean "red"?',
    "colour: 5": "colour must be one of red, green, not 5",
    "only: that": 'only must be "this", not "that"',
    "short: ''": "short must be at least 1 character",
    "short: abcdefg": "short must be at most 5 characters",
    "long: a": "long must be at least 2 characters",
    "many: [1]": "many must be a list of at least 2 items",
    "many: [1, 2, 3, 4]": "many must be a list of at most 3 items",
    "many: 1": "many must be a list, not 1",
    "many: [1, a]": 'many, item 2 must be a whole number, not "a"',
    "inner: a": 'inner must be a mapping of keys to values, not "a"',
    "inners: [a]": 'inners, item 1 must be a mapping of keys to values, not "a"',
    "inners: [{depth: x}]": 'depth must be a whole number, not "x"',
    "named: [a]": "named must be a mapping of keys to values, not a list",
    "either: 1.5": "either must be text, a whole number or a list, not 1.5",
    "either: {a: b}": "either must be text, a whole number or a list, not a mapping",
    "either: [1]": "either, item 1 must be text, not 1; quote it",
    "wait: soon": 'wait: "soon" is not a duration; write for example 30s, 15m, 2h30m or 1w',
    "wait: [1m]": "wait: this is not a duration; write for example 30s, 15m, 2h30m or 1w",
    "wait: 10m": 'wait must be at most 5m, not "10m"',
    "wait: 400": "wait must be at most 300, not 400",
    "wait: 0s": 'wait must be at least 1s, not "0s"',
    "setting: s3cret": "setting must be the name of a setting, such as HOOK_TOKEN, and never the secret itself",
    "fits: b": 'fits must be text that fits ^a+$, not "b"',
    "match: [a]": 'a is not a matcher; write NAME="VALUE" with one of = != =~ !~',
    "match: a": 'match must be a list, not "a"',
    "odd: 2": "odd: it must be odd",
    "taste: sugar": "taste: sugar is not sour; write lemon",
    "strange: a": 'strange must be something else, not "a"',
}


@pytest.mark.parametrize(("line", "fault"), VALUES.items())
def test_values(line: str, fault: str) -> None:
    column = line.index(":") + 3
    found = said(f"name: a\n{line}\n")

    assert len(found) == 1
    place, _, words = found[0].partition(": ")
    assert words == fault
    assert place.startswith("2:")
    assert int(place[2:]) >= min(column, len(line))


def test_a_value_with_an_expression_is_said_to_have_been_tried() -> None:
    assert said("name: a\ncolour: 'b ${x}'\n") == [
        '2:9: colour must be one of red, green, not "b ${x}"; a typical value was tried; '
        "write it out, or give its parameter a default that is right here"
    ]


def test_all_faults_come_at_once_in_their_order() -> None:
    text = "count: a\nword: 5\nzzz: 1\ninner: {depth: b, label: 1}\n"

    assert [one.split(" ")[0] for one in said(text)] == ["1:1:", "1:8:", "2:7:", "3:1:", "4:16:", "4:26:"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("text\n", '1:1: a thing must be a mapping of keys to values, not "text"'),
        ("[a]\n", "1:1: a thing must be a mapping of keys to values, not a list"),
        ("5\n", "1:1: a thing must be a mapping of keys to values, not 5"),
    ],
)
def test_what_is_no_mapping_at_all(text: str, fault: str) -> None:
    assert said(text) == [fault]


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = 0

    def model_post_init(self, context: Any) -> None:
        if self.a == 3:
            raise ValueError("three is too many")


def test_a_fault_of_the_whole_stands_at_the_whole() -> None:
    assert said("---\n  a: 3\n", Whole) == ["2:3: thing: three is too many"]


# -- the words themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("cool_down", ["cooldown", "budget"], 'did you mean "cooldown"?'),
        ("COOLDOWN", ["cooldown"], 'did you mean "cooldown"?'),
        ("hook", ["Hook"], 'did you mean "Hook"?'),
        ("zzz", ["b", "a"], "known: a, b"),
        ("zzz", [], "there are none"),
        ("zzz", [f"n{n:02}" for n in range(30)], "known: " + ", ".join(f"n{n:02}" for n in range(20)) + ", …"),
    ],
)
def test_what_may_have_been_meant(word: str, known: list[str], said: str) -> None:
    assert did_you_mean(word, known) == said


def test_what_is_said_when_nothing_is_close() -> None:
    assert did_you_mean("zzz", ["a"], "look elsewhere") == "look elsewhere"
    assert did_you_mean("zzz", ["a"], "") == ""
    assert did_you_mean("aa", ["a"], "") == 'did you mean "a"?'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        ("a\nb\x1b", '"a\\nb\\x1b"'),
        ("é", '"é"'),
        ("x" * 61, '"' + "x" * 59 + '…"'),
        (5, '"5"'),
    ],
)
def test_values_are_shown_on_one_line(value: object, shown: str) -> None:
    assert quoted(value) == shown
