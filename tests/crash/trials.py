"""One alert, told to a real process that kills itself at a point, is started again, and perhaps kills itself again.

Its story: the alert fires, is treated by two writes of which nothing protects the second, is paged by three levels and
told in Slack; when nothing goes on any more it is over, and the process is stopped. `run` says what came of it.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from paramedic.clock import SystemClock
from paramedic.core.model import Incident
from paramedic.core.words import Once
from paramedic.engine.holdings import decode
from paramedic.record.timeline import decode_entries
from paramedic.store.connect import connect
from tests.crash.came import Came
from tests.crash.members import Member, member_on
from tests.crash.outside import Outside
from tests.crash.record import read_record
from tests.engine.texts import body
from tests.postgres import fresh_database
from tests.real.processes import Processes, until

__all__ = ["Trials"]

SERVE = (sys.executable, "-m", "tests.crash.serve")
RULES = """\
endpoints:
  - {name: hook, url: "ROOM/hook", idempotent: true, timeout: 1s}
  - {name: raw, url: "ROOM/raw", timeout: 1s}
  - {name: pager, url: "ROOM/pager"}
people:
  - {name: alice, notifier: webhook, webhook: pager}
  - {name: bob, notifier: pagerduty, pagerduty_key: PAGERDUTY_ROUTING_KEY}
  - {name: carol, notifier: slack, slack: U01}
escalation:
  - name: sre
    levels: [{after: 0s, page: [alice]}, {after: 1s, page: [bob]}, {after: 2s, page: [carol]}]
communication:
  - {name: outage, tell: [{audience: engineering, by: slack, to: C0123456789, every: change}]}
rules:
  - {name: down, match: ['alertname="Down"'], incident: [id], playbook: heal, escalation: sre, communication: outage}
"""
PLAYBOOK = """\
playbook: heal
mode: auto
target: svc/api
guards: [still_firing: {}, not_firing: {match: ['alertname="KubeAPIDown"']}, cooldown: {for: 1s}]
steps:
  - http: {endpoint: hook, method: POST, path: /restart}
    verify: [http: {endpoint: hook, path: /health, within: 1m, every: 1s}]
  - http: {endpoint: raw, method: POST, path: /flush}
