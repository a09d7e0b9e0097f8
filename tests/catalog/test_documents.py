"""Reading YAML: YAML 1.2's scalars, the place of everything, bounds that hold, and no way to run anything."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.catalog.documents import DEEPEST, LARGEST, MOST_ALIASED, plain_scalar, read
from paramedic.catalog.faults import Faults, Mark
from tests.catalog.texts import PATIENT, documents, values

# -- what plain scalars mean ------------------------------------------------------------------------------------------

SCALARS: list[tuple[str, Any]] = [
    ("text", "text"),
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("no", "no"),
    ("y", "y"),
    ("true", True),
    ("True", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("null", None),
    ("~", None),
    ("NULL", None),
    ("nil", "nil"),
    ("1", 1),
    ("+1", 1),
    ("-17", -17),
    ("007", 7),
    ("0o17", 15),
    ("0x1F", 31),
    ("017", 17),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("190:20:30", "190:20:30"),
    ("0b101", "0b101"),
    ("1.5", 1.5),
    ("-.5", -0.5),
    ("1.", 1.0),
    ("1e3", 1000.0),
    ("1.5E-3", 0.0015),
    ("1e", "1e"),
    (".", "."),
    ("-", "-"),
    ("+", "+"),
    ("1.2.3", "1.2.3"),
    ("2026-12-20", "2026-12-20"),
    ("2026-12-20T00:00Z", "2026-12-20T00:00Z"),
    ("15m", "15m"),
    ("0", 0),
    ("=", "="),
    ("9223372036854775807", 9223372036854775807),
    ("-9223372036854775808", -9223372036854775808),
]


@pytest.mark.parametrize(("written", "meant"), [case for case in SCALARS if case[0] not in ("-",)])
def test_a_plain_scalar_means_what_yaml_1_2_says(written: str, meant: Any) -> None:
    (value,) = values(f"a: {written}\n")

    assert value == {"a": meant}
    assert type(value["a"]) is type(meant)


@pytest.mark.parametrize("written", ["on", "1", "null", "true", "1.5", "~", "", "1e3"])
def test_a_quoted_scalar_is_text(written: str) -> None:
    assert values(f"a: '{written}'\n") == [{"a": written}]
    assert values(f'a: "{written}"\n') == [{"a": written}]


def test_a_key_may_be_any_word() -> None:
    """YAML 1.1 would read these as booleans."""
    assert values("on: 1\noff: 2\nyes: 3\nno: 4\n") == [{"on": 1, "off": 2, "yes": 3, "no": 4}]


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e400", "-1e400", "9223372036854775808", "1" * 40])
def test_a_number_that_nothing_can_use_is_a_fault(number: str) -> None:
    found, faults = documents(f"a: {number}\nb: 1\n")

    assert faults == [f"1:4: {number[:30]} is not a number that anything here can use; quote it if it is a name"]
    assert found[0].root.value["b"] == 1


@PATIENT
@given(st.text(alphabet="0123456789+-.eExoabc_:", min_size=1, max_size=12))
def test_what_a_scalar_means_is_a_number_only_if_it_looks_like_one(text: str) -> None:
    value = plain_scalar(text)

    assert isinstance(value, str | int | float)
    if isinstance(value, str):
        assert value == text


def test_block_texts_and_folding() -> None:
    assert values("a: |\n  one\n  two\nb: >\n  one\n  two\nc: |-\n  end\n") == [
        {"a": "one\ntwo\n", "b": "one two\n", "c": "end"}
    ]


# -- documents --------------------------------------------------------------------------------------------------------


def test_several_documents_and_empty_ones() -> None:
    assert values("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("text", ["", "\n", "# only a remark\n", "---\n", "---\n...\n", "\ufeff"])
def test_nothing_is_no_document(text: str) -> None:
    assert documents(text) == ([], [])


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert values("\ufeffa: 1\n") == [{"a": 1}]


def test_documents_before_a_torn_one_are_kept() -> None:
    found, faults = documents("a: 1\n---\nb: [1\n")

    assert [one.root.value for one in found] == [{"a": 1}]
    assert faults == ['3:4: the list that begins here is not closed; add "]"']


# -- places -----------------------------------------------------------------------------------------------------------

PLACES = """\
rules:
  - name: a
    match: ['x', "é y"]
    with: {host: "${a}", port: 1}
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ([], (1, 1), (1, 1)),
        (["rules"], (2, 3), (1, 1)),
        (["rules", 0], (2, 5), (2, 5)),
        (["rules", 0, "name"], (2, 11), (2, 5)),
        (["rules", 0, "match", 1], (3, 18), (3, 18)),
        (["rules", 0, "with", "port"], (4, 32), (4, 26)),
        (["rules", 0, "with", "nothing"], (4, 11), (4, 11)),
        (["rules", 3], (2, 3), (2, 3)),
        (["nothing", "at", "all"], (1, 1), (1, 1)),
    ],
)
def test_everything_has_its_place(path: list[str | int], value: tuple[int, int], key: tuple[int, int]) -> None:
    found, _ = documents(PLACES)

    assert found[0].root.at(path) == Mark(*value)
    assert found[0].root.key_at(path) == Mark(*key)


def test_columns_count_characters_not_bytes() -> None:
    found, _ = documents("a: {é: '💡💡', b: x}\n")

    assert found[0].root.at(["a", "b"]) == Mark(1, 17)


