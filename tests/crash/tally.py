"""What became of every alert that was accepted: promises 1 and 3, counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.crash.record import Record

__all__ = ["Tally", "judged"]


@dataclass(frozen=True)
class Tally:
    """Alerts by what became of them. All but the first four numbers have to be empty."""

    accepted: int
    executed: int
    repeated: int  # asked for again under the same key, where the target knows it again
    unknown: int  # nobody can say, so nothing was repeated and a person was told
    lost: tuple[str, ...]  # accepted, and neither executed nor handed to a person
    twice: tuple[str, ...]  # executed under different keys
    blind: tuple[str, ...]  # repeated where nothing deduplicates
    needless: tuple[str, ...]  # handed to a person although it could have been asked for again
    untold: tuple[str, ...]  # an outcome that nobody knows, and nobody was told
    odd: tuple[str, ...]  # what is left over at the end, or too many incidents
    tellings: Mapping[str, Sequence[str]]  # the different timelines, by endpoint: one, whatever happened

    @property
    def faults(self) -> dict[str, Sequence[str]]:
        """What must not be, by name."""
        found = {name: getattr(self, name) for name in ("lost", "twice", "blind", "needless", "untold", "odd")}
        return {name: some for name, some in found.items() if some}

    @property
    def alike(self) -> bool:
        """Whether all timelines of an endpoint say the same, but for interruptions and what was handed to people."""
        return all(len(some) == 1 for some in self.tellings.values())

    def line(self) -> str:
        """For people."""
        told = {endpoint: len(some) for endpoint, some in self.tellings.items()}
        return (
            f"accepted {self.accepted}, executed {self.executed}, accepted and never executed {len(self.lost)}, "
            f"executed twice under different keys {len(self.twice)}, repeated without protection {len(self.blind)}, "
            f"repeated under the same key {self.repeated}, unknown and handed to people {self.unknown}, "
            f"timelines {'all alike' if self.alike else f'that differ: {told}'}"
        )


def judged(sent: Mapping[str, str], calls: Mapping[str, Mapping[str, Sequence[str]]], record: Record) -> Tally:
    """`sent` are the accepted ids with their endpoints, `calls` the keys that came there by id."""
    keys = {one: calls[endpoint].get(one, ()) for one, endpoint in sent.items()}
    odd = list(record.left)
    if record.incidents != len(sent):
        odd.append(f"{record.incidents} incidents for {len(sent)} alerts")
    return Tally(
        accepted=len(sent),
        executed=sum(1 for some in keys.values() if some),
        repeated=sum(1 for one, some in keys.items() if sent[one] == "hook" and len(some) > len(set(some))),
        unknown=len(record.unknown),
        lost=tuple(one for one, some in keys.items() if not some and one not in record.unknown),
        twice=tuple(one for one, some in keys.items() if len(set(some)) > 1),
        blind=tuple(one for one, some in keys.items() if sent[one] == "raw" and len(some) > 1),
        needless=tuple(one for one in record.unknown if sent.get(one) != "raw"),
        untold=tuple(record.unknown - record.paged),
        odd=tuple(odd),
        tellings={endpoint: sorted(some) for endpoint, some in record.tellings.items()},
    )
