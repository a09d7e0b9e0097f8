"""Guard `duplicate`: what another incident is treating already is left to it for now."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["Duplicate"]


class DuplicateParams(Params):
    """What `duplicate` may be told."""

    by: Literal["target", "alert", "both"] = Field("both", description="what must not be the same")
    every: Duration = Field(60.0, ge=1, le=3600, description="how long until it looks again")


class Duplicate(Guard):
    """Denies while another run is treating the same target or the same alert, and says which; then it looks again.

    A run treats from its first write until it has ended. Without this guard a second one waits too, right behind the
    first; with it, it is judged only once the first is done. The same alert is one with the same labels, of whichever
    source.
    """

    name = "duplicate"
    example = "duplicate: {by: target}"
    Params = DuplicateParams
    escapes: ClassVar[Mapping[str, str]] = {"by": "literal"}

    async def judge(self, params: DuplicateParams, seen: Seen, tools: Tools) -> Verdict:
        """Ask who holds the target, and the alert; claim the alert, as every run claims its target."""
        alert = claim_scope("alert", seen.run.identity)
        about = {"target": f"target/{seen.target}", "alert": alert}  # as `core.judging` claims it
        wanted = {what: scope for what, scope in about.items() if params.by in (what, "both")}
        for what, scope in wanted.items():
            holder = seen.uses.holder(scope)
            if holder is not None:
                named = one_line(seen.target, 120) if what == "target" else "the same alert"
                reason = f"{holder} is treating {named} already; looking again in {say_duration(params.every)}"
                return Verdict(
                    self.name, Answer.DENY, reason, {what: one_line(scope, 200), "by": holder}, again=params.every
                )
        claims = (Claim(alert),) if "alert" in wanted else ()
        evidence = {what: one_line(scope, 200) for what, scope in wanted.items()}
        return Verdict(self.name, Answer.ALLOW, "nobody else is treating it", evidence, claims=claims)
