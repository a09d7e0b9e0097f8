"""Promise 8: the timeline is append-only and chained by hash; what was refused or could not be known is in it."""

from hashlib import sha256
from typing import Any

from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Chain"]


class Chain(Oracle):
    """The chain is computed again, row by row as they come, and once more as a whole in the end."""

    promise = 8

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.heads: dict[int, bytes] = {}
        self.next: dict[int, int] = {}

    def committed(self, commit: Commit) -> None:
        for row in commit.batch.timeline:
            expected = self.next.get(row.incident, 1)
            if row.seq != expected:
                self.broken(f"INC-{row.incident}: entry {row.seq} follows, and {expected} would")
            self.next[row.incident] = row.seq + row.body.count(b'{"kind":')
            head = _link(self.heads.get(row.incident) or _first(row.incident), row)
            if head != row.hash:
                self.broken(f"INC-{row.incident}: the hash of entry {row.seq} does not cover what is before it")
            self.heads[row.incident] = row.hash
        for incident in commit.batch.incidents:
            if incident.head != self.heads.get(incident.id, incident.head):
                self.broken(f"INC-{incident.id}: its head is not its last row's hash")
        for number, event in commit.events:
            if (what := _must_be_told(event)) and not self._tells(commit, number, what):
                self.broken(f"INC-{number}: {event['event']} said no, and the timeline says nothing of {what}")

    def _tells(self, commit: Commit, incident: int, what: str) -> bool:
        """Whether the timeline names it; or the answer came when its run was over."""
        if "run" not in self.scene.before.get(incident, {}):
            return True
        said = b"".join(row.body for row in commit.batch.timeline if row.incident == incident)
        return what.encode() in said or b'"kind":"late"' in said

    def at_rest(self) -> None:
        for incident, rows in self.scene.disk.timeline.items():
            head = _first(incident)
            for row in rows:
                head = _link(head, row)
                if head != row.hash:
                    self.broken(f"INC-{incident}: the timeline was changed at entry {row.seq}")
                    break


def _first(incident: int) -> bytes:
    return sha256(f"INC-{incident}".encode()).digest()


def _link(head: bytes, row: Any) -> bytes:
    return sha256(head + row.at.isoformat().encode() + b"\n" + row.body).digest()


def _must_be_told(event: Any) -> str:
    """What an answer that says no has to leave in the timeline: the guard's name, or why nothing was written."""
    if event["event"] == "judged":
        return next((str(one["name"]) for one in event["verdicts"] if one["answer"] != "allow"), "")
    failure = event.get("failure") if event["event"] == "applied" else None
    return str(failure["message"])[:20] if failure else ""
