"""Who has the watch: turns by the clock on the wall, through summer time, with overrides."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.core.bundle import Rota
from tests.catalog.texts import PATIENT, bundle, faults

PEOPLE = "people:\n  - {name: alice}\n  - {name: bob}\n  - {name: carol}\n"


def rota(entry: str) -> Rota:
    found = bundle(f"{PEOPLE}  - {{name: r, {entry}}}\n").people["r"].rota
    assert found is not None
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WATCHES = [
    # By the week: 1 January 2024 is a Monday, so the first turn begins there
    ("rota: [alice, bob], turn: 1w, handover: Mon 09:00", "2024-01-01T09:00", "alice"),
    ("rota: [alice, bob], turn: 1w, handover: Mon 09:00", "2024-01-01T08:59:59", "bob"),
    ("rota: [alice, bob], turn: 1w, handover: Mon 09:00", "2024-01-08T08:59", "alice"),
    ("rota: [alice, bob], turn: 1w, handover: Mon 09:00", "2024-01-08T09:00", "bob"),
    ("rota: [alice, bob], turn: 1w, handover: Mon 09:00", "2024-01-15T09:00", "alice"),
    ("rota: [alice, bob]", "2024-01-08T09:00", "bob"),
    ("rota: [alice, bob, carol], handover: Fri 17:30", "2024-01-05T17:30", "alice"),
    ("rota: [alice, bob, carol], handover: Fri 17:30", "2024-01-05T17:29", "carol"),
    ("rota: [alice, bob, carol], handover: Fri 17:30", "2024-01-19T17:30", "carol"),
    ("rota: [alice, bob], turn: 2w", "2024-01-14T12:00", "alice"),
    ("rota: [alice, bob], turn: 2w", "2024-01-15T12:00", "bob"),
    ("rota: [alice], turn: 1w", "2031-05-05T00:00", "alice"),
    # By the day and the shift
    ('rota: [alice, bob], turn: 1d, handover: "09:00"', "2024-01-01T09:00", "alice"),
    ('rota: [alice, bob], turn: 1d, handover: "09:00"', "2024-01-02T08:59", "alice"),
    ('rota: [alice, bob], turn: 1d, handover: "09:00"', "2024-01-02T09:00", "bob"),
    ('rota: [alice, bob], turn: 3d, handover: "00:00"', "2024-01-03T23:59", "alice"),
    ('rota: [alice, bob, carol], turn: 8h, handover: "06:00"', "2024-01-01T06:00", "alice"),
    ('rota: [alice, bob, carol], turn: 8h, handover: "06:00"', "2024-01-01T14:00", "bob"),
    ('rota: [alice, bob, carol], turn: 8h, handover: "06:00"', "2024-01-01T22:00", "carol"),
    ('rota: [alice, bob, carol], turn: 8h, handover: "06:00"', "2024-01-02T06:00", "alice"),
    # From a day on
    ("rota: [alice, bob], starts: 2026-11-23", "2026-11-23T09:00", "alice"),
    ("rota: [alice, bob], starts: 2026-11-23", "2026-11-30T09:00", "bob"),
    ("rota: [alice, bob], starts: 2026-11-24", "2026-11-30T09:00", "alice"),
    ('rota: [alice, bob], turn: 1d, handover: "09:00", starts: 2026-11-25', "2026-11-25T09:00", "alice"),
    # Before its beginning the turns run backwards
    ("rota: [alice, bob], starts: 2026-11-23", "2026-11-20T09:00", "bob"),
    # Elsewhere, and through summer time: the handover stays at nine on the wall
    ("rota: [alice, bob], zone: Europe/London", "2024-07-01T08:00", "alice"),
    ("rota: [alice, bob], zone: Europe/London", "2024-07-01T07:59", "bob"),
    ("rota: [alice, bob], zone: Asia/Kolkata", "2024-01-08T03:30", "bob"),
    ("rota: [alice, bob], zone: Asia/Kolkata", "2024-01-08T03:29", "alice"),
]


@pytest.mark.parametrize(("entry", "moment", "who"), WATCHES)
def test_who_has_the_watch(entry: str, moment: str, who: str) -> None:
    assert rota(entry).on_call(at(moment)) == who


OVERRIDES = """\
  - name: r
    rota: [alice, bob]
    overrides:
      - {person: carol, from: 2024-01-02T00:00Z, to: 2024-01-04T00:00Z}
      - {person: bob, from: 2024-01-03T00:00+01:00, to: 2024-01-03T12:00Z}
