"""From the stored state of an incident to the shapes that people see. Pure; called by `views`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from paramedic.cluster.masking import masked_tree
from paramedic.console.models import (
    AlertView,
    AnswerView,
    ApprovalView,
    CatalogView,
    FaultView,
    IncidentDetail,
    IncidentLine,
    PagingView,
    PlanView,
    RunView,
    TemporaryView,
)
from paramedic.console.standing import standing
from paramedic.core.bundle import Bundle
from paramedic.core.entitled import wanted
from paramedic.core.model import Change, Incident, Past, Run, Temporary
from paramedic.core.words import Mode, Stage
from paramedic.errors import Fault

__all__ = ["InForce", "catalog_of", "detail_of", "incident_number", "line_of", "run_number", "run_of", "runs_of"]


class InForce(Protocol):
    """The catalog, as the console sees it."""

    @property
    def bundle(self) -> Bundle | None:
        """The bundle in force."""
        ...

    @property
    def faults(self) -> Sequence[Fault]:
        """What is wrong in the files as they are now."""
        ...


_DIGITS = 18  # what fits in a bigint, whatever the digits


def incident_number(text: str) -> int:
    """12 out of `INC-12` or `12`. Raises `Fault` for anything else."""
    digits = text.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
        raise Fault("incident", f"{text[:40]!a} is not the id of an incident", "write INC-12 or 12")
    return int(digits)


def run_number(text: str) -> tuple[int, int]:
    """(12, 1) out of `INC-12.1` or `12.1`. Raises `Fault` for anything else."""
    incident, _, run = text.partition(".")
    if not (run.isascii() and run.isdigit() and len(run) <= _DIGITS // 2):
        raise Fault("run", f"{text[:40]!a} is not the id of a run", "write INC-12.1 or 12.1")
    return incident_number(incident), int(run)


def line_of(incident: Incident, now: datetime) -> IncidentLine:
    """The incident as a list shows it."""
    return IncidentLine(
        id=incident.ref,
        title=incident.title,
        severity=incident.severity,
        phase=incident.phase,
        open=incident.open,
        standing=standing(incident, now),
        opened_at=incident.opened_at,
        updated_at=incident.updated_at,
        resolved_at=incident.resolved_at,
        fixed_by=incident.fixed_by,
        source=incident.source,
        rule=incident.rule,
        owner=incident.owner,
        acknowledged_by=incident.paging.acked_by,
        firing=incident.firing.open,
    )


def detail_of(incident: Incident, now: datetime) -> IncidentDetail:
    """The incident as its own page shows it."""
    paging = incident.paging
    return IncidentDetail(
        **dict(line_of(incident, now)),
        key=incident.key,
        kind=incident.kind,
        bundle=incident.bundle,
        previous=f"INC-{incident.previous}" if incident.previous is not None else None,
        opened_by=incident.opened_by,
        links=[f"INC-{number}" for number in incident.links],
        recurrence=incident.recurrence,
        parked=incident.parked,
        alerts=[
            AlertView(labels=one.labels, annotations=one.annotations, starts_at=one.starts_at, firing=one.open)
            for one in incident.firing.exemplars
        ],
        alerts_total=incident.firing.total,
        paging=PagingView(
            policy=paging.policy,
            level=paging.level,
            acknowledged_by=paging.acked_by,
            acknowledged_at=paging.acked_at,
            snoozed_until=paging.snoozed_until,
            reason=paging.reason,
        ),
        run=_active(incident, incident.run) if incident.run is not None else None,
        past=[_ended(incident, past) for past in incident.past],
        temporaries=[_temporary(incident, one) for one in incident.temporaries],
        storm=f"INC-{incident.storm}" if incident.storm is not None else None,
    )


def _temporary(incident: Incident, one: Temporary) -> TemporaryView:
    return TemporaryView(
        summary=one.summary,
        target=one.target,
        run=f"{incident.ref}.{one.run}",
        since=one.set_at,
        until=one.until,
        stranded=one.told,
    )


def runs_of(incident: Incident) -> list[RunView]:
    """Every run that the incident remembers, the active one last."""
    ended = [_ended(incident, past) for past in incident.past]
    return [*ended, _active(incident, incident.run)] if incident.run is not None else ended


def run_of(incident: Incident, number: int) -> RunView | None:
    """The run of this number, if the incident remembers it."""
    wanted = f"{incident.ref}.{number}"
    return next((run for run in runs_of(incident) if run.id == wanted), None)


def _active(incident: Incident, run: Run) -> RunView:
    approval = incident.timers.get("approval")
    return RunView(
        id=f"{incident.ref}.{run.n}",
        incident=incident.ref,
        title=incident.title,
        severity=incident.severity,
        playbook=run.playbook,
        target=run.target,
        stage=run.stage,
        reason=run.stop,
        mode=Mode(run.mode),
        started_at=run.started_at,
        deadline=approval.due if approval is not None else run.deadline,
        approved_by=run.approved_by,
        approvals=[ApprovalView(who=one.who, at=one.at) for one in run.approvals],
        wanted=wanted(run) if run.stage is Stage.APPROVAL and run.asks else "",
        grounds=list(run.grounds),
        plan=_plan(run.change) if run.change is not None else None,
        guards=[
            AnswerView(guard=one.name, answer=one.answer, reason=one.reason) for _, one in sorted(run.answers.items())
        ],
        acted=run.acted,
    )


def _ended(incident: Incident, past: Past) -> RunView:
    return RunView(
        id=f"{incident.ref}.{past.n}",
        incident=incident.ref,
        title=incident.title,
        severity=incident.severity,
        playbook=past.playbook,
        target=past.target,
        outcome=past.outcome,
        reason=past.reason,
        ended_at=past.ended_at,
        acted=past.acted,
    )


def _plan(change: Change) -> PlanView:
    """Its values as they are; what is folded in them may be a whole template, with the secrets of its environment."""
    write, prior = _folded_masked(change.write), _folded_masked(change.prior)
    undo = None if change.undo is None else _folded_masked(change.undo)
    return PlanView(summary=change.summary, digest=change.digest, write=write, prior=prior, undo=undo)


def _folded_masked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: masked_tree(value) if isinstance(value, dict | list) else value for name, value in values.items()}


def catalog_of(catalog: InForce) -> CatalogView:
    """What is in force, and what is wrong in files that therefore are not."""
    bundle = catalog.bundle
    kinds = ("rules", "playbooks", "services", "sources", "people", "policies", "windows", "endpoints")
    return CatalogView(
        bundle=bundle.hash if bundle is not None else None,
        counts={kind: len(getattr(bundle, kind)) for kind in kinds} if bundle is not None else {},
        faults=[FaultView(where=fault.where, what=fault.what, right=fault.right) for fault in catalog.faults],
    )
