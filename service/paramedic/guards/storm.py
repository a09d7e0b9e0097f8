"""Guard `storm`: not more and more targets at once. The claim it adds makes sure of it when many are judged together.

Whole incidents are held back by `core.storm`, before anything is judged; this is about what has been written already.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Storm"]


class StormParams(Params):
    """What `storm` may be told."""

    max: int = Field(10, ge=1, le=10_000, description="so many targets treated in that time are a storm")
    within: Duration = Field(300.0, gt=0, le=86_400, description="the time in which targets are counted")
    halt: Duration = Field(600.0, gt=0, le=86_400, description="how long nothing is treated then")
    across: str = Field(
        "all",
        pattern="^[a-z][a-z0-9_]{0,63}$",
        description="what is counted together: all, playbook, or the name of a parameter, such as cluster",
    )
    pool: int | None = Field(None, ge=1, description="how many targets there are, where that is known")
    percent: float = Field(20.0, gt=0, le=100, description="this part of the pool is a storm too")

    @property
    def most(self) -> int:
        """The number of targets that is a storm, of the pool or at all."""
        return self.max if self.pool is None else min(self.max, max(1, ceil(self.pool * self.percent / 100)))


class Storm(Guard):
    """Allows unless so many targets have been treated in a short time that something else must be wrong.

    Each run counts as one target. Once there were `max` of them within `within`, or `percent` of the `pool`, nothing is
    treated for `halt`. Runs are counted together across what `across` names, whichever playbooks they carry out.
    """

    name = "storm"
    example = "storm: {max: 10, within: 5m, halt: 10m}"
    Params = StormParams

    async def judge(self, params: StormParams, seen: Seen, tools: Tools) -> Verdict:
        """Count who else has acted; claim a place among them."""
        value = {"all": "", "playbook": seen.run.playbook}.get(params.across, seen.run.params.get(params.across))
        if value is None:
            return Verdict(self.name, Answer.UNKNOWN, f'the run has no parameter "{params.across}" to count targets by')
        scope = claim_scope("storm", f"{params.within:g}s", params.across, str(value))
        used = seen.uses.since(scope, seen.now - timedelta(seconds=params.within + params.halt))
        recent = sum(1 for at in used if at > seen.now - timedelta(seconds=params.within))
        evidence = {"scope": scope, "treated": recent, "max": params.most}
        what = f"{recent} of {params.most} targets treated in the last {say_duration(params.within)}"
        until = _halted_until(used, params)
        if until is not None and until > seen.now:
            wait = (until - seen.now).total_seconds()
            reason = f"storm: {what}; nothing is treated for another {say_duration(wait)}"
            return Verdict(self.name, Answer.DENY, reason, evidence | {"until": until.isoformat()}, again=wait)
        claims = (Claim(scope, limit=params.most, per=params.within),)
        return Verdict(self.name, Answer.ALLOW, what, evidence, claims=claims)


def _halted_until(used: Sequence[datetime], params: StormParams) -> datetime | None:
    """The end of the halt that the latest storm among these uses (oldest first) has brought."""
    within, most = timedelta(seconds=params.within), params.most
    for last in range(len(used) - 1, most - 2, -1):
        if used[last] - used[last - most + 1] < within:
            return used[last] + timedelta(seconds=params.halt)
    return None
