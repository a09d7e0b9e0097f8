"""Guard `attempts`: so many tries, further and further apart, then a person. Counted for all incidents of a target."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from paramedic.core.model import Claim, Verdict
from paramedic.core.text import ago, iso
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Attempts"]


class AttemptsParams(Params):
    """What `attempts` may be told."""

    max: int = Field(2, ge=1, le=100, description="how many treatments of one target by this playbook")
    within: Duration = Field(3600.0, gt=0, le=7 * 86400, description="within how long")
    backoff: Duration = Field(
        60.0, le=86400, description="how long after the first the second may follow; then doubled"
    )
    longest: Duration = Field(600.0, gt=0, le=86400, description="the longest of these waits")

    @model_validator(mode="after")
    def _waits_fit(self) -> Self:
        if self.backoff > self.longest:
            raise ValueError("backoff is longer than longest, the longest of the waits")
        return self


class Attempts(Guard):
    """Allows a target `max` treatments by this playbook within the time given, each later after the one before.

    The second waits for `backoff` after the first, the third for twice as long after the second, never longer than
    `longest`. When all are used up it denies for good: the run is refused and a person is told. Every run that wrote
    counts, whichever incident it belonged to and whatever it came to.
    """

    name = "attempts"
    example = "attempts: {max: 3, within: 1h, backoff: 1m}"
    Params = AttemptsParams

    async def judge(self, params: AttemptsParams, seen: Seen, tools: Tools) -> Verdict:
        """Count the treatments; claim the next one, and the pause before it."""
        scope = claim_scope("attempts", seen.run.playbook, seen.target)
        first = seen.now - timedelta(seconds=params.within)
        used = [at for at in seen.uses.since(scope, first) if at > first]
        evidence = {"scope": scope, "used": len(used), "max": params.max}
        what = f"{len(used)} of {params.max} attempts within {say_duration(params.within)}"
        claims = [Claim(scope, limit=params.max, per=params.within)]
        if not used:
            return Verdict(self.name, Answer.ALLOW, what, evidence, claims=tuple(claims))
        last = used[-1]
        evidence["last"] = iso(last)
        if len(used) >= params.max:
            reason = f"{what}, the last {ago(last, seen.now)} ago: it is left to a person"
            return Verdict(self.name, Answer.DENY, reason, evidence)
        pause = min(params.longest, params.backoff * 2 ** (len(used) - 1))
        wait = (last + timedelta(seconds=pause) - seen.now).total_seconds()
        if wait > 0:
            reason = f"{what}, the last {ago(last, seen.now)} ago, the next in {say_duration(wait)}"
            return Verdict(self.name, Answer.DENY, reason, evidence, again=wait)
        if pause > 0:
            claims.append(Claim(scope, limit=1, per=pause))
        return Verdict(self.name, Answer.ALLOW, what, evidence, claims=tuple(claims))
