"""Guard `approval`: people say yes to the plan first. Asked once there is one; the core counts who has said yes."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from paramedic.core.bundle import Asked
from paramedic.core.model import Ask, Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.errors import Fault
from paramedic.plugin import Guard, Params, Resources, Seen, Tools

__all__ = ["ApprovalGuard"]

_LONGEST = 86_400.0


class ApprovalParams(Params):
    """Whom `approval` asks, and for how long."""

    of: int = Field(1, ge=1, le=10, description="how many different people have to approve")
    from_: tuple[str, ...] = Field(
        ("approver",), alias="from", min_length=1, max_length=20, description="who counts: people, roles or teams"
    )
    within: Duration = Field(600.0, gt=0, le=_LONGEST, description="how long it is waited for; after that it is denied")
    escalate_after: Duration | None = Field(
        None, gt=0, description="when the next level is told that it waits; half of `within` where nothing is said"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.escalate_after is not None and self.escalate_after >= self.within:
            raise ValueError("`escalate_after` is shorter than `within`, or nobody could still react")
        return self


class ApprovalGuard(Guard):
    """Allows once `of` different people of those named in `from` have approved the plan that they looked at.

    In mode `auto` it makes a run wait for people, in `approve` it says which ones. Whoever opened the incident by hand,
    or changed the playbook last where that is known, cannot approve. A denial, or nobody in time, ends the run.
    """

    name = "approval"
    example = "approval: {of: 2, from: [approver], within: 10m}"
    Params = ApprovalParams
    asked: ClassVar[Asked] = "people"
    escapes: ClassVar[Mapping[str, str]] = {"from": "literal"}

    def refers(self, params: ApprovalParams, resources: Resources) -> None:
        """Each name must be there, and enough people behind them who may approve."""
        for n, name in enumerate(params.from_):
            if name not in resources.approvers:
                known = ", ".join(sorted(resources.approvers)[:20]) or "none has the role approver"
                what = f'"{name}" is no person, role or team with anybody who may approve'
                raise Fault(f"from.{n}", what, f"those who may: {known}")
        people = frozenset[str]().union(*(resources.approvers[name] for name in params.from_))
        if len(people) < params.of:
            right = "give more people the role approver, or ask for fewer"
            raise Fault("of", f"{params.of} have to approve, and only {len(people)} can: {', '.join(people)}", right)

    async def judge(self, params: ApprovalParams, seen: Seen, tools: Tools) -> Verdict:
        """Say whom to ask, unless they have said yes."""
        names = list(params.from_)
        if seen.run.approved_by:
            return Verdict(self.name, Answer.ALLOW, f"approved by {seen.run.approved_by}", {"from": names})
        later = params.within / 2 if params.escalate_after is None else params.escalate_after
        reason = f"{params.of} of {', '.join(names)} approve within {say_duration(params.within)}"
        ask = Ask(params.of, tuple(params.from_), params.within, later)
        return Verdict(self.name, Answer.DENY, f"waits until {reason}", {"of": params.of, "from": names}, asks=ask)
