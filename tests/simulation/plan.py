"""A plan: everything that happens in one simulation, as data that a person can read, cut down and play again.

It is a rehearsal (`world`, `when`, `faults`) with what a rehearsal does not have: several processes, and `trouble`, a
list of what befalls them:

    {process: 0, at: 95.2, crash: 5}        killed, and back after so many seconds
    {process: 0, at: 95.2, pause: 40}       stopped, and resumed after so many seconds, with all that it was about to do
    {process: 0, at: 95.2, jump: 30}        its clock is wrong by so much, until the next heartbeat mends it
    {process: 0, at: 95.2, cut: 20}         it cannot reach the database for so long
    {process: 0, skew: 0.05}                its clock is a little wrong all the time
    {commit: 7, crash: before, down: 5}     killed around the 7th commit of all processes (after: it has been made)
    {commit: 7, answer: lost}               made, and nobody hears; never: not made; slow: after 3 s; late: after all
    {commit: 7, pause: 40}                  stopped when the commit is about to leave
    {write: 3, crash: after, down: 5}       the same around the 3rd request that changes something outside
    {write: 3, pause: 40}
    {delivery: 4, goes: twice, after: 130}  a twin delivers it again; late, lost, cut (not all of its alerts), torn
    {at: 95.2, reload: "2"}                 every process takes over the other version of the rules, one after the other
    {guard: budget, from: 10, to: 90}       this guard raises
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from paramedic.rehearse.script import Script

__all__ = ["LISTS", "Plan"]

LISTS = ("when", "trouble", "faults")
"""What a plan can be cut down in."""


@dataclass(frozen=True)
class Plan:
    """One simulation; `told` is all of it, as it would be written down."""

    told: dict[str, Any]

    @property
    def seed(self) -> int:
        """Where its remaining chances (the jitter of waits) come from."""
        return int(self.told["seed"])

    @property
    def processes(self) -> int:
        """How many processes there are."""
        return int(self.told["processes"])

    @property
    def latency(self) -> float:
        """Seconds that a commit takes."""
        return float(self.told["latency"])

    @property
    def batch(self) -> int:
        """How many inputs one commit takes at most; where they are few, some are journalled first."""
        return int(self.told["batch"])

    @property
    def trouble(self) -> Sequence[dict[str, Any]]:
        """What befalls the processes and the deliveries."""
        return self.told["trouble"]  # type: ignore[no-any-return]

    @property
    def calm(self) -> float:
        """The moment (s) from which on nothing goes wrong any more."""
        return float(self.told["calm"])

    @cached_property
    def script(self) -> Script:
        """The part of it that is a rehearsal."""
        return Script.model_validate(
            {
                "rehearsal": f"seed {self.seed}",
                "world": self.told["world"],
                "when": self.told["when"],
                "faults": self.told["faults"],
                "clock": {"until": self.told["until"]},
            }
        )

    def but(self, **changed: Any) -> "Plan":
        """The same with other lists."""
        return Plan({**self.told, **changed})

    def copy(self) -> dict[str, Any]:
        """All of it, to be changed."""
        return deepcopy(self.told)

    def lines(self) -> str:
        """As YAML, one happening a line."""
        return "".join(_lines(self.told))

    @staticmethod
    def read(text: str) -> "Plan":
        """A plan out of its YAML."""
        return Plan(yaml.safe_load(text))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if name in LISTS and value:
            yield f"{name}:\n"
            yield from (f"  - {_flow(item)}\n" for item in value)
        elif name == "world":
            yield "world:\n"
            yield from (f"  {part}: {_flow(about)}\n" for part, about in value.items())
        else:
            yield f"{name}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
