"""Promise 7: a page before any message; one that fails takes the second channel; one that nobody takes climbs."""

from typing import Any

import msgspec

from tests.simulation.estate import GAPS
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Pages"]


class Pages(Oracle):
    """Books of the pages that were asked for."""

    promise = 7

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.pages: dict[tuple[int, int], dict[str, Any]] = {}
        self.waiting: set[tuple[int, int]] = set()
        self.messages: set[tuple[int, int]] = set()
        self.second: set[tuple[int, str]] = set()  # incident and generation whose second channel was asked

    def committed(self, commit: Commit) -> None:
        batch = commit.batch
        leaving = {(incident, n) for incident, n, _ in batch.intents}
        self.waiting -= leaving
        self.waiting.difference_update(batch.effects_gone)
        paging = {incident for incident, _ in self.waiting}
        for incident, _ in leaving & self.messages:
            if incident in paging:
                self.broken(f"a message of INC-{incident} leaves while a page of it waits")
        for row in batch.effects:
            if row.lane == "page":
                self._asked(row.incident, row.n, msgspec.json.decode(row.body))
            elif row.lane == "message":
                self.messages.add((row.incident, row.n))
        for incident, event in commit.events:
            if event["event"] == "paged" and event.get("failure", {}).get("kind", "refused") != "refused":
                self._failed(incident, event)

    def _asked(self, incident: int, n: int, page: dict[str, Any]) -> None:
        self.pages[incident, n] = page
        self.waiting.add((incident, n))
        if page.get("second"):
            self.second.add((incident, page["dedup_key"].split("/")[1]))

    def _failed(self, incident: int, event: Any) -> None:
        """The first try of a page of level 1 has failed: bob is asked in this very commit, if he still is to be."""
        page, state = self.pages[incident, event["n"]], self.scene.incidents[incident]
        first = page["verb"] == "trigger" and page["level"] == 1 and page.get("tries", 1) == 1
        if not first or page.get("second") or "/told/" in page["dedup_key"]:
            return
        paging, generation = state.get("paging", {}), page["dedup_key"].split("/")[1]
        over = paging.get("acked_by") or state["phase"] in ("resolved", "reviewed")
        older = str(paging.get("generation", 1)) != generation
        if not over and not older and (incident, generation) not in self.second:
            self.broken(f"{page['to']} could not be paged for INC-{incident}, and the second channel was not taken")

    def at_rest(self) -> None:
        for number in self.scene.disk.open.values():
            state = self.scene.incidents[number]
            paging = state.get("paging", {})
            if not state.get("firing", {}).get("open") or not paging.get("policy"):
                continue
            held = paging.get("acked_by") or paging.get("snoozed_until")
            if not paging.get("level"):
                self.broken(f"INC-{number} fires, and nobody was paged")
            elif not held and paging["level"] <= len(GAPS) and "climb" not in state.get("timers", {}):
                self.broken(f"INC-{number} fires, nobody has it, and it climbs no further than {paging['level']}")
