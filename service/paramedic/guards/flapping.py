"""Guard `flapping`: what comes and goes is not treated until it has made up its mind."""

from datetime import timedelta

from pydantic import Field

from paramedic.core.model import Verdict
from paramedic.core.text import iso
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Flapping"]


class FlappingParams(Params):
    """What `flapping` may be told."""

    turns: int = Field(5, ge=2, le=20, description="how many turns from firing to over, or back, are too many")
    within: Duration = Field(900.0, gt=0, le=86400, description="within how long")


class Flapping(Guard):
    """Denies while the incident's alerts have turned `turns` times within the time given: from firing to over, or back.

    The first firing is a turn; several alerts that begin to fire one after the other are one. It waits until so few are
    left in that time that it is no flapping any more. The last 20 turns of an incident are kept.
    """

    name = "flapping"
    example = "flapping: {turns: 5, within: 15m}"
    Params = FlappingParams

    async def judge(self, params: FlappingParams, seen: Seen, tools: Tools) -> Verdict:
        """Count the turns that are recent."""
        first = seen.now - timedelta(seconds=params.within)
        recent = [turn.at for turn in seen.firing.turns if turn.at > first]
        evidence = {"turns": len(recent), "latest": [iso(at) for at in recent[-5:]]}
        times = "once" if len(recent) == 1 else f"{len(recent)} times"
        what = f"it turned {times} within {say_duration(params.within)}"
        if len(recent) < params.turns:
            return Verdict(self.name, Answer.ALLOW, what, evidence)
        # It is calm again once so many have aged that fewer than `turns` are left.
        again = (recent[-params.turns] - first).total_seconds()
        reason = f"{what}, which is flapping; calm in {say_duration(again)}"
        return Verdict(self.name, Answer.DENY, reason, evidence, again=again)
