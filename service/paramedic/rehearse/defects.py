"""The report of the process under test: nothing is measured, but a defect that it met is told with the rehearsal."""

import sys
from collections.abc import Mapping, Sequence

from paramedic.core.words import Mode, Outcome, Severity

__all__ = ["Defects"]


class Defects:
    """`engine.report.Report` for rehearsals. `found` says where something raised that should not, and what it was."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def failed(self, where: str) -> None:
        """An unexpected error was caught: keep what it says."""
        error = sys.exception()
        self.found.append(f"{where}: {type(error).__name__}: {error}" if error else where)

    def delivered(self, source: str, result: str, alerts: int, seconds: float) -> None:
        """Nothing to tell."""

    def committed(self, incidents: Sequence[int], seconds: float) -> None:
        """Nothing to tell."""

    def run_ended(self, playbook: str, outcome: Outcome) -> None:
        """Nothing to tell."""

    def step_ended(self, action: str, outcome: str, seconds: float) -> None:
        """Nothing to tell."""

    def guard_answered(self, guard: str, answer: str) -> None:
        """Nothing to tell."""

    def paged(self, outcome: str) -> None:
        """Nothing to tell."""

    def messaged(self, notifier: str, outcome: str) -> None:
        """Nothing to tell."""

    def timer_fired(self, lateness: float) -> None:
        """Nothing to tell."""

    def waiting(self, lane: str, count: int, oldest: float) -> None:
        """Nothing to tell."""

    def open_incidents(self, by_severity: Mapping[Severity, int]) -> None:
        """Nothing to tell."""

    def open_episodes(self, count: int) -> None:
        """Nothing to tell."""

    def storms(self, count: int) -> None:
        """Nothing."""

    def unknown_outcomes(self, count: int) -> None:
        """Nothing to tell."""

    def mode(self, mode: Mode) -> None:
        """Nothing to tell."""

    def catalog_faults(self, count: int) -> None:
        """Nothing to tell."""
