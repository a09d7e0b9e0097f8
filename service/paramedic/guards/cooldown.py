"""Guard `cooldown`: not again so soon. The claim it adds makes sure of it when two runs are judged at once."""

from datetime import timedelta

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.text import ago
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Cooldown"]


class CooldownParams(Params):
    """What `cooldown` may be told."""

    for_: Duration = Field(alias="for", gt=0, description="how long after a run the next one may act")
    per: str = Field(
        "target",
        pattern="^[a-z][a-z0-9_]{0,63}$",
        description="what cools down: target, playbook, or the name of a parameter of the playbook",
    )


class Cooldown(Guard):
    """Allows if this playbook has not acted on this target within the time given; else says until when it waits.

    `per: playbook` counts all targets together, `per: NAME` all targets with the same value of that parameter.
    """

    name = "cooldown"
    example = "cooldown: {for: 15m}"
    Params = CooldownParams

    async def judge(self, params: CooldownParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the latest use; claim the next one."""
        scope = self._scope(params.per, seen)
        if scope is None:
            reason = f'the run has no parameter "{params.per}" to cool down by'
            return Verdict(self.name, Answer.UNKNOWN, reason)
        first = seen.now - timedelta(seconds=params.for_)
        used = [at for at in seen.uses.since(scope, first) if at > first]
        claims = (Claim(scope, limit=1, per=params.for_),)
        if not used:
            reason = f"not used in the last {say_duration(params.for_)}"
            return Verdict(self.name, Answer.ALLOW, reason, {"scope": scope}, claims=claims)
        last = used[-1]
        until = last + timedelta(seconds=params.for_)
        wait = max(0.0, (until - seen.now).total_seconds())
        return Verdict(
            self.name,
            Answer.DENY,
            f"used {ago(last, seen.now)} ago, again from {until:%H:%M:%S} UTC (in {say_duration(wait)})",
            {"scope": scope, "last": last.isoformat(), "until": until.isoformat()},
            again=wait,
        )

    def _scope(self, per: str, seen: Seen) -> str | None:
        playbook = seen.run.playbook
        if per == "target":
            return claim_scope("cooldown", playbook, seen.target)
        if per == "playbook":
            return claim_scope("cooldown", playbook)
        value = seen.run.params.get(per)
        return None if value is None else claim_scope("cooldown-by", playbook, per, str(value))
