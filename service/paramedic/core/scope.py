"""What expressions see: the names that `${...}` and `when` may use, as plain JSON values.

Routing renders a rule's `with` with `rule_scope`; treatment renders a playbook with `playbook_scope`.
"""

from collections.abc import Mapping
from typing import Any

from paramedic.core.model import Alert, Exemplar, Incident, Run
from paramedic.core.text import iso

__all__ = ["incident_scope", "playbook_scope", "rule_scope", "target_scope"]


def rule_scope(alert: Alert, service: Mapping[str, Any]) -> dict[str, Any]:
    """`labels`, `annotations`, `source`, `service` of a rule."""
    return {"labels": alert.labels, "annotations": alert.annotations, "source": alert.source, "service": dict(service)}


def target_scope(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a playbook's `target` may use: its parameters only, so that a target never depends on a moment."""
    return {"params": params}


def playbook_scope(incident: Incident, run: Run) -> dict[str, Any]:
    """`params`, `target`, `alert`, `incident`, `run` of a playbook."""
    return {
        "params": run.params,
        "target": {"name": run.target},
        "alert": _alert(exemplar_of(incident, run)),
        **incident_scope(incident),
        "run": {
            "id": f"{incident.ref}.{run.n}",
            "playbook": run.playbook,
            "recurrence": run.recurrence,
            "started_at": iso(run.started_at),
        },
    }


def incident_scope(incident: Incident) -> dict[str, Any]:
    """`incident` alone: what a communication plan's `when` sees."""
    return {
        "incident": {
            "id": incident.ref,
            "key": incident.key,
            "title": incident.title,
            "severity": str(incident.severity),
            "phase": str(incident.phase),
            "source": incident.source,
            "opened_at": iso(incident.opened_at),
        }
    }


def exemplar_of(incident: Incident, run: Run) -> Exemplar | None:
    """The alert that asked for this run. Never another one: its labels could lead to another target."""
    for one in incident.firing.exemplars:
        if one.identity == run.identity:
            return one
    return None


def _alert(exemplar: Exemplar | None) -> dict[str, Any]:
    if exemplar is None:
        return {"labels": {}, "annotations": {}, "starts_at": ""}
    return {
        "labels": exemplar.labels,
        "annotations": exemplar.annotations,
        "starts_at": iso(exemplar.starts_at),
    }
