"""Check `alert_cleared`: did the alert really go away, and stay away? The check that most playbooks end with."""

from pydantic import Field

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration, say_duration
from paramedic.plugin import Check, Params, Seen, Tools

__all__ = ["AlertCleared"]


class AlertClearedParams(Params):
    """What `alert_cleared` may be told."""

    stays: Duration = Field(0.0, description="how long no alert of the incident may have been firing")


class AlertCleared(Check):
    """Passes once no alert of the incident is firing, and none has been for as long as `stays`.

    Unknown while an alert may or may not be firing again, and where nothing has been seen at all.
    """

    name = "alert_cleared"
    example = "alert_cleared: {stays: 2m}"
    Params = AlertClearedParams

    async def ask(self, params: AlertClearedParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the incident's episodes."""
        firing = seen.firing
        evidence = {"open": firing.open, "doubted": firing.doubted, "total": firing.total}
        if firing.open:
            count = "the alert is" if firing.open == 1 else f"{firing.open} alerts are"
            return Verdict(self.name, Answer.FAIL, f"{count} still firing", evidence)
        if firing.doubted:
            return Verdict(self.name, Answer.UNKNOWN, "it may be firing again, which is not certain yet", evidence)
        if firing.cleared_at is None:
            return Verdict(self.name, Answer.UNKNOWN, "no alert of this incident was ever seen to clear", evidence)
        cleared = max(0.0, (seen.now - firing.cleared_at).total_seconds())
        if cleared < params.stays:
            reason = f"cleared for {say_duration(cleared)}, {say_duration(params.stays)} is wanted"
            return Verdict(self.name, Answer.FAIL, reason, evidence, again=params.stays - cleared)
        return Verdict(self.name, Answer.PASS, f"alert cleared for {say_duration(cleared)}", evidence)
