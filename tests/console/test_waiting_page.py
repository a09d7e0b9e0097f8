"""The page of an incident whose run waits for people, and how pages say which events they follow."""

from datetime import timedelta

from paramedic.core.model import Approval, Ask, Timer, Verdict
from paramedic.core.words import Answer, Stage
from paramedic.store.connect import Connection
from tests.console.seed import NOW, an_incident, run, write
from tests.console.serving import Serving
from tests.console.test_pages import read


async def test_a_run_that_waits_says_for_whom_until_when_and_why_its_guards_allow_it(
    console: Serving, seeding: Connection
) -> None:
    waits = run(
        Stage.APPROVAL,
        asks=(Ask(2, ("dba",)),),
        approvals=(Approval("dan", NOW, "d1", (0,)),),
        answers={0: Verdict("budget", Answer.ALLOW, "0 of 5 used")},
    )
    await write(seeding, an_incident(7, run=waits, timers={"approval": Timer(3, NOW + timedelta(minutes=10))}))

    text = " ".join((await read(console, "/incidents/7")).text.split())

    assert f"It waits until {NOW + timedelta(minutes=10):%H:%M} UTC for one more approval by dba" in text
    assert "approved by dan" in text
    assert "The guards said: 0 of 5 used" in text


async def test_a_live_page_names_its_events(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7))

    assert (await read(console)).all("main")[0]["data-events"] == "/events"
    assert (await read(console, "/incidents/7")).all("main")[0]["data-events"] == "/incidents/7/events"
    assert "data-events" not in (await read(console, "/?q=x")).all("main")[0]
