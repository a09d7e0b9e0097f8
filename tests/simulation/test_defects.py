"""A simulation that cannot fail proves nothing: here the service is broken on purpose, and must be found out.

Each defect in `defects/` is a few lines in a copy of the service. It is found at the seed that its file names, as the
promise that it breaks. `make simulate` tries all of them, `make test` a part.
"""

import os
from pathlib import Path

import pytest

from tests.simulation.breaking import Defect, Unfit, broken_copy, defects, hunt

EVERY = defects()
TRIED = sorted(EVERY) if "SEEDS" in os.environ else sorted(EVERY)[::3]
AT_ONCE = 4
"""Defects to a test: each test starts one process, in which each defect has a child."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", [TRIED[n : n + AT_ONCE] for n in range(0, len(TRIED), AT_ONCE)], ids=" ".join)
def test_a_broken_service_is_found_out(names: list[str]) -> None:
    missed = [
        f"{defect.name} (promise {defect.promise}) at seed {defect.seed}: {defect.says}"
        for defect, found in hunt([EVERY[name] for name in names])
        if found is None
    ]

    assert not missed, "not found; python -m tests.simulation.breaking NAME looks for another seed:\n" + "\n".join(
        missed
    )


@pytest.mark.parametrize("name", sorted(EVERY))
def test_each_defect_fits_the_service_as_it_is(name: str) -> None:
    EVERY[name].check()


def test_there_are_enough_of_them_and_each_promise_is_broken_by_one() -> None:
    assert len(EVERY) >= 15
    assert {one.promise for one in EVERY.values()} == set(range(1, 13))


def test_a_defect_that_does_not_fit_any_more_says_so(tmp_path: Path) -> None:
    edit = {"file": "engine/turn.py", "find": "a line that is gone", "put": "another"}
    with pytest.raises(
        Unfit, match=r"defects/old\.yaml does not fit engine/turn\.py any more.*\n.*a line that is gone"
    ):
        broken_copy(Defect("old", "", 1, 0, [edit]), tmp_path)


def test_a_copy_is_broken_and_the_service_stays_whole(tmp_path: Path) -> None:
    [defect] = [EVERY["chains-badly"]]
    file, whole = defect.edits[0]["file"], Path(__file__).parents[2] / "service" / "paramedic"
    before = (whole / file).read_text()
    copy = broken_copy(defect, tmp_path)

    assert (copy / "paramedic" / file).read_text() == before.replace(defect.edits[0]["find"], defect.edits[0]["put"])
    assert (whole / file).read_text() == before
