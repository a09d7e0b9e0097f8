"""The tutorial, step by step, on a real service: its commands run and say what the page says they say."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial" / "your-first-incident.md").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder like a fresh clone's, with the example rules and playbooks."""
    for folder in ("rules", "playbooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture
def environment(place: Path) -> dict[str, str]:
    """Everything of its own: port, data, nothing inherited."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARAMEDIC_")}
    return {**kept, "PARAMEDIC_LISTEN": f"127.0.0.1:{port}"}


def paramedic(place: Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "paramedic", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def serving(place: Path, environment: dict[str, str]) -> Iterator[str]:
    """`paramedic serve`, from its first line until it has ended."""
    command = [sys.executable, "-m", "paramedic", "serve"]
    with subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line
            wait_until_ready(found[0])
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=60)
    assert code == 0


def wait_until_ready(address: str) -> None:
    """It listens before it has joined; /readyz says 503 until then."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=10):
                return
        except urllib.error.HTTPError:
            threading.Event().wait(0.05)
    pytest.fail("the service did not become ready")


def body_of_the_page() -> bytes:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    json.loads(found[1])
    return found[1].encode()


@pytest.mark.timeout(120)
def test_the_tutorial_works(place: Path, environment: dict[str, str], serving: str) -> None:
    assert "no faults" in paramedic(place, environment, "check")
    assert "3 rehearsals, 0 failed" in paramedic(place, environment, "test")

    (place / "alert.json").write_bytes(body_of_the_page())
    assert "service-down" in paramedic(place, environment, "explain", "alert.json")

    request = urllib.request.Request(
        f"{serving}/api/v1/alertmanager", body_of_the_page(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["alerts"] == 1
    assert "INC-1" in paramedic(place, environment, "incidents")
    shown = paramedic(place, environment, "incidents", "show", "INC-1")
    assert "ServiceDown shop/api" in shown
    assert "guards" in shown
    assert "POST hook/restart?service=api" in shown

    paramedic(place, environment, "incidents", "ack", "INC-1")
    paramedic(place, environment, "incidents", "close", "INC-1")
    assert "resolved" in paramedic(place, environment, "incidents", "show", "INC-1")
