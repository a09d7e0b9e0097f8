"""A backup of the database's files is put back under a service that has acted since: it starts in freeze, and says why.

What is remembered lies beside the database, in PARAMEDIC_DATA. A person looks, and opens the switch.
"""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import Processes, until
from tests.real.services import Service, Services


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


async def switched(service: Service, mode: str) -> dict[str, str]:
    """The switch, once it is at `mode`."""

    async def there() -> dict[str, str] | None:
        switch = await service.get("switch")
        return switch if switch["mode"] == mode else None

    found = await until(there, f"the switch at {mode}")
    assert found is not None
    return found


def copied(folder: Path, to: Path) -> None:
    """What `cp -a` makes of a folder while nothing runs on it."""
    subprocess.run(["cp", "-a", folder, to], check=True)


async def acts(service: Service, held: HeldSink, identity: str) -> None:
    """An alert is taken, and acted on."""
    await service.takes(alert(identity))
    await held.came(identity)


async def test_a_backup_put_back_freezes_until_a_person_opens_it(
    serve: Services, held: HeldSink, processes: Processes
) -> None:
    service = await serve(Acting(held.url))
    data = Path(service.settings["PARAMEDIC_DATA"])
    await acts(service, held, "before")
    assert await service.process.stop() == 0
    assert (data / "position.json").stat().st_size > 0
    copied(data / "postgres", processes.folder / "backup")

    await service.start()
    await acts(service, held, "since")
    assert (await service.get("switch"))["mode"] == "auto"
    assert await service.process.stop() == 0
    (data / "postgres").rename(processes.folder / "lost")
    copied(processes.folder / "backup", data / "postgres")

    await service.start()
    switch = await switched(service, "freeze")
    assert switch["who"] == "paramedic"
    assert "it is an older copy" in switch["reason"] or "and was at" in switch["reason"]
    assert "until a person" in await service.command("switch")
    await service.takes(alert("since"))
    incident = (await service.incidents())[-1]["id"]
    await service.told(incident, "the mode is freeze")
    assert len(held.keys["since"]) == 1

    assert await service.process.stop() == 0
    await service.start()
    assert (await service.get("switch"))["mode"] == "freeze"
    await service.command("switch", "auto", "--reason", "looked at what is missing")
    await acts(service, held, "after")
    assert await service.process.stop() == 0
    await service.start()
    assert (await service.get("switch"))["mode"] == "auto"
    await acts(service, held, "and on")


async def test_another_database_freezes_and_the_right_one_does_not(
    serve: Services, held: HeldSink, outside: Database, processes: Processes
) -> None:
    """PARAMEDIC_DATABASE_URL names the wrong database for once."""
    service = await serve(Acting(held.url), PARAMEDIC_DATABASE_URL=outside.url)
    await acts(service, held, "one")
    assert await service.process.stop() == 0

    async with Database(processes.folder / "other") as other:
        service.process.environment["PARAMEDIC_DATABASE_URL"] = other.url
        await service.start()
        switch = await switched(service, "freeze")
        assert "this is another database system" in switch["reason"]
        assert await service.process.stop() == 0

    service.process.environment["PARAMEDIC_DATABASE_URL"] = outside.url
    await service.start()
    assert (await service.get("switch"))["mode"] == "auto"
    await acts(service, held, "two")
