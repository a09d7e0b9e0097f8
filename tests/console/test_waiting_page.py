"""The page of an incident whose run waits for people."""

from datetime import timedelta

from paramedic.core.model import Approval, Ask, Timer
from paramedic.core.words import Stage
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
        grounds=("0 of 5 used",),
    )
    await write(seeding, an_incident(7, run=waits, timers={"approval": Timer(3, NOW + timedelta(minutes=10))}))

    text = " ".join((await read(console, "/incidents/7")).text.split())

    assert f"It waits until {NOW + timedelta(minutes=10):%H:%M} UTC for one more approval by dba" in text
    assert "approved by dan" in text
    assert "The guards said: 0 of 5 used" in text
