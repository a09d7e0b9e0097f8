"""The scene of the cluster contract on the simulated cluster: time passes only when somebody asks it to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from paramedic.cluster.port import Kube
from paramedic.rehearse.cluster import Behaviour, SimulatedCluster, Speeds
from tests.contract.kube.passing import PassingClock
from tests.contract.kube.scene import NAMESPACES, Scene

STEP = 0.1
"""Seconds between two looks."""


@pytest.fixture
async def scene() -> Scene:
    """A namespace of a simulated cluster."""
    clock = PassingClock()
    cluster = SimulatedCluster(clock, speeds=Speeds(starts=0.1, stops=0.1, crashes=0.1))
    cluster.behaves("*", Behaviour(ready=0.0))
    cluster.behaves("*-bad", Behaviour(ready=False, crash=True))
    cluster.behaves("*-slow", Behaviour(ready=2.0))

    @asynccontextmanager
    async def limited(permissions: Sequence[str]) -> AsyncIterator[Kube]:
        cluster.allow(permissions)
        yield cluster.port
        cluster.allow(None)

    scene = Scene(cluster.port, "shop", lambda: clock.sleep(STEP), clock.monotonic, limited)
    await scene.make(NAMESPACES, {"metadata": {"name": "shop"}})
    return scene
