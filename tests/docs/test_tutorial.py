"""The tutorial, block by block: its commands run, and say what the page says they say.

Step 1 is the demo itself, as a process of its own: all of its stories, on a real database, end as told. The steps that
need no service are read while it tells them, so that the whole takes no longer than the demo.
"""

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paramedic.cli.main import main
from paramedic.demo.stories import STORIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial" / "your-first-incident.md").read_text()
PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPEN = "The console stays open"


def alike(line: str) -> str:
    """A line without what differs from run to run: times, durations, spaces."""
    return " ".join(re.sub(r"\d\d:\d\d(:\d\d)?|\b\d+(\.\d+)?(s|m|h)\b", "…", line).split())


@dataclass
class Reader:
    """Somebody who does what the page says, in a folder like a fresh clone's."""

    place: Path
    monkeypatch: pytest.MonkeyPatch
    demo: subprocess.Popen[str]
    said: str = ""
    done: list[str] = field(default_factory=list)

    def read(self, before: str, kind: str, text: str) -> None:
        """One block of the page, with what stands before it."""
        if kind == "sh":
            for line in text.splitlines():
                self.do(line, fails="exits with 1" in before)
        elif kind:
            (name,) = re.findall(rf"`([a-z/.-]+\.{kind})`:\s*\Z", before)
            (self.place / name).write_text(text)
            self.done.append(name)
        else:
            for line in text.splitlines():
                assert alike(line) in alike(self.said), f"{line!r} is not in:\n{self.said}"

    def do(self, line: str, *, fails: bool) -> None:
        """One command."""
        self.done.append(line)
        verb, *words = shlex.split(line)
        if line == "make demo":
            self.said = self._told()
        elif verb == "export":
            name, _, value = words[0].partition("=")
            value = value.replace("$PWD", str(ROOT)).replace("$PATH", os.environ["PATH"])
            self.monkeypatch.setenv(name, value)
        else:
            assert verb == "paramedic"
            self.said = self._run(words, 1 if fails else 0)

    def _told(self) -> str:
        """What the demo prints, until all of it has been told."""
        told = ""
        assert self.demo.stdout is not None
        for line in self.demo.stdout:
            told += line
            if OPEN in line:
                return told
        pytest.fail(f"the demo ended by itself:\n{told}")

    @staticmethod
    def _run(words: list[str], code: int) -> str:
        with (
            redirect_stdout(io.StringIO()) as out,
            redirect_stderr(io.StringIO()) as err,
            pytest.raises(SystemExit) as end,
        ):
            sys.exit(main(words))
        assert (end.value.code or 0) == code, out.getvalue() + err.getvalue()
        return out.getvalue()


@contextmanager
def demo_in(place: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`paramedic demo`, until a signal ends it. Its exit code says whether every story ended as told."""
    with subprocess.Popen(
        [PARAMEDIC, "demo"],
        cwd=place,
        env={**environment, "PARAMEDIC_LISTEN": "127.0.0.1:0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def steps() -> list[str]:
    """The page's steps, in its order."""
    return re.split(r"^## (?=\d)", PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.timeout(150)
def test_the_tutorial_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("rules", "playbooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for name in [name for name in os.environ if name.startswith(("PARAMEDIC_", "KUBE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    see, read, ask, rehearse, fail = steps()
    with demo_in(tmp_path, dict(os.environ)) as demo:
        reader = Reader(tmp_path, monkeypatch, demo)
        for step in (ask, rehearse, fail, see, read):
            blocks = list(BLOCK.finditer(step))
            for number, block in enumerate(blocks):
                before = step[blocks[number - 1].end() if number else 0 : block.start()]
                if "change `recent_change" in before:
                    loosen(tmp_path, before)
                reader.read(before, block[1], block[2])
                if reader.done[-1] == "make demo":
                    every_story_is_told(reader.said)
    assert {"make demo", "paramedic incidents show INC-1", "alert.json", "playbooks/mine.test.yaml"} < set(reader.done)
    assert reader.done.count("paramedic test playbooks/mine.test.yaml") == 2


def every_story_is_told(text: str) -> None:
    """What the demo is for: each story under its title, in order, with what a stranger needs to see."""
    assert f"{len(STORIES)} stories, {len(STORIES)} ended as told." in text
    assert "chains verified" in text
    places = [text.index(f"\n{number}  {story.title}\n") for number, story in enumerate(STORIES, 1)]
    assert places == sorted(places)
    parts = [text[start:end] for start, end in zip(places, [*places[1:], len(text)], strict=True)]
    wanted = (
        ("INC-1", "api:41 → api:42", "image api:42 → api:41", "reserved main/shop/deployment/api", "page resolved"),
        (
            "INC-2",
            "is main/shop/deployment/checkout",
            "restart deployment/checkout.shop",
            "resolved fixed by paramedic",
        ),
        ("INC-3", "2 → 4 replicas, for 3s", "resolved fixed by paramedic", "its time was over; taken back"),
        ("INC-4", "refused by owned", "Argo CD", "pagerduty (dry)", "level 2 sre-secondary", "acknowledged by alice"),
        ("INC-5", "image search:8 → search:7", "taking our change back", "goes to search:8", "level 2 sre-secondary"),
    )
    for part, pieces in zip(parts, wanted, strict=True):
        for piece in pieces:
            assert alike(piece) in alike(part), f"{piece!r} is not in:\n{part}"
    assert max(len(line) for line in text.splitlines() if not line.startswith("Console")) <= 120


def loosen(place: Path, words: str) -> None:
    """The change that step 5 asks for."""
    (was, becomes) = re.findall(r"`(recent_change: \{[^`]*\})`", words)
    (name,) = re.findall(r"In `(playbooks/[a-z.-]+)`", words)
    text = (place / name).read_text()
    assert text.count(was) == 1
    (place / name).write_text(text.replace(was, becomes))
