"""The proof that the flips prove something: a guard turned round makes each of its own rehearsals fail, by name.

A guard whose answer nobody looks at, or whose rehearsal would pass without it, is found here.
"""

import pytest

from paramedic.core.words import Answer
from tests.contract.plugin_scene import CLEARED, at_once, seen, tools
from tests.guards.flipped import GUARDS, flip_of, inverted, played, said


@pytest.mark.parametrize("which", [0, 1], ids=["as it should be", "flipped"])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_turned_round_makes_its_flip_fail(guard: str, which: int) -> None:
    rehearsal = flip_of(guard)[which]
    went = played(rehearsal, inverted(guard))
    sections = {"then": rehearsal.script.then, "never": rehearsal.script.never}

    assert not went.error
    about = [sections[one.section][one.position].kind for one in went.findings]
    assert "step" in about, f"{rehearsal.script.rehearsal}: nobody noticed that {guard} was turned round\n{said(went)}"


def test_turned_round_is_turned_round() -> None:
    guard = inverted("still_firing").guards["still_firing"]
    params = guard.validated({})

    assert at_once(guard.judge(params, seen(), tools())).answer is Answer.DENY
    assert at_once(guard.judge(params, seen(CLEARED), tools())).answer is Answer.ALLOW
