"""Plays one simulation again and tells it: `python -m tests.simulation.replay SEED`, or the file of a plan.

With `--shrink` it is cut down first to what it takes to break the promise that it breaks.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from paramedic.core.model import Alert
from paramedic.store.port import Batch
from tests.simulation.judge import Verdict, judge
from tests.simulation.listening import Listener, Written
from tests.simulation.notices import Notice
from tests.simulation.plan import Plan
from tests.simulation.processes import Process
from tests.simulation.scenario import scenario
from tests.simulation.shrink import shrunk
from tests.simulation.stage import Replicas

__all__ = ["story"]


def story(plan: Plan, verdict: Verdict) -> str:
    """A plan that breaks a promise, cut down, and how to play it again."""
    small = shrunk(plan, lambda one: judge(one).promise == verdict.promise)
    again = judge(small)
    before = sum(len(plan.told[name]) for name in ("when", "trouble", "faults"))
    left = sum(len(small.told[name]) for name in ("when", "trouble", "faults"))
    what = f"promise {verdict.promise}" if verdict.promise > 0 else "the play itself"
    return (
        f"seed {plan.seed} breaks {what}: {verdict.seen[:2000]}\n\n"
        f"What it takes ({left} of {before} happenings), with which it is broken {again.seen[:2000]}\n\n"
        f"{small.lines()}\n"
        f"To see it happen: python -m tests.simulation.replay {plan.seed}; or put the lines above into a file:\n"
        f"    python -m tests.simulation.replay FILE\n"
    )


class _Teller(Listener):
    """Says what happens, a line each."""

    def __init__(self, stage: Replicas, listener: Listener) -> None:
        self._stage, self._listener = stage, listener

    def _say(self, text: str) -> None:
        print(f"{self._stage.clock.monotonic():10.3f}  {text}")

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        self._say("delivery: " + ", ".join(f"{'+' if one.firing else '-'}{dict(one.labels)}" for one in alerts))
        self._listener.sent(source, alerts)

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        self._say(f"          answered 200 as {number}")
        self._listener.accepted(number, source, body, alerts)

    def committed(self, process: Process, batch: Batch) -> None:
        for event in batch.events:
            told = msgspec.json.decode(event.body)
            about = {name: value for name, value in told.items() if name not in ("at", "exemplars", "candidates")}
            self._say(f"  [{process.number}] INC-{event.incident} {about}"[:400])
        for row in batch.timeline:
            for entry in msgspec.json.decode(row.body):
                self._say(f"  [{process.number}] INC-{row.incident}   {entry['kind']}: {entry.get('text', '')}")
        for incident, n, _ in batch.intents:
            self._say(f"  [{process.number}] INC-{incident} effect {n} is intended")
        self._listener.committed(process, batch)

    def written(self, write: Written) -> None:
        who = write.process.number if write.process else "?"
        self._say(
            f"  [{who}] WRITES {write.on} {write.path} under {write.key}{'' if write.did else ', without effect'}"
        )
        self._listener.written(write)

    def noticed(self, notice: Notice) -> None:
        about = f"{notice.what} of INC-{notice.incident} to {notice.to}"
        self._say(f"      {notice.kind} {about}, level {notice.level}, {notice.key}: {notice.state}")
        self._listener.noticed(notice)


def main(argv: Sequence[str]) -> int:
    """Tell what was asked for; the status is 1 if a promise is broken."""
    [named] = [one for one in argv if not one.startswith("--")]
    plan = scenario(int(named)) if named.isdigit() else Plan.read(Path(named).read_text())
    verdict = judge(plan)
    if "--shrink" in argv and verdict.promise:
        print(story(plan, verdict))
    else:
        print(plan.lines())
        judge(plan, _Teller)
        print(f"\nbroken: {verdict.seen}" if verdict.promise else "\nEvery promise was kept.")
    return int(verdict.promise != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
