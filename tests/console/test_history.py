"""Promise 8: the timeline is chained by hash, and whoever reads it is told where it was changed, if it was."""

import json
from hashlib import sha256

import pytest

from paramedic.console import history as under_test
from paramedic.console.history import History
from paramedic.core.decision import Entry
from paramedic.engine.inputs import NotFound
from paramedic.errors import Fault
from paramedic.record.timeline import encode_entries
from paramedic.store.connect import Connection
from tests.console.seed import HOSTILE, NOW, an_incident, evidence, keep_evidence, told, write

ROWS = [
    (Entry("alert", "one"), Entry("incident", "two")),
    (Entry("guards", "three", "note", seen={"n": 3}),),
    (Entry("plan", "four"), Entry("apply", "five"), Entry("check", "six")),
]


async def numbers(history: History, **options: int) -> list[int]:
    return [entry.number for entry in (await history.timeline(7, **options)).entries]


async def test_entries_come_in_order_with_their_numbers(history: History, seeding: Connection) -> None:
    await write(seeding, an_incident(7), rows=ROWS)

    timeline = await history.timeline(7)

    assert [(entry.number, entry.text) for entry in timeline.entries] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
        (4, "four"),
        (5, "five"),
        (6, "six"),
    ]
    assert timeline.incident == "INC-7"
    assert timeline.next is None


async def test_an_entry_is_shown_whole(history: History, seeding: Connection) -> None:
    about = evidence("logs", b"x")
    await write(seeding, an_incident(7), rows=[[Entry("note", HOSTILE, "right", "alice", {"a": [1]}, (about,))]])

    entry = (await history.timeline(7)).entries[0]

    assert entry.model_dump() == {
        "number": 1,
        "at": an_incident(7).opened_at,
        "kind": "note",
        "text": HOSTILE,
        "note": "right",
        "who": "alice",
        "seen": {"a": [1]},
        "evidence": [{"name": "logs", "digest": about.digest, "size": 1}],
    }


@pytest.mark.parametrize(
    ("after", "limit", "shown", "following"),
    [
        (0, 1000, [1, 2, 3, 4, 5, 6], None),
        (0, 2, [1, 2], 2),
        (2, 3, [3, 4, 5], 5),
        (1, 1, [2], 2),
        (4, 9, [5, 6], None),
        (5, 1, [6], None),
        (6, 9, [], None),
        (99, 9, [], None),
        (-2, 9, [5, 6], None),
        (-6, 9, [1, 2, 3, 4, 5, 6], None),
        (-99, 2, [1, 2], 2),
    ],
)
async def test_a_part_of_a_timeline(
    history: History, seeding: Connection, after: int, limit: int, shown: list[int], following: int | None
) -> None:
    await write(seeding, an_incident(7), rows=ROWS)

    timeline = await history.timeline(7, after=after, limit=limit)

    assert [entry.number for entry in timeline.entries] == shown
    assert timeline.next == following
    assert timeline.chain.verified, "the whole chain is checked, whatever part is shown"
    assert timeline.chain.entries == 6


@pytest.mark.parametrize("size", [1, 2, 3, 4])
async def test_a_long_timeline_is_read_in_slices(
    history: History, seeding: Connection, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(under_test, "SLICE", size)
    await write(seeding, an_incident(7), rows=ROWS)

    timeline = await history.timeline(7)

    assert [entry.number for entry in timeline.entries] == [1, 2, 3, 4, 5, 6]
    assert timeline.chain.verified


async def test_an_incident_that_nothing_has_happened_to_has_a_whole_record(
    history: History, seeding: Connection
) -> None:
    await write(seeding, an_incident(7))

    timeline = await history.timeline(7)

    assert timeline.entries == []
    assert timeline.chain.verified
    assert timeline.chain.head == sha256(b"INC-7").hexdigest()


async def test_a_row_that_is_committed_meanwhile_is_left_for_the_next_answer(
    history: History, seeding: Connection
) -> None:
    """The incident is read before its rows: rows beyond what it knew then must not look like a broken chain."""
    await write(seeding, an_incident(7), rows=ROWS)
    await seeding.execute("insert into timeline values (7, 7, $1, '[]', '\\x00')", NOW)

    timeline = await history.timeline(7)

    assert timeline.chain.verified
    assert len(timeline.entries) == 6


OTHER = encode_entries((Entry("guards", "three was never asked"),))


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        (f"update timeline set body = '{OTHER.decode()}' where seq = 3", "entry 3 is not what was written"),
        ("update timeline set body = 'no json' where seq = 3", "entry 3 is not what was written"),
        ("update timeline set body = '\\xff' where seq = 6", "entry 6 is not what was written"),
        ("update timeline set at = at + interval '1 s' where seq = 3", "entry 3 is not what was written"),
        ("update timeline set hash = '\\x00' where seq = 3", "entry 3 is not what was written"),
        ("delete from timeline where seq = 1", "entry 1 is missing"),
        ("delete from timeline where seq = 3", "entry 3 is missing"),
        ("delete from timeline where seq = 4", "entry 4 is missing"),
        ("delete from timeline", "entry 1 is missing"),
        ("update timeline set seq = 7 where seq = 6", "entry 6 is missing"),
        ("update incident set head = '\\x00'", "the last entry is not the one that the incident ends with"),
        ("update incident set entries = 9", "entry 7 is missing"),
    ],
)
async def test_what_was_changed_is_told(history: History, seeding: Connection, tampering: str, fault: str) -> None:
    """Promise 8: nothing can be changed, moved or left out unseen."""
    await write(seeding, an_incident(7), rows=told("one", "two", "three", "four", "five", "six"))
    assert (await history.timeline(7)).chain.verified

    await seeding.execute(tampering)
    chain = (await history.timeline(7)).chain

    assert not chain.verified
    assert chain.fault == fault


