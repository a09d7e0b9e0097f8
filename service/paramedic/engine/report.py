"""What the engine tells about itself while it works: the measurements, and which incidents have changed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from paramedic.core.words import Mode, Outcome, Severity

__all__ = ["Report"]


class Report(Protocol):
    """Receives what happened, after it is durable. Implementations return at once and never raise."""

    def delivered(self, source: str, result: str, alerts: int, seconds: float) -> None:
        """A delivery was answered."""

    def committed(self, incidents: Sequence[int], seconds: float) -> None:
        """A commit came back; these incidents changed."""

    def run_ended(self, playbook: str, outcome: Outcome) -> None:
        """A run ended."""

    def step_ended(self, action: str, outcome: str, seconds: float) -> None:
        """A step's write came back."""

    def guard_answered(self, guard: str, answer: str) -> None:
        """A guard answered."""

    def paged(self, outcome: str) -> None:
        """A page went out or did not."""

    def messaged(self, notifier: str, outcome: str) -> None:
        """A message was sent, went nowhere because its notifier is dry, or failed."""

    def timer_fired(self, lateness: float) -> None:
        """A timer fired so many seconds late."""

    def waiting(self, lane: str, count: int, oldest: float) -> None:
        """So many effects wait in a lane, the oldest since so many seconds."""

    def open_incidents(self, by_severity: Mapping[Severity, int]) -> None:
        """Open incidents by severity."""

    def open_episodes(self, count: int) -> None:
        """Open episodes."""

    def unknown_outcomes(self, count: int) -> None:
        """Open incidents whose last run ended with nobody knowing whether it acted."""

    def storms(self, count: int) -> None:
        """Storms that are not over."""

    def mode(self, mode: Mode) -> None:
        """The global mode in force."""

    def catalog_faults(self, count: int) -> None:
        """Faults in the catalog's files."""

    def failed(self, where: str) -> None:
        """An unexpected error was caught at a task's boundary."""
