"""Plug-ins under watch: what pages and messages say is told when they leave and when they have come to something.

And guards that raise while the plan says so, because a guard that raises must deny (promise 11).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from paramedic.core.bundle import Endpoint
from paramedic.core.model import Verdict
from paramedic.errors import ParamedicError, Temporary
from paramedic.plugin import Guard, MessageText, Notifier, PageText, Plugins, Seen, Tools
from paramedic.rehearse.loop import VirtualClock

__all__ = ["ORDERED", "Notice", "told_plugins"]

ORDERED = "this guard raises, as ordered"


@dataclass(frozen=True, slots=True)
class Notice:
    """A page or a message: `state` is leaves, arrived or failed; `what` a page's verb, a message's part."""

    at: float
    kind: str
    state: str
    incident: int
    what: str
    to: str
    level: int
    key: str
    lines: str = ""


def told_plugins(
    plugins: Plugins, trouble: Sequence[dict[str, Any]], clock: VirtualClock, tell: Callable[[Notice], None]
) -> Plugins:
    """The plug-ins, telling."""
    notifiers = {name: _telling(one, clock, tell) if name in _USED else one for name, one in plugins.notifiers.items()}
    guards = dict(plugins.guards)
    for one in trouble:
        if "guard" in one:
            guards[one["guard"]] = _raising(guards[one["guard"]], one["from"], one["to"], clock)
    return Plugins(plugins.actions, guards, plugins.checks, notifiers)


_USED = ("webhook", "log")


def _telling(inner: Notifier, clock: VirtualClock, tell: Callable[[Notice], None]) -> Notifier:
    async def carried(call: Callable[[], Any], tools: Tools, *about: Any) -> str:
        http: Any = tools.http
        await http.process.awake()
        if http.dead:
            raise Temporary("the process is gone")
        kind, incident, *rest = about
        number = int(incident.removeprefix("INC-"))
        tell(Notice(clock.monotonic(), kind, "leaves", number, *rest))
        try:
            receipt: str = await call()
        except ParamedicError:
            tell(Notice(clock.monotonic(), kind, "failed", number, *rest))
            raise
        tell(Notice(clock.monotonic(), kind, "arrived", number, *rest))
        return receipt

    async def send(self: Notifier, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        call = partial(inner.send, page, endpoints, tools)
        return await carried(call, tools, "page", page.incident, page.verb, page.to, page.level, page.dedup_key)

    async def post(self: Notifier, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        call, said = partial(inner.post, message, endpoints, tools), " / ".join(message.lines)
        return await carried(call, tools, "message", message.incident, message.part, message.to, 0, message.key, said)

    # A class of its own, so that what the notifier declares stays as it is and only the sending differs.
    telling: Notifier = type(type(inner).__name__, (type(inner),), {"send": send, "post": post})()
    return telling


def _raising(inner: Guard, begin: float, end: float, clock: VirtualClock) -> Guard:
    async def judge(self: Guard, params: Any, seen: Seen, tools: Tools) -> Verdict:
        if begin <= clock.monotonic() < end:
            raise RuntimeError(ORDERED)
        return await inner.judge(params, seen, tools)

    raising: Guard = type(type(inner).__name__, (type(inner),), {"judge": judge})()
    return raising