async def test_a_chain_that_was_written_anew_does_not_end_where_the_incident_ends(
    history: History, seeding: Connection
) -> None:
    await write(seeding, an_incident(7), rows=told("one", "two"))
    head = await seeding.fetchval("select head from incident")
    await seeding.execute("delete from timeline")
    await seeding.execute("delete from incident")
    await write(seeding, an_incident(7), rows=told("one", "two, in other words"))
    await seeding.execute("update incident set head = $1", head)

    chain = (await history.timeline(7)).chain

    assert chain.fault == "the last entry is not the one that the incident ends with"


async def test_the_chain_of_another_incident_does_not_pass(history: History, seeding: Connection) -> None:
    await write(seeding, an_incident(7), an_incident(8), rows=told("one"))
    await seeding.execute("update timeline set hash = (select hash from timeline where incident_id = 8)")
    await seeding.execute("update incident set head = (select head from incident where id = 8)")

    assert not (await history.timeline(7)).chain.verified
    assert (await history.timeline(8)).chain.verified


async def test_an_export_can_be_verified_by_anybody_who_follows_its_proof(
    history: History, seeding: Connection
) -> None:
    await write(seeding, an_incident(7, title=HOSTILE), rows=[*ROWS, [Entry("note", "größer → 変更")]])

    export = json.loads((await history.export(7)).model_dump_json())
    link = sha256(export["incident"]["id"].encode()).digest()
    for row in export["rows"]:
        link = sha256(link + row["at"].encode() + b"\n" + row["body"].encode()).digest()
        assert link.hex() == row["hash"]

    assert link.hex() == export["chain"]["head"]
    assert export["chain"]["verified"]
    assert [entry["text"] for row in export["rows"] for entry in json.loads(row["body"])][-1] == "größer → 変更"
    assert "sha256" in export["proof"]


async def test_an_export_of_a_changed_record_says_so(history: History, seeding: Connection) -> None:
    await write(seeding, an_incident(7), rows=ROWS)
    await seeding.execute("update timeline set body = '\\xff' where seq = 3")

    export = await history.export(7)

    assert export.chain.fault == "entry 3 is not what was written"
    assert len(export.rows) == 3


async def test_an_export_without_end_is_refused(
    history: History, seeding: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "LONGEST_EXPORT", 2)
    await write(seeding, an_incident(7), rows=ROWS)

    with pytest.raises(Fault, match="more than 2 rows; read its timeline in parts"):
        await history.export(7)


async def test_what_does_not_exist_is_not_found(history: History) -> None:
    for asked in (history.timeline(99), history.export(99)):
        with pytest.raises(NotFound, match="INC-99: there is no such incident"):
            await asked


async def test_evidence_by_its_digest(history: History, seeding: Connection) -> None:
    about = await keep_evidence(seeding, "logs of api", b"\x00\xff\x1b[31m")

    exhibit = await history.evidence(about.digest)

    assert (exhibit.digest, exhibit.name, exhibit.body) == (about.digest, "logs of api", b"\x00\xff\x1b[31m")


@pytest.mark.parametrize("digest", ["", "x", "0" * 64, "0" * 65, "../" * 10, "\x00" * 64, "é" * 64])
async def test_evidence_that_there_is_not(history: History, digest: str) -> None:
    with pytest.raises(NotFound) as caught:
        await history.evidence(digest)

    assert str(caught.value).isprintable()
