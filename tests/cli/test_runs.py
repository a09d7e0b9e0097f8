"""`paramedic runs`: what waits for an approval, what exactly it would do, and an answer that is for nothing else."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from paramedic.core.model import Approval, Change, Timer, Verdict
from paramedic.core.model import Ask as Asks
from paramedic.core.words import Answer, Outcome, Stage
from paramedic.store.connect import Connection
from tests.cli.conftest import Said
from tests.console.seed import NOW, an_incident, approval, past, run, write
from tests.console.serving import Serving

Ask = Callable[..., Awaitable[Said]]


async def test_the_list(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7), an_incident(8, run=run(Stage.JUDGING, change=None)))

    for argv in (["runs"], ["runs", "list"]):
        said = await ask(*argv)

        assert said.lines == [
            "INC-8.1 roll-back-bad-change on main/shop/deployment/api: judging",
            "INC-7.1 roll-back-bad-change on main/shop/deployment/api: approval",
            "   plan: image api:42 → api:41",
            "      image: api:42 → api:41",
            "      can be taken back; plan d1d1d1d1d1d1",
            "   paramedic runs approve INC-7.1, or deny",
        ]


@pytest.mark.parametrize("argv", [["--waiting"], ["list", "--waiting"], ["--waiting", "list"]])
async def test_only_what_waits(ask: Ask, service: Serving, seeding: Connection, argv: list[str]) -> None:
    await write(seeding, approval(7), an_incident(8, run=run()))

    said = await ask("runs", *argv, "--json")

    assert [shown["id"] for shown in json.loads(said.out)["runs"]] == ["INC-7.1"]


async def test_nothing_to_list(ask: Ask, bare: Serving) -> None:
    assert (await ask("runs")).out == "No run is active.\n"
    assert (await ask("runs", "--waiting")).out == "No run waits for an approval.\n"


async def test_more_than_is_listed(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, *(an_incident(n, run=run()) for n in range(1, 53)))

    said = await ask("runs")

    assert said.lines[-1].startswith("There are more")
    assert len([line for line in said.lines if line.startswith("INC-")]) == 50


async def test_one_run_and_what_its_guards_have_said(ask: Ask, service: Serving, seeding: Connection) -> None:
    said_no = {0: Verdict("still_firing", Answer.ALLOW, "for 4m"), 1: Verdict("budget", Answer.DENY, "5 of 5 used")}
    await write(seeding, an_incident(7, run=msgspec.structs.replace(run(Stage.WAITING, change=None), answers=said_no)))

    assert (await ask("runs", "show", "INC-7.1")).lines[1:] == [
        "   still_firing allow: for 4m",
        "   budget deny: 5 of 5 used",
    ]
    assert "budget deny" not in (await ask("runs")).out


async def test_one_run_and_what_exactly_it_would_write(ask: Ask, service: Serving, seeding: Connection) -> None:
    change = Change("scale api", {"replicas": 3, "spec": {"a": [1]}}, {"replicas": 2, "paused": True}, None, "ab" * 32)
    await write(
        seeding, an_incident(7, run=run(Stage.APPROVAL, change=change), past=(past(Outcome.DENIED, "no", n=9),))
    )

    said, ended = await ask("runs", "show", "INC-7.1"), await ask("runs", "show", "7.9")

    assert said.lines[1:] == [
        "   plan: scale api",
        "      replicas: 2 → 3",
        "      paused: true → nothing",
        '      spec: {"a": [1]}',
        "      cannot be taken back; plan abababababab",
    ]
    assert ended.lines == ["INC-7.9 restart on main/shop/deployment/api: denied", "   no"]
    assert json.loads((await ask("runs", "show", "7.1", "--json")).out)["plan"]["digest"] == "ab" * 32


async def test_of_a_patch_only_what_it_is_about(ask: Ask, service: Serving, seeding: Connection) -> None:
    template = {"spec": {"containers": [{"name": "api", "image": "api:41"}]}}
    patch = [
        {"op": "test", "path": "/metadata/generation", "value": 2},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]
    write_ = {"patch": patch, "image": "api:41", "long": {"a": "x" * 200}}
    change = Change("roll back", write_, {"image": "api:42", "restarted_at": ""}, None, "ab" * 32)
    await write(seeding, an_incident(7, run=run(Stage.APPROVAL, change=change)))

    said, listed = await ask("runs", "show", "INC-7.1"), await ask("runs")

    assert listed.lines[1:] == [
        "   plan: roll back",
        "      image: api:42 → api:41",
        "      restarted_at: nothing → nothing",
        "      cannot be taken back; plan abababababab",
        "   paramedic runs approve INC-7.1, or deny",
    ]
    assert said.lines[2:5] == [
        "      image: api:42 → api:41",
        "      restarted_at: nothing → nothing",
        "      patch: test /metadata/generation, replace /spec/template",
    ]
    assert said.lines[5].startswith('      long: {"a": "xxx')
    assert said.lines[5].endswith("…")


async def test_an_approval_shows_what_it_approves(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7))

    said = await ask("runs", "approve", "INC-7.1")

    assert said.code == 0
    assert "   plan: image api:42 → api:41" in said.lines
    assert said.lines[-1] == "approve done"
    [(number, act)] = service.engine.acts
    assert (number, act.what, act.run) == (7, "approve", 1)


async def test_an_approval_is_for_the_plan_that_was_printed(ask: Ask, service: Serving, seeding: Connection) -> None:
    """Whether the run still plans it is for the engine to see, in the moment that decides."""
    await write(seeding, approval(7))

    await ask("runs", "approve", "7.1")

    [(_, act)] = service.engine.acts
    assert act.plan == "d1" * 32


async def test_whom_a_run_waits_for_who_has_approved_and_what_the_guards_said(
    ask: Ask, service: Serving, seeding: Connection
) -> None:
    waits = msgspec.structs.replace(
        run(Stage.APPROVAL),
        asks=(Asks(2, ("dba",)),),
        approvals=(Approval("dan", NOW, "d1" * 32, (0,)),),
        answers={
            0: Verdict("still_firing", Answer.ALLOW, "firing for 4m"),
            1: Verdict("budget", Answer.ALLOW, "0 of 5 used"),
        },
    )
    timer = {"approval": Timer(3, NOW + timedelta(minutes=10))}
    await write(seeding, an_incident(7, run=waits, timers=timer))

    for command in (("runs",), ("runs", "show", "7.1"), ("incidents", "show", "7")):
        said = await ask(*command)
        until = f"{NOW + timedelta(minutes=10):%H:%M}"
        told = f"waits until {until} UTC for one more approval by dba; approved by dan; firing for 4m; 0 of 5 used"
        assert told in " ".join(said.out.split()), said.out


async def test_deny_and_cancel(ask: Ask, bare: Serving) -> None:
    assert (await ask("runs", "deny", "7.1", "not", "now")).out == "deny done\n"
    assert (await ask("runs", "deny", "7.1")).out == "deny done\n"
    assert (await ask("runs", "cancel", "7.1")).out == "cancel done\n"

    assert [(act.what, act.run, act.text) for _, act in bare.engine.acts] == [
        ("deny", 1, "not now"),
        ("deny", 1, ""),
        ("cancel", 1, ""),
    ]


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["show", "7"], 2, "run: '7' is not the id of a run; write INC-12.1 or 12.1"),
        (["approve", "7.1"], 1, "INC-7: there is no such incident"),
        (["cancel", "x"], 2, "run: 'x' is not the id of a run"),
    ],
)
async def test_what_is_no_run(ask: Ask, bare: Serving, argv: list[str], code: int, said: str) -> None:
    done = await ask("runs", *argv)

    assert done.code == code
    assert done.err.startswith(f"paramedic: {said}")
    assert bare.engine.acts == []
