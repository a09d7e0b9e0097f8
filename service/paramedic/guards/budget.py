"""Guard `budget`: at most so many runs in so much time, whichever playbooks they come from."""

from datetime import timedelta

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Budget"]


class BudgetParams(Params):
    """What `budget` may be told."""

    max: int = Field(ge=1, le=10_000, description="how many runs may act")
    per: Duration = Field(gt=0, description="within how long")
    across: str = Field(
        "playbook",
        pattern="^[a-z][a-z0-9_]{0,63}$",
        description="what shares the budget: target, playbook, all, or the name of a parameter, such as namespace",
    )


class Budget(Guard):
    """Allows while fewer runs than `max` have acted within `per`.

    Runs share a budget across what `across` names, whichever playbook they carry out: `across: namespace` counts all
    runs whose playbooks have a budget with the same `per` across the same namespace, `across: all` all with that `per`.
    """

    name = "budget"
    example = "budget: {max: 5, per: 1h, across: namespace}"
    Params = BudgetParams

    async def judge(self, params: BudgetParams, seen: Seen, tools: Tools) -> Verdict:
        """Count the uses; claim the next one."""
        scope = self._scope(params, seen)
        if scope is None:
            reason = f'the run has no parameter "{params.across}" to share a budget by'
            return Verdict(self.name, Answer.UNKNOWN, reason)
        first = seen.now - timedelta(seconds=params.per)
        used = [at for at in seen.uses.since(scope, first) if at > first]
        evidence = {"scope": scope, "used": len(used), "max": params.max}
        what = f"{len(used)} of {params.max} used in the last {say_duration(params.per)}"
        if len(used) < params.max:
            claims = (Claim(scope, limit=params.max, per=params.per),)
            return Verdict(self.name, Answer.ALLOW, what, evidence, claims=claims)
        # The run fits in again once so many uses have aged that one place is free.
        free = used[len(used) - params.max] + timedelta(seconds=params.per)
        wait = max(0.0, (free - seen.now).total_seconds())
        return Verdict(self.name, Answer.DENY, f"{what}, the next in {say_duration(wait)}", evidence, again=wait)

    def _scope(self, params: BudgetParams, seen: Seen) -> str | None:
        # Budgets over different stretches of time are different budgets, even across the same thing.
        known = {"all": "", "playbook": seen.run.playbook, "target": seen.target}
        value = known.get(params.across, seen.run.params.get(params.across))
        return None if value is None else claim_scope("budget", f"{params.per:g}s", params.across, str(value))
