"""Writes that compare first: what all actions on a cluster do so that nothing is changed twice or unseen.

A planned write is JSON that the incident keeps: the object's `uid` and `generation` as the plan saw them, what its
people `said` to us by annotations (no generation counts those), and the `change` as JSON patch operations. The server
compares and changes in one go; the step's key goes along as an annotation, so that whoever looks afterwards sees whose
change it is (docs/adr/0018).

What takes a template back is compared with `still` instead, the fingerprint of the template that we wrote: replicas
may have changed since, and must not keep us from it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from paramedic.cluster.ownership import MODE, annotation, owner_of
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.refusals import ALLOW_DOWNTIME, ROLLBACK_SAFE
from paramedic.cluster.resources import Place
from paramedic.cluster.revisions import fingerprint
from paramedic.core.model import Change
from paramedic.core.words import Mode
from paramedic.errors import Changed, Missing, Temporary

__all__ = [
    "RUN",
    "carries",
    "guarded_write",
    "heard",
    "patch_of",
    "planned",
    "pointer",
    "said_of",
    "sealed",
    "setting",
    "wrote",
]

RUN: Final = "paramedic/run"
"""The annotation with the key of the step that changed the object last."""

_HEARD: Final = (MODE, ROLLBACK_SAFE, ALLOW_DOWNTIME)


def pointer(*parts: str) -> str:
    """A JSON pointer to what these keys lead to, each escaped."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def setting(thing: Json, path: Sequence[str], value: Any) -> list[Json]:
    """The operations that set what `path` leads to, making the maps on the way that are not there."""
    operations: list[Json] = []
    here: Any = thing
    for depth, part in enumerate(path[:-1], 1):
        here = here.get(part) if isinstance(here, Mapping) else None
        if not isinstance(here, Mapping):
            operations.append({"op": "add", "path": pointer(*path[:depth]), "value": {}})
    operations.append({"op": "add", "path": pointer(*path), "value": value})
    return operations


def planned(thing: Json, change: Sequence[Json]) -> Json:
    """What a planned write keeps of an object: which it is, what it was like, and what is to change.

    An object without a generation (an HPA) is compared by the `test` operations that `change` brings along.
    """
    metadata = thing["metadata"]
    write = {"uid": metadata["uid"], "generation": metadata.get("generation"), "said": said_of(thing)}
    write["change"] = list(change)
    before = annotation(thing, RUN)
    return write if before is None else write | {"before": before}


def said_of(thing: Json) -> dict[str, str]:
    """What the object's people say to us by annotations."""
    return {name: said for name in _HEARD if (said := annotation(thing, name)) is not None}


def heard(present: Json, said: Mapping[str, str], place: Place) -> None:
    """Raise `Changed` where they say something else by now, or somebody else keeps it: a plan may wait for long."""
    now = said_of(present)
    for name in _HEARD:
        if now.get(name) != said.get(name):
            raise Changed(f"{place}: its annotation {name} has changed since it was planned")
    if owner := owner_of(present):
        raise Changed(f"{place} is kept by {owner} since it was planned")


def sealed(
    summary: str,
    write: Json,
    *,
    prior: Json | None = None,
    undo: Json | None = None,
    most: Mode | None = None,
    lasts: float = 0.0,
    needed: bool = True,
) -> Change:
    """A change with the digest that approvals bind to."""
    whole = msgspec.json.encode({"write": write, "prior": prior or {}, "undo": undo}, order="deterministic")
    return Change(
        summary=summary,
        write=write,
        prior=prior or {},
        undo=undo,
        digest=hashlib.sha256(whole).hexdigest(),
        needed=needed,
        most=most,
        lasts=lasts,
    )


def carries(thing: Json, key: str) -> bool:
    """Whether the step with this key was the last of ours to change the object."""
    return annotation(thing, RUN) == key


def patch_of(write: Mapping[str, Any], key: str, present: Json) -> list[Json]:
    """The JSON patch of a planned write on the object as it is: compare, sign, change."""
    operations: list[Json] = [{"op": "test", "path": "/metadata/uid", "value": write["uid"]}]
    if write.get("generation") is not None:
        operations.append({"op": "test", "path": "/metadata/generation", "value": write["generation"]})
    if not isinstance(present["metadata"].get("annotations"), Mapping):
        # The map is made, and must not replace one that somebody adds at this moment: no generation counts those.
        # To the API server null is equal to what is not there; the object's version would change with each status.
        operations.append({"op": "test", "path": "/metadata/annotations", "value": None})
    signed = {RUN: key, **write.get("annotations", {})}
    notes: Json = {"metadata": present["metadata"]}
    for name, value in signed.items():
        for operation in setting(notes, ("metadata", "annotations", name), value):
            if operation not in operations:
                operations.append(operation)
    return [*operations, *write["change"]]


async def guarded_write(kube: Kube, place: Place, write: Mapping[str, Any], key: str) -> Json:
    """Make a planned write, once; the object as it is then. One that carries our key already is left as it is.

    The server tries exactly this write without doing it first: what may not be or is not valid is found before
    anything happens. Raises `Changed` when the object is not the planned one any more, and what `Kube.patch` raises;
    `UnknownOutcome` is let through, because `wrote` can tell later.
    """
    present = await kube.get(place)
    if carries(present, key):
        return present
    _compare(present, write, place)
    if "still" in write:
        write = {**write, "generation": present["metadata"].get("generation")}
    patch = patch_of(write, key, present)
    await kube.patch(place, patch, "json", dry_run=True)
    try:
        return await kube.patch(place, patch, "json")
    except Changed as error:
        present = await kube.get(place)
        if carries(present, key):
            return present
        if "still" in write and fingerprint(present["spec"]["template"]) == write["still"]:
            raise Temporary(f"{place}: something else of it was changed at this moment") from error
        raise


async def wrote(kube: Kube, place: Place, write: Mapping[str, Any], key: str) -> bool | None:
    """Whether the write with this key is in effect; None where the object does not tell.

    An object that is gone, or another one under the same name, or as it was planned, is not changed by us. One that
    somebody changed meanwhile tells only by our key, or by an older key of ours that our write would have replaced.
    """
    try:
        present = await kube.get(place)
    except Missing:
        return False
    if carries(present, key):
        return True
    metadata = present["metadata"]
    if "still" in write and fingerprint(present["spec"]["template"]) == write["still"]:
        return False
    if metadata["uid"] != write["uid"] or metadata.get("generation") == write.get("generation"):
        return False
    before = write.get("before")
    return False if before is not None and annotation(present, RUN) == before else None


def _compare(present: Json, write: Mapping[str, Any], place: Place) -> None:
    """Say plainly what is different, where the server would only say that a test failed."""
    metadata = present["metadata"]
    if metadata["uid"] != write["uid"]:
        raise Changed(f"{place} was replaced by another object of the same name since it was planned")
    if write.get("generation") is not None and metadata.get("generation") != write["generation"]:
        raise Changed(f"{place} was changed by somebody since it was planned")
    if "said" in write:
        heard(present, write["said"], place)
    if "still" in write and fingerprint(present["spec"]["template"]) != write["still"]:
        raise Changed(f"{place} has another template by now than the one that we wrote: it is left as it is")
