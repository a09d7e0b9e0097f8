"""Where the CPU time of an alert goes: the `act` load, closed loop, on a service that is sampled."""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.load import WEBHOOK, Load, drive, settled
from bench.processes import serving, sink

_ALERTS = 8000

# The first that is found in a stack, from the inside out, takes the sample.
PARTS = (
    ("the gate", "engine/gate.py:Gate"),
    ("HTTP client", "clients/http.py"),
    ("plug-ins, inline and in slots", "engine/perform.py"),
    ("commit: rows to arrays, driver", "store/postgres/commit.py"),
    ("reads of episodes", "store/postgres/"),
    ("routing", "core/routing.py"),
    ("decide", "core/decide.py"),
    ("turn: folds and rows", "engine/work.py"),
    ("turn: folds and rows", "engine/folds.py"),
    ("turn: take, grant, settle", "engine/turn.py"),
    ("slots", "engine/executors.py"),
    ("parsing the body", "intake/alertmanager.py"),
    ("webhook handler", "intake/webhook.py"),
    ("metrics and live pages", "paramedic/telemetry.py"),
    ("HTTP server", "aiohttp/web"),
    ("driver", "asyncpg"),
    ("HTTP client", "aiohttp/"),
    ("event loop", "asyncio/"),
)


def main() -> None:
    """Print the share of each part, then the functions that were running themselves most often."""
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder, counts = Path(name), Path(name) / "samples.json"
        command = [sys.executable, "-m", "bench.sampled", str(counts), "serve"]
        with sink(folder) as hook, serving(folder, hook, command=command) as service:
            log = folder / "where.log"
            done = drive(service.url + WEBHOOK, Load("where", _ALERTS, seconds=30), log)
            settled(hook, log, done["ok"])
        stacks = json.loads(counts.read_text())
    total = sum(count for count, _ in stacks)
    parts: Counter[str] = Counter()
    for count, stack in stacks:
        parts[_part(stack)] += count
    for part, count in parts.most_common():
        print(f"   {count / total:5.1%}  {part}")
    for title, shares in (
        ("itself", _shares(stacks, inner=True)),
        ("with what it calls", _shares(stacks, inner=False)),
    ):
        print(f"   functions, {title}:")
        for function, count in shares.most_common(45):
            print(f"   {count / total:5.1%}  {function}")


def _part(stack: list[str]) -> str:
    for frame in stack:
        for part, where in PARTS:
            if where in frame:
                return part
    return "starting, and the rest"


def _shares(stacks: list[tuple[int, list[str]]], *, inner: bool) -> Counter[str]:
    shares: Counter[str] = Counter()
    for count, stack in stacks:
        for frame in stack[:1] if inner else set(stack):
            shares[_short(frame)] += count
    return shares


def _short(frame: str) -> str:
    path, _, function = frame.rpartition(":")
    return f"{'/'.join(Path(path).parts[-2:])} {function}"


if __name__ == "__main__":
    main()
