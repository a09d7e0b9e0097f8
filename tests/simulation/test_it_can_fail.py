"""A simulation that cannot fail proves nothing: here the service is broken on purpose, and must be found out.

Each defect is noticed within a few seeds, as the promise that it breaks. The search begins at the seed that was the
first to notice it; should a scenario be drawn otherwise one day, it goes on from there.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from paramedic.actions.http import HttpAction
from paramedic.core import episodes, escalation, temporaries, treatment
from paramedic.core.claims import Granted
from paramedic.core.decide import decide
from paramedic.core.words import Mode, Once, Severity
from paramedic.engine import turn, work
from paramedic.engine.gate import Gate
from paramedic.engine.holdings import Holdings
from paramedic.store.memory import MemoryDisk
from tests.rehearse.staged import bundle
from tests.simulation import shop, watched
from tests.simulation.scenario import RULES, scenario
from tests.simulation.watched import Broken, simulate

MOST = 40
"""Seeds within which a defect of this size has to be noticed."""

Patch = pytest.MonkeyPatch


def forgets_episodes(patch: Patch) -> None:
    """The store says that it has committed, and has forgotten the episodes."""
    write = MemoryDisk.write

    def forgetful(self: MemoryDisk, batch: Any) -> None:
        batch.episodes.clear()
        write(self, batch)

    patch.setattr(MemoryDisk, "write", forgetful)


def believes_echoes(patch: Patch) -> None:
    """What a twin delivers late begins anew."""

    def opens(known: Any, alert: Any, now: Any) -> Any:
        return msgspec.structs.replace(known, open=True, closed_by="", doubted_at=None, seen_at=now), "opened"

    patch.setattr(episodes, "_firing_closed", opens)


def repeats_blindly(patch: Patch) -> None:
    """Every endpoint is taken for one that knows keys."""
    patch.setattr(HttpAction, "once", lambda *_: Once.KEY)
    patch.setattr(watched, "bundle", lambda _: bundle(RULES + shop.RULES + "\n# broken"))


def reserves_nothing(patch: Patch) -> None:
    """Claims are granted without being taken, and the gate does not look."""
    patch.setattr(turn, "grant", lambda *_: Granted((), ()))
    patch.setattr(Gate, "_still_ours", lambda *_: None)


def ignores_the_switch(patch: Patch) -> None:
    """The gate and the decisions take the switch for open."""
    patch.setattr(Gate, "_mode", lambda *_: None)
    patch.setattr(treatment, "mode_in_force", lambda *_: Mode.AUTO)


def forgets_timers(patch: Patch) -> None:
    """A timer is stored and never heard of again."""
    patch.setattr(Holdings, "set_timer", lambda *_: None)


def pages_nobody(patch: Patch) -> None:
    """The climb does not begin."""
    patch.setattr(escalation, "climb", lambda *_: None)


def chains_badly(patch: Patch) -> None:
    """A row's hash does not cover the row before it."""
    patch.setattr(work, "chain", lambda _previous, _at, body: body[:32])


def decides_by_mood(patch: Patch) -> None:
    """The engine's answer depends on something that is not recorded."""
    moods = iter(range(10**9))

    def moody(incident: Any, event: Any, of: Any) -> Any:
        decision = decide(incident, event, of)
        if next(moods) % 50 < 49:
            return decision
        changed = msgspec.structs.replace(decision.incident, severity=Severity.P0)
        return type(decision)(changed, decision.effects, decision.entries)

    patch.setattr(work, "decide", moody)


def takes_nothing_back(patch: Patch) -> None:
    """What was done for a time is never due."""
    patch.setattr(temporaries, "arrange", lambda _: None)


@pytest.mark.parametrize(
    ("promise", "broken", "first"),
    [
        (1, forgets_episodes, 0),
        (2, believes_echoes, 3),
        (3, repeats_blindly, 29),
        (4, reserves_nothing, 0),
        (5, ignores_the_switch, 5),
        (6, forgets_timers, 0),
        (6, takes_nothing_back, 3),
        (7, pages_nobody, 0),
        (8, chains_badly, 0),
        (9, decides_by_mood, 0),
    ],
)
def test_a_broken_promise_is_noticed(
    promise: int, broken: Callable[[Patch], None], first: int, monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    noticed = []
    for seed in range(first, first + MOST):
        try:
            simulate(scenario(seed), seed)
        except* Broken as group:
            noticed += [one.number for one in all_of(group)]
        except* Exception:
            noticed.append(0)
        if promise in noticed:
            return
    pytest.fail(f"{broken.__doc__} Noticed in {MOST} seeds from {first}: {noticed}")


def all_of(group: BaseExceptionGroup[Broken]) -> list[Broken]:
    found: list[Broken] = []
    for one in group.exceptions:
        found += all_of(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
