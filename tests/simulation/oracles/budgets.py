"""Promise 4 for what is shared by counting: a budget is not overdrawn, and what cools down is left alone."""

from typing import Any

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Oracle

__all__ = ["Budgets"]

COOLDOWN = 120.0
"""Seconds between two runs of the playbook `restart` on one target."""

BUDGET, PER = 4, 1200.0
"""Runs of the playbook `poke` in so many seconds."""

_CLOCKS = 1.0
"""Seconds by which the clocks of two processes may differ."""


class Budgets(Oracle):
    """Each run that has written must have been counted, and what was counted must fit the limits."""

    promise = 4

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.checked: set[tuple[int, int]] = set()

    def written(self, write: Written) -> None:
        kind = write.path.partition("?")[0]
        if kind not in ("/restart", "/poke") or write.late or write.key.count("/") > 3:
            return
        incident, run = (int(part) for part in write.key.removeprefix("INC-").split("/")[:2])
        if (incident, run) in self.checked:
            return
        self.checked.add((incident, run))
        job = write.path.partition("job=")[2]
        scope = f"cooldown/restart/shop/{job}" if kind == "/restart" else f"budget/{PER:g}s/playbook/poke"
        uses = sorted((use.at, use.incident, use.run) for use in self.scene.disk.uses if use.scope == scope)
        if (incident, run) not in {(of, number) for _, of, number in uses}:
            self.broken(f"{write.path} was written under {write.key}, and {scope} has not counted it")
        if self.scene.steady:
            self._fits(
                scope, [at.timestamp() for at, _, _ in uses], *((1, COOLDOWN) if job in scope else (BUDGET, PER))
            )

    def _fits(self, scope: str, moments: list[float], most: int, within: float) -> None:
        for first, last in zip(moments, moments[most:], strict=False):
            if last - first < within - _CLOCKS:
                self.broken(f"{scope} was used {most + 1} times within {last - first:.1f}s")
