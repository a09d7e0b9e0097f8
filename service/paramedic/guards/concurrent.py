"""Guard `concurrent`: at most so many runs at the same time; who comes next waits for a place."""

from pydantic import Field

from paramedic.core.claims import slots
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Concurrent"]


class ConcurrentParams(Params):
    """What `concurrent` may be told."""

    max: int = Field(ge=1, le=100, description="how many runs may act at the same time")
    across: str = Field(
        "playbook",
        pattern="^[a-z][a-z0-9_]{0,63}$",
        description="what shares the places: playbook, all, or the name of a parameter, such as namespace or cluster",
    )


class Concurrent(Guard):
    """Allows, and lets at most `max` runs act at the same time: the next one waits until one of them has ended.

    A run takes its place with its first write and has it until it has ended. Runs share the places across what `across`
    names, whichever playbook they carry out; where playbooks name different `max`, there are as many as the largest.
    Who waits is let in by severity, then by age.
    """

    name = "concurrent"
    example = "concurrent: {max: 3, across: namespace}"
    Params = ConcurrentParams

    async def judge(self, params: ConcurrentParams, seen: Seen, tools: Tools) -> Verdict:
        """Claim a place; how many are taken now is only told."""
        known = {"all": "", "playbook": seen.run.playbook}
        value = known.get(params.across, seen.run.params.get(params.across))
        if value is None or (not str(value) and params.across != "all"):
            reason = f'the run has no parameter "{params.across}" to share places by'
            return Verdict(self.name, Answer.UNKNOWN, reason)
        claim = Claim(claim_scope("concurrent", params.across, str(value)), limit=params.max)
        taken = sum(1 for scope in slots(claim) if seen.uses.holder(scope) is not None)
        evidence = {"scope": claim.scope, "taken": taken, "max": params.max}
        waits = ", so this waits for one" if taken >= params.max else ""
        reason = f"others have {taken} of {params.max} places{waits}"
        return Verdict(self.name, Answer.ALLOW, reason, evidence, claims=(claim,))
