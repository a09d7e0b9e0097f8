"""Deliberate defects: each a few lines, put into a copy of the service. The simulation has to find every one of them.

`python -m tests.simulation.breaking [NAME…]` looks for the first seed that finds each, to be pinned in its file.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

__all__ = ["Defect", "Found", "Unfit", "broken_copy", "defects", "hunt"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "defects"

WITHIN = 2000
"""Seeds within which a defect has to be found."""


class Unfit(AssertionError):
    """A defect that cannot be put into the service as it is by now."""


@dataclass(frozen=True, slots=True)
class Defect:
    """What is broken on purpose, which promise that breaks, and the seed at which it is found."""

    name: str
    says: str
    promise: int
    seed: int
    edits: Sequence[Mapping[str, str]]

    def check(self, service: Path = ROOT / "service") -> None:
        """Raises `Unfit` where it does not fit the service any more: what it changes must stand there once."""
        for edit in self.edits:
            times = (service / "paramedic" / edit["file"]).read_text().count(edit["find"])
            if times != 1:
                raise Unfit(
                    f"defects/{self.name}.yaml does not fit {edit['file']} any more: what it changes stands there "
                    f"{times} times, not once; write it anew for the service as it is:\n{edit['find']}"
                )


@dataclass(frozen=True, slots=True)
class Found:
    """The seed at which something was found, and what: the promise, and what was seen."""

    seed: int
    promise: int
    seen: str


def defects() -> dict[str, Defect]:
    """All of them, by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        told = yaml.safe_load(path.read_text())
        found[path.stem] = Defect(path.stem, told["defect"], told["promise"], told["seed"], told["edits"])
    return found


def broken_copy(defect: Defect, folder: Path, *, service: Path = ROOT / "service") -> Path:
    """A copy of the service with this defect in it. Raises `Unfit` if the service has changed where it belongs."""
    defect.check(service)
    copy = folder / defect.name
    shutil.copytree(service, copy, copy_function=_link)
    for edit in defect.edits:
        path = copy / "paramedic" / edit["file"]
        text = path.read_text()
        path.unlink()  # it may be the very file of the service
        path.write_text(text.replace(edit["find"], edit["put"]))
    return copy


def _link(source: str, to: str) -> None:
    """As a link where that can be, since nearly all of it stays as it is."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)


Hunted = Iterator[tuple[Defect, Found | None]]


def hunt(wanted: Sequence[Defect], seeds: int = 0, *, first: int | None = None) -> Hunted:
    """Let each be looked for: at its own seed alone, or in so many seeds from `first`. A child for each."""
    with TemporaryDirectory() as folder:
        work = [
            [str(broken_copy(one, Path(folder))), one.seed if first is None else first, max(1, seeds), one.promise]
            for one in wanted
        ]
        command = [sys.executable, "-m", "tests.simulation.hunting"]
        done = subprocess.run(
            command, input=json.dumps(work), capture_output=True, text=True, cwd=ROOT, check=False, timeout=3600
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(lines) != len(wanted):
        raise AssertionError(f"the hunt ended with {done.returncode}: {done.stderr[-4000:]}")
    for defect, line in zip(wanted, lines, strict=True):
        yield defect, Found(*line) if line else None


def _pin(argv: Sequence[str]) -> None:
    known: dict[str, Any] = defects()
    for name in argv or known:
        for defect, found in hunt([known[name]], WITHIN, first=0):
            told = f"seed {found.seed}: {found.seen[:150]}" if found else "NOT FOUND"
            print(f"{defect.name}: {told}", flush=True)
            if found:
                path = FOLDER / f"{name}.yaml"
                path.write_text(path.read_text().replace(f"seed: {defect.seed}\n", f"seed: {found.seed}\n", 1))


if __name__ == "__main__":
    _pin(sys.argv[1:])
