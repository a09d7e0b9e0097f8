"""What a plan costs: at most 10 ms of CPU, with as much to read as a workload with a full history has."""

from time import process_time

import pytest

from paramedic.actions.restart import Restart
from paramedic.actions.roll_back import RollBack
from paramedic.cluster.port import Json
from paramedic.plugin import Action
from tests.actions.workloads import at, tools_of
from tests.cluster.objects import deployment, replica_set, template
from tests.cluster.shelf import Shelf
from tests.contract.plugin_scene import at_once

MOST = 0.010


def realistic(number: int) -> Json:
    """A pod template of some 8 KiB: three containers with forty variables each."""
    variables = [{"name": f"SETTING_{n}", "value": f"https://service-{n}.internal.example/{n}"} for n in range(40)]
    found = template(f"api:{number}", **{f"note-{n}": "x" * 40 for n in range(10)})
    base = found["spec"]["containers"][0]
    found["spec"]["containers"] = [base | {"name": f"c{n}", "env": variables} for n in range(3)]
    return found


@pytest.mark.parametrize("action", [Restart(), RollBack()], ids=lambda action: str(action.name))
def test_a_plan_costs_at_most_ten_milliseconds(action: Action) -> None:
    kube = Shelf()
    kube.hold(deployment(template=realistic(11)))
    for number in range(1, 12):
        kube.hold(replica_set(number, realistic(number), f"2026-05-12T{number:02}:00:00Z"))
    params, scene, tools = action.Params.model_validate({}), at(deployment()), tools_of(kube)
    took: list[float] = []
    change = at_once(action.plan(params, scene, tools))
    for _ in range(7):
        begun = process_time()
        change = at_once(action.plan(params, scene, tools))
        took.append(process_time() - begun)

    assert change.needed
    assert min(took) <= MOST, f"{min(took) * 1000:.1f} ms"
