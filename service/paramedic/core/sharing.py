"""Who of several members deals with what: incidents lie on shards by their key, and shards are spread over the living.

Pure. The engine asks `handover` when somebody comes or goes, and `home` for each alert that it is told of while others
live; what is at home elsewhere goes there as it came.
"""

from collections.abc import Mapping, Sequence
from zlib import crc32

__all__ = ["SHARDS", "handover", "shard_of"]

SHARDS = 64


def shard_of(key: str) -> int:
    """The shard of an incident key, or of an alert that no rule wants, by its identity."""
    return crc32(key.encode()) % SHARDS


def handover(living: Mapping[int, Sequence[int]], me: int) -> Mapping[int, int]:
    """Which of my shards go to whom (shard → member), so that all of the living own as many, give or take one.

    Everybody computes the same whole plan and carries out its own part, so nobody is given more than it lacks.
    """
    if me not in living:
        return {}
    members = sorted(living)
    owned = sum(len(shards) for shards in living.values())
    most, over = divmod(owned, len(members))
    # Whoever has the most keeps what does not divide evenly: no shard moves to and fro for it.
    ranked = sorted(members, key=lambda one: (-len(living[one]), one))
    share = {one: most + (rank < over) for rank, one in enumerate(ranked)}
    surplus = [(shard, one) for one in members for shard in sorted(living[one])[share[one] :]]
    lacking = [one for one in members for _ in range(share[one] - len(living[one]))]
    return {shard: to for (shard, owner), to in zip(surplus, lacking, strict=True) if owner == me}
