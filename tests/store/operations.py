"""Everything that the engine asks of a store, one table for both stores: what is done, and what is raised when the
database cannot be asked, or does not answer. `cuts` carries it out.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace

from paramedic.errors import Temporary
from paramedic.store.port import AnswerRow, Batch, ClaimRow, Doubtful, Store
from tests.store import rows

PARTS = [part.name for part in fields(Batch)]


@dataclass(frozen=True)
class Operation:
    """One call of the port. `of` is the name of its method; `raises` None: it answers that it could not."""

    of: str
    do: Callable[[Store], Awaitable[object]]
    raises: type[Exception] | None = Temporary
    joined: bool = True
    beside: bool = False
    """Whether it is done by a member that came second, and the first one is gone."""
    writes: bool = True
    """Whether it leaves anything that can be seen."""
    repeats: bool = False
    """Whether somebody else can do the same in its place."""
    ends: bool = False
    """Whether the membership is over when it has failed."""


def commit(batch: Batch) -> Operation:
    """A commit over the rows of `before`."""
    return Operation(
        "commit",
        lambda store: store.commit(batch),
        Doubtful,
        writes=batch not in (Batch(), Batch(tell=True)),
        repeats=True,
        ends=True,
    )


def claims() -> list[ClaimRow]:
    """A hold and a use, by two who have seen nothing."""
    return [
        ClaimRow(0, {"main/shop/db": 0}, [rows.hold("main/shop/db", 1)], []),
        ClaimRow(1, {"budget/shop": 0}, [], [rows.use("budget/shop")]),
    ]


def before() -> Batch:
    """What is there already: the rows of `before`, an old use, and answers that are not forgotten soon."""
    answers = [AnswerRow(n, rows.NOW.replace(year=2100), b"done") for n in (1, 2)]
    return replace(rows.before(), answers=answers, uses=[*rows.before().uses, rows.use("old", rows.at(-99))])


def part_alone(part: str) -> Batch:
    """A batch with nothing but this part; holds need one that is let go."""
    alone = Batch(**{part: getattr(rows.full(), part)})
    return replace(alone, holds_gone=rows.full().holds_gone) if part == "holds" else alone


COMMITS = {
    "commit": commit(rows.full()),
    "commit nothing": commit(Batch()),
    **{f"commit {part}": commit(part_alone(part)) for part in PARTS},
}
WRITES = {
    "join": Operation("join", lambda store: store.join(), joined=False),
    "take over": Operation("take_over", lambda store: store.take_over(), beside=True),
    "claim": Operation("claim", lambda store: store.claim(claims()), repeats=True),
    "adopt": Operation("adopt", lambda store: store.adopt(rows.bundle("h1"), None), repeats=True),
    "take answers": Operation("answers", lambda store: store.answers([1, 7]), repeats=True),
    "forget uses": Operation("forget_uses", lambda store: store.forget_uses(rows.at(-9), 9), repeats=True),
    "take numbers": Operation("incident_numbers", lambda store: store.incident_numbers(2), writes=False),
    "leave": Operation("leave", lambda store: store.leave(), None, ends=True),
}
READS = {
    name: Operation(name, do, writes=False)
    for name, do in {
        "recover": lambda store: store.recover(uses_since=rows.NOW),
        "standing": lambda store: store.standing(),
        "forwarded": lambda store: store.forwarded(range(64), [], 9),
        "places": lambda store: store.places([1, 2]),
        "storms": lambda store: store.storms(["main{storm}"]),
        "openings": lambda store: store.openings(rows.at(-60), [1, 2]),
        "scopes": lambda store: store.scopes(["main/shop/api", "budget/shop"], rows.NOW),
        "episodes": lambda store: store.episodes([("main", "a")]),
        "episodes_of": lambda store: store.episodes_of(1),
        "open_episodes": lambda store: store.open_episodes(None),
        "switch": lambda store: store.switch(),
        "bundle": lambda store: store.bundle(None),
    }.items()
}

OPERATIONS = COMMITS | WRITES | READS
