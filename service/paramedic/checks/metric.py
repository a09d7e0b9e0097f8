"""Check `metric`: does a measured value say that it is well again? Asked in a reading slot, as often as the playbook
says.
"""

from typing import ClassVar

from pydantic import Field

from paramedic.clients.comparing import Operator, Question, Reduction, look
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.plugin import Check, Params, Seen, Tools

__all__ = ["MetricCheck"]


class MetricCheckParams(Params):
    """What `metric` may be told."""

    name: str = Field(
        pattern="^[a-zA-Z_][a-zA-Z0-9_]{0,63}$",
        description="what the value is called, in reasons and in a rehearsal's `metrics`",
    )
    query: str = Field(min_length=1, max_length=8192, description="PromQL that comes to one number for each series")
    op: Operator = Field(description="how the value must compare")
    threshold: float = Field(allow_inf_nan=False, description="with what it is compared")
    for_: Duration = Field(0.0, alias="for", le=3600, description="for how long until now it must have been so")
    reduce: Reduction = Field("only", description="how several series become one number; `only` demands that it is one")
    max_age: Duration = Field(120.0, gt=0, le=3600, description="a value that nobody has renewed for longer is unknown")
    timeout: Duration = Field(5.0, gt=0, le=20, description="how long the answer may take")


class MetricCheck(Check):
    """Passes if the value compares as wanted, now and for as long as `for` says.

    It fails only on a value that does not. No value, one older than `max_age`, NaN, several series where `reduce` says
    `only`, an answer with a warning, and no answer are unknown: they hand over to a person and never undo.
    What is said of the guard `metric` about `for`, ranges and `${}` holds here too.
    """

    name = "metric"
    example = (
        'metric: {name: http_5xx, op: "<", threshold: 0.01, for: 2m,\n'
        '         query: \'sum(rate(http_requests_total{status=~"5..",namespace="${params.namespace}"}[1m]))\'}'
    )
    Params = MetricCheckParams
    reads = frozenset({"metrics"})
    escapes: ClassVar = {"name": "literal", "query": "promql", "op": "literal", "reduce": "literal"}

    async def ask(self, params: MetricCheckParams, seen: Seen, tools: Tools) -> Verdict:
        """One look."""
        question = Question(
            params.name,
            params.query,
            params.op,
            params.threshold,
            params.for_,
            params.reduce,
            params.max_age,
            params.timeout,
        )
        found = await look(question, tools.metrics, seen.now)
        answer = {True: Answer.PASS, False: Answer.FAIL, None: Answer.UNKNOWN}[found.holds]
        return Verdict(self.name, answer, found.reason, found.seen, again=found.again)
