"""The templates that a workload had before, and which of them to go back to. `roll_back` and `collect` ask.

Revisions are known by the fingerprint of their template and the uid of their object, never by number: going back gives
an old ReplicaSet a new number. A restart makes a revision too, so what differs by a restart alone is the same here;
otherwise going back right after a restart would go back to the very release that is bad.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from paramedic.cluster.port import Json
from paramedic.core.text import one_line
from paramedic.errors import Refused

__all__ = [
    "CAUSE",
    "NUMBER",
    "RESTARTED",
    "Revision",
    "configured_anew",
    "earlier",
    "fingerprint",
    "images",
    "normal",
    "plain",
    "revisions_of",
    "selector_of",
]

RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a template by which kubectl, and we, restart its pods."""

CAUSE: Final = "kubernetes.io/change-cause"
"""The annotation that `kubectl rollout history` shows as the reason of a revision."""

NUMBER: Final = "deployment.kubernetes.io/revision"
_HASHES: Final = ("pod-template-hash", "controller-revision-hash")


@dataclass(frozen=True, slots=True)
class Revision:
    """A template that the workload has or had. `created` is when its object was first made, as the API writes it.

    `cause` is what whoever released it gave as the reason (`kubectl annotate ... kubernetes.io/change-cause`).
    """

    name: str
    uid: str
    number: int
    created: str
    template: Json
    fingerprint: str
    cause: str = ""


def revisions_of(workload: Json, objects: Iterable[Json]) -> tuple[Revision, ...]:
    """The workload's own revisions out of ReplicaSets or ControllerRevisions, newest number first."""
    uid = workload["metadata"]["uid"]
    own = (one for one in objects if _controller(one) == uid)
    return tuple(sorted((_revision(one) for one in own), key=lambda revision: -revision.number))


def earlier(workload: Json, revisions: Sequence[Revision]) -> Revision:
    """The newest older revision whose template differs from the present one in more than a restart.

    Raises `Refused` with the reason where there is none, or where the present template is itself one that somebody
    went back to: older than another one that was tried since. Going back further would leave the known versions.
    """
    template = workload["spec"]["template"]
    present = fingerprint(template)
    same = [revision for revision in revisions if revision.fingerprint == present]
    others = [revision for revision in revisions if revision.fingerprint != present]
    if workload["spec"].get("revisionHistoryLimit") == 0:
        raise Refused("it keeps no older revisions: revisionHistoryLimit is 0")
    first_seen = min((revision.created for revision in same), default="")
    for newer in others:
        if first_seen and newer.created > first_seen:
            raise Refused(
                f"it was rolled back already: {images(template)}, which it has now, is older than "
                f"{images(newer.template)} of {newer.name}"
            )
    number = max((revision.number for revision in same), default=None)
    older = [revision for revision in others if number is None or revision.number < number]
    if not older:
        raise Refused("there is no older revision with another template")
    return max(older, key=lambda revision: revision.number)


def normal(template: Json) -> Json:
    """The template without what its controller adds and without restarts: equal for what runs the same."""
    plainly = plain(template)
    metadata = plainly["metadata"]
    notes = {key: value for key, value in (metadata.get("annotations") or {}).items() if not _is_restart(key)}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return plainly | {"metadata": rest | ({"annotations": notes} if notes else {})}


def plain(template: Json) -> Json:
    """The template as somebody would have written it: without the controller's hash labels and empty leftovers."""
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key not in _HASHES}
    if metadata.get("creationTimestamp", "") is None:
        del metadata["creationTimestamp"]
    rest = {key: value for key, value in template.items() if key not in ("metadata", "$patch")}
    return rest | {"metadata": metadata | ({"labels": labels} if labels else {})}


def fingerprint(template: Json) -> str:
    """A digest of the template: equal for templates that differ by restarts and hash labels only."""
    return hashlib.sha256(msgspec.json.encode(normal(template), order="deterministic")).hexdigest()


def configured_anew(template: Json, other: Json) -> bool:
    """Whether checksums of configuration differ: ConfigMaps or Secrets changed, and no template brings them back."""
    return _checksums(template) != _checksums(other)


def images(template: Json) -> str:
    """The images of a template as people call them: `api:42`, several in their order, without the registry."""
    spec = template.get("spec") or {}
    names = [str(container.get("image", "")) for container in spec.get("containers") or ()]
    return one_line(", ".join(_short(name) for name in names) or "no image", 200)


def selector_of(workload: Json) -> str:
    """The workload's own label selector as the API takes it. Raises `Refused` for one that selects everything."""
    selector = workload["spec"].get("selector") or {}
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    parts += [_expression(one) for one in selector.get("matchExpressions") or ()]
    if not parts:
        raise Refused("spec.selector: it is empty, which would select every pod")
    return ",".join(parts)


def _checksums(template: Json) -> dict[str, Any]:
    notes = (template.get("metadata") or {}).get("annotations") or {}
    return {key: value for key, value in notes.items() if "checksum" in key.lower() or "config-hash" in key.lower()}


def _expression(one: Json) -> str:
    key, values = one["key"], ",".join(one.get("values") or ())
    match one["operator"]:
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
        case "DoesNotExist":
            return f"!{key}"
        case unknown:
            raise Refused(f'spec.selector: the operator "{one_line(str(unknown), 40)}" is not known')


def _short(image: str) -> str:
    name, _, digest = image.rpartition("/")[2].partition("@")
    return name + (f"@{digest[:19]}" if digest and ":" not in name else "")


def _controller(one: Json) -> str:
    references = one["metadata"].get("ownerReferences") or ()
    return next((str(each.get("uid", "")) for each in references if each.get("controller")), "")


def _revision(one: Json) -> Revision:
    metadata = one["metadata"]
    if one["kind"] == "ControllerRevision":
        template, number = one["data"]["spec"]["template"], one.get("revision", 0)
    else:
        template, number = one["spec"]["template"], (metadata.get("annotations") or {}).get(NUMBER, 0)
    created = str(metadata.get("creationTimestamp") or "")
    cause = str((metadata.get("annotations") or {}).get(CAUSE, ""))
    return Revision(metadata["name"], metadata["uid"], _whole(number), created, template, fingerprint(template), cause)


def _whole(number: Any) -> int:
    """A revision's number; one that was tampered with counts as the oldest."""
    text = str(number)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _is_restart(key: str) -> bool:
    name = key.rpartition("/")[2].lower().replace("-", "").replace("_", "")
    return name in ("restartedat", "restartat", "lastrestart", "lastreloadedfrom")
