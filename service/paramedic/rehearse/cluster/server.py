"""The API server of a simulated cluster: reads and writes as HTTP would ask for them. The port and controllers call it.

A write is patched, filled in, validated and admitted as on a real server, then stored, or thrown away if it is a dry
run. It raises the port's kinds of failure. What a real server says in `message` is said in the same words.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from paramedic.cluster.port import Json, PatchKind
from paramedic.cluster.resources import DAEMON_SETS, NODES, PODS, Resource
from paramedic.errors import Changed, Missing, Permanent
from paramedic.rehearse.cluster.defaulting import defaulted, first_status
from paramedic.rehearse.cluster.managers import signed
from paramedic.rehearse.cluster.patches import json_patched, merged
from paramedic.rehearse.cluster.scaling import patched_scale, scale_of
from paramedic.rehearse.cluster.selectors import chosen_by, field_selector, label_selector
from paramedic.rehearse.cluster.storage import NAMESPACES, Storage, copied
from paramedic.rehearse.cluster.strategic import strategically_merged
from paramedic.rehearse.cluster.validation import check

__all__ = ["Server"]

_KEPT: Final = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"

Admission = Callable[[Resource, Json], None]
"""Asked about every object that is to be created; raises what forbids it."""


class Server:
    """Reads and writes of objects. `stamp(seconds)` is the moment of the cluster, or one after it."""

    def __init__(self, storage: Storage, stamp: Callable[[float], str]) -> None:
        self.storage = storage
        self._stamp = stamp
        self.admissions: list[Admission] = []

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, resource: Resource, namespace: str, name: str, subresource: str = "") -> Json:
        """One object or its scale. Raises `Missing`."""
        found = self.storage.get(resource, namespace, name)
        if found is None:
            raise _missing(resource, name)
        if subresource:
            return scale_of(resource, found, subresource)
        return copied(found)

    def list(self, resource: Resource, namespace: str, labels: str, fields: str, limit: int) -> list[Json]:
        """The objects that both selectors choose. More than `limit` is `Permanent`."""
        by_label, by_field = label_selector(labels), field_selector(fields, resource.kind)
        chosen = [one for one in self.storage.all(resource, namespace) if chosen_by(one, by_label, by_field)]
        if len(chosen) > limit:
            raise Permanent(f"there are {len(chosen)} {resource.plural}, more than the {limit} asked for")
        return [copied(one) for one in chosen]

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(
        self,
        resource: Resource,
        namespace: str,
        body: Json,
        manager: str,
        *,
        dry_run: bool = False,
        status: bool = False,
    ) -> Json:
        """Store a new object. Only controllers bring a `status` along. Raises `Changed` if its name is taken."""
        wanted = self._addressed(resource, namespace, body)
        first = first_status(resource.kind)
        if first is not None and not (status and "status" in wanted):
            wanted["status"] = first
        name = wanted["metadata"].get("name", "")
        if resource.namespaced and self.storage.get(NAMESPACES, "", namespace) is None:
            raise Missing(f'namespaces "{namespace}" not found')
        defaulted(wanted)
        if resource is DAEMON_SETS:
            wanted["metadata"].setdefault("annotations", {})[_TEMPLATE_GENERATION] = "1"
        check(resource, wanted, None)
        if self.storage.get(resource, namespace, name) is not None:
            raise Changed(f'{resource.permission} "{name}" already exists')
        for admits in self.admissions:
            admits(resource, wanted)
        self._sign(None, wanted, manager, "")
        if dry_run:
            return self.storage.prepared(resource, wanted)
        return copied(self.storage.add(resource, wanted))

    @staticmethod
    def _addressed(resource: Resource, namespace: str, body: Json) -> Json:
        """The body as an object of this kind and namespace. Raises `Permanent` if it says that it is another's."""
        if not isinstance(body.get("metadata"), dict):
            raise Permanent(f"{resource.kind} is invalid: metadata.name: Required value")
        for key, right in (("apiVersion", resource.api), ("kind", resource.kind)):
            if body.get(key, right) != right:
                raise Permanent(f"the {key} in the data ({body[key]}) does not match the expected {key} ({right})")
        metadata = {key: value for key, value in body["metadata"].items() if key not in _KEPT}
        metadata.pop("resourceVersion", None)
        metadata.pop("managedFields", None)
        if resource.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            raise Permanent("the namespace of the provided object does not match the namespace sent on the request")
        return copied({**body, "apiVersion": resource.api, "kind": resource.kind, "metadata": metadata})

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        manager: str,
        *,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Change an object or its scale; what it is then."""
        before = self.storage.get(resource, namespace, name)
        if before is None:
            raise _missing(resource, name)
        if subresource:
            asked = apply_patch(scale_of(resource, before, subresource), patch, how)
            wanted = patched_scale(before, asked, resource)
        else:
            wanted = self._accepted(resource, before, apply_patch(before, patch, how))
        defaulted(wanted)
        check(resource, wanted, before)
        if resource is DAEMON_SETS and wanted["spec"]["template"] != before["spec"]["template"]:
            generation = str(before["metadata"].get("generation", 0) + 1)
            wanted["metadata"].setdefault("annotations", {})[_TEMPLATE_GENERATION] = generation
        after = self._stored(resource, before, wanted, manager, subresource, dry_run)
        return scale_of(resource, after, subresource) if subresource else copied(after)

    def _stored(
        self, resource: Resource, before: Json, wanted: Json, manager: str, subresource: str, dry_run: bool
    ) -> Json:
        if before == wanted:
            return before
        self._sign(before, wanted, manager, subresource)
        if dry_run:
            return self.storage.raised(resource, before, wanted)
        return self.storage.save(resource, wanted)

    @staticmethod
    def _accepted(resource: Resource, before: Json, asked: Any) -> Json:
        """What was asked for, with everything kept that a writer cannot change."""
        if not isinstance(asked, dict) or not isinstance(asked.get("metadata"), dict):
            raise Permanent("the patch leaves no object")
        was, metadata = before["metadata"], asked["metadata"]
        if metadata.get("resourceVersion") not in (was["resourceVersion"], None, ""):
            raise Changed(
                f'Operation cannot be fulfilled on {resource.permission} "{was["name"]}": '
                "the object has been modified; please apply your changes to the latest version and try again"
            )
        for key in ("name", "namespace"):
            if metadata.get(key) != was.get(key):
                raise Permanent(f"the {key} of the object ({metadata.get(key)}) does not match the one of the request")
        if metadata.get("uid") not in (was["uid"], None, ""):
            raise Permanent(
                f'{resource.kind} "{was["name"]}" is invalid: metadata.uid: Invalid value: field is immutable'
            )
        kept = {key: was[key] for key in (*_KEPT, "resourceVersion", "managedFields") if key in was}
        accepted = {**asked, "apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata | kept}
        accepted.pop("status", None)
        for key in ("labels", "annotations"):
            if not metadata.get(key, True):
                del accepted["metadata"][key]
        return accepted | ({"status": before["status"]} if "status" in before else {})

    def replace(self, resource: Resource, wanted: Json, manager: str) -> Json:
        """Store an object in the place of the one of its name, as a controller's update."""
        before = self.get(resource, wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"])
        return self._stored(resource, before, wanted, manager, "", dry_run=False)

    def delete(
        self, resource: Resource, namespace: str, name: str, uid: str, grace: float | None, *, dry_run: bool = False
    ) -> None:
        """Delete an object; a pod that runs somewhere is given its grace first. Raises `Missing`, `Changed`."""
        found = self.storage.get(resource, namespace, name)
        if found is None:
            raise _missing(resource, name)
        if uid and uid != found["metadata"]["uid"]:
            raise Changed(
                f'Operation cannot be fulfilled on {resource.kind} "{name}": the UID in the precondition ({uid[:60]}) '
                f"does not match the UID in record ({found['metadata']['uid']}). "
                "The object might have been deleted and then recreated"
            )
        if dry_run:
            return
        if resource is PODS and found["spec"].get("nodeName"):
            seconds = found["spec"]["terminationGracePeriodSeconds"] if grace is None else grace
            if seconds > 0:
                self._ending(found, seconds)
                return
        self.storage.remove(resource, found)

    def _ending(self, pod: Json, seconds: float) -> None:
        if "deletionTimestamp" not in pod["metadata"]:
            ending = self.storage.draft(pod)
            ending["metadata"]["deletionTimestamp"] = self._stamp(seconds)
            ending["metadata"]["deletionGracePeriodSeconds"] = int(seconds)
            self.storage.save(PODS, ending)

    # -- from inside --------------------------------------------------------------------------------------------------

    def set_status(
        self, resource: Resource, found: Json, status: Json, manager: str = "kube-controller-manager"
    ) -> Json:
        """Store a status, if it differs, as its controller does."""
        now = self.storage.get(resource, found["metadata"].get("namespace", ""), found["metadata"]["name"])
        if now is None or now["metadata"]["uid"] != found["metadata"]["uid"] or now.get("status") == status:
            return found
        changed = self.storage.draft(now)
        changed["status"] = status
        if resource not in (PODS, NODES):
            self._sign(now, changed, manager, "status")
        return self.storage.save(resource, changed)

    def _sign(self, before: Json | None, written: Json, manager: str, subresource: str) -> None:
        """Write down who changed what."""
        written["metadata"]["managedFields"] = signed(before, written, manager, subresource, self._stamp(0.0))


def apply_patch(document: Json, patch: Sequence[Json] | Json, how: PatchKind) -> Any:
    """A document after a patch of one of the three kinds. Raises `Permanent` for a patch that is of another."""
    if how == "json":
        if isinstance(patch, dict):
            raise Permanent("a JSON patch is a list of operations")
        return json_patched(document, patch)
    if not isinstance(patch, dict):
        raise Permanent(f"a {how} patch is an object")
    return merged(document, patch) if how == "merge" else strategically_merged(document, patch)


def _missing(resource: Resource, name: str) -> Missing:
    return Missing(f'{resource.permission} "{name}" not found')
