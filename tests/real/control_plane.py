"""A real Kubernetes control plane for the session: API server, controllers, scheduler, etcd; KWOK plays nodes and pods.

One for all tests, because it takes 500 MB; each test has a namespace of its own. There are no containers: what a pod
does is told by its image (tests/real/kube/stages.yaml), every log is the same file, and there are no metrics.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from paramedic.clients.kube.client import KubeClient
from paramedic.clients.kube.opening import open_clusters
from paramedic.clock import SystemClock
from paramedic.cluster.port import Kube
from paramedic.cluster.resources import Place, Resource
from paramedic.errors import Changed, Missing
from paramedic.settings import ClusterSetting
from tests.contract.kube.scene import NAMESPACES, Scene

__all__ = ["ControlPlane", "new_namespace", "running", "scene_of"]

FOLDER = Path(__file__).parent / "kube"
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
ACCOUNTS = Resource("v1", "serviceaccounts", "ServiceAccount")
START_TIME = 120.0
COMMAND_TIME = 30.0


def brought() -> Path:
    """Where tests/real/install puts programs."""
    return Path(os.environ.get("REAL") or Path.home() / ".cache" / "paramedic" / "real") / "bin"


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane. `kubeconfig` is an administrator's."""

    folder: Path
    port: int

    @property
    def kubeconfig(self) -> Path:
        """A file that may do everything."""
        return self.folder / "kubeconfig"

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """What the API server shows, and whoever trusts it needs."""
        return self.folder / "certs" / "serving.crt"

    def kubectl(self, *words: str, manifest: Any = None, environment: Mapping[str, str] | None = None) -> str:
        """What kubectl says, as somebody else's hand."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *words],
            env={**os.environ, "PATH": _path(), **(environment or {})},
            input=None if manifest is None else json.dumps(manifest),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIME,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    @asynccontextmanager
    async def client(self, kubeconfig: Path | None = None, name: str = "main") -> AsyncIterator[KubeClient]:
        """The service's own client."""
        files = str(kubeconfig or self.kubeconfig)
        client = await open_clusters([ClusterSetting(name, files, "the test")], os.environ, SystemClock())
        async with client:
            yield client
        for _ in range(10):  # the connections of writes say goodbye by themselves, before the loop ends
            await asyncio.sleep(0.01)

    def kubeconfig_for(self, file: Path, token: str, server: str = "") -> Path:
        """A kubeconfig for this token; `server` (plain HTTP) stands in front of the API server."""
        cluster = {"server": server} if server else {"server": self.url, "certificate-authority": str(self.certificate)}
        file.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "real", "cluster": cluster}],
                    "users": [{"name": "user", "user": {"token": token}}],
                    "contexts": [{"name": "real", "context": {"cluster": "real", "user": "user"}}],
                    "current-context": "real",
                }
            )
        )
        return file

    @property
    def token(self) -> str:
        """The administrator's token."""
        return (self.folder / "certs" / "tokens.csv").read_text().split(",")[0]

    def account(self, namespace: str, name: str, permissions: Sequence[str]) -> str:
        """The token of a new ServiceAccount that may do only this there, such as `patch deployments.apps`."""
        where = ("-n", namespace)
        self.kubectl("create", "serviceaccount", name, *where)
        rules = [_rule(one) for one in permissions]
        metadata = {"name": name, "namespace": namespace}
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}
        self.kubectl("create", "-f", "-", manifest=role)
        self.kubectl("create", "rolebinding", name, f"--role={name}", f"--serviceaccount={namespace}:{name}", *where)
        return self.kubectl("create", "token", name, *where).strip()


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:{brought()}"


def _missing() -> list[str]:
    return [part for part in (*PARTS, "openssl") if shutil.which(part, path=_path()) is None]


def _ports() -> int:
    """The first of four ports in a row that nobody uses now, below those that the system gives to connections."""
    for first in range(10_000 + os.getpid() % 2_000 * 10, 32_000, 10):
        with ExitStack() as stack, suppress(OSError):
            for port in range(first, first + 4):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("there are no four free ports in a row")


@contextmanager
def running(folder: Path) -> Iterator[ControlPlane]:
    """A control plane for the time of the block. Skips where its programs are missing."""
    missing = _missing()
    if missing:
        pytest.skip(f"{', '.join(missing)} missing here; tests/real/install brings them")
    script, port = str(FOLDER / "control-plane"), _ports()
    try:
        up = subprocess.run(
            [script, "up", str(folder), str(port), str(os.getpid())],
            capture_output=True,
            text=True,
            timeout=START_TIME,
            check=False,
        )
        assert up.returncode == 0, up.stderr
        yield ControlPlane(folder, port)
    finally:
        subprocess.run([script, "down", str(folder)], timeout=COMMAND_TIME, check=False)


async def new_namespace(kube: KubeClient, name: str) -> None:
    """Make a namespace, and wait until pods can be made in it."""
    [cluster] = kube.clusters
    with suppress(Changed):
        await kube.create(Place(cluster, NAMESPACES), {"metadata": {"name": name}})
    async with asyncio.timeout(START_TIME):
        while True:
            with suppress(Missing):
                await kube.get(Place(cluster, ACCOUNTS, name, "default"))
                return
            await asyncio.sleep(0.05)


def _rule(permission: str) -> dict[str, list[str]]:
    verb, _, about = permission.partition(" ")
    about, _, sub = about.partition("/")
    resource, _, group = about.partition(".")
    return {"verbs": [verb], "apiGroups": [group], "resources": [f"{resource}/{sub}" if sub else resource]}


async def scene_of(kube: KubeClient, namespace: str, plane: ControlPlane) -> Scene:
    """The scene of the cluster contract in a new namespace."""
    await new_namespace(kube, namespace)
    numbers = count(1)

    async def passes() -> None:
        await SystemClock().sleep(0.05)

    @asynccontextmanager
    async def limited(permissions: Sequence[str]) -> AsyncIterator[Kube]:
        name = f"limited-{next(numbers)}"
        token = plane.account(namespace, name, permissions)
        async with plane.client(plane.kubeconfig_for(plane.folder / f"{namespace}-{name}", token)) as client:
            yield client

    return Scene(kube, namespace, passes, SystemClock().monotonic, limited)
