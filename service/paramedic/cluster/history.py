"""When a workload's template changed last, and from what to what, out of its own objects. `recent_change` asks.

A revision's object is made when its template is first used, so its age is the age of the change; unless somebody went
back to an older one, which keeps its age. Then only the record of who manages the template's fields knows the moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from paramedic.cluster.port import Json
from paramedic.cluster.resources import CONTROLLER_REVISIONS, REPLICA_SETS, Resource
from paramedic.cluster.revisions import Revision, fingerprint, images, revisions_of

__all__ = ["TemplateChange", "kept_in", "last_change", "moment_of"]


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """The last change of a template that was more than a restart. `at` is None where no object tells the moment.

    `before` and `after` are images; `before` is empty where no earlier revision is kept.
    """

    at: datetime | None
    before: str
    after: str
    went_back: bool = False

    def __str__(self) -> str:
        if not self.before:
            return f"{self.after}, the first that is kept"
        if self.before == self.after:
            return f"{self.after} with another template"
        return f"{self.before} → {self.after}" + (" (an older one)" if self.went_back else "")


def kept_in(kind: str) -> Resource:
    """Where the revisions of a kind of workload are kept."""
    return REPLICA_SETS if kind == "Deployment" else CONTROLLER_REVISIONS


def last_change(workload: Json, objects: Iterable[Json]) -> TemplateChange:
    """The last change of this workload's template, given the ReplicaSets or ControllerRevisions of its namespace."""
    revisions = revisions_of(workload, objects)
    template = workload["spec"]["template"]
    present = fingerprint(template)
    same = [revision for revision in revisions if revision.fingerprint == present]
    others = [revision for revision in revisions if revision.fingerprint != present]
    first_used = min((at for revision in same if (at := moment_of(revision.created)) is not None), default=None)
    newer = [one for one in others if first_used is None or (moment_of(one.created) or first_used) > first_used]
    if first_used is None or newer:
        # Nothing says when it came into force: its controller has not seen it yet, or it was in force before.
        before = newer[0] if newer else (others[0] if others else None)
        return TemplateChange(_touched(workload), _images(before), images(template), went_back=bool(same))
    before = next(iter(_older(others, same)), None)
    return TemplateChange(first_used, _images(before), images(template))


def moment_of(text: object) -> datetime | None:
    """A moment as the API writes it; None for what is not one."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _older(others: Sequence[Revision], same: Sequence[Revision]) -> Iterable[Revision]:
    """Other revisions from before this template, the newest first."""
    first = min(revision.number for revision in same)
    return (revision for revision in others if revision.number < first)


def _touched(workload: Json) -> datetime | None:
    """When a field of the template was last set by anybody; None where that is not recorded."""
    moments = [
        moment
        for entry in workload["metadata"].get("managedFields") or ()
        if "f:template" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        and (moment := moment_of(entry.get("time"))) is not None
    ]
    return max(moments, default=None)


def _images(revision: Revision | None) -> str:
    return images(revision.template) if revision is not None else ""
