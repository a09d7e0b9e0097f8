"""The processes that a measurement starts: waited for with a deadline, ended with the measurement."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["RIG", "ROOT", "Running", "free_port", "null_peer", "paramedic", "running", "serving", "sink"]

ROOT = Path(__file__).parents[1]
RIG = Path(__file__).with_name("rig")
_READY = 60.0
_END = 30.0

RULES = """\
endpoints:
  - {{name: hook, url: "{hook}", idempotent: true}}
---
rules:
  - name: every-alert
    match: [{match}]
    incident: [aid]
    storm: off
    playbook: call-the-hook
    with: {{id: "${{labels.aid}}"}}
    {terms}
"""
PLAYBOOK = """\
playbook: call-the-hook
mode: auto
defaults: none
params: {id: {type: string}}
target: "hook/${params.id}"
steps:
  - http: {endpoint: hook, method: POST, path: "/act?id=${params.id}", body: {id: "${params.id}"}}
"""
EVERY = "'alertname=~\".+\"'"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that has said that it is ready, `seconds` after it was started, and where it listens."""

    pid: int
    url: str
    seconds: float
    log: Path


@contextmanager
def running(command: Sequence[str], ready: str, log: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """Run a program until the end of the context. `ready` is what it says when it serves; group 1 is the address."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARAMEDIC_", "KUBE"))}
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**clean, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = _said(process, log, re.compile(ready), began + _READY)
        yield Running(process.pid, url, time.monotonic() - began, log)
    finally:
        _end(process)


def _said(process: "subprocess.Popen[bytes]", log: Path, ready: re.Pattern[str], deadline: float) -> str:
    while time.monotonic() < deadline:
        found = ready.findall(log.read_text(errors="replace"))
        if found:
            return str(found[-1])
        if process.poll() is not None:
            break
        time.sleep(0.002)
    raise RuntimeError(f"{process.args!r} did not get ready: {log.read_text(errors='replace')[-600:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end; whoever does not is killed with all that it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_END)


def paramedic() -> str:
    """The command of this environment."""
    return str(Path(sys.executable).with_name("paramedic"))


@contextmanager
def serving(
    folder: Path,
    hook: str,
    *,
    match: str = EVERY,
    terms: str = "",
    command: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """`paramedic serve` with the example rules, on its own data; `seconds` is until its own word that it serves.

    `more` are further settings.
    """
    catalog = folder / "catalog"
    catalog.mkdir(exist_ok=True)
    (catalog / "rules.yaml").write_text(RULES.format(hook=hook, match=match, terms=terms))
    (catalog / "call-the-hook.yaml").write_text(PLAYBOOK)
    environment = {
        "PARAMEDIC_LISTEN": "127.0.0.1:0",
        "PARAMEDIC_DATA": str(folder / "data"),
        "PARAMEDIC_RULES": str(catalog),
        "PARAMEDIC_PLAYBOOKS": str(catalog),
        **(more or {}),
    }
    log = folder / f"serve-{len(list(folder.glob('serve-*')))}.log"
    said = r"paramedic serves on (http://[^\s;]+)"
    with running(command or [paramedic(), "serve"], said, log, environment) as service:
        yield service


def cluster(folder: Path) -> dict[str, str]:
    """Settings that name a cluster which nobody asks for anything."""
    file = folder / "kubeconfig"
    file.write_text(_KUBECONFIG.format(port=free_port()))
    return {"KUBECONFIG": str(file)}


_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


@contextmanager
def sink(folder: Path) -> Iterator[str]:
    """The rig's endpoint, which counts every call; its address."""
    port = free_port()
    command = [sys.executable, "-c", _SINK.format(rig=str(RIG), port=port)]
    with running(command, r"ready (\S+)", folder / "sink.log", {}) as process:
        yield process.url


_SINK = """\
import socket, sys, threading, time
sys.path.insert(0, {rig!r}); sys.argv = ["sink", "--port", "{port}"]
def told():
    while True:
        try:
            socket.create_connection(("127.0.0.1", {port})).close()
        except OSError:
            time.sleep(0.01)
        else:
            return print("ready http://127.0.0.1:{port}", flush=True)
threading.Thread(target=told, daemon=True).start()
import asyncio, sink
asyncio.run(sink.main())
"""


@contextmanager
def null_peer(folder: Path, hook: str) -> Iterator[Running]:
    """The rig's null peer: it parses, answers and calls the hook, and keeps nothing. Its file names another sink."""
    port, to = free_port(), urlsplit(hook).port
    command = [sys.executable, "-c", _NULL.format(file=str(RIG / "nullpeer.py"), port=port, to=to)]
    with running(command, r"ready (\S+)", folder / "null.log", {}) as process:
        yield process


_NULL = """\
import socket, sys, threading, time
sys.argv = ["nullpeer", "{port}"]
def told():
    while True:
        try:
            socket.create_connection(("127.0.0.1", {port})).close()
        except OSError:
            time.sleep(0.01)
        else:
            return print("ready http://127.0.0.1:{port}", flush=True)
threading.Thread(target=told, daemon=True).start()
text = open({file!r}).read().replace("9900", "{to}")
exec(compile(text, {file!r}, "exec"))
"""


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
