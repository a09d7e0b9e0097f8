"""The log: one line a record whatever is in it, JSON for machines, text for people, and no flood."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.logs import HumanFormat, JsonFormat, Seldom, plain, set_up

HOSTILE = "a\r\nWARNING forged line\x1b[2J\x07\x00\x7f\x85\u2028\u202e\ud800é"


def record(message: str, *arguments: object, failing: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("paramedic.intake.webhook", logging.WARNING, __file__, 1, message, arguments, None)
    made.created = datetime(2026, 11, 22, 2, 14, 7, 250_000, tzinfo=UTC).timestamp()
    if failing:
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            made.exc_info = sys.exc_info()
    return made


class TestPlain:
    def test_ordinary_text_is_left_alone(self) -> None:
        assert plain("Größe ☃ 😀 10 %") == "Größe ☃ 😀 10 %"

    def test_what_moves_a_terminal_is_escaped(self) -> None:
        assert plain(HOSTILE) == ("a\\r\\nWARNING forged line\\x1b[2J\\x07\\x00\\x7f\\x85\\u2028\\u202e\\ud800é")

    def test_a_long_text_is_cut_and_says_so(self) -> None:
        assert plain("x" * 20, most=5) == "xxxxx… (15 more)"

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=[])))
    def test_the_result_is_one_printable_line(self, text: str) -> None:
        assert plain(text).isprintable()


class TestJson:
    def test_a_record_is_an_object(self) -> None:
        assert json.loads(JsonFormat().format(record("%d of %s", 3, "main"))) == {
            "at": "2026-11-22T02:14:07.250+00:00",
            "level": "warning",
            "logger": "paramedic.intake.webhook",
            "message": "3 of main",
        }

    def test_a_failure_has_its_traceback(self) -> None:
        line = json.loads(JsonFormat().format(record("it failed", failing=True)))

        assert line["error"].startswith("Traceback (most recent call last):\n")
        assert "ValueError: a" in line["error"]

    @pytest.mark.parametrize("failing", [False, True])
    def test_it_is_one_line_of_ascii_whatever_is_in_it(self, failing: bool) -> None:
        line = JsonFormat().format(record("%s", HOSTILE, failing=failing))

        assert line.isascii()
        assert line.isprintable()


class TestHuman:
    def test_a_record_is_a_line(self) -> None:
        line = HumanFormat().format(record("source %s is away", "main"))

        assert line == "02:14:07  warning  intake.webhook  source main is away"

    def test_a_failure_is_indented_under_it(self) -> None:
        first, *trace = HumanFormat().format(record("it failed", failing=True)).split("\n")

        assert first == "02:14:07  warning  intake.webhook  it failed"
        assert trace
        assert all(line.startswith("          ") for line in trace)

    @pytest.mark.parametrize("failing", [False, True])
    def test_nobody_can_forge_a_line(self, failing: bool) -> None:
        lines = HumanFormat().format(record("%s", HOSTILE, failing=failing)).split("\n")

        assert all(line.isprintable() for line in lines)
        assert [line for line in lines if not line.startswith("          ")] == lines[:1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestSetUp:
    @pytest.fixture(autouse=True)
    def root(self) -> Iterator[None]:
        """The root logger as it was, afterwards."""
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        yield
        root.handlers[:] = handlers
        root.setLevel(level)

    @pytest.mark.parametrize(("stream", "human"), [(io.StringIO(), False), (Terminal(), True)])
    def test_a_terminal_gets_text_and_a_file_json(self, stream: io.StringIO, human: bool) -> None:
        set_up(stream)
        logging.getLogger("paramedic.test").warning("ready")

        assert stream.getvalue().startswith("{") is not human
        assert stream.getvalue().endswith("\n")

    @pytest.mark.parametrize("human", [True, False])
    def test_it_may_be_said_which(self, human: bool) -> None:
        stream = io.StringIO()
        set_up(stream, human=human)
        logging.getLogger("paramedic.test").warning("ready")

        assert stream.getvalue().startswith("{") is not human

    def test_only_what_is_of_the_level_is_written(self) -> None:
        stream = io.StringIO()
        set_up(stream)
        log = logging.getLogger("paramedic.test")
        log.debug("too fine")
        log.info("worth a line")

        assert stream.getvalue().count("\n") == 1

    def test_twice_is_once(self) -> None:
        old, new = io.StringIO(), io.StringIO()
        set_up(old)
        set_up(new)
        logging.getLogger("paramedic.test").warning("ready")

        assert old.getvalue() == ""
        assert new.getvalue().count("\n") == 1


class Ticking:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class TestSeldom:
    def test_one_line_of_a_kind_and_then_how_many_there_were(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Ticking()
        seldom = Seldom(logging.getLogger("paramedic.test"), clock, every=10)
        for n in range(5):
            seldom.warning("401", f"refused {n}")
        clock.at += 9.9
        seldom.warning("401", "refused still")
        clock.at += 0.2
        seldom.warning("401", "refused again")
        seldom.warning("401", "refused once more")

        assert [entry.getMessage() for entry in caplog.records] == [
            "refused 0",
            "refused again (5 more like this since the last such line)",
        ]

    def test_another_kind_is_another_matter(self, caplog: pytest.LogCaptureFixture) -> None:
        seldom = Seldom(logging.getLogger("paramedic.test"), Ticking())
        for kind in ("401", "413", "401", "413"):
            seldom.warning(kind, kind)

        assert [entry.getMessage() for entry in caplog.records] == ["401", "413"]

    def test_the_count_starts_anew(self, caplog: pytest.LogCaptureFixture) -> None:
        clock = Ticking()
        seldom = Seldom(logging.getLogger("paramedic.test"), clock, every=10)
        for _ in range(3):
            seldom.warning("401", "refused")
            seldom.warning("401", "refused")
            clock.at += 10

        counted = "refused (1 more like this since the last such line)"
        assert [entry.getMessage() for entry in caplog.records] == ["refused", counted, counted]
