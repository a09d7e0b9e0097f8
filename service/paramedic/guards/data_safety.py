"""Guard `data_safety`: could what is about to be done lose data? Replicas, quorum, timeline and backup say so."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from paramedic.clients.comparing import Finding, Operator, Question, Reduction, look
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["DataSafety"]

Query = Annotated[str, Field(min_length=1, max_length=8192, description="PromQL for it")]


class LagBytes(Params):
    """How many bytes replicas are behind."""

    query: Query
    max: float = Field(ge=0, allow_inf_nan=False, description="so many are borne, by the worst of the series")


class LagSeconds(Params):
    """How long replicas are behind."""

    query: Query
    max: Duration = Field(description="so long is borne, by the worst of the series")


class Quorum(Params):
    """How many members are in sync, and how many must be: reads plus writes are more than there are members."""

    query: Query
    members: int = Field(ge=1, le=99, description="how many members there are")
    reads: int | None = Field(None, ge=1, le=99, description="how many a read asks; unless given, a majority")
    writes: int | None = Field(None, ge=1, le=99, description="how many a write waits for; unless given, a majority")
    away: int = Field(1, ge=0, le=99, description="how many the steps may take away for a while")

    @model_validator(mode="after")
    def _overlap(self) -> Self:
        if max(self._reads, self._writes) > self.members:
            raise ValueError("reads or writes are more than the members")
        if self._reads + self._writes <= self.members:
            raise ValueError(
                f"a read of {self._reads} may miss a write to {self._writes} of {self.members}: "
                "reads and writes together must be more than the members"
            )
        return self

    @property
    def _reads(self) -> int:
        return self.reads if self.reads is not None else self.members // 2 + 1

    @property
    def _writes(self) -> int:
        return self.writes if self.writes is not None else self.members // 2 + 1

    @property
    def least(self) -> int:
        """How many must be in sync, so that reads and writes still go on with some taken away."""
        return max(self._reads, self._writes) + self.away


class Timeline(Params):
    """How far apart the timelines of the members are: 0, or one has gone its own way."""

    query: Query


class BackupAge(Params):
    """How old the newest backup that is known to be good is."""

    query: Query
    max: Duration = Field(gt=0, description="it must be younger")


class DataSafetyParams(Params):
    """What `data_safety` may be told: each question is left out or asked; at least one is."""

    lag_bytes: LagBytes | None = Field(None, description="how many bytes replicas are behind")
    lag_seconds: LagSeconds | None = Field(None, description="how long (s) replicas are behind")
    quorum: Quorum | None = Field(None, description="how many members are in sync")
    timeline: Timeline | None = Field(None, description="how far apart the members' timelines are, such as max - min")
    backup_age: BackupAge | None = Field(None, description="how old (s) the newest good backup is")
    max_age: Duration = Field(60.0, gt=0, le=3600, description="a value that nobody has renewed for longer is unknown")
    timeout: Duration = Field(5.0, gt=0, le=5, description="how long each answer may take")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.questions():
            raise ValueError(
                "nothing is asked; give at least one of lag_bytes, lag_seconds, quorum, timeline, backup_age"
            )
        return self

    def questions(self) -> list[Question]:
        """What is to be asked, in this order. In a rehearsal's `metrics` each has the name of its parameter."""
        found: list[Question] = []
        if self.lag_bytes is not None:
            found.append(self._ask("lag_bytes", self.lag_bytes.query, "<=", self.lag_bytes.max))
        if self.lag_seconds is not None:
            found.append(self._ask("lag_seconds", self.lag_seconds.query, "<=", self.lag_seconds.max))
        if self.quorum is not None:
            found.append(self._ask("quorum", self.quorum.query, ">=", self.quorum.least, "only"))
        if self.timeline is not None:
            found.append(self._ask("timeline", self.timeline.query, "==", 0.0, "only"))
        if self.backup_age is not None:
            found.append(self._ask("backup_age", self.backup_age.query, "<=", self.backup_age.max, "only"))
        return found

    def _ask(self, name: str, query: str, op: Operator, threshold: float, reduce: Reduction = "max") -> Question:
        return Question(name, query, op, threshold, 0.0, reduce, self.max_age, self.timeout)


class DataSafety(Guard):
    """Allows if no data is at stake, as far as it is asked: every question given must have the answer wanted.

    `lag_bytes` and `lag_seconds`: the worst replica is not further behind. `quorum`: so many members are in sync that
    reads and writes go on with `away` of them taken, for `reads + writes > members`. `timeline`: all members are on the
    same one. `backup_age`: there is a backup, and it is young enough. No value, an old one, NaN, or several where one
    is meant is unknown, which denies. `${}` may stand only in the value of a label matcher, and is escaped there.
    """

    name = "data_safety"
    example = (
        "data_safety: {lag_bytes: {query: 'pg_replication_lag_bytes{cluster=\"${params.cluster}\"}', max: 16777216},\n"
        "              quorum: {query: 'count(pg_in_sync == 1)', members: 3}}"
    )
    Params = DataSafetyParams
    reads = frozenset({"metrics"})
    escapes: ClassVar = {
        f"{name}.query": "promql" for name in ("lag_bytes", "lag_seconds", "quorum", "timeline", "backup_age")
    }

    async def judge(self, params: DataSafetyParams, seen: Seen, tools: Tools) -> Verdict:
        """Ask all of them; what is known to be wrong weighs more than what is not known, and both deny."""
        found = [(question.name, await look(question, tools.metrics, seen.now)) for question in params.questions()]
        evidence = {name: _shown(one) for name, one in found}
        wrong = [one.reason for _, one in found if one.holds is False]
        unknown = [one.reason for _, one in found if one.holds is None]
        if wrong or unknown:
            answer = Answer.DENY if wrong else Answer.UNKNOWN
            return Verdict(self.name, answer, one_line("; ".join([*wrong, *unknown])), evidence)
        return Verdict(self.name, Answer.ALLOW, one_line("; ".join(one.reason for _, one in found)), evidence)


def _shown(found: Finding) -> dict[str, Any]:
    return {key: value for key, value in found.seen.items() if key in ("value", "at", "series", "wanted")}
