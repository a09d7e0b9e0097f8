"""A service without a cluster loads nothing of the library for clusters; with one it is loaded before it serves."""

import subprocess
import sys
from pathlib import Path

from tests.clients.kube.clusters import kubeconfig

STARTED = """
import asyncio, sys
from contextlib import AsyncExitStack
import paramedic.cli.serve, paramedic.cli.demo, paramedic.rehearse.run
from paramedic.app import Service
from paramedic.clock import SystemClock
from paramedic.settings import read_settings

async def main(environment):
    service = Service(read_settings(environment), SystemClock())
    async with AsyncExitStack() as stack:
        kube = await service._clusters(stack)
        print(list(kube.clusters), "kubernetes_asyncio" in sys.modules)

asyncio.run(main({}))
asyncio.run(main({"KUBECONFIG": sys.argv[1]}))
"""


def test_only_with_a_cluster_is_it_imported(tmp_path: Path) -> None:
    """Importing every module that a start needs, and starting as far as the clusters."""
    file = kubeconfig(tmp_path, "https://127.0.0.1:1")
    done = subprocess.run([sys.executable, "-c", STARTED, str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[] False", "['main'] True"]