"""
LEVELS, TOLD = 3, 2  # pages; messages: the root and what follows in its thread
LEFT = {
    "effects": "select count(*) from effect where lane <> 'message'",  # those may come seconds later
    "holds": "select count(*) from hold",
    "todo": "select count(*) from delivery where not routed",
    "inbox": "select count(*) from event where not done",
}
DEADLINE = 240.0
"""Seconds for one thing to come true: a page whose answer is not known is sent again after half a minute."""


@dataclass
class Trials:
    """Runs trials, so many at a time; only two processes start at once, because that is what costs."""

    processes: Processes
    folder: Path
    server: str
    world: Outside
    http: aiohttp.ClientSession
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    starting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    count: int = 0

    async def run(self, *kills: str) -> Came:
        """One trial: the first process dies at the first of these points (`POINT@TIME`), the second at the second."""
        async with self.at_once, fresh_database(self.server) as database:
            self.count += 1
            room = f"t{self.count}"
            trial = Trial(self, kills, room, self.folder / room, database)
            return await trial.run()


class Trial:
    """See `Trials.run`."""

    def __init__(self, trials: Trials, kills: Sequence[str], room: str, folder: Path, database: str) -> None:
        self._trials, self._kills, self._folder, self._database = trials, kills, folder, database
        self._room = trials.world.rooms[room]
        url = f"{trials.world.url}/{room}"
        for name, text in (("rules", RULES), ("playbooks", PLAYBOOK)):
            (folder / name).mkdir(parents=True)
            (folder / name / "all.yaml").write_text(text.replace("ROOM", url))
        settings = {
            "PARAMEDIC_RULES": str(folder / "rules"),
            "PARAMEDIC_PLAYBOOKS": str(folder / "playbooks"),
            "PARAMEDIC_DATABASE_URL": database,
            "PAGERDUTY_EVENTS_URL": f"{url}/PagerDuty",
            "PAGERDUTY_ROUTING_KEY": "a" * 32,
            "SLACK_API_URL": f"{url}/Slack",
            "SLACK_BOT_TOKEN": "xoxb-set",
        }
        self._member: Member = member_on(trials.processes, trials.http, settings, SERVE)
        self._clock = SystemClock()
        self._lives = 0
        self._died = 0
        self._stopping = False
        self._flying: set[Once] = set()
        self._reading = asyncio.Lock()

    async def run(self) -> Came:
        """The story, with somebody who starts the process again whenever it dies."""
        self._connection = await connect(self._database)
        keeper = asyncio.create_task(self._keep())
        story = asyncio.create_task(self._story())
        try:
            await asyncio.wait([keeper, story], return_when=asyncio.FIRST_EXCEPTION)
            for task in (keeper, story):
                if task.done() and task.exception() is not None:
                    await task
            return await self._came()
        except AssertionError as error:
            error.add_note(f"killed at {self._kills}: {self._member.process.last_words()}")
            raise
        finally:
            for task in (keeper, story):
                task.cancel()
            await asyncio.gather(keeper, story, return_exceptions=True)
            self._member.process.kill()
            await self._connection.close()

    async def _keep(self) -> None:
        """What a supervisor does: start it, until it ends as it was told to."""
        process = self._member.process
        while True:
            await self._start()

            async def ended() -> bool:
                return process.code is not None

            await until(ended, f"the end of {process.name}", deadline=2 * DEADLINE)
            if process.code == 0 and self._stopping:
                return
            assert process.code == -signal.SIGKILL, process.last_words()
            self._died += 1
            await self._look()

    async def _start(self) -> None:
        process = self._member.process
        process.environment["CRASH_AT"] = self._kills[self._lives] if self._lives < len(self._kills) else ""
        process.environment["CRASH_PASSED"] = str(self._folder / f"life-{self._lives}")
        self._lives += 1
        async with self._trials.starting:
            process.start()

            async def up_or_dead() -> bool:
                return process.code is not None or await self._member.ready()

            await until(up_or_dead, f"the readiness or the end of {process.name}")

    async def _look(self) -> None:
        """What was under way when it died."""
        rows = await self._rows(
            "select i.state from effect e join incident i on i.id = e.incident_id where e.intended and lane = 'write'"
        )
        self._flying |= {run.once for row in rows if (run := decode(row["state"]).run) is not None}

    async def _story(self) -> None:
        await self._tell("firing", "0001-01-01T00:00:00Z")
        await self._until(self._treated, "the end of its treatment, and the last page")
        await self._tell("resolved", "2100-01-01T00:00:00Z")
        await self._until(self._resolved, "its end")
        self._stopping = True

        async def stopped() -> bool:
            with suppress(ProcessLookupError):
                if self._member.process.code is None and await self._member.ready():
                    self._member.process.tell(signal.SIGTERM)
            return self._member.process.code == 0

        await self._until(stopped, "its being stopped")

    async def _until(self, probe: Callable[[], Awaitable[bool]], what: str) -> None:
        await until(probe, what, deadline=DEADLINE)

    async def _tell(self, status: str, ends: str) -> None:
        """What Alertmanager does: send again until it is answered with 2xx."""
        labels = {"alertname": "Down", "id": "one"}
        starts = "2026-01-05T02:14:00Z"
        text = body({"status": status, "labels": labels, "annotations": {}, "startsAt": starts, "endsAt": ends})

        async def taken() -> bool:
            try:
                url = f"{self._member.url}/api/v1/alertmanager"
                async with self._trials.http.post(url, data=text) as answer:
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        await self._until(taken, f"{status} to be accepted")

    async def _incident(self) -> Incident | None:
        rows = await self._rows("select state from incident order by id limit 1")
        return decode(rows[0]["state"]) if rows else None

    async def _idle(self) -> bool:
        return not await self._rows("select from effect limit 1")

    async def _treated(self) -> bool:
        one = await self._incident()
        if one is None or one.run is not None or not one.past or one.paging.level < LEVELS:
            return False
        told = sum("/engineering" in key for key in self._room.told())
        return told >= TOLD and await self._idle()

    async def _resolved(self) -> bool:
        one = await self._incident()
        return one is not None and one.phase == "resolved" and await self._idle()

    async def _number(self, what: str) -> int:
        ((number,),) = await self._rows(LEFT[what])
        return int(number)

    async def _rows(self, sql: str) -> Sequence[Any]:
        async with self._reading:
            return await self._connection.fetch(sql)

    async def _came(self) -> Came:
        await read_record(self._database)  # promises 8 and 9
        rows = await self._rows("select id, state from incident")
        lines: dict[int, list[Any]] = {row["id"]: [] for row in rows}
        for line in await self._rows("select incident_id, body from timeline order by incident_id, seq"):
            lines[line["incident_id"]] += decode_entries(line["body"])
        return Came(
            tuple(tuple((self._folder / f"life-{n}").read_text().splitlines()) for n in range(self._lives)),
            self._died,
            {row["id"]: decode(row["state"]) for row in rows},
            lines,
            tuple(self._room.requests),
            self._room.told(),
            {name: await self._number(name) for name in LEFT},
            frozenset(self._flying),
        )
