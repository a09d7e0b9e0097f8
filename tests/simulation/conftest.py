"""The last lines of a run of the simulation: how many seeds held, how much happened in them, and how fast."""

import time
from typing import Any

import pytest

__all__ = ["pytest_configure", "pytest_terminal_summary"]

_BEGAN = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_BEGAN] = time.monotonic()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    told = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "simulated"
    ]
    if told:
        seeds, events = sum(one[0] for one in told), sum(one[1] for one in told)
        took, work = time.monotonic() - config.stash[_BEGAN], sum(one[2] for one in told)
        terminalreporter.write_line(
            f"simulation: {seeds} seeds held all twelve promises; {events} events; "
            f"{seeds / took * 60:.0f} seeds a minute, {seeds / work:.1f} a second of each worker"
        )
