"""The terminal shows what is meant: columns that line up, at most 100 wide, and nothing that obeys an alert."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest

from paramedic.cli.output import WIDTH, block, coloured, cut, line, paint, plain, table, width, wrap
from paramedic.console.tones import tone_of
from paramedic.core.decision import Entry

AT = datetime(2026, 5, 12, 2, 14, 7, 900_000, tzinfo=UTC)
HOSTILE = "a\x1b[31mb\x07\u202ec\u2066\u200d\x9b2J\r\nd\x00"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_an_entry_stands_in_columns() -> None:
    shown = line(Entry("alert", "HighErrorRate shop/api is firing (critical)", "alertmanager main"), AT)

    assert shown == (
        "   02:14:07  alert     HighErrorRate shop/api is firing (critical)                 alertmanager main"
    )
    assert width(shown) == WIDTH


def test_times_are_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))

    assert line(Entry("alert", "x"), there).startswith("   02:14:07  alert")


def test_without_a_note_nothing_is_at_the_right() -> None:
    assert line(Entry("apply", "done, revision 3"), AT) == "   02:14:07  apply     done, revision 3"


def test_a_long_text_goes_on_below_itself() -> None:
    shown = line(Entry("page", "level 1 sre-primary: " + "ServiceDown shop/payments was not treated. " * 4, "dry"), AT)
    first, *others = shown.split("\n")

    assert first.startswith("   02:14:07  page      level 1 sre-primary: ServiceDown")
    assert all(other.startswith(" " * 23) and other[23] != " " for other in others)
    assert others[-1].endswith("  dry")
    assert all(width(each) <= WIDTH for each in (first, *others))


def test_a_note_that_does_not_fit_gets_a_line_of_its_own() -> None:
    text, note = "x" * 60, "reserved main/shop/deployment/api"

    first, second = line(Entry("plan", text, note), AT).split("\n")

    assert first.endswith(text)
    assert second == note.rjust(WIDTH)


def test_a_note_of_any_length_stays_inside() -> None:
    assert all(width(each) <= WIDTH for each in line(Entry("plan", "x", "n" * 500), AT).split("\n"))


def test_a_text_of_several_lines_keeps_them() -> None:
    shown = line(Entry("guards", "refused by not_firing\na restart would act on a broken cluster"), AT)

    assert shown.split("\n")[1] == " " * 23 + "a restart would act on a broken cluster"


def test_a_long_kind_pushes_its_own_line_only() -> None:
    shown = line(Entry("acknowledged", "by alice " + "x" * 200), AT).split("\n")

    assert shown[0].startswith("   02:14:07  acknowledged by alice")
    assert all(width(each) <= WIDTH for each in shown)


@pytest.mark.parametrize("field", ["kind", "text", "note"])
def test_nothing_in_an_entry_reaches_the_terminal_as_an_instruction(field: str) -> None:
    words = {"kind": "note", "text": "x", "note": "y", field: HOSTILE}
    shown = line(Entry(words["kind"], words["text"], words["note"]), AT)

    assert all(char.isprintable() for char in shown.replace("\n", ""))


def test_colour_never_stands_alone_and_never_moves_a_column() -> None:
    entry = Entry("page", "level 1 sre-primary", "dry")
    plainly, coloured_line = line(entry, AT), line(entry, AT, colour=True)

    assert "\x1b[31mpage\x1b[0m" in coloured_line
    for tone in ("\x1b[31m", "\x1b[2m", "\x1b[0m"):
        coloured_line = coloured_line.replace(tone, "")
    assert coloured_line == plainly


@pytest.mark.parametrize(
    ("kind", "tone"),
    [
        ("page", "red"),
        ("approval", "red"),
        ("refused", "red"),
        ("unknown", "red"),
        ("waits", "yellow"),
        ("snoozed", "yellow"),
        ("resolved", "green"),
        ("closed", "green"),
        ("alert", ""),
        ("whatever", ""),
    ],
)
def test_what_needs_a_person_is_red_what_waits_is_yellow_what_is_done_is_green(kind: str, tone: str) -> None:
    assert tone_of(kind) == tone


@pytest.mark.parametrize(
    ("stream", "environment", "wanted"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"TERM": "xterm-256color"}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(stream: io.StringIO, environment: dict[str, str], wanted: bool) -> None:
    assert coloured(stream, environment) is wanted


@pytest.mark.parametrize(
    ("tone", "colour", "painted"),
    [("red", True, "\x1b[31mx\x1b[0m"), ("red", False, "x"), ("", True, "x"), ("beige", True, "x")],
)
def test_paint(tone: str, colour: bool, painted: str) -> None:
    assert paint("x", tone, colour) == painted


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("größe", 5),
        ("変更", 4),
        ("e\u0301", 1),
        ("→", 1),
        ("\uff41", 2),
        ("a\u0300\u0301\u0302", 1),
    ],
)
def test_width_is_what_a_terminal_takes(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("変更変更", 5, "変更…"),
        ("変更変更", 4, "変…"),
        ("ab cd", 4, "ab…"),
        ("", 0, ""),
    ],
)
def test_cut_says_that_something_is_left_off(text: str, most: int, kept: str) -> None:
    assert cut(text, most) == kept
    assert width(cut(text, most)) <= most


@pytest.mark.parametrize(
    ("text", "most", "lines"),
    [
        ("", 5, [""]),
        ("ab cd", 5, ["ab cd"]),
        ("ab cd", 4, ["ab", "cd"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("x abcdefg y", 3, ["x", "abc", "def", "g y"]),
        ("変更 変更", 5, ["変更", "変更"]),
        ("変更変更", 5, ["変更", "変更"]),
    ],
)
def test_wrap_breaks_at_spaces_and_long_words_where_it_must(text: str, most: int, lines: list[str]) -> None:
    assert wrap(text, most) == lines


def test_plain_is_one_line_whatever_comes() -> None:
    assert plain(HOSTILE).isprintable()
    assert len(plain("x" * 10_000)) == 4000


def test_evidence_shows_what_is_not_text() -> None:
    shown = block("plain\n\x1b[31mred\x07\n\tindented\u202e\n" + "x" * 200, 4, 10)

    assert shown[:3] == ["    plain", "    \\x1b[31mred\\x07", "        indented\\u202e"]
    assert shown[3].endswith("…")
    assert all(width(each) <= WIDTH for each in shown)


def test_evidence_is_cut_and_says_so() -> None:
    assert block("a\nb\nc\nd", 2, 2) == ["  a", "  b", "  … 2 more lines"]
    assert block("", 2, 5) == []


def test_a_table_lines_up_whatever_is_in_it() -> None:
    lines = table([("P1", "INC-3", "変更"), ("P2", "INC-12345", "x\x1b[31m"), ("", "", "y" * 50)], (2, 8, 10))

    assert lines == ["P1  INC-3     変更", "P2  INC-123…  x [31m", "              yyyyyyyyy…"]


def test_an_empty_table() -> None:
    assert table([], (2, 2)) == []
