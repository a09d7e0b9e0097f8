"""The two stores are one contract: whatever is committed, both keep the same or both refuse.

Batches are drawn at random out of so few numbers that they often collide with what is there.
"""

import random
from collections.abc import Sequence

import pytest

from paramedic.store.port import Batch, Doubtful, EffectRow, IncidentRow, Store
from tests.store import rows
from tests.store.stores import MemoryStores, PostgresStores

ROUNDS = 60


def some(draw: random.Random, numbers: Sequence[int], most: int = 2) -> list[int]:
    """A few of the numbers, each once; most often none."""
    return draw.sample(numbers, k=draw.choice([0, 0, 0, 1, most]))


def incidents(draw: random.Random, there: dict[int, IncidentRow]) -> list[IncidentRow]:
    """New ones and changed ones; now and then one from a wrong version."""
    drawn = []
    for n in some(draw, range(1, 9), 4):
        version = there[n].version + 1 if n in there else 1
        version += draw.random() < 0.03
        key = there[n].key if n in there else f"key {draw.randrange(5)}"
        drawn.append(rows.incident(n, version, key=key, open=draw.random() < 0.6, new=n not in there))
    return drawn


def intents(draw: random.Random, there: list[EffectRow], gone: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """For effects that are there and stay; rarely for one that is not."""
    free = [(row.incident, row.n) for row in there if (row.incident, row.n) not in gone]
    return draw.sample(free, k=min(len(free), draw.choice([0, 1, 2]))) + [(99, 99)] * (draw.random() < 0.02)


def batch(draw: random.Random, round_: int, kept: dict[str, list[object]], version: int) -> Batch:
    """A batch over what is kept."""
    there = {row.id: row for row in kept["incidents"] if isinstance(row, IncidentRow)}
    effects = [row for row in kept["effects"] if isinstance(row, EffectRow)]
    effects_gone = [(1 + n % 2, n) for n in some(draw, range(9))]
    return Batch(
        deliveries=[rows.delivery(100 * round_ + n, routed=n % 2 == 0) for n in some(draw, range(9))],
        routed=[100 * draw.randrange(1, ROUNDS) + n for n in some(draw, range(9))],
        rejected=[rows.rejected(100 * round_ + n) for n in some(draw, range(9))],
        episodes=[
            rows.episode(f"id {n}", source=draw.choice(["main", "other"]), open=n % 3 > 0, count=round_, incident=n % 4)
            for n in some(draw, range(9), 5)
        ],
        incidents=incidents(draw, there),
        events=[rows.event(n, round_, done=draw.random() < 0.5) for n in some(draw, range(1, 9)) if n in there],
        events_done=[(n, draw.randrange(1, ROUNDS)) for n in some(draw, range(1, 9), 6)],
        timeline=[rows.decided(n, round_) for n in some(draw, range(1, 9))],
        effects=[rows.effect(1 + n % 2, 10 * round_ + n) for n in some(draw, range(9))],
        intents=[(*key, rows.at(round_)) for key in intents(draw, effects, effects_gone)],
        effects_gone=effects_gone,
        timers=[rows.timer(n, round_) for n in some(draw, range(1, 9))],
        timers_gone=[(n, draw.randrange(1, ROUNDS)) for n in some(draw, range(1, 9), 6)],
        holds=[rows.hold(f"scope {n}", round_) for n in some(draw, range(12))],
        holds_gone=[f"scope {n}" for n in some(draw, range(12), 6)],
        uses=[rows.use(f"scope {n}", rows.at(draw.randrange(2))) for n in some(draw, range(3))],
        evidence=[rows.evidence(f"digest {n}", b"%d" % round_) for n in some(draw, range(9))],
        switch=rows.switch(version + 1 + (draw.random() < 0.1)) if draw.random() < 0.1 else None,
    )


async def outcome(store: Store, given: Batch) -> str:
    """What the store says to a batch; a member that is over starts again."""
    try:
        committed = await store.commit(given)
    except Doubtful:
        await store.join()
        return "refused"
    return f"switch {committed.switch}"


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_committed_both_stores_hold_the_same(postgres: PostgresStores, seed: int) -> None:
    draw = random.Random(seed)
    memory = MemoryStores()
    ours, theirs = await memory.member(), await postgres.member()
    outcomes = []
    for round_ in range(1, ROUNDS):
        given = batch(draw, round_, await memory.kept(), memory.disk.switch.version)

        answers = [await outcome(ours, given), await outcome(theirs, given)]

        assert answers[0] == answers[1], f"round {round_}: {given}"
        outcomes.append(answers[0])
        if round_ % 10 == 0:
            assert await memory.kept() == await postgres.kept(), f"after round {round_}"

    assert 5 < outcomes.count("refused") < ROUNDS - 20, "the seed draws both kinds"
    mine, other = [await store.recover(uses_since=rows.at(1)) for store in (ours, theirs)]
    for part in ("incidents", "effects", "timers", "inbox", "todo", "holds", "uses"):
        assert sorted(getattr(mine, part), key=repr) == sorted(getattr(other, part), key=repr), part
    assert mine.switch == other.switch
