"""The shapes of a run as the console answers it: its plan, guards' answers, approvals. `models` has the others."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from paramedic.core.words import Mode, Outcome, Severity, Stage

__all__ = ["AnswerView", "ApprovalView", "PlanView", "RunView", "View"]


class View(BaseModel):
    """Base of the answers: what is in them was made by us, so nothing extra can get in by mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanView(View):
    """What a run is about to write or has written: absolute values, what was there before, how to take it back."""

    summary: str
    digest: str
    write: dict[str, Any]
    prior: dict[str, Any]
    undo: dict[str, Any] | None = None


class AnswerView(View):
    """The last answer of a guard; what it saw is in the timeline."""

    guard: str
    answer: str = Field(examples=["allow", "deny", "error", "unknown"])
    reason: str = ""


class ApprovalView(View):
    """Somebody's yes to a plan."""

    who: str
    at: datetime


class RunView(View):
    """A run: the active one has a stage, an ended one an outcome."""

    id: str = Field(examples=["INC-12.1"])
    incident: str
    title: str
    severity: Severity
    playbook: str
    target: str
    stage: Stage | None = None
    outcome: Outcome | None = None
    reason: str = ""
    mode: Mode | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: Annotated[datetime | None, Field(description="for an approval: when it expires")] = None
    approved_by: Annotated[str, Field(description="who has approved it, once that was enough")] = ""
    approvals: Annotated[list[ApprovalView], Field(description="who has approved the plan so far")] = []
    wanted: Annotated[str, Field(description="what it still waits for", examples=["2 approvals by dba"])] = ""
    grounds: Annotated[list[str], Field(description="why the guards have allowed it")] = []
    plan: PlanView | None = None
    guards: list[AnswerView] = Field(default_factory=list, description="of an active run: the last answer of each")
    acted: bool = Field(description="whether a write has left")
