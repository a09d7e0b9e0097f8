"""The rig's driver and report, called as the programs they are, so that they take no part of the service's process."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.processes import RIG

__all__ = ["Load", "drive", "metric", "ready", "settled"]

WEBHOOK = "/api/v1/alertmanager"


@dataclass(frozen=True, slots=True)
class Load:
    """One load: `run` names it, `rate` (a second) makes it an open loop, without it is a closed one."""

    run: str
    count: int
    alerts: int = 1
    rate: float | None = None
    concurrency: int = 64
    seconds: float = 60.0
    first: int = 0


def drive(url: str, load: Load, log: Path | None = None) -> dict[str, Any]:
    """Send it; the driver's own figures."""
    command = [sys.executable, str(RIG / "drive.py"), "--url", url, "--run", load.run, "--count", str(load.count)]
    command += ["--alerts", str(load.alerts), "--max-seconds", str(load.seconds), "--first", str(load.first)]
    command += ["--rate", str(load.rate)] if load.rate else ["--concurrency", str(load.concurrency)]
    command += ["--out", str(log)] if log else []
    return _json(command, load.seconds + 60)


def settled(hook: str, log: Path, sent: int, deadline: float = 60.0) -> dict[str, Any]:
    """The report, once everything sent is executed, or nothing new was for 5 s: what got a 503 may be kept too."""
    end, last, since = time.monotonic() + deadline, -1, time.monotonic()
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{hook}/stats", timeout=10) as answer:
            calls = json.load(answer)["calls"]
        if calls != last:
            last, since = calls, time.monotonic()
        if calls >= sent or time.monotonic() - since > 5:
            break
        time.sleep(0.05)
    time.sleep(0.2)  # a second call for the same alert would come now
    port = str(urlsplit(hook).port)
    return _json([sys.executable, str(RIG / "report.py"), str(log), "-"], 60, SINK_PORT=port)


def metric(url: str, name: str) -> float:
    """The sum of one of the service's metrics."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    values = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(values)


def ready(url: str, began: float, deadline: float = 30.0) -> float:
    """Seconds from `began` (monotonic) until /readyz says 200."""
    while time.monotonic() - began < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return time.monotonic() - began
        except OSError:
            time.sleep(0.002)
    raise RuntimeError("the service did not get ready")


def _json(command: list[str], deadline: float, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        command, capture_output=True, timeout=deadline, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        raise RuntimeError(f"{command[1]}: {done.stderr.decode()[-400:]}")
    found: dict[str, Any] = json.loads(done.stdout.decode().splitlines()[-1])
    return found
