"""Guard `still_firing`: is there still something to treat? Asked before every remedy, whatever the playbook says."""

from typing import Any

from pydantic import Field

from paramedic.core.model import Verdict
from paramedic.core.text import ago, iso
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["StillFiring"]


class StillFiringParams(Params):
    """What `still_firing` may be told."""

    for_: Duration = Field(0.0, alias="for", description="how long it must have been firing; younger waits")


class StillFiring(Guard):
    """Allows while at least one alert of the incident is firing, and has been for long enough.

    Denies once none is: a remedy for something that is over does only harm. An alert that may be an echo of an older
    firing counts as unknown.
    """

    name = "still_firing"
    example = "still_firing: {for: 1m}"
    Params = StillFiringParams

    async def judge(self, params: StillFiringParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the incident's episodes."""
        firing = seen.firing
        evidence: dict[str, Any] = {"open": firing.open, "doubted": firing.doubted}
        if not firing.open and firing.doubted:
            return Verdict(self.name, Answer.UNKNOWN, "it may be firing again, which is not certain yet", evidence)
        if not firing.open:
            since = f" (cleared {ago(firing.cleared_at, seen.now)} ago)" if firing.cleared_at else ""
            return Verdict(self.name, Answer.DENY, f"no longer firing{since}", evidence)
        if firing.since is None:
            return Verdict(self.name, Answer.UNKNOWN, "it is firing, and nobody knows since when", evidence)
        age = (seen.now - firing.since).total_seconds()
        evidence["since"] = iso(firing.since)
        if age < params.for_:
            reason = f"firing for {say_duration(age)} only, {say_duration(params.for_)} is wanted"
            return Verdict(self.name, Answer.DENY, reason, evidence, again=params.for_ - age)
        return Verdict(self.name, Answer.ALLOW, f"firing for {say_duration(age)}", evidence)
