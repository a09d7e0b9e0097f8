"""`paramedic demo`: the real service over a simulated cluster, five stories, and the console beside them."""

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

from paramedic.cli.output import coloured, line, paint
from paramedic.console.door import connect
from paramedic.core.decision import Entry
from paramedic.core.words import Mode
from paramedic.errors import Fault, Temporary
from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers
    from paramedic.console.models import EntryView
    from paramedic.demo.teller import Teller, Telling

__all__ = ["add", "run"]


def add(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = subparsers.add_parser("demo", help="the service over a simulated cluster: five incidents, told as they go")
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
    from paramedic.demo.gauges import Gauges
    from paramedic.demo.monitor import Monitor, webhook
    from paramedic.demo.shop import Shop
    from paramedic.demo.teller import Teller

    clock, stop = SystemClock(), asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    print(
        "Paramedic demo: a simulated cluster, real alert bodies, nothing outside this machine is touched.", flush=True
    )
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="paramedic-demo-")))
        settings = _settings(settings, folder, any_port=by_itself and not listen_set)
        shop = Shop(clock)
        gauges = Gauges(shop)
        service = Service(settings, clock, kube=shop.kube, metrics=gauges)
        await stack.enter_async_context(service)
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        monitor = Monitor(gauges.symptoms, webhook(session, service.address), clock)
        watching = asyncio.create_task(monitor.run())
        stack.push_async_callback(_end, watching)
        print(f"Console {service.address}    database {service.database}", flush=True)
        teller = Teller(service.engine, service.views, service.history, service.live, shop, gauges, clock)
        telling, stopped = asyncio.create_task(_tell(teller)), asyncio.create_task(stop.wait())
        stack.push_async_callback(_end, telling)
        stack.callback(stopped.cancel)
        await asyncio.wait([telling, stopped, watching], return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        if not telling.done():
            return 130
        if not by_itself:
            print(f"The console stays open at {service.address}; Ctrl-C ends it.", flush=True)
            await stopped
        return telling.result()


async def _end(task: "asyncio.Task[None] | asyncio.Task[int]") -> None:
    """Cancel a task and see it end, so that it asks nothing of a service that stops."""
    task.cancel()
    await asyncio.wait([task])


async def _tell(teller: "Teller") -> int:
    """Tell every story; 0 if each ended as told and its record is whole."""
    from paramedic.demo.stories import STORIES
    from paramedic.demo.teller import Telling

    tellings = [Telling(story) for story in STORIES]
    colour = coloured(sys.stdout, os.environ)
    print("They happen side by side and are told one after the other; seconds stand for a shop's minutes.", flush=True)
    happening = asyncio.create_task(teller.tell(tellings))
    try:
        for number, telling in enumerate(tellings, 1):
            print(f"\n{paint(f'{number}  {telling.story.title}', 'bold', colour)}", flush=True)
            async for entry in telling.follow():
                _show(entry, colour=colour)
            if telling.wrong:
                print(f"   it did not end as told: {telling.wrong}", flush=True)
        await happening
    finally:
        happening.cancel()
    return _summed_up(tellings)


def _summed_up(tellings: "list[Telling]") -> int:
    ended = sum(not telling.wrong for telling in tellings)
    whole = all(telling.chain for telling in tellings)
    entries = sum(len(telling.entries) for telling in tellings)
    chains = "chains verified" if whole else "A CHAIN IS BROKEN"
    print(f"\n{len(tellings)} stories, {ended} ended as told. {entries} timeline entries, {chains}.", end=" ")
    print("Next: docs/tutorial/your-first-incident.md", flush=True)
    return 0 if ended == len(tellings) and whole else 1


def _settings(settings: Settings, folder: Path, *, any_port: bool) -> Settings:
    """The demo's own rules, playbooks and database; and nothing of what the environment says about other systems."""
    source = files("paramedic.demo")
    for kind in ("rules", "playbooks"):
        (folder / kind).mkdir()
        for file in (source / kind).iterdir():
            (folder / kind / file.name).write_text(file.read_text())
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
        mode=Mode.AUTO,
        webhook_tokens=(),
        clusters=(),
        environment={},
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
