"""The guards that a playbook has without naming them. `playbooks` adds them, `check --effective` shows them.

To make a guard a default, add a line to `BINDING`. A kind that the playbook names itself replaces all defaults of that
kind; `defaults: none` leaves only `ALWAYS`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from paramedic.core.bundle import StepSpec
from paramedic.plugin import Plugins

__all__ = ["ALWAYS", "BINDING", "PORTS", "Default", "binds", "defaults_for"]


@dataclass(frozen=True, slots=True)
class Default:
    """A guard as it would be written, and why it is there."""

    kind: str
    params: Mapping[str, Any]
    why: str


PORTS = frozenset({"kube"})
"""Whoever writes through one of these acts on a cluster or a database."""

ALWAYS = (Default("still_firing", {}, "is asked in every playbook"),)

BINDING = (
    Default("still_firing", {"for": "2m"}, "lets pass by itself what passes by itself"),
    Default("cooldown", {"for": "15m"}, "gives a treatment time to work before the same target is treated again"),
    Default(
        "budget", {"max": 2, "per": "1h", "across": "target"}, "hands a target to a person that two runs did not mend"
    ),
    Default("budget", {"max": 5, "per": "1h"}, "keeps one playbook from going through a whole cluster"),
    Default(
        "storm", {"max": 10, "within": "5m", "halt": "10m"}, "stops where so much is treated that it is the wrong thing"
    ),
)
"""What binds playbooks that change something on a cluster or a database."""


def defaults_for(named: Collection[str], plugins: Plugins, *, binding: bool) -> tuple[Default, ...]:
    """What a playbook has beside the guards of the kinds `named`; `binding` as `binds` says, unless it wants none."""
    table = BINDING if binding else ()
    kinds = {default.kind for default in table}
    whole = (*(default for default in ALWAYS if default.kind not in kinds), *table)
    return tuple(default for default in whole if default.kind in plugins.guards and default.kind not in named)


def binds(steps: Iterable[StepSpec], plugins: Plugins) -> bool:
    """Whether some step changes something on a cluster or a database."""
    return any(step.mutates and plugins.actions[step.kind].writes & PORTS for step in steps)
