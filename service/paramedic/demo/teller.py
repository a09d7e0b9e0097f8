"""Tells the stories: breaks something, prints the timeline as it grows, plays the people, and compares the ending."""

from collections.abc import Callable
from dataclasses import dataclass, field

from paramedic.clock import Clock
from paramedic.console.history import History
from paramedic.console.live import Live
from paramedic.console.models import EntryView, IncidentDetail
from paramedic.console.views import Views, Wanted
from paramedic.demo.monitor import Monitor
from paramedic.demo.stories import Story
from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Act, Conflict
from paramedic.errors import Temporary

__all__ = ["Teller"]

_PATIENCE = 60.0
"""Seconds a story may take."""


@dataclass(slots=True)
class _Told:
    """How far a story has been told."""

    incident: int = 0
    printed: int = 0
    acted: set[str] = field(default_factory=set)


class Teller:
    """Tells one story after the other over a running service."""

    def __init__(
        self,
        engine: Engine,
        views: Views,
        history: History,
        live: Live,
        monitor: Monitor,
        clock: Clock,
        show: Callable[[EntryView], None],
    ) -> None:
        self._engine, self._views, self._history, self._live = engine, views, history, live
        self._monitor, self._clock, self._show = monitor, clock, show
        self.entries = 0
        self.chains = True

    async def tell(self, story: Story) -> tuple[bool, str]:
        """Tell it; whether it ended as it should, and how it ended."""
        told = _Told()
        with self._live.watch() as watch:
            await story.breaks(self._monitor)
            until = self._clock.monotonic() + _PATIENCE
            ended = False
            while not ended and self._clock.monotonic() < until:
                detail = await self._catch_up(story, told)
                if detail is not None:
                    await self._play(story, told, detail)
                    ended = self._ended(story, detail)
                if not ended:
                    await watch.next(1.0)
        detail = await self._catch_up(story, told)
        if story.after is not None:
            await story.after(self._monitor)
        self.entries += told.printed
        return ended, "no incident" if detail is None else self._words(detail)

    async def _catch_up(self, story: Story, told: _Told) -> IncidentDetail | None:
        """Print what is new; the incident as it stands."""
        if not told.incident:
            found = await self._views.incidents(Wanted(q=f"shop/{story.job}"))
            if not found.incidents:
                return None
            told.incident = int(found.incidents[0].id.removeprefix("INC-"))
        timeline = await self._history.timeline(told.incident, after=told.printed)
        self.chains = self.chains and timeline.chain.verified
        for entry in timeline.entries:
            self._show(entry)
            told.printed = entry.number
        return await self._views.incident(told.incident)

    async def _play(self, story: Story, told: _Told, detail: IncidentDetail) -> None:
        """What the people of the story do, once each."""
        run = detail.run
        if story.approves and run is not None and run.stage == "approval":
            await self._act(told, Act(story.approves, "approve", run=int(run.id.rsplit(".", 1)[1])))
        if story.acknowledges and detail.paging.level >= story.ending.levels:
            await self._act(told, Act(story.acknowledges, "ack"))

    async def _act(self, told: _Told, act: Act) -> None:
        if act.what in told.acted:
            return
        try:
            await self._engine.act(told.incident, act)
            told.acted.add(act.what)
        except (Conflict, Temporary):
            return  # somebody was faster, or it is too early: the next look decides

    @staticmethod
    def _ended(story: Story, detail: IncidentDetail) -> bool:
        ending = story.ending
        outcome = detail.past[-1].outcome if detail.past else None
        acked = not story.acknowledges or bool(detail.paging.acknowledged_by)
        return (
            detail.phase == ending.phase
            and outcome == ending.outcome
            and detail.paging.level == ending.levels
            and acked
            and (not ending.fixed_by or detail.fixed_by == ending.fixed_by)
        )

    @staticmethod
    def _words(detail: IncidentDetail) -> str:
        outcome = detail.past[-1].outcome if detail.past else "none"
        return f"{detail.phase}, run {outcome}, level {detail.paging.level}"
