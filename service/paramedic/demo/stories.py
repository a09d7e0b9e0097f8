"""The four stories of the demo: what breaks, what a person does, and how each incident has to end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from paramedic.demo.monitor import Monitor

__all__ = ["HOPELESS", "STORIES", "Ending", "Story"]

HOPELESS = frozenset({"search"})
"""Services that a restart does not help."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the incident has to look like: its phase, how its run ended, how many levels were paged."""

    phase: str
    outcome: str
    levels: int
    fixed_by: str = ""

    def words(self) -> str:
        """For the summary."""
        return f"{self.phase}, run {self.outcome}, {self.levels} paged" + (
            f", by {self.fixed_by}" if self.fixed_by else ""
        )


@dataclass(frozen=True, slots=True)
class Story:
    """One story. `breaks` sends the alerts; `approves` and `acknowledges` say who does so once it is asked for."""

    title: str
    job: str
    breaks: Callable[[Monitor], Awaitable[None]]
    ending: Ending
    approves: str = ""
    acknowledges: str = ""
    after: Callable[[Monitor], Awaitable[None]] | None = field(default=None)


async def _api_down(monitor: Monitor) -> None:
    await monitor.fire("ServiceDown", "api", "critical", "api does not answer")


async def _payments_down(monitor: Monitor) -> None:
    await monitor.fire("KubeAPIDown", "kubernetes", "critical", "the cluster's API does not answer")
    await monitor.fire("ServiceDown", "payments", "critical", "payments does not answer")


async def _cluster_back(monitor: Monitor) -> None:
    await monitor.resolve("kubernetes")


async def _queue_grows(monitor: Monitor) -> None:
    await monitor.fire("QueueBacklog", "worker", "warning", "4,210 orders wait")


async def _search_down(monitor: Monitor) -> None:
    await monitor.fire("ServiceDown", "search", "critical", "search does not answer")


STORIES = (
    Story(
        "A crashed service is restarted, and its page resolves itself",
        "api",
        _api_down,
        Ending("resolved", "fixed", 1, fixed_by="paramedic"),
    ),
    Story(
        "A guard refuses, and the page says why",
        "payments",
        _payments_down,
        Ending("assessing", "refused", 2),
        acknowledges="alice",
        after=_cluster_back,
    ),
    Story(
        "A person approves first",
        "worker",
        _queue_grows,
        Ending("resolved", "fixed", 1, fixed_by="paramedic"),
        approves="alice",
    ),
    Story(
        "Tried, not cleared, handed over",
        "search",
        _search_down,
        Ending("responding", "ineffective", 2),
    ),
)
