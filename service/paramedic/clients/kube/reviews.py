"""What a cluster says we may do, asked in advance: the guard `access` asks here, each permission at the same time.

A review changes nothing, and is sent as a dry run, so that no answer that is shared is dropped because of it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from paramedic.cluster.permissions import ACCESS_REVIEWS, Permission, review
from paramedic.cluster.port import Kube
from paramedic.cluster.resources import Place
from paramedic.core.text import one_line
from paramedic.errors import Permanent

__all__ = ["refused_of"]

_AT_ONCE: Final = 8


async def refused_of(
    kube: Kube, cluster: str, permissions: Iterable[Permission], namespace: str, timeout: float
) -> Sequence[Permission]:
    """Those that we do not have in this namespace, in the order given. `timeout` (s) is for each question.

    Raises what the port raises, and `Permanent` for an answer that says neither yes nor no.
    """
    slots = asyncio.Semaphore(_AT_ONCE)
    place = Place(cluster, ACCESS_REVIEWS)

    async def allowed(permission: Permission) -> bool:
        async with slots:
            answer = await kube.create(place, review(permission, namespace), dry_run=True, timeout=timeout)
        said = (answer.get("status") or {}).get("allowed")
        if not isinstance(said, bool):
            raise Permanent(one_line(f"whether we may {permission} cannot be told: the answer does not say so"))
        return said

    asked = tuple(permissions)
    answers = await asyncio.gather(*(allowed(one) for one in asked))
    return [one for one, yes in zip(asked, answers, strict=True) if not yes]
