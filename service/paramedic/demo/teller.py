"""Tells the stories: lets them happen side by side, reads their timelines, plays the people, and compares the endings.

`cli.demo` prints what a telling has gathered, one story after the other, the first one as it happens.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from paramedic.clock import Clock
from paramedic.console.history import History
from paramedic.console.live import Live
from paramedic.console.models import EntryView, IncidentDetail
from paramedic.console.views import Views, Wanted
from paramedic.demo.gauges import Gauges
from paramedic.demo.shop import Shop
from paramedic.demo.stories import Story
from paramedic.engine.engine import Engine
from paramedic.engine.inputs import Act, Conflict
from paramedic.errors import Temporary

__all__ = ["Teller", "Telling"]

_PATIENCE = 40.0
"""Seconds a story may take."""

_PAUSE = 0.5
"""Seconds until a story is looked at again, if nothing is heard of it."""

_REST = 0.3
"""Seconds of silence after which nothing is under way any more: the demo may end without breaking anything off."""


@dataclass(slots=True)
class Telling:
    """One story as far as it has gone. `wrong` says what is not yet as it has to be; `chain`: the record was whole."""

    story: Story
    incident: int = 0
    entries: list[EntryView] = field(default_factory=list)
    wrong: str = "no incident was opened"
    over: bool = False
    chain: bool = True
    acted: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> AsyncIterator[EntryView]:
        """Every entry of its timeline, as it comes, until the story is over. For one reader."""
        shown = 0
        while True:
            self.news.clear()
            while shown < len(self.entries):
                shown += 1
                yield self.entries[shown - 1]
            if self.over:
                return
            await self.news.wait()


class Teller:
    """Lets stories happen over a running service, each until it has ended as it should or its time is up."""

    def __init__(
        self, engine: Engine, views: Views, history: History, live: Live, shop: Shop, gauges: Gauges, clock: Clock
    ) -> None:
        self._engine, self._views, self._history, self._live = engine, views, history, live
        self._shop, self._gauges, self._clock = shop, gauges, clock

    async def tell(self, tellings: Sequence[Telling]) -> None:
        """Tell all of them: each begins when the one before has its incident, so that they are numbered in order."""
        async with asyncio.TaskGroup() as group:
            for telling in tellings:
                opened = asyncio.Event()
                group.create_task(self._tell(telling, opened))
                await opened.wait()
        await self._rest()

    async def _rest(self) -> None:
        until = self._clock.monotonic() + _PATIENCE
        with self._live.watch() as watch:
            while await watch.next(_REST) and self._clock.monotonic() < until:
                pass

    async def _tell(self, telling: Telling, opened: asyncio.Event) -> None:
        until = self._clock.monotonic() + _PATIENCE
        try:
            with self._live.watch() as watch:
                telling.story.begins(self._shop, self._gauges)
                while telling.wrong and self._clock.monotonic() < until:
                    if telling.incident or await self._found(telling):
                        opened.set()
                        await self._look(telling)
                    if telling.wrong:
                        await watch.next(_PAUSE)
        finally:
            telling.over = True
            telling.news.set()
            opened.set()

    async def _found(self, telling: Telling) -> bool:
        found = await self._views.incidents(Wanted(q=telling.story.key))
        if found.incidents:
            telling.incident = int(found.incidents[0].id.removeprefix("INC-"))
        return bool(found.incidents)

    async def _look(self, telling: Telling) -> None:
        """Take in what is new, play the people, and compare with the ending."""
        detail = await self._views.incident(telling.incident)
        timeline = await self._history.timeline(telling.incident, after=len(telling.entries))  # no older than `detail`
        telling.chain = telling.chain and timeline.chain.verified
        telling.entries += timeline.entries
        telling.news.set()
        await self._play(telling, detail)
        stands = await self._shop.stands(telling.story.workload)
        telling.wrong = telling.story.ending.missing(detail, telling.entries, stands)

    async def _play(self, telling: Telling, detail: IncidentDetail) -> None:
        """What the people of the story do, once."""
        story = telling.story
        if not story.acknowledges or telling.acted or detail.paging.level < story.ending.levels:
            return
        try:
            await self._engine.act(telling.incident, Act(story.acknowledges, "ack"))
            telling.acted = True
        except (Conflict, Temporary):
            return  # somebody was faster, or it is too early: the next look decides
