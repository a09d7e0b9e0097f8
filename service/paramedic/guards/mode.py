"""Guard `mode`: only where automation may do at least so much. It shows the mode of each place that names one."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Mode
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["ModeGuard"]


class ModeParams(Params):
    """What `mode` may be told."""

    least: Literal["shadow", "approve", "auto"] = Field("shadow", description="the least mode in which it goes on")


class ModeGuard(Guard):
    """Allows if the mode in force is at least this one; `least: auto` refuses what a person would have to approve.

    The mode in force is the lowest that any place names: the global switch, the rule, the playbook, and the target's
    annotation once a plan has read it. Without it a run in shadow still says what it would do, and one in approve asks.
    """

    name = "mode"
    example = "mode: {least: approve}"
    Params = ModeParams
    escapes: ClassVar[Mapping[str, str]] = {"least": "literal"}

    async def judge(self, params: ModeParams, seen: Seen, tools: Tools) -> Verdict:
        """Compare the lowest of the places with what is wanted."""
        modes = seen.modes()
        evidence = {place: str(mode) for place, mode in modes.items()}
        if "global" not in modes:
            return Verdict(self.name, Answer.UNKNOWN, "nobody knows the global mode", evidence)
        lowest = Mode.lowest(*modes.values())
        if lowest.rank >= Mode(params.least).rank:
            return Verdict(self.name, Answer.ALLOW, f"the mode is {lowest}", evidence)
        places = ", ".join(place for place, mode in modes.items() if mode is lowest)
        reason = f"the mode is {lowest} ({places}), at least {params.least} is wanted"
        return Verdict(self.name, Answer.DENY, reason, evidence)
