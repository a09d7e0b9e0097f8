"""The shapes of everything the console answers: pydantic models. What it takes is in `bodies`.

`views` and `history` build them, `api` and `acts` send them as JSON, `pages` renders them, `openapi` describes them.
Names are a contract with scripts: add to them, never rename.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from paramedic.console.run_models import AnswerView, ApprovalView, PlanView, RunView, View
from paramedic.core.words import Mode, Phase, Severity

__all__ = [
    "AlertView",
    "AnswerView",
    "ApprovalView",
    "CatalogView",
    "ChainView",
    "Done",
    "EntryView",
    "EvidenceRef",
    "ExportView",
    "FaultView",
    "IncidentDetail",
    "IncidentLine",
    "IncidentList",
    "OpenedView",
    "PagingView",
    "PlanView",
    "Problem",
    "RawRow",
    "ReportedView",
    "RunList",
    "RunView",
    "StandingView",
    "SwitchView",
    "TemporaryView",
    "TimelineView",
]

PROOF = (
    'hash 0 is sha256 of the id of the incident ("INC-12"); the hash of each row is sha256 of the hash before it (its'
    " bytes), then `at`, a line feed and `body` in UTF-8; the last one is `chain.head`"
)


class StandingView(View):
    """What an incident waits for, in one sentence. `person`: it waits for one; `next`: the commands that help."""

    text: str
    person: bool = False
    next: list[str] = Field(default_factory=list)


class IncidentLine(View):
    """An incident in a list."""

    id: str = Field(examples=["INC-12"])
    title: str
    severity: Severity
    phase: Phase
    open: bool
    standing: StandingView
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    fixed_by: str = ""
    source: str
    rule: str
    owner: str = ""
    acknowledged_by: str = ""
    firing: int = Field(description="alerts of the incident that fire now")


class IncidentList(View):
    """Incidents, open ones first, the most urgent first. `cursor` gets the next page; null: this is the last."""

    incidents: list[IncidentLine]
    cursor: str | None = None


class AlertView(View):
    """An alert of an incident, one of at most 20 that are kept to explain it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    firing: bool


class RunList(View):
    """Active runs, those of the most urgent incidents first. `more`: there are others."""

    runs: list[RunView]
    more: bool = False


class PagingView(View):
    """Where the climb through the escalation policy stands. `level` 0: nobody was paged yet."""

    policy: str
    level: int
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    reason: str = ""


class TemporaryView(View):
    """A change that was made for a time, and is still to be taken back."""

    summary: str = Field(examples=["scale deployment/api.shop: 3 → 6 replicas, for 30m"])
    target: str
    run: str = Field(description="the run that made it", examples=["INC-12.1"])
    since: datetime
    until: Annotated[datetime, Field(description="taken back then, or when the alert has been clear for a while")]
    stranded: bool = Field(description="it could not be taken back so far, and people were told")


class IncidentDetail(IncidentLine):
    """Everything about one incident but its timeline."""

    key: str
    kind: str
    bundle: str
    previous: str | None = None
    opened_by: Annotated[str, Field(description="the person who opened it by hand")] = ""
    links: list[str] = Field(default_factory=list, description="incidents that people have linked it to")
    recurrence: int = 0
    parked: str = ""
    alerts: list[AlertView]
    alerts_total: int
    paging: PagingView
    run: RunView | None = None
    past: list[RunView]
    temporaries: list[TemporaryView] = Field(default_factory=list)
    storm: Annotated[str | None, Field(description="the storm that holds it back")] = None


class EvidenceRef(View):
    """Evidence that an entry cites; `/api/v1/evidence/{digest}` has it."""

    name: str
    digest: str
    size: int


class EntryView(View):
    """One entry of a timeline."""

    number: int
    at: datetime
    kind: str
    text: str
    note: str = ""
    who: str = ""
    seen: dict[str, Any] = Field(default_factory=dict, description="the evidence that fits in a line")
    evidence: list[EvidenceRef] = Field(default_factory=list)


class ChainView(View):
    """Whether the whole timeline is as it was written: every row's hash follows from the one before it."""

    verified: bool
    entries: int
    head: str = Field(description="the hash of the last row, in hex")
    fault: Annotated[str, Field(description="where the chain breaks")] = ""


class TimelineView(View):
    """Entries in order. `next`: ask with `after` this number for more; null: these were the last."""

    incident: str
    chain: ChainView
    entries: list[EntryView]
    next: int | None = None


class RawRow(View):
    """A row of the timeline exactly as it was hashed."""

    seq: int
    at: str = Field(description="ISO 8601 in UTC, as it goes into the hash")
    body: str = Field(description="the entries as JSON, as they go into the hash")
    hash: str


class ExportView(View):
    """An incident with the proof that its timeline is whole."""

    incident: IncidentDetail
    chain: ChainView
    rows: list[RawRow]
    proof: str = PROOF


class SwitchView(View):
    """The global switch and what it means for this process, whose own highest mode is a setting."""

    mode: Mode
    in_force: Mode = Field(description="the lower of the switch and PARAMEDIC_MODE")
    until: datetime | None = None
    who: str = ""
    reason: str = ""
    at: datetime | None = None
    version: int


class GuardView(View):
    """A guard of the playbook. Without an `answer` it was not asked: it is asked of people, or before the write."""

    guard: str
    asked: Literal["first", "people", "last"]
    answer: str | None = None
    reason: str = ""
    seen: dict[str, Any] = Field(default_factory=dict, description="the evidence that it saw")
    again: float | None = Field(None, description="seconds after which it may answer otherwise")


class ExplainedView(View):
    """What would be done about one alert now. `lines` says the same for people."""

    alert: dict[str, Any]
    rule: dict[str, str] | None
    refused_by: list[dict[str, str]] = Field(
        description="the rules before it, each with its first matcher that said no"
    )
    playbook: str | None
    severity: Severity | None
    escalation: str | None
    incident: str = Field(description="the key under which an incident would be opened")
    joins: str = Field(description="the open incident that the alert would be a part of")
    mode: Mode
    modes: dict[str, Mode] = Field(description="by place: global, rule, playbook, target")
    params: dict[str, Any]
    target: str
    fault: str
    guards: list[GuardView]
    plan: str = Field(description="the first write that would be made")
    pages: list[dict[str, Any]] = Field(description="level, to, and seconds after which it is paged")
    unheard: str = Field(description="why the guards could not be asked")
    lines: list[str]


class ExplainedList(View):
    """What would be done about each alert of a body, by the bundle in force. At most 20; `left_out` were more."""

    bundle: str
    explained: list[ExplainedView]
    rejected: list[str]
    left_out: int


class FaultView(View):
    """Something wrong in a file: where, what, and what would be right."""

    where: str
    what: str
    right: str = ""


class CatalogView(View):
    """The bundle in force, what it holds, and what is wrong in files that therefore are not in force."""

    bundle: str | None = Field(description="its hash; null: none was ever loaded")
    counts: dict[str, int]
    faults: list[FaultView]


class Done(View):
    """An act was committed; `done` says what it came to."""

    done: str


class OpenedView(View):
    """An incident was opened by hand, or one about the same was open already."""

    incident: str = Field(description="its id; empty: it is kept, and open in a moment", examples=["INC-12"])


class ReportedView(View):
    """A change as it was kept; `new` is false when it had been reported before. Of a service, `target` is a place."""

    target: str = Field(examples=["main/shop/deployment/api"])
    service: str
    version: str
    url: str
    at: datetime
    by: str
    new: bool


class Problem(View):
    """Why not, and what would be right."""

    error: str
    right: str = ""
