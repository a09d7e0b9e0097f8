"""`paramedic switch`: shows how much the service may do and who said so, and sets it."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from paramedic.cli.switch import MEANING
from paramedic.core.words import Mode
from paramedic.store.connect import Connection
from tests.cli.conftest import Said
from tests.console.seed import HOSTILE, NOW
from tests.console.serving import Serving

Ask = Callable[..., Awaitable[Said]]
SET = "update switch set mode = $1, who = $2, reason = $3, at = $4, until = $5, version = 2"


async def test_as_nobody_has_touched_it(ask: Ask, bare: Serving) -> None:
    said = await ask("switch")

    assert (said.code, said.out) == (0, "auto: playbooks act as their own mode says\n")


async def test_as_somebody_has_set_it(ask: Ask, service: Serving, seeding: Connection) -> None:
    await seeding.execute(SET, "freeze", "carol", "database restore", NOW, NOW + timedelta(hours=1))

    said = await ask("switch")

    assert said.lines == [
        "freeze: nothing is written at all",
        "set by carol at 2026-05-12 02:31:00 UTC, until 2026-05-12 03:31:00 UTC: database restore",
    ]


async def test_as_json(ask: Ask, bare: Serving) -> None:
    assert json.loads((await ask("switch", "--json")).out)["mode"] == "auto"


@pytest.mark.parametrize("mode", list(Mode))
async def test_it_can_be_set_to_every_mode(ask: Ask, bare: Serving, mode: Mode) -> None:
    said = await ask("switch", mode, "--for", "2h", "--reason", "a change freeze")

    assert said.code == 0
    assert said.lines[0] == f"{mode}: {MEANING[mode]}"
    [switch] = bare.engine.switches
    assert (switch.mode, switch.reason, switch.until) == (mode, "a change freeze", NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("argv", "err"),
    [
        (["--for", "2h"], "switch: --for and --reason need a mode; for example: paramedic switch off --for 2h"),
        (["--reason", "x"], "switch: --for and --reason need a mode"),
        (["off", "--for", "tomorrow"], 'for: "tomorrow" is not a duration; write for example 30s, 15m, 2h30m or 1w'),
        (["off", "--for", "0"], "for: Input should be greater than 0"),
    ],
)
async def test_what_is_wrong_sets_nothing(ask: Ask, bare: Serving, argv: list[str], err: str) -> None:
    said = await ask("switch", *argv)

    assert said.code == 2
    assert said.err.startswith(f"paramedic: {err}")
    assert bare.engine.switches == []


async def test_a_hostile_reason_is_only_words(ask: Ask, service: Serving, seeding: Connection) -> None:
    await seeding.execute(SET, "off", HOSTILE, HOSTILE, NOW, None)

    said = await ask("switch")

    assert all(char.isprintable() or char == "\n" for char in said.out)
