"""`paramedic demo`: the real service on a simulated shop, four stories, and the console beside them."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from paramedic.cli.output import coloured, line
from paramedic.console.door import connect
from paramedic.core.decision import Entry
from paramedic.errors import Fault, Temporary
from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers
    from paramedic.console.models import EntryView
    from paramedic.demo.monitor import Monitor
    from paramedic.demo.shop import Shop
    from paramedic.demo.teller import Teller

__all__ = ["add", "run"]


def add(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="the service on a simulated shop: four incidents, told as they go")
    parser.add_argument("--exit", action="store_true", help="end by itself; exit 0 only if every story ended as told")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Tell the stories. 0 if every incident ended as told."""
    import logging

    from paramedic import logs

    logs.set_up(sys.stderr, level=logging.ERROR)
    settings = read_settings(environment)
    return asyncio.run(_demo(settings, by_itself=args.exit, listen_set="PARAMEDIC_LISTEN" in environment))


async def _demo(settings: Settings, *, by_itself: bool, listen_set: bool) -> int:
    import aiohttp

    from paramedic.app import Service
    from paramedic.clock import SystemClock
    from paramedic.demo.monitor import Monitor
    from paramedic.demo.shop import Shop
    from paramedic.demo.stories import HOPELESS
    from paramedic.demo.teller import Teller

    clock, stop = SystemClock(), asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    print("Paramedic demo: a simulated shop, real alert bodies, nothing outside this machine is touched.", flush=True)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="paramedic-demo-")))
        healed: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        shop = await stack.enter_async_context(Shop(clock, healed.put_nowait, HOPELESS))
        settings = _settings(settings, folder, shop, any_port=by_itself and not listen_set)
        service = await stack.enter_async_context(Service(settings, clock))
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        monitor = Monitor(service.address, session, clock)
        resolving = asyncio.create_task(_resolve(monitor, healed))
        stack.callback(resolving.cancel)
        print(f"Console {service.address}    database {service.database}", flush=True)
        colour = coloured(sys.stdout, os.environ)
        teller = Teller(
            service.engine,
            service.views,
            service.history,
            service.live,
            monitor,
            clock,
            lambda entry: _show(entry, colour=colour),
        )
        telling, stopped = asyncio.create_task(_tell(teller)), asyncio.create_task(stop.wait())
        stack.callback(telling.cancel)
        stack.callback(stopped.cancel)
        await asyncio.wait([telling, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            return 130
        if not by_itself:
            print("The console stays open; Ctrl-C ends it.", flush=True)
            await stopped
        return telling.result()


async def _tell(teller: "Teller") -> int:
    """Tell every story; 0 if each ended as told and its record is whole."""
    from paramedic.demo.stories import STORIES

    ended = 0
    for number, story in enumerate(STORIES, 1):
        print(f"\n{number}  {story.title}", flush=True)
        as_told, how = await teller.tell(story)
        ended += as_told
        if not as_told:
            print(f"   it was to end {story.ending.words()}; it ended {how}", flush=True)
    chains = "chains verified" if teller.chains else "A CHAIN IS BROKEN"
    print(f"\n{len(STORIES)} stories, {ended} ended as told. {teller.entries} timeline entries, {chains}.", end=" ")
    print("Next: docs/tutorial/your-first-incident.md", flush=True)
    return 0 if ended == len(STORIES) and teller.chains else 1


def _settings(settings: Settings, folder: Path, shop: "Shop", *, any_port: bool) -> Settings:
    """The demo's own rules and playbooks, in a folder of its own, with the shop's address filled in."""
    source = files("paramedic.demo")
    for kind in ("rules", "playbooks"):
        (folder / kind).mkdir()
        for file in (source / kind).iterdir():
            (folder / kind / file.name).write_text(file.read_text().replace("SHOP", shop.url))
    data = settings.data / "demo"
    _must_be_free(data)
    shutil.rmtree(data, ignore_errors=True)  # every telling begins anew
    return replace(
        settings,
        host="127.0.0.1",
        port=0 if any_port else settings.port,
        data=data,
        database_url="",
        rules=folder / "rules",
        playbooks=folder / "playbooks",
    )


def _must_be_free(data: Path) -> None:
    """Raises `Fault` when another demo uses the folder: its database must not vanish under it."""
    try:
        connect(data, timeout=2.0).close()
    except Temporary:
        return
    raise Fault(str(data), "another demo runs here", "end it, or set PARAMEDIC_DATA to another folder")


def _show(entry: "EntryView", *, colour: bool) -> None:
    """Print an entry of the timeline."""
    by = f" (by {entry.who})" if entry.who and entry.who not in entry.text else ""
    print(line(Entry(entry.kind, entry.text + by, entry.note), entry.at, colour=colour), flush=True)


async def _resolve(monitor: "Monitor", healed: "asyncio.Queue[str]") -> None:
    """What answers again is no longer reported."""
    while True:
        await monitor.resolve(await healed.get())