def test_a_scalar_remembers_how_it_was_written() -> None:
    found, _ = documents("version: 1.10\n")
    node = found[0].root.child(["version"])

    assert node is not None
    assert (node.value, node.raw) == (1.1, "1.10")


# -- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault", "value"),
    [
        ("a: 1\na: 2\n", '2:1: the key "a" stands twice; the first is in line 1; keep one of them', {"a": 1}),
        ("{a: 1, a: 2}\n", '1:8: the key "a" stands twice; the first is in line 1; keep one of them', {"a": 1}),
        ("1: a\n", '1:1: a key must be text, and 1 is not; quote it: "1"', {"1": "a"}),
        ("true: a\n", '1:1: a key must be text, and true is not; quote it: "true"', {"true": "a"}),
        ("? [a]\n: b\n", '1:3: a key must be text; write "key: value"', {"?1:3": "b"}),
        ("<<: {a: 1}\n", '1:1: the key "<<" merges nothing here; write the keys out', {"<<": {"a": 1}}),
    ],
)
def test_a_key_that_is_none_is_a_fault_and_reading_goes_on(text: str, fault: str, value: Any) -> None:
    found, faults = documents(text)

    assert faults == [fault]
    assert found[0].root.value == value


@pytest.mark.parametrize(
    "tag", ["!!str 1", "!!python/object:os.system x", "!secret x", "!<tag:yaml.org,2002:int> 1", "!!set {a: null}"]
)
def test_a_tag_means_nothing_and_makes_nothing(tag: str) -> None:
    found, faults = documents(f"a: {tag}\nb: 1\n")

    assert len(faults) == 1
    assert "means nothing here; write the value without a tag" in faults[0]
    assert found[0].root.value["b"] == 1
    assert isinstance(found[0].root.value["a"], str | dict)


# -- aliases ----------------------------------------------------------------------------------------------------------


def test_an_alias_is_what_it_stands_for() -> None:
    assert values("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n") == [
        {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": [{"k": [1, 2]}, {"k": [1, 2]}]}
    ]


def test_an_anchor_may_be_given_anew_and_ends_with_its_document() -> None:
    assert values("a: &x 1\nb: &x 2\nc: *x\n") == [{"a": 1, "b": 2, "c": 2}]
    assert documents("a: &x 1\n---\nb: *x\n")[1] == [
        "3:4: there is no anchor &x before this; write &x at what it stands for"
    ]


def test_anchors_that_explode_are_refused_before_they_do() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 30)]
    found, faults = documents("\n".join(rows) + "\n")

    assert found == []
    assert len(faults) == 1
    assert f"stand for more than {MOST_ALIASED} values" in faults[0]


def test_an_anchor_inside_itself_is_refused() -> None:
    assert documents("a: &a {b: {c: *a}}\n")[1] == ["1:15: the anchor &a contains itself; write the value out"]


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_depth_is_bounded() -> None:
    within = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)

    assert documents(f"a: {within}\n")[1] == []
    assert "nested more than" in documents(f"a: [{within}]\n")[1][0]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "? " * 100_000])
def test_no_nesting_can_exhaust_us(text: str) -> None:
    found, faults = documents(text)

    assert found == []
    assert len(faults) == 1


def test_size_is_bounded() -> None:
    _, faults = documents("#" * (LARGEST + 1))

    assert faults == [
        f"1:1: the file has {LARGEST + 1} characters; at most {LARGEST}; make several files",
    ]


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paramedic.catalog.documents.MOST_NODES", 100)

    assert documents("[" + "a," * 98 + "a]")[1] == []
    assert documents("[" + "a," * 99 + "a]")[1] == ["1:200: the file has more than 100 values; make several files"]


def test_half_a_surrogate_pair_is_a_fault_with_its_place() -> None:
    assert documents("a: 1\nb: x\ud800\n")[1] == ["2:5: a character is half of a surrogate pair; remove it"]


@pytest.mark.parametrize(("char", "name"), [("\x00", "U+0000"), ("\x07", "U+0007"), ("\x1b", "U+001B")])
def test_a_control_character_is_a_fault_with_its_place(char: str, name: str) -> None:
    assert documents(f"a: 1\nb: x{char}\n")[1] == [f"2:5: the control character {name} is not allowed; remove it"]


@settings(PATIENT, max_examples=150)
@given(st.text(alphabet=" \n\t:-[]{}&*!|>'\"%@`#,?ab1~.é<\x00\ud800", max_size=60))
def test_no_text_whatever_raises(text: str) -> None:
    """Whatever somebody saves: documents or faults, with places inside the text, and nothing is raised."""
    faults = Faults()
    read("f.yaml", text, faults)

    lines = text.count("\n") + 1
    assert all(1 <= fault.line <= lines + 1 and fault.column >= 1 for fault in faults.sorted())
    assert faults.torn <= bool(faults.found)


WORDS = st.text(alphabet="abé💡 :#-{}[],'\"\\\n\t1~&*!", max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@PATIENT
@given(st.dictionaries(WORDS, JSON, max_size=4))
def test_json_reads_as_itself(value: dict[str, Any]) -> None:
    """YAML 1.2 takes in JSON, so whatever writes JSON can write our files."""
    assert values(json.dumps(value, ensure_ascii=False)) == [value]
