"""What one turn works with: its store, its memory, its slots, its clock. Built by `engine` for each membership."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from paramedic.clock import Clock, Numbers, jittered
from paramedic.core.bundle import Bundle
from paramedic.core.words import Mode
from paramedic.engine.executors import Executors
from paramedic.engine.gate import SwitchReading, in_force, is_set, said
from paramedic.engine.holdings import Holdings
from paramedic.engine.inputs import Inbox
from paramedic.engine.perform import Performer
from paramedic.engine.report import Report
from paramedic.store.port import Store

__all__ = ["Options", "Shell"]


@dataclass(frozen=True, slots=True)
class Options:
    """What may be tuned. Times in seconds.

    `mode` is the most this process may do. `patience` bounds the wait of a webhook for its commit; a delivery that has
    waited `late` is journalled alone, and so are all while `rush` of them come within one commit; `backlog` deliveries
    at most wait. Every `signs` the vital signs are measured.
    When the process is to stop, what is under way has `grace` to come to its end.
    `jitter` changes a wait a little, so that many do not return at once. `slots` bound what is under way, by lane.
    Every `look` a member looks who else lives, also when nobody tells it to; while `crowd` forwarded rows wait, no
    delivery is taken in.
    """

    mode: Mode = Mode.AUTO
    batch: int = 256
    backlog: int = 4000
    late: float = 0.05
    rush: int = 8
    patience: float = 2.0
    signs: float = 5.0
    look: float = 0.5
    crowd: int = 10_000
    grace: float = 20.0
    jitter: Callable[[float], float] = jittered
    slots: dict[str, int] = field(default_factory=lambda: {"read": 64, "write": 256, "page": 16, "message": 8})
    public_url: str = ""


@dataclass(slots=True)
class Shell:
    """Everything a turn touches. `current` is the one new incidents are opened under; `numbers` fresh incident ids.

    `questions` are people who wait for another member's answer, by the row that asks; `crowd` how many rows that are
    forwarded to somebody wait.
    """

    store: Store
    holdings: Holdings
    inbox: Inbox
    executors: Executors
    performer: Performer
    reading: SwitchReading
    clock: Clock
    report: Report
    options: Options
    ids: Numbers
    current: Bundle
    numbers: list[int] = field(default_factory=list)
    questions: "dict[int, asyncio.Future[str]]" = field(default_factory=dict)
    crowd: int = 0

    @property
    def mode(self) -> Mode:
        """The global mode in force now."""
        return in_force(self.reading.switch, self.clock, self.options.mode)

    @property
    def switch(self) -> str:
        """Who has set the switch that is in force, and why; empty where it is at auto."""
        return said(self.reading.switch) if is_set(self.reading.switch, self.clock) else ""

    def adopt(self, bundle: Bundle) -> None:
        """Open new incidents under this bundle."""
        self.holdings.bundles[bundle.hash] = bundle
        self.current = bundle

    def bundle_of(self, hash_: str) -> Bundle:
        """The bundle an incident was opened under."""
        return self.holdings.bundles[hash_]
