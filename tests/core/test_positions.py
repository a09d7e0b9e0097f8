"""Which database is the one we knew: every case in one table, and the words that a person reads."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from paramedic.core.positions import Found, Position, against, decided_since

AT = datetime(2026, 1, 5, 2, 14, tzinfo=UTC)
OURS = Position(who="a1", mark=40, system="7001", wal=0x1_0000_2000, at=AT)


@dataclass(frozen=True)
class Case:
    """What is found, and a part of what speaks against it; nothing does where that is empty."""

    found: Found
    why: str = ""


CASES = {
    "the same, where we left it": Case(Found(40, "7001", 0x1_0000_2000)),
    "the same, and gone on": Case(Found(40, "7001", 0x9_0000_0000)),
    "killed between the mark and the file": Case(Found(41, "7001", 0x1_0000_2100)),
    "a promoted replica that has all": Case(Found(40, "7001", 0x1_0000_2000)),
    "a promoted replica that lacks the end": Case(Found(39, "7001", 0x1_0000_1F00), "is at 1/1F00, and was at 1/2000"),
    "a backup put back": Case(Found(12, "7001", 0x500), "is at 0/500, and was at 1/2000"),
    "a backup put back, and much done since by others": Case(Found(12, "7001", 0x2_0000_0000), "an older copy"),
    "a backup from before we were": Case(Found(0, "7001", 0x2_0000_0000), "an older copy"),
    "a dump loaded elsewhere": Case(Found(40, "8888", 0x1_0000_9000), "another database system (8888) than at 2026-01"),
    "an empty database": Case(Found(0, "8888", 0x100), "another database system"),
    "systems cannot be asked for, all there": Case(Found(40, "", 0x1_0000_2000)),
    "positions cannot be asked for, all there": Case(Found(40, "7001", 0)),
    "positions cannot be asked for, older": Case(Found(39, "7001", 0), "an older copy"),
    "systems cannot be asked for, older": Case(Found(39, "", 0x1_0000_2000), "an older copy"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_speaks_against_a_database(name: str) -> None:
    case = CASES[name]
    why = against(OURS, case.found)
    assert case.why in why
    assert bool(why) == bool(case.why)


def test_the_words_say_when_it_was_known_last() -> None:
    assert against(OURS, Found(12, "7001", 0x500)) == (
        "the database is at 0/500, and was at 1/2000 already, at 2026-01-05 02:14:00 UTC"
    )


@pytest.mark.parametrize(("minutes", "handled"), [(None, False), (-1, False), (0, False), (1, True)])
def test_only_a_freeze_after_we_last_saw_ours_is_about_what_we_find(minutes: int | None, handled: bool) -> None:
    frozen = None if minutes is None else AT + timedelta(minutes=minutes)
    assert decided_since(OURS, Found(12, "7001", 0x500, frozen)) is handled
