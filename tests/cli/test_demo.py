"""`paramedic demo --exit`: the real thing once, start to end; and what it must not do to another one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from paramedic.cli.demo import _must_be_free, _show
from paramedic.console.door import open_door
from paramedic.console.models import EntryView
from paramedic.demo.stories import STORIES
from paramedic.errors import Fault
from paramedic.rehearse.loop import START

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))


@pytest.mark.timeout(120)
async def test_it_tells_four_stories_and_ends_by_itself(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARAMEDIC_")}
    process = await asyncio.create_subprocess_exec(
        PARAMEDIC,
        "demo",
        "--exit",
        cwd=tmp_path,
        env={**environment, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(100.0):
            text = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, text
    assert "Traceback" not in text
    assert f"{len(STORIES)} stories, {len(STORIES)} ended as told." in text
    assert "chains verified" in text
    places = [text.index(f"\n{number}  {story.title}\n") for number, story in enumerate(STORIES, 1)]
    assert places == sorted(places)
    for told in ("fixed by paramedic in", "refused by not_firing", "(by alice)", "level 2 sre-secondary"):
        assert told in text


def test_another_demo_in_the_same_folder_is_left_alone(tmp_path: Path) -> None:
    _must_be_free(tmp_path / "none")
    with open_door(tmp_path), pytest.raises(Fault, match="another demo runs here"):
        _must_be_free(tmp_path)
    _must_be_free(tmp_path)


@pytest.mark.parametrize(
    ("text", "who", "shown"),
    [("POST shop/drain", "alice", "POST shop/drain (by alice)"), ("by alice", "alice", "by alice"), ("x", "", "x")],
)
def test_an_entry_says_who_did_it(text: str, who: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = EntryView(number=1, at=START, kind="approved", text=text, note="", who=who, seen={}, evidence=[])
    _show(entry, colour=False)
    assert capsys.readouterr().out.split("approved", 1)[1].strip() == shown
