"""The cluster contract against a real control plane: the same tests that the simulated cluster passes in `make test`.

Where the two differ, the simulation is wrong.
"""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from tests.contract.kube import (
    test_objects,
    test_patches,
    test_permissions,
    test_pods,
    test_revisions,
    test_rollouts,
    test_scaling,
)
from tests.contract.kube.scene import Scene
from tests.real.control_plane import ControlPlane, scene_of

MODULES = (test_objects, test_patches, test_permissions, test_pods, test_revisions, test_rollouts, test_scaling)
TESTS = {name: test for module in MODULES for name, test in vars(module).items() if name.startswith("test_")}
NUMBERS = count(1)

globals().update(TESTS)


@pytest.fixture
async def scene(control_plane: ControlPlane) -> AsyncIterator[Scene]:
    """A namespace of the real cluster."""
    async with control_plane.client() as client:
        yield await scene_of(client, f"contract-{next(NUMBERS)}", control_plane)


def test_no_two_tests_of_the_contract_have_one_name() -> None:
    names = [name for module in MODULES for name in vars(module) if name.startswith("test_")]

    assert len(names) == len(set(names)) == len(TESTS)
