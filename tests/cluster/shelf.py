"""A cluster whose objects change under our hands: what else happens is put between two calls, or into a deletion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paramedic.cluster.port import Json, PatchKind
from paramedic.cluster.resources import CONTROLLER_REVISIONS, Place, Resource, named_kind
from paramedic.errors import Changed, Missing
from tests.contract.fake_kube import FakeKube

Happening = Callable[[], object]


@dataclass
class Shelf(FakeKube):
    """`meanwhile`: what happens right before the next call of that name, each once. `deletes` is told of deletions."""

    meanwhile: dict[str, list[Happening | Exception]] = field(default_factory=dict)
    deletes: Callable[[str], object] = lambda name: None
    waited: float = 0.0
    passing: Callable[[float], object] = lambda seconds: None
    deleted: list[str] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)

    def hold(self, thing: Json, *others: Json) -> Place:
        """Put objects down by their own kind; the place of the first."""
        for other in others:
            self.put(_resource(other), other)
        return self.put(_resource(thing), thing)

    async def wait(self, seconds: float) -> None:
        """Let time pass without any passing."""
        self.waited += seconds
        self.passing(self.waited)

    async def get(self, place: Place, **options: Any) -> Json:
        self._happen("get")
        self.ages.append(options.get("max_age", 0.0))
        return await super().get(place, **options)

    async def list(self, place: Place, **options: Any) -> Sequence[Json]:
        self._happen("list")
        return await super().list(place, **options)

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
        self._happen("dry run" if dry_run else "patch")
        return await super().patch(place, patch, how, subresource=subresource, dry_run=dry_run, timeout=timeout)

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        what = "dry run of delete" if dry_run else "delete"
        self.asked.append((what, place))
        self._happen(what)
        if place not in self.objects:
            raise Missing(f"{place} does not exist")
        if self.objects[place]["metadata"]["uid"] != uid:
            raise Changed(f"{place} is another one")
        if not dry_run:
            del self.objects[place]
            self.deleted.append(place.name)
            self.deletes(place.name)

    def _happen(self, what: str) -> None:
        happenings = self.meanwhile.get(what, [])
        if happenings:
            happening = happenings.pop(0)
            if isinstance(happening, Exception):
                raise happening
            happening()


def _resource(thing: Json) -> Resource:
    return CONTROLLER_REVISIONS if thing["kind"] == "ControllerRevision" else named_kind(thing["kind"].lower())
