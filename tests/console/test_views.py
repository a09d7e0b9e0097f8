"""The read models show what is stored: in the right order, in pages without gaps, and nothing that was not asked."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from paramedic.console.views import Views, Wanted
from paramedic.core.model import Run
from paramedic.core.words import Mode, Outcome, Phase, Severity, Stage
from paramedic.engine.inputs import NotFound
from paramedic.errors import Fault
from paramedic.store.connect import Connection
from paramedic.store.port import Switch
from paramedic.store.reads import Reads
from tests.console.seed import NOW, FixedClock, an_incident, approval, paged, past, run, write

ASK = run(Stage.APPROVAL)


async def ids(views: Views, wanted: Wanted | None = None, **options: Any) -> list[str]:
    return [line.id for line in (await views.incidents(wanted or Wanted(), **options)).incidents]


async def test_an_empty_database_has_no_incidents(views: Views) -> None:
    listed = await views.incidents(Wanted())

    assert (listed.incidents, listed.cursor) == ([], None)


async def test_open_ones_come_first_the_most_urgent_first_the_newest_first(views: Views, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P2),
        an_incident(2, severity=Severity.P0, open=False),
        an_incident(3, severity=Severity.P1),
        an_incident(4, severity=Severity.P0),
        an_incident(5, severity=Severity.P1),
        an_incident(6, severity=Severity.P3, open=False),
    )

    # The number is also the age in minutes: of those that are over, 2 was opened after 6.
    assert await ids(views) == ["INC-4", "INC-5", "INC-3", "INC-1", "INC-2", "INC-6"]


async def test_pages_hold_every_incident_once(views: Views, seeding: Connection) -> None:
    severities = list(Severity)
    incidents = [an_incident(n, severity=severities[n % 4], open=n % 3 > 0) for n in range(1, 13)]
    await write(seeding, *incidents)
    whole = await ids(views)
    assert len(set(whole)) == 12

    for limit in (1, 2, 3, 5, 7, 12, 50):
        assert await paged_through(views, limit) == whole, f"{limit} a page"


async def paged_through(views: Views, limit: int) -> list[str]:
    """Every incident, so many a page."""
    found, cursor = [], ""
    for _ in range(20):
        page = await views.incidents(Wanted(), cursor, limit)
        assert len(page.incidents) <= limit
        found += [line.id for line in page.incidents]
        if page.cursor is None:
            break
        cursor = page.cursor
    return found


async def test_a_page_goes_on_where_it_ended_though_something_new_came_first(views: Views, seeding: Connection) -> None:
    await write(seeding, *(an_incident(n) for n in range(1, 5)))
    first = await views.incidents(Wanted(), limit=2)
    await write(seeding, an_incident(9, severity=Severity.P0))

    assert await ids(views, cursor=first.cursor or "", limit=2) == ["INC-2", "INC-1"]


async def test_of_many_that_opened_at_once_none_is_lost_between_pages(views: Views, seeding: Connection) -> None:
    await write(seeding, *(an_incident(n, opened_at=NOW, open=False) for n in range(1, 6)))
    first = await views.incidents(Wanted(), limit=2)

    rest = await ids(views, cursor=first.cursor or "", limit=9)

    assert [line.id for line in first.incidents] + rest == ["INC-5", "INC-4", "INC-3", "INC-2", "INC-1"]


async def test_a_cursor_that_is_not_ours_is_said(views: Views) -> None:
    cursors = ("x", "!!!", "bnVsbA", "W10", "WyJQOSIsMSxudWxsXQ", "\u202e", "A" * 200, "W1siUDAiXV0=")
    said = {cursor: await refusal(views, cursor) for cursor in cursors}

    right = "cursor: this is not a cursor of an earlier answer; leave it out to begin"
    assert {cursor: text for cursor, text in said.items() if right not in text} == {}


async def refusal(views: Views, cursor: str) -> str:
    """What is said against it."""
    try:
        return f"taken: {await views.incidents(Wanted(), cursor)}"
    except Fault as fault:
        return str(fault)


FILTERS = [
    (Wanted(severity=Severity.P0), ["INC-1", "INC-4"]),
    (Wanted(phase=Phase.REVIEWED), ["INC-4"]),
    (Wanted(phase=Phase.RESPONDING), ["INC-1", "INC-2", "INC-3"]),
    (Wanted(open=True), ["INC-1", "INC-2", "INC-3"]),
    (Wanted(open=False), ["INC-4"]),
    (Wanted(since=NOW - timedelta(minutes=2)), ["INC-1", "INC-2"]),
    (Wanted(since=NOW - timedelta(minutes=4)), ["INC-1", "INC-2", "INC-3", "INC-4"]),
    (Wanted(since=NOW), []),
    (Wanted(q="INC-3"), ["INC-3"]),
    (Wanted(q="3"), ["INC-3"]),
    (Wanted(q="inc-4"), ["INC-4"]),
    (Wanted(q="INC-99"), []),
    (Wanted(q="PAYMENTS"), ["INC-2"]),
    (Wanted(q="slow-rule"), ["INC-3"]),
    (Wanted(q="twin"), ["INC-4"]),
    (Wanted(q="main{"), ["INC-1", "INC-2", "INC-3", "INC-4"]),
    (Wanted(q="100%"), []),
    (Wanted(q="_"), []),
    (Wanted(q="'; drop table incident; --"), []),
    (Wanted(q="payments", severity=Severity.P0), []),
]


async def test_filters(views: Views, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P0),
        an_incident(2, severity=Severity.P1, title="Down shop/payments"),
        an_incident(3, severity=Severity.P2, rule="slow-rule"),
        an_incident(4, severity=Severity.P0, open=False, phase=Phase.REVIEWED, source="twin"),
    )

    assert [(wanted, await ids(views, wanted)) for wanted, _ in FILTERS] == FILTERS


async def test_what_waits_for_a_person_is_found_wherever_it_stands(views: Views, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P0),
        approval(2, severity=Severity.P3),
        an_incident(3, severity=Severity.P2, parked="KeyError"),
        an_incident(4, severity=Severity.P1, past=(past(Outcome.UNKNOWN),)),
        an_incident(5, owner="carol", past=(past(Outcome.UNKNOWN),)),
        approval(6, open=False),
    )

    assert [line.id for line in await views.waiting()] == ["INC-4", "INC-3", "INC-2"]


async def test_a_parameter_that_looks_like_an_approval_is_none(views: Views, seeding: Connection) -> None:
    await write(seeding, an_incident(1, run=run(params={"stage": "approval"})))

    assert await views.waiting() == []
    assert (await views.runs(approval=True)).runs == []


async def test_active_runs(views: Views, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, run=run(), severity=Severity.P2),
        approval(2, severity=Severity.P1),
        an_incident(3),
        an_incident(4, run=run(), open=False),
    )

    assert [shown.id for shown in (await views.runs()).runs] == ["INC-2.1", "INC-1.1"]
    assert [shown.id for shown in (await views.runs(approval=True)).runs] == ["INC-2.1"]


@pytest.mark.parametrize(("most", "more"), [(1, True), (2, True), (3, False), (9, False)])
async def test_active_runs_are_bounded_and_say_so(views: Views, seeding: Connection, most: int, more: bool) -> None:
    await write(seeding, *(an_incident(n, run=run()) for n in range(1, 4)))

    found = await views.runs(most=most)

    assert len(found.runs) == min(most, 3)
    assert found.more is more


async def test_one_incident(views: Views, seeding: Connection) -> None:
    await write(seeding, paged(7, 2))

    detail = await views.incident(7)

    assert detail.id == "INC-7"
    assert detail.paging.level == 2
    assert detail.standing.person


async def test_the_newest_state_is_the_one_that_is_shown(views: Views, seeding: Connection) -> None:
    await write(seeding, an_incident(7))
    state = msgspec.json.encode(an_incident(7, owner="carol"))
    await seeding.execute("update incident set state = $1", state)

    assert (await views.incident(7)).owner == "carol"


async def test_an_incident_that_does_not_exist(views: Views) -> None:
    with pytest.raises(NotFound, match="INC-99: there is no such incident; paramedic incidents lists them"):
        await views.incident(99)


@pytest.mark.parametrize(("active", "number", "state"), [(ASK, 1, "approval"), (None, 1, None), (ASK, 2, None)])
async def test_one_run(views: Views, seeding: Connection, active: Run | None, number: int, state: str | None) -> None:
    await write(seeding, an_incident(7, run=active))

    if state is None:
        with pytest.raises(NotFound, match=rf"INC-7\.{number}: there is no such run"):
            await views.run(7, number)
    else:
        assert (await views.run(7, number)).stage == state


async def test_all_runs_of_an_incident(views: Views, seeding: Connection) -> None:
    await write(seeding, an_incident(7, past=(past(Outcome.FAILED),), run=run(n=2)))

    assert [shown.id for shown in await views.runs_of(7)] == ["INC-7.1", "INC-7.2"]


async def test_the_switch_as_nobody_has_touched_it(views: Views) -> None:
    switch = await views.switch()

    assert (switch.mode, switch.in_force, switch.who, switch.version) == (Mode.AUTO, Mode.AUTO, "", 0)


async def test_the_switch_as_somebody_has_set_it(views: Views, seeding: Connection) -> None:
    until = NOW + timedelta(hours=2)
    values = ("freeze", until, "carol", "database restore", NOW, 3)
    await seeding.execute(
        "update switch set (mode, until, who, reason, at, version) = ($1, $2, $3, $4, $5, $6)", *values
    )

    switch = await views.switch()

    assert (switch.mode, switch.in_force, switch.until) == (Mode.FREEZE, Mode.FREEZE, until)
    assert (switch.who, switch.reason, switch.at, switch.version) == ("carol", "database restore", NOW, 3)


@pytest.mark.parametrize(
    ("switch", "highest", "mode", "in_force"),
    [
        (Switch(Mode.AUTO), Mode.SHADOW, Mode.AUTO, Mode.SHADOW),
        (Switch(Mode.OFF), Mode.SHADOW, Mode.OFF, Mode.OFF),
        (Switch(Mode.OFF, until=NOW), Mode.AUTO, Mode.AUTO, Mode.AUTO),
        (Switch(Mode.OFF, until=NOW), Mode.APPROVE, Mode.AUTO, Mode.APPROVE),
        (Switch(Mode.OFF, until=NOW + timedelta(seconds=1)), Mode.AUTO, Mode.OFF, Mode.OFF),
    ],
)
async def test_the_lower_of_switch_and_setting_is_in_force_and_a_time_that_is_over_is_over(
    reads: Reads, switch: Switch, highest: Mode, mode: Mode, in_force: Mode
) -> None:
    shown = Views(reads, FixedClock(), highest).switch_of(switch)

    assert (shown.mode, shown.in_force) == (mode, in_force)
    assert shown.until == (switch.until if mode is switch.mode else None)
