"""The cluster of some scenarios: two workloads that are scaled for a time, under several names, while hands meddle."""

from collections.abc import Callable
from random import Random
from typing import Any

from paramedic.cluster.port import MANAGER, Json
from paramedic.rehearse.cluster import SimulatedCluster

__all__ = ["happenings", "watch", "world"]

_NAMES = {
    "web": ("main/shop/deployment/web", "main/shop/service/web"),
    "api": ("main/shop/deployment/api", "main/shop/hpa/api"),
}


def world() -> dict[str, Any]:
    """Web is scaled by itself, api by its autoscaler."""
    return {
        "deployments": [{"name": name, "namespace": "shop", "replicas": 2, "image": f"{name}:1"} for name in _NAMES],
        "services": [{"name": "web", "namespace": "shop", "selects": {"app": "web"}}],
        "autoscalers": [{"name": "api", "namespace": "shop", "target": "deployment/api", "min": 2, "max": 8}],
    }


def happenings(dice: Random, trouble: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Alerts that come and go under one name or another and somebody who edits; and what fails on the way."""
    when: list[dict[str, Any]] = []
    for _ in range(dice.randint(1, 3)):
        name = dice.choice(tuple(_NAMES))
        begin = round(dice.uniform(0, trouble - 400), 3)
        alert = {"alertname": "Crowded", "job": dice.choice(("one", "two")), "target": dice.choice(_NAMES[name])}
        alert["n"] = str(len(when))
        when.append({"at": begin, "alert": alert})
        when.append({"at": begin + dice.choice((20, 100, 200, 400)), "resolved": alert})
        if dice.random() < 0.4:
            hand = {"edit": f"deployment/{name}.shop", "replicas": dice.randint(1, 5)}
            when.append({"at": begin + dice.choice((0.01, 30, 200)), "cluster": hand})
    faults: list[dict[str, Any]] = []
    for _ in range(dice.randint(0, 3)):
        begin = round(dice.choice((0.0, dice.uniform(0, trouble - 300))), 3)
        fails = dice.choice(("busy", "error", "refused", "timeout", "lost", "lost"))
        on = dice.choice(("*", "patch *", "get *"))
        end = begin + dice.choice((5, 60, 300))
        faults.append({"cluster": "main", "fails": fails, "on": on, "from": begin, "to": end, "times": 2})
    return when, faults


def watch(cluster: SimulatedCluster, changed: Callable[[str, str], None]) -> None:
    """Tell of each change of ours that took effect: of what, and under which key."""
    server = cluster.site.server
    real = server.patch

    def patch(*about: Any, dry_run: bool = False, **more: Any) -> Json:
        after = real(*about, dry_run=dry_run, **more)
        if MANAGER in about and not dry_run:
            changed(after["metadata"]["name"], after["metadata"]["annotations"]["paramedic/run"])
        return after

    server.patch = patch  # type: ignore[method-assign]
