"""`paramedic serve`: the service. SIGTERM and Ctrl-C stop it, SIGHUP has the catalog read again."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers

__all__ = ["add", "run"]


def add(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = subparsers.add_parser("serve", help="the service")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Serve. 0 after a stop that was asked for, 1 after one that was not."""
    from paramedic import logs

    settings = read_settings(environment)
    logs.set_up(sys.stderr)
    return asyncio.run(serve(settings))


async def serve(settings: Settings) -> int:
    """Serve until a signal says stop, or a part of the service has ended."""
    from paramedic.app import Service
    from paramedic.clock import SystemClock

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    service = Service(settings, SystemClock())
    loop.add_signal_handler(signal.SIGHUP, service.catalog.ask)
    async with service:
        # What is loaded by now stays: looking through it again and again cost a fifth of the time of an alert.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        print(f"paramedic serves on {service.address}; database {service.database}", flush=True)
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(service.broken.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return 1 if service.broken.is_set() else 0
