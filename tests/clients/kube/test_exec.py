"""Plug-ins for credentials: asked when they are needed, kept as long as they hold, ended when they hang."""

import asyncio
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from paramedic.errors import Temporary
from tests.clients.kube.clusters import API, kubeconfig, opened, serving, shown, taking
from tests.contract.kube.passing import PassingClock


def plugin(folder: Path, body: str) -> dict[str, Any]:
    """A user whose credentials come from a program in Python; it notes each call in `calls`."""
    file = folder / "plugin"
    file.write_text(
        f"#!{sys.executable}\nimport json, os, sys, time\n"
        "with open(os.environ['CALLS'], 'a') as calls:\n    calls.write('x')\n"
        f"def give(**status):\n    print(json.dumps({{'kind': 'ExecCredential', 'status': status}}))\n{body}\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    env = [{"name": "CALLS", "value": str(folder / "calls")}, {"name": "TOKEN", "value": "given"}]
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["x"], "env": env}}


def calls(folder: Path) -> int:
    file = folder / "calls"
    return len(file.read_text()) if file.exists() else 0


async def test_a_plug_in_is_asked_when_it_is_needed_and_what_it_gives_is_kept(tmp_path: Path) -> None:
    clock = PassingClock()
    until = "2026-01-05T02:24:00Z"  # ten minutes after the clock's start
    user = plugin(tmp_path, f"give(token=os.environ['TOKEN'], expirationTimestamp='{until}')")
    async with (
        serving(taking("given")) as server,
        await opened(kubeconfig(tmp_path, server.url, user), clock) as kube,
    ):
        assert calls(tmp_path) == 0, "not to be started: it may want a network that is not there yet"
        await asyncio.gather(*(kube.get(API) for _ in range(5)))
        assert calls(tmp_path) == 1, "once for all who wait"
        await clock.sleep(500)
        await kube.get(API)
        assert calls(tmp_path) == 1
        await clock.sleep(60)
        await kube.get(API)
        assert calls(tmp_path) == 2, "before they expire"


BROKEN = {
    "ends badly": ("sys.exit('no login')", "ended with 1: no login"),
    "says nothing": ("", "did not print an ExecCredential"),
    "says something else": ("print('hello')", "did not print an ExecCredential"),
    "gives nothing": ("give()", "neither a token nor a certificate"),
    "gives half": ("give(clientCertificateData='x')", "neither a token nor a certificate"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_plug_in_that_fails_is_told_of(tmp_path: Path, what: str) -> None:
    body, words = BROKEN[what]
    async with (
        serving(taking()) as server,
        await opened(kubeconfig(tmp_path, server.url, plugin(tmp_path, body))) as kube,
    ):
        with pytest.raises(Temporary, match=words) as caught:
            await kube.patch(API, {"a": 1}, "merge")

    assert str(caught.value).endswith("nothing was sent")
    assert server.asked == []


async def test_a_plug_in_that_is_missing_or_hangs_is_told_of(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "v1", "command": "paramedic-no-such-program"}}
    async with await opened(kubeconfig(tmp_path, "http://127.0.0.1:1", user)) as kube:
        with pytest.raises(Temporary, match="paramedic-no-such-program cannot be started"):
            await kube.get(API)
    user = plugin(tmp_path, "time.sleep(600)")
    async with await opened(kubeconfig(tmp_path, "http://127.0.0.1:1", user)) as kube:
        with pytest.raises(Temporary, match="no credentials within"):
            await kube.get(API, timeout=0.2)


async def test_a_plug_in_sees_none_of_our_secrets(tmp_path: Path) -> None:
    user = plugin(
        tmp_path, "give(token='-'.join(sorted(k for k in os.environ if k in ('A', 'PARAMEDIC_TOKEN'))) or 'x')"
    )
    environment = {"A": "1", "PARAMEDIC_TOKEN": "secret"}
    async with (
        serving(taking("A")) as server,
        await opened(kubeconfig(tmp_path, server.url, user), environment=environment) as kube,
    ):
        await kube.get(API)

    assert shown(server) == ["Bearer A"]
