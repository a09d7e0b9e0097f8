"""The flip of a guard: two rehearsals that differ in one fact, so that the step happens in one and not in the other.

They stand in `flips/GUARD.test.yaml`, with the rules and the playbook that they are about. The tests of this folder
play them as they are, and once more with the guard turned round; the file of a new guard is found by being there.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Plugins, Seen, Tools
from paramedic.rehearse.files import Rehearsal, read_rehearsals
from paramedic.rehearse.run import Result, rehearse
from tests.rehearse.staged import plugins

__all__ = ["FLIPS", "GUARDS", "differing", "facts_of", "flip_of", "inverted", "played", "said"]

FLIPS = Path(__file__).parent / "flips"
GUARDS = sorted(plugins().guards)
_FACTS = ("world", "when", "faults", "clock")


@cache
def flip_of(guard: str) -> tuple[Rehearsal, ...]:
    """The rehearsals of a guard's flip; a guard without a file fails."""
    path = FLIPS / f"{guard}.test.yaml"
    if not path.exists():
        pytest.fail(f"{guard} has no flip: write tests/guards/flips/{path.name}, see tests/guards/flipped.py")
    file = read_rehearsals(path.name, path.read_text(), plugins(), lambda: pytest.fail("a flip brings its own rules"))
    assert not file.faults, [str(fault) for fault in file.faults]
    return file.rehearsals


def played(rehearsal: Rehearsal, with_: Plugins | None = None) -> Result:
    """What a rehearsal comes to, with these plug-ins."""
    return rehearse(rehearsal, with_ or plugins(), lambda: 0.0)


def said(result: Result) -> str:
    """What went wrong in it, for a message."""
    found = (f"{one.section}: expected {one.expected}, happened {one.happened}" for one in result.findings)
    return "\n".join([result.error, *found])


def inverted(guard: str) -> Plugins:
    """All plug-ins, this guard turned round: it denies what it allows, and allows everything else."""
    kind = type(plugins().guards[guard])

    async def judge(self: Guard, params: Any, seen: Seen, tools: Tools) -> Verdict:
        verdict: Verdict = await kind.judge(self, params, seen, tools)
        answer = Answer.DENY if verdict.answer is Answer.ALLOW else Answer.ALLOW
        return msgspec.structs.replace(verdict, answer=answer, again=None, claims=(), asks=None)

    turned: Guard = type(f"Inverted{kind.__name__}", (kind,), {"judge": judge})()
    return replace(plugins(), guards={**plugins().guards, guard: turned})


def facts_of(guard: str) -> list[dict[str, Any]]:
    """The facts of each of its rehearsals, as written: the world, and what happens when."""
    documents = yaml.safe_load_all((FLIPS / f"{guard}.test.yaml").read_text())
    return [{fact: one.get(fact) for fact in _FACTS} for one in documents if "rehearsal" in one]


def differing(one: Any, other: Any) -> int:
    """In how many places two documents differ; an item that one list has more than the other is one place."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return sum(differing(one.get(key), other.get(key)) for key in one.keys() | other.keys())
    if isinstance(one, list) and isinstance(other, list):
        if len(one) == len(other):
            return sum(differing(mine, theirs) for mine, theirs in zip(one, other, strict=True))
        mine, theirs = (Counter(repr(item) for item in items) for items in (one, other))
        return ((mine - theirs) + (theirs - mine)).total()
    return int(one != other)
