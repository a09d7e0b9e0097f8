"""Promise 3: a step changes its target at most once per attempt, and what cannot be known is not repeated blindly."""

from collections import Counter
from typing import Any

import msgspec

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Writes"]

_COMPARES = ("cas", "uid")


class Writes(Oracle):
    """Books of what was planned and intended by commits, and of what reached the targets under which key."""

    promise = 3

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.effects: dict[tuple[int, int], dict[str, Any]] = {}
        self.planned: set[tuple[str, str]] = set()
        self.intended: set[str] = set()
        self.unseen: set[str] = set()  # written perhaps, on a target that can be looked at, and not looked at since
        self.arrived = Counter[tuple[str, str, str]]()
        self.keys: dict[tuple[str, str], set[str]] = {}

    def committed(self, commit: Commit) -> None:
        for row in commit.batch.effects:
            if row.lane == "write":
                effect = self.effects[row.incident, row.n] = msgspec.json.decode(row.body)
                if row.intended:
                    self.intended.add(effect["key"])
        for incident, n, _ in commit.batch.intents:
            if (incident, n) in self.effects:
                self.intended.add(self.effects[incident, n]["key"])
        for incident, event in commit.events:
            self._event(incident, event)

    def _event(self, incident: int, event: Any) -> None:
        kind, effect = event["event"], self.effects.get((incident, event.get("n", 0)))
        if kind == "planned" and event.get("change"):
            self.planned.add((f"INC-{incident}", str(event["run"])))
        elif kind == "observed":
            about = f"INC-{incident}/{event['run']}/"
            self.unseen = {key for key in self.unseen if not key.startswith(about) and not key.endswith("/expire")}
        elif effect is not None and effect["once"] in _COMPARES:
            unknown = kind == "applied" and event.get("failure", {}).get("kind") == "unknown"
            if kind == "interrupted" or unknown:
                self.unseen.add(effect["key"])

    def written(self, write: Written) -> None:
        if write.on == "bell":
            return
        key = write.key
        incident, run, step, *rest = key.split("/")
        purpose = rest[1] if len(rest) > 1 else ""
        if key not in self.intended:
            self.broken(f"{write.path} left under {key}, and no commit intends it")
        if (incident, run) not in self.planned:
            self.broken(f"{write.path} left under {key}, and was never planned")
        keys = self.keys.setdefault((f"{incident}/{run}/{step}", purpose), set())
        keys.add(key)
        if len(keys) > 1 and write.on != "cluster":
            self.broken(f"a step was sent under {sorted(keys)}")
        if write.on == "keyed":
            return
        self.arrived[write.on, write.path, key] += 1
        times = self.arrived[write.on, write.path, key]
        if times > 1:
            self.broken(f"{write.on} {write.path} was written {times} times under {key}")
        if key in self.unseen and not write.late:
            self.broken(f"{write.path} was written again under {key}, and nobody had looked whether it was there")
