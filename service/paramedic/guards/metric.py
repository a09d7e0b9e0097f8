"""Guard `metric`: does a measured value speak for the remedy? Asked in a reading slot; it never allows what it cannot
know.
"""

from typing import ClassVar

from pydantic import Field

from paramedic.clients.comparing import Operator, Question, Reduction, look
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Metric"]


class MetricParams(Params):
    """What `metric` may be told."""

    name: str = Field(
        pattern="^[a-zA-Z_][a-zA-Z0-9_]{0,63}$",
        description="what the value is called, in reasons and in a rehearsal's `metrics`",
    )
    query: str = Field(min_length=1, max_length=8192, description="PromQL that comes to one number for each series")
    op: Operator = Field(description="how the value must compare")
    threshold: float = Field(allow_inf_nan=False, description="with what it is compared")
    for_: Duration = Field(0.0, alias="for", le=3600, description="for how long until now it must have been so")
    interval: Duration = Field(15.0, ge=1, le=600, description="with `for`: how far apart the moments are that count")
    failures: int = Field(
        0,
        ge=0,
        le=60,
        description="with `for`: at so many of those moments it may have been otherwise, not at the last",
    )
    reduce: Reduction = Field("only", description="how several series become one number; `only` demands that it is one")
    max_age: Duration = Field(120.0, gt=0, le=3600, description="a value that nobody has renewed for longer is unknown")
    timeout: Duration = Field(5.0, gt=0, le=20, description="how long the answer may take")


class Metric(Guard):
    """Allows if the value compares as wanted, now and for as long as `for` says; never if that cannot be known.

    Unknown is: no value, one older than `max_age`, NaN, several series where `reduce` says `only`, an answer with a
    warning, and no answer. With `for` the value is looked at every `interval` (60 times, where that is longer); each
    time, but for `failures`, it must compare as wanted, and an unknown one is never borne. If it does now, and only not
    yet for that long, the run waits. A range in the query, as in `rate(x[5m])`, looks back as far as it says, whatever
    `max_age` is.
    `${}` may stand only in the value of a label matcher, and is escaped there; an empty value is a fault.
    """

    name = "metric"
    example = (
        'metric: {name: http_5xx, op: ">", threshold: 0.1, for: 1m,\n'
        '         query: \'sum(rate(http_requests_total{status=~"5..",namespace="${params.namespace}"}[5m]))\'}'
    )
    Params = MetricParams
    reads = frozenset({"metrics"})
    escapes: ClassVar = {"name": "literal", "query": "promql", "op": "literal", "reduce": "literal"}

    async def judge(self, params: MetricParams, seen: Seen, tools: Tools) -> Verdict:
        """Ask once, and compare."""
        question = Question(
            params.name,
            params.query,
            params.op,
            params.threshold,
            params.for_,
            params.reduce,
            params.max_age,
            params.timeout,
            params.interval,
            params.failures,
        )
        found = await look(question, tools.metrics, seen.now)
        if found.holds:
            return Verdict(self.name, Answer.ALLOW, found.reason, found.seen)
        # What may hold in a while is a no for now, so that the run waits for it instead of ending.
        answer = Answer.UNKNOWN if found.holds is None and found.again is None else Answer.DENY
        return Verdict(self.name, answer, found.reason, found.seen, again=found.again)
