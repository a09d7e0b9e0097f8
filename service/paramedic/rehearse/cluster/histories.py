"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, by number. Both controllers call it.

Source: pkg/controller/history/controller_history.go, pkg/controller/{statefulset,daemon}/…. A template that was there
before keeps its object and gets the next number.
"""

from collections.abc import Sequence
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONTROLLER_REVISIONS
from paramedic.rehearse.cluster.replica_sets import CONTROLLER
from paramedic.rehearse.cluster.site import Site, hashed
from paramedic.rehearse.cluster.storage import copied, owner_reference

__all__ = ["HASH", "present_revision", "revisions_of", "template_at", "trim"]

HASH: Final = "controller-revision-hash"
"""The label that pods carry: of a StatefulSet's the revision's name, of a DaemonSet's its hash alone."""


def revisions_of(site: Site, found: Json) -> list[Json]:
    """A workload's revisions, the oldest first."""
    return sorted(site.storage.owned(CONTROLLER_REVISIONS, found), key=lambda one: int(one["revision"]))


def present_revision(site: Site, found: Json) -> Json:
    """The revision of the template as it is: made, or given the newest number."""
    data = {"spec": {"template": {**copied(found["spec"]["template"]), "$patch": "replace"}}}
    known = revisions_of(site, found)
    newest = int(known[-1]["revision"]) if known else 0
    same = next((one for one in reversed(known) if one["data"] == data), None)
    if same is None:
        return _made(site, found, data, newest + 1)
    if int(same["revision"]) == newest:
        return same
    return site.server.replace(CONTROLLER_REVISIONS, {**same, "revision": newest + 1}, CONTROLLER)


def _made(site: Site, found: Json, data: Json, number: int) -> Json:
    metadata, digest = found["metadata"], hashed(data)
    label = HASH if found["kind"] == "DaemonSet" else "controller.kubernetes.io/hash"
    body: Json = {
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "labels": {**(found["spec"]["template"]["metadata"].get("labels") or {}), label: digest},
            "ownerReferences": [owner_reference(found)],
        },
        "data": data,
        "revision": number,
    }
    if metadata.get("annotations"):
        body["metadata"]["annotations"] = dict(metadata["annotations"])
    return site.server.create(CONTROLLER_REVISIONS, metadata["namespace"], body, CONTROLLER)


def template_at(revision: Json) -> Json:
    """The template that a revision keeps."""
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}


def trim(site: Site, found: Json, kept: Sequence[str]) -> None:
    """Revisions beyond the limit of the history go, the oldest first; never one whose name is in `kept`."""
    old = [one for one in revisions_of(site, found) if one["metadata"]["name"] not in kept]
    for one in old[: max(0, len(old) - found["spec"]["revisionHistoryLimit"])]:
        site.storage.remove(CONTROLLER_REVISIONS, one)
