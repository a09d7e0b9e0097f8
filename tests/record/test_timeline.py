"""The timeline's chain: nothing can be changed, left out, put in or put elsewhere unseen. Promise 8."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.decision import Entry
from paramedic.core.model import Evidence
from paramedic.record.timeline import chain, decode_entries, encode_entries, first_link, verify
from tests.core.builders import T0, after
from tests.core.story import whole_story

Row = tuple[datetime, bytes, bytes]


@dataclass(frozen=True)
class Written:
    """An incident's rows as they were written, and the hash of the last one."""

    rows: list[Row]
    head: bytes


def written(*bodies: bytes, incident: int = 12) -> Written:
    rows: list[Row] = []
    head = first_link(incident)
    for number, body in enumerate(bodies):
        head = chain(head, after(number), body)
        rows.append((after(number), body, head))
    return Written(rows, head)


FOUR = written(b"one", b"two", b"three", b"four")


def test_a_chain_as_it_was_written_is_whole() -> None:
    assert verify(12, FOUR.rows)
    assert verify(12, FOUR.rows, FOUR.head)


def test_an_incident_without_rows_has_its_first_link_for_a_head() -> None:
    assert verify(12, [], first_link(12))
    assert not verify(12, [], first_link(13))


def test_the_format_is_fixed() -> None:
    """Others verify exports with three lines of their own."""
    first = sha256(b"INC-12").digest()

    assert first_link(12) == first
    assert chain(first, T0, b"[]") == sha256(first + b"2026-03-02T09:00:00+00:00\n[]").digest()


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("what", ["body", "time", "hash"])
def test_a_change_is_seen(place: int, what: str) -> None:
    rows = list(FOUR.rows)
    at, body, hash_ = rows[place]
    rows[place] = {
        "body": (at, body + b" ", hash_),
        "time": (at + timedelta(microseconds=1), body, hash_),
        "hash": (at, body, bytes([hash_[0] ^ 1]) + hash_[1:]),
    }[what]

    assert not verify(12, rows)


@pytest.mark.parametrize("place", range(3))
def test_a_row_that_was_taken_out_is_seen(place: int) -> None:
    rows = FOUR.rows[:place] + FOUR.rows[place + 1 :]

    assert not verify(12, rows)


def test_rows_taken_off_the_end_are_seen_by_the_head() -> None:
    """The rows alone cannot show it; the incident keeps the hash of its last row."""
    assert verify(12, FOUR.rows[:-1])
    assert not verify(12, FOUR.rows[:-1], FOUR.head)


@pytest.mark.parametrize("place", range(3))
def test_rows_that_changed_places_are_seen(place: int) -> None:
    rows = list(FOUR.rows)
    rows[place], rows[place + 1] = rows[place + 1], rows[place]

    assert not verify(12, rows)


@pytest.mark.parametrize("place", range(5))
def test_a_row_that_was_put_in_is_seen(place: int) -> None:
    forged = (after(place), b"forged", chain(first_link(12), after(place), b"forged"))
    rows = [*FOUR.rows[:place], forged, *FOUR.rows[place:]]

    assert not verify(12, rows)


def test_a_row_told_twice_is_seen() -> None:
    assert not verify(12, [*FOUR.rows, FOUR.rows[-1]])


def test_another_incidents_rows_do_not_pass_for_ones_own() -> None:
    assert not verify(13, FOUR.rows)


def test_the_head_ties_even_a_chain_that_was_forged_as_a_whole() -> None:
    """Whoever rewrites a row must rewrite all that follow, and then the head is another one."""
    forged = written(b"one", b"TWO", b"three", b"four")

    assert verify(12, forged.rows)
    assert not verify(12, forged.rows, FOUR.head)


def test_the_time_zone_in_which_a_time_comes_back_does_matter() -> None:
    """Stores give times back in UTC; the same moment in another notation is another text, and so another hash."""
    at, body, hash_ = FOUR.rows[0]
    elsewhere = at.astimezone(timezone(timedelta(hours=2)))

    assert elsewhere == at
    assert not verify(12, [(elsewhere, body, hash_)])


BODIES = st.lists(st.binary(max_size=8), min_size=1, max_size=5)


@given(BODIES, st.data())
@settings(max_examples=60, deadline=None)
def test_no_other_sequence_of_the_same_rows_is_whole(bodies: list[bytes], data: st.DataObject) -> None:
    """Promise 8: any selection, repetition or order of rows but the true one fails against the head."""
    chained = written(*bodies)

    other = data.draw(st.lists(st.sampled_from(chained.rows), max_size=7))

    assert verify(12, other, chained.head) is (other == chained.rows)


# -- entries ----------------------------------------------------------------------------------------------------------


def test_entries_are_kept_as_a_json_list() -> None:
    entries = (
        Entry("guards", "2 of 2 allow", "playbook restart", seen={"budget": {"used": 1}}),
        Entry("acknowledged", "by alice", who="alice", evidence=(Evidence("pods", "ab" * 32, 120),)),
    )

    body = encode_entries(entries)

    assert body.startswith(b'[{"kind":"guards","text":"2 of 2 allow"')
    assert decode_entries(body) == entries


def test_a_whole_timeline_can_be_read_back_and_verified() -> None:
    story = whole_story()
    chained = written(*(encode_entries((entry,)) for _, entry in story.entries), incident=1)

    assert verify(1, chained.rows, chained.head)
    read = [entry for _, body, _ in chained.rows for entry in decode_entries(body)]
    assert read == [entry for _, entry in story.entries]


def test_the_same_entries_always_have_the_same_body() -> None:
    """Otherwise one decision made twice would have two hashes."""
    entries = tuple(entry for _, entry in whole_story().entries)

    assert encode_entries(entries) == encode_entries(decode_entries(encode_entries(entries)))
