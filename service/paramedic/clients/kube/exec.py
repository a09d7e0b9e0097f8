"""Plug-ins for credentials: the program that a kubeconfig names under `exec`, run once for what it is asked for.

Called by `config`. The library could run them too, but would neither end one that hangs nor keep what it gives for as
long as it holds. The protocol: https://kubernetes.io/docs/reference/access-authn-authz/authentication (exec plug-ins).
"""

import asyncio
import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from paramedic.core.text import one_line
from paramedic.errors import Temporary

__all__ = ["Credential", "run_plugin"]

PATIENCE: Final = 30.0
"""Seconds that a plug-in may take."""

_LARGEST: Final = 1024 * 1024
_BEFORE_THE_END: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a plug-in gave, as the keys of a kubeconfig's user, and until when it holds (None: until it is refused)."""

    user: Mapping[str, str] = field(repr=False)
    until: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Whether it still holds for a while."""
        return self.until is None or now < self.until - _BEFORE_THE_END


class _EnvironmentPart(msgspec.Struct):
    name: str
    value: str


class _Exec(msgspec.Struct):
    """`exec` of a kubeconfig's user."""

    command: str
    apiVersion: str
    args: list[str] | None = None
    env: list[_EnvironmentPart] | None = None


class _Given(msgspec.Struct):
    token: str = ""
    clientCertificateData: str = ""
    clientKeyData: str = ""
    expirationTimestamp: datetime | None = None


class _Answer(msgspec.Struct):
    status: _Given


async def run_plugin(
    said: Any, kubeconfig: str, environment: Mapping[str, str], patience: float = PATIENCE
) -> Credential:
    """Run what `said` (the kubeconfig's `exec`) names. Raises `Temporary`: what is wrong may be mended meanwhile."""
    try:
        plugin = msgspec.convert(said, _Exec)
    except msgspec.ValidationError as error:
        raise Temporary(f"{kubeconfig}: exec: {error}") from error
    out = await _output(plugin, kubeconfig, environment, patience)
    try:
        given = msgspec.json.decode(out, type=_Answer).status
    except msgspec.MsgspecError as error:
        raise Temporary(f"{plugin.command} did not print an ExecCredential: {error}") from error
    until = given.expirationTimestamp
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    if given.token:
        return Credential({"token": given.token}, until)
    if given.clientCertificateData and given.clientKeyData:
        parts = {"client-certificate-data": given.clientCertificateData, "client-key-data": given.clientKeyData}
        return Credential({key: base64.b64encode(value.encode()).decode() for key, value in parts.items()}, until)
    raise Temporary(f"{plugin.command} gave neither a token nor a certificate with its key")


async def _output(plugin: _Exec, kubeconfig: str, environment: Mapping[str, str], patience: float) -> bytes:
    info = {"apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
    added = {part.name: part.value for part in plugin.env or ()}
    try:
        process = await asyncio.create_subprocess_exec(
            _command(plugin.command, kubeconfig),
            *(plugin.args or ()),
            env={**environment, **added, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LARGEST,
        )
    except OSError as error:
        raise Temporary(f"{plugin.command} cannot be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(patience):
            out, complaint = await process.communicate()
    except TimeoutError as error:
        raise Temporary(f"{plugin.command} did not end within {patience:g}s") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        said = one_line(complaint.decode("utf-8", "replace"), 200)
        raise Temporary(f"{plugin.command} ended with {process.returncode}{f': {said}' if said else ''}")
    return out


def _command(command: str, kubeconfig: str) -> str:
    """A path with a `/` in it is meant from the kubeconfig's folder; a bare name is looked for on PATH."""
    if "/" not in command:
        return command
    return str(Path(kubeconfig.partition(":")[0]).expanduser().parent / command)
