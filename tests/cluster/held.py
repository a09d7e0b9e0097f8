"""A cluster that only holds objects: what is put into it can be read, and changed by JSON patches that compare."""

import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from paramedic.cluster.names import Target, parse_target
from paramedic.cluster.port import Json, NoCluster, PatchKind
from paramedic.cluster.resources import Place
from paramedic.errors import Changed, Missing

__all__ = ["HeldCluster", "owned_by"]


def owned_by(kind: str, name: str, uid: str, api: str = "apps/v1") -> Json:
    """The metadata of something that this controller owns."""
    return {"ownerReferences": [{"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": True}]}


async def _answers(_call: str, _place: Place) -> None:
    return


@dataclass
class HeldCluster(NoCluster):
    """The port, with `called` as its record. `before` may wait or raise before a call is carried out, `after` after."""

    objects: dict[Place, Json] = field(default_factory=dict)
    called: list[tuple[str, Place]] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    before: Callable[[str, Place], Awaitable[None]] = _answers
    after: Callable[[str, Place], Awaitable[None]] = _answers

    @property
    def clusters(self) -> Sequence[str]:
        return ("main",)

    def put(self, target: str, body: Json | None = None) -> Target:
        """An object under this target, its uid made of its name."""
        at = parse_target(target)
        metadata = {"name": at.name, "namespace": at.namespace, "uid": f"uid-{at.name}", "generation": 1}
        body = body or {}
        self.objects[at.place] = {**body, "metadata": {**metadata, **body.get("metadata", {})}}
        return at

    def of(self, call: str) -> list[Place]:
        """The calls of one kind."""
        return [place for name, place in self.called if name == call]

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        self.ages.append(max_age)
        await self._call("get", place)
        if place not in self.objects:
            raise Missing(f"{place} does not exist")
        return copy.deepcopy(self.objects[place])

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        self.ages.append(max_age)
        await self._call("list", place)
        return [one for at, one in self.objects.items() if at.beside(at.resource) == place]

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        """Top-level keys only; what changes something is another generation."""
        await self._call("dry_run" if dry_run else "patch", place)
        found = copy.deepcopy(self.objects[place])
        for one in patch if isinstance(patch, list) else []:
            key = one["path"].removeprefix("/")
            if one["op"] == "test" and found.get(key) != one["value"]:
                raise Changed(f"{key} is {found.get(key)}, not {one['value']}")
            found[key] = one["value"]
        if not dry_run:
            found["metadata"]["generation"] += 1
            self.objects[place] = found
            await self.after("patch", place)
        return found

    async def _call(self, call: str, place: Place) -> None:
        self.called.append((call, place))
        await self.before(call, place)
