"""`paramedic serve` as a process of its own, and what a test asks it: over HTTP, and with the commands of its user."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from tests.real.alertmanager import metric
from tests.real.processes import Process, Processes, until

__all__ = ["Files", "Service", "Services"]

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
COMMAND_TIME = 60.0
SERVES = re.compile(r"paramedic serves on (http://\S+?);")


class Files(Protocol):
    """Rules and playbooks of a test."""

    def write(self, rules: Path, playbooks: Path) -> None:
        """Put the files where a service looks for them."""
        ...


class Service:
    """A running service. `url` stays the same when it is started again."""

    def __init__(self, process: Process, folder: Path, http: aiohttp.ClientSession, settings: dict[str, str]) -> None:
        self.process, self.folder, self.settings, self._http = process, folder, settings, http
        self.url = ""

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        starts = len(SERVES.findall(self.process.output()))
        self.process.start()

        async def serves() -> str:
            found = SERVES.findall(self.process.output())
            return found[-1] if len(found) > starts else ""

        self.url = await self.process.said(serves, "the address")
        self.process.environment["PARAMEDIC_LISTEN"] = self.url.removeprefix("http://")
        await self.process.said(self.ready, "the readiness")

    async def ready(self) -> bool:
        """Whether it can take deliveries, by its own word."""
        async with self._http.get(f"{self.url}/readyz") as answer:
            return answer.status == 200

    async def deliver(self, text: bytes) -> int:
        """Send a body to the webhook; how it was answered, 0 when nobody was there."""
        try:
            async with self._http.post(f"{self.url}/api/v1/alertmanager", data=text) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def takes(self, text: bytes) -> None:
        """Send a body, again and again as Alertmanager does, until it is taken."""

        async def taken() -> bool:
            return await self.deliver(text) == 200

        await until(taken, "a delivery to be taken")

    async def get(self, path: str) -> Any:
        """The JSON below /api/v1."""
        async with self._http.get(f"{self.url}/api/v1/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def metric(self, name: str, **labels: str) -> float:
        """One of its metrics."""
        async with self._http.get(f"{self.url}/metrics") as answer:
            return metric(await answer.text(), name, **labels)

    async def answered(self, result: str = "accepted") -> int:
        """How many requests of sources it has answered in this way."""
        return int(await self.metric("paramedic_deliveries_total", result=result))

    async def accepts(self, count: int) -> None:
        """Wait until it has accepted so many deliveries."""

        async def enough() -> bool:
            return await self.answered() >= count

        await until(enough, f"{count} accepted deliveries")

    async def incidents(self) -> list[dict[str, Any]]:
        """All incidents, by number."""
        found = (await self.get("incidents"))["incidents"]
        return sorted(found, key=lambda one: int(one["id"].removeprefix("INC-")))

    async def incident(self, phase: str = "", count: int = 1) -> dict[str, Any]:
        """The incident, once there are `count` and it is in this phase and nothing is under way in it."""

        async def there() -> dict[str, Any] | None:
            found = await self.incidents()
            if len(found) != count:
                return None
            one = await self.detail(found[-1]["id"])
            settled = one["run"] is None and one["past"]
            return one if phase in ("", one["phase"]) and settled else None

        found = await until(there, f"{count} incidents, the last {phase or 'treated'}")
        assert found is not None
        return found

    async def detail(self, incident: str) -> dict[str, Any]:
        """Everything about one incident."""
        found: dict[str, Any] = await self.get(f"incidents/{incident}")
        return found

    async def entries(self, incident: str) -> list[dict[str, Any]]:
        """The timeline of one incident; its record must be whole."""
        timeline = await self.get(f"incidents/{incident}/timeline")
        assert timeline["chain"]["verified"], timeline["chain"]
        found: list[dict[str, Any]] = timeline["entries"]
        return found

    async def told(self, incident: str, words: str) -> dict[str, Any]:
        """The timeline's first entry that says these words, once there is one."""

        async def there() -> dict[str, Any] | None:
            return next((one for one in await self.entries(incident) if words in one["text"]), None)

        found = await until(there, f'"{words}" in the timeline of {incident}')
        assert found is not None
        return found

    async def command(self, *words: str, code: int = 0) -> str:
        """What `paramedic WORDS…` prints, asked over the private socket."""
        shared = ("PARAMEDIC_DATA", "PARAMEDIC_RULES", "PARAMEDIC_PLAYBOOKS")
        settings = {"NO_COLOR": "1"} | {name: self.settings[name] for name in shared}
        process = await asyncio.create_subprocess_exec(
            PARAMEDIC,
            *words,
            env={**os.environ, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMMAND_TIME):
                out, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == code, f"paramedic {' '.join(words)}: {complaint.decode()}{out.decode()}"
        return (out if code == 0 else complaint).decode()

    async def json_of(self, *words: str) -> Any:
        """What the command prints with --json."""
        return json.loads(await self.command(*words, "--json"))


class Services:
    """Starts services, each with data and files of its own."""

    def __init__(self, processes: Processes, folder: Path, http: aiohttp.ClientSession) -> None:
        self._processes, self._folder, self._http = processes, folder, http
        self._number = 0

    async def __call__(self, catalog: Files, **settings: str) -> Service:
        """A service that is ready. `settings` are added to its environment."""
        service = self.new(catalog, **settings)
        await service.start()
        return service

    def new(self, catalog: Files, *, command: Sequence[str] = (PARAMEDIC, "serve"), **settings: str) -> Service:
        """A service that is not started yet."""
        self._number += 1
        folder = self._folder / f"service-{self._number}"
        folder.mkdir()
        catalog.write(folder / "rules", folder / "playbooks")
        settings = {
            "PARAMEDIC_LISTEN": "127.0.0.1:0",
            "PARAMEDIC_DATA": str(self._processes.folder / f"data-{self._number}"),
            "PARAMEDIC_RULES": str(folder / "rules"),
            "PARAMEDIC_PLAYBOOKS": str(folder / "playbooks"),
            **settings,
        }
        process = self._processes.new("paramedic", command, settings)
        return Service(process, folder, self._http, settings)
