"""A console that really serves, on TCP and its private socket, over a real database; its engine only listens."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from paramedic.catalog.explain import Explained
from paramedic.catalog.explain import Heard as Answers
from paramedic.console.door import open_door
from paramedic.console.front import Console
from paramedic.console.live import Live
from paramedic.console.proxy import Proxy
from paramedic.console.views import Rows
from paramedic.core.bundle import Bundle, Person
from paramedic.core.matching import RuleIndex
from paramedic.core.words import Mode
from paramedic.engine.inputs import Act
from paramedic.errors import Fault
from paramedic.intake.delivery import Delivery
from paramedic.ports import Deployed
from paramedic.store.port import Switch
from paramedic.store.queries import Query, load
from paramedic.store.reads import open_reads
from tests.console.seed import NOW, FixedClock

__all__ = ["ROLES", "Heard", "Log", "NoRows", "Serving", "console_of", "queries", "serving", "serving_rows"]

ROLES: Mapping[str, tuple[str, ...]] = {
    "alice": ("operator", "approver"),
    "bob": ("operator",),
    "vera": (),
    "builder": ("ci",),
    "tina": ("operator",),
    "ada": ("admin",),
}
TEAMS: Mapping[str, tuple[str, ...]] = {"tina": ("dba",)}


def _person(name: str) -> Person:
    mail = {"email": f"{name}@example.org"}
    return Person(name, contacts=mail, roles=ROLES[name], teams=TEAMS.get(name, ()))


@dataclass
class Catalog:
    """A catalog with these people in force, and one fault in its files."""

    bundle: Bundle | None = field(
        default_factory=lambda: Bundle(
            hash="4f1c9a",
            rules=RuleIndex([]),
            sources={},
            services=(),
            playbooks={},
            people={name: _person(name) for name in ROLES},
            policies={},
            windows={},
            endpoints={},
        )
    )
    faults: Sequence[Fault] = (Fault("rules/uk.yaml:58:3", "can never match", "move it up"),)


@dataclass
class Heard:
    """An engine that keeps what it was asked, and answers or raises what the test says."""

    acts: list[tuple[int, Act]] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)
    raises: Exception | None = None

    async def act(self, incident: int, act: Act) -> str:
        if self.raises is not None:
            raise self.raises
        self.acts.append((incident, act))
        return f"{act.what} done"

    async def hear(self, explained: Explained, bundle: Bundle) -> Answers | None:
        if self.raises is not None:
            raise self.raises
        return None

    async def deliver(self, delivery: Delivery) -> int:
        if self.raises is not None:
            raise self.raises
        self.delivered.append(delivery)
        return len(self.delivered)

    async def set_switch(self, mode: Mode, *, who: str, reason: str, until: datetime | None) -> Switch:
        if self.raises is not None:
            raise self.raises
        self.switches.append(Switch(mode, until, who, reason, NOW, 7))
        return self.switches[-1]


@dataclass
class Log:
    """Reported changes that are only kept in mind."""

    reported: list[Deployed] = field(default_factory=list)
    raises: Exception | None = None

    async def report(self, change: Deployed) -> bool:
        if self.raises is not None:
            raise self.raises
        new = change not in self.reported
        self.reported.append(change)
        return new


@dataclass
class Serving:
    """The running console and what a test needs to talk to it."""

    url: str
    data: Path
    http: aiohttp.ClientSession
    engine: Heard
    live: Live
    catalog: Catalog
    tokens: Path
    changes: Log

    def bearer(self, name: str) -> Mapping[str, str]:
        """The header of this person's token."""
        return {"Authorization": f"Bearer token-of-{name}"}

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON at `path`."""
        async with self.http.get(self.url + path, **options) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def page(self, path: str, status: int = 200, **options: Any) -> str:
        """The page at `path`."""
        async with self.http.get(self.url + path, **options) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def status(self, path: str, method: str = "GET", **options: Any) -> int:
        """The status of the answer at `path`."""
        async with self.http.request(method, self.url + path, **options) as answer:
            return answer.status

    async def post(self, path: str, body: Any = None, who: str = "alice", status: int = 200) -> Any:
        """What an act answers."""
        async with self.http.post(self.url + path, json=body, headers=self.bearer(who)) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()


@cache
def queries() -> Mapping[str, Query]:
    """The queries of the store."""
    return load(files("paramedic.store") / "queries")


@asynccontextmanager
async def serving(database: str, folder: Path, *, most_live: int = 200) -> AsyncIterator[Serving]:
    """Serve a console over this database until the context ends."""
    async with (
        await open_reads(database, queries(), size=2) as reads,
        serving_rows(reads, folder, most_live) as running,
    ):
        yield running


class NoRows:
    """A database without an incident, for tests that do not get as far as to one."""

    async def fetch(self, name: str, /, **values: object) -> Sequence[Mapping[str, Any]]:
        return [{"mode": "auto", "until": None, "who": "", "reason": "", "at": None, "version": 0}] * (
            name == "view_switch"
        )


def console_of(
    rows: Rows | None = None,
    engine: Heard | None = None,
    catalog: Catalog | None = None,
    live: Live | None = None,
    tokens: Path | None = None,
    changes: Log | None = None,
    proxy: Proxy | None = None,
) -> Console:
    """A console that serves nothing yet."""
    return Console(
        rows or NoRows(),
        engine or Heard(),
        catalog or Catalog(),
        live or Live(),
        FixedClock(),
        changes=changes or Log(),
        tokens=tokens,
        highest=Mode.AUTO,
        proxy=proxy,
    )


@asynccontextmanager
async def serving_rows(
    rows: Rows, folder: Path, most_live: int = 200, proxy: Proxy | None = None
) -> AsyncIterator[Serving]:
    """Serve a console over these rows until the context ends."""
    tokens = folder / "tokens"
    tokens.write_text("".join(f"{name} {sha256(f'token-of-{name}'.encode()).hexdigest()}\n" for name in ROLES))
    engine, live, catalog, changes, data = Heard(), Live(most_live), Catalog(), Log(), folder / "data"
    console = console_of(rows, engine, catalog, live, tokens, changes, proxy)
    app = web.Application()
    app.add_routes(console.routes())
    app.on_shutdown.append(console.stop)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    with open_door(data) as door:
        try:
            await web.SockSite(runner, door).start()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[-1][1]
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
                yield Serving(f"http://127.0.0.1:{port}", data, http, engine, live, catalog, tokens, changes)
        finally:
            await runner.cleanup()
