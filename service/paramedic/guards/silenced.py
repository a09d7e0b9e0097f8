"""Guard `silenced`: an alert that was silenced, or that another one inhibits, is a person's. Asked of its source."""

from typing import ClassVar

from pydantic import Field

from paramedic.core.model import Exemplar, Verdict
from paramedic.core.text import ago, one_line
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Silenced"]

_MOST = 5


class SilencedParams(Params):
    """What `silenced` may be told."""

    inhibited: bool = Field(True, description="deny for an alert that another one inhibits, too")
    timeout: Duration = Field(5.0, gt=0, le=6, description="how long each answer may take")


class Silenced(Guard):
    """Denies if the alert is silenced or inhibited at its Alertmanager by now: then a person looks after it.

    An alert that was silenced after it was delivered is delivered no more, and nothing tells that but its source. So
    the instances of the source are asked; one that keeps it quiet is believed, whatever others say. A source without an
    address is judged by its newest delivery, and the reason says so. An alert that its source does not know any more is
    unknown: that it is absent does not say that it is over. Asked about is the alert that began the run; once that one
    has ended, the oldest of the incident that still fire, at most five.
    """

    name = "silenced"
    example = "silenced: {}"
    Params = SilencedParams
    reads = frozenset({"alerts"})
    escapes: ClassVar = {"inhibited": "literal"}

    async def judge(self, params: SilencedParams, seen: Seen, tools: Tools) -> Verdict:
        """Ask the source about each alert in question."""
        alerts = _in_question(seen)
        if not alerts:
            return Verdict(self.name, Answer.UNKNOWN, "no alert of the incident is known to fire")
        source = one_line(seen.source, 60)
        evidence: dict[str, object] = {"source": source}
        for one in alerts:
            name = one_line(one.labels.get("alertname", "it"), 80)
            try:
                found = await tools.alerts.standing(seen.source, one.labels, timeout=params.timeout)
            except (Temporary, Permanent, UnknownOutcome) as error:
                return Verdict(self.name, Answer.UNKNOWN, one_line(f"{source} cannot be asked: {error}"), evidence)
            evidence[name] = found.state
            if found.state == "unasked":
                heard = f", {ago(seen.firing.seen_at, seen.now)} ago" if seen.firing.seen_at else ""
                reason = f"{source} has no address, so its newest delivery{heard} counts, and there {name} fires"
                return Verdict(self.name, Answer.ALLOW, one_line(reason), evidence)
            if found.state == "absent":
                reason = f"{source} does not know {name} any more, which does not say that it is over"
                return Verdict(self.name, Answer.UNKNOWN, one_line(reason), evidence)
            if found.state == "silenced" or (found.state == "inhibited" and params.inhibited):
                by = f" by {', '.join(found.by)}" if found.by else ""
                reason = f"{name} is {found.state} at {source}{by}, so a person looks after it"
                return Verdict(self.name, Answer.DENY, one_line(reason), evidence)
        count = "" if len(alerts) == 1 else f", and {len(alerts) - 1} more"
        first = one_line(alerts[0].labels.get("alertname", "it"), 80)
        return Verdict(self.name, Answer.ALLOW, one_line(f"{source} says that {first} fires{count}"), evidence)


def _in_question(seen: Seen) -> tuple[Exemplar, ...]:
    if seen.alert is not None and seen.alert.open:
        return (seen.alert,)
    still = sorted((one for one in seen.firing.exemplars if one.open), key=lambda one: one.starts_at)
    return tuple(still[:_MOST])
