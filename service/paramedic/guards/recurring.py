"""Guard `recurring`: what has been treated again and again is not healed by once more. Counted across incidents."""

from datetime import timedelta

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.text import ago, iso
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Recurring"]


class RecurringParams(Params):
    """What `recurring` may be told."""

    max: int = Field(3, ge=1, le=100, description="how many treatments of one target by this playbook are enough")
    within: Duration = Field(4 * 3600.0, gt=0, le=7 * 86400, description="within how long")


class Recurring(Guard):
    """Denies for good once this playbook has treated this target `max` times within the time given.

    Each of these may have worked, and yet it is back: the cause is another one, so the run is refused and a person is
    told. `recurrence` of a playbook counts within one incident; this one counts across incidents, restarts and rules.
    """

    name = "recurring"
    example = "recurring: {max: 3, within: 4h}"
    Params = RecurringParams

    async def judge(self, params: RecurringParams, seen: Seen, tools: Tools) -> Verdict:
        """Count the treatments; claim the next one."""
        scope = claim_scope("recurring", seen.run.playbook, seen.target)
        first = seen.now - timedelta(seconds=params.within)
        used = [at for at in seen.uses.since(scope, first) if at > first]
        evidence = {"scope": scope, "treated": len(used), "max": params.max, "latest": [iso(at) for at in used[-5:]]}
        times = "once" if len(used) == 1 else f"{len(used)} times"
        what = f"{f'treated {times}' if used else 'not treated'} within {say_duration(params.within)}"
        if len(used) < params.max:
            claims = (Claim(scope, limit=params.max, per=params.within),)
            return Verdict(self.name, Answer.ALLOW, what, evidence, claims=claims)
        reason = f"{what}, the last {ago(used[-1], seen.now)} ago, and it is back: once more would not help"
        return Verdict(self.name, Answer.DENY, reason, evidence)
