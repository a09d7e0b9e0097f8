"""Promise 5 for the playbook that keeps out of a window: nothing of it is written while that is open."""

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Oracle

__all__ = ["Windows"]

OPENS, SHUTS = 60.0, 120.0
"""Seconds after the start between which `drain` must not act: 02:15 to 02:16."""

_FRESH = 11.0
"""Seconds for which a yes of its guards counts, and the write takes to leave."""


class Windows(Oracle):
    """Judged by the moment at which the write arrives alone. Taking a change back goes on in a window too."""

    promise = 5

    def written(self, write: Written) -> None:
        if not write.path.startswith("/drain") or write.late or not self.scene.steady:
            return
        if OPENS + _FRESH < self.scene.now < SHUTS:
            self.broken(
                f"{write.path} was written at {self.scene.now:.1f}s, in the window that its playbook keeps out of"
            )