"""


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2024-01-01T23:59", "alice"),
        ("2024-01-02T00:00", "carol"),
        ("2024-01-02T22:59", "carol"),
        ("2024-01-02T23:00", "bob"),
        ("2024-01-03T11:59", "bob"),
        ("2024-01-03T12:00", "carol"),
        ("2024-01-04T00:00", "alice"),
    ],
)
def test_an_override_wins_and_the_later_one_over_the_earlier(moment: str, who: str) -> None:
    turns = bundle(PEOPLE + OVERRIDES).people["r"].rota

    assert turns is not None
    assert turns.on_call(at(moment)) == who


ENTRIES = [
    "rota: [alice, bob, carol], zone: Europe/London",
    "rota: [alice, bob], turn: 2w, handover: Sun 23:30, zone: America/New_York",
    'rota: [alice, bob, carol], turn: 1d, handover: "00:00", zone: Australia/Sydney',
]


@PATIENT
@given(st.sampled_from(ENTRIES), st.integers(1_600_000_000, 2_000_000_000))
def test_somebody_always_has_the_watch_and_everybody_gets_it(entry: str, seconds: int) -> None:
    turns, now = rota(entry), datetime.fromtimestamp(seconds, UTC)
    seen = [turns.on_call(now + timedelta(days=n)) for n in range(45)]
    members = {"alice", "bob", "carol"} if "carol" in entry else {"alice", "bob"}

    assert set(seen) == members


@PATIENT
@given(st.integers(0, 400))
def test_a_handover_is_at_the_same_time_on_the_wall_all_year(week: int) -> None:
    """Also in the weeks in which the clock is changed."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/London")
    turns = rota("rota: [alice, bob], zone: Europe/London")
    handover = (datetime(2024, 1, 1, 9, tzinfo=zone) + timedelta(weeks=week)).astimezone(UTC)
    minute = timedelta(minutes=1)

    assert turns.on_call(handover) != turns.on_call(handover - minute)
    assert turns.on_call(handover) == turns.on_call(handover + minute)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("rota: [alice, bbo]", '5:29: there is no person "bbo"; did you mean "bob"?'),
        ("rota: [zzz]", '5:22: there is no person "zzz"; a rota is made of people who have an entry of their own'),
        ("rota: []", "5:21: rota must be a list of at least 1 item"),
        ("rota: alice", '5:21: rota must be a list, not "alice"'),
        ("rota: [alice], zone: Mars", '5:36: zone: there is no time zone "Mars"'),
        (
            "rota: [alice], handover: noon",
            '"noon" is not a handover; write for example "Mon 09:00" or "09:00"',
        ),
        ("rota: [alice], handover: Mum 09:00", 'handover: "Mum" is not a day of the week'),
        ("rota: [alice], handover: Mon 25:00", 'handover: "25:00" is not a time of day'),
        ("rota: [alice], turn: 10d", "turn: the handover names a day, so a turn is made of whole weeks"),
        ("rota: [alice], turn: 12h", "turn: the handover names a day, so a turn is made of whole weeks"),
        ('rota: [alice], turn: 7h, handover: "09:00"', "turn: turns would not meet the handover"),
        ('rota: [alice], turn: 36h, handover: "09:00"', "turn: turns would not meet the handover"),
        ('rota: [alice], turn: 30m, handover: "09:00"', "turn: a turn is shorter than an hour"),
        ("rota: [alice], turn: 0s", "turn must be more than 0"),
        ("rota: [alice], starts: soon", 'starts: "soon" is not a date; write for example 2026-01-05'),
        ("rota: [alice], trun: 1w", '5:30: unknown key "trun"; did you mean "turn"?'),
        ("rota: [alice], email: a@example.org", '5:30: unknown key "email"'),
        ("rota: [alice], overrides: [{person: bob}]", 'overrides, item 1 has no "from"; needed: person, from, to'),
        (
            "rota: [alice], overrides: [{person: zzz, from: 2024-01-02T00:00Z, to: 2024-01-04T00:00Z}]",
            'there is no person "zzz"',
        ),
        (
            "rota: [alice], overrides: [{person: bob, from: 2024-01-02, to: 2024-01-04T00:00Z}]",
            'from: "2024-01-02" is not a moment',
        ),
        (
            "rota: [alice], overrides: [{person: bob, from: 2024-01-04T00:00Z, to: 2024-01-02T00:00Z}]",
            "the override ends before it begins",
        ),
    ],
)
def test_what_is_no_rota(entry: str, fault: str) -> None:
    assert fault in "\n".join(faults(f"{PEOPLE}  - {{name: r, {entry}}}\n"))


def test_a_rota_is_not_made_of_rotas() -> None:
    text = PEOPLE + "  - {name: r, rota: [alice]}\n  - {name: s, rota: [r]}\n"

    assert faults(text) == ['6:22: there is no person "r"; a rota is made of people who have an entry of their own']


def test_nobody_is_said_to_be_missing_while_a_file_cannot_be_read() -> None:
    """He may stand in the part that was not read."""
    assert len(faults("people:\n  - {name: r, rota: [zed]}\n---\npeople: [\n")) == 1
