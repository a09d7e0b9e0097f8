"""Guard `self_health`: are we fit to judge? The database, Prometheus, the clocks and the Watchdog tell."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from paramedic.clients.comparing import Question, look
from paramedic.core.matching import Matcher
from paramedic.core.model import Verdict
from paramedic.core.text import ago, one_line, span
from paramedic.core.words import Answer
from paramedic.durations import Duration
from paramedic.matchers import Matchers, parse_matchers
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["SelfHealth"]

_WATCHDOG: Final = parse_matchers('alertname="Watchdog"')
_SCRAPED: Final = "min(time() - timestamp(up))"
"""How long ago (s) Prometheus has scraped anything, by its own clock."""

_Said = tuple[Answer, str]


class SelfHealthParams(Params):
    """What `self_health` may be told: each part is left out with 0 or `false`."""

    database: Duration = Field(5.0, le=3600, description="how long ago the database may have answered this process")
    scrape_age: Duration = Field(120.0, le=3600, description="how long ago Prometheus may have scraped last")
    skew: Duration = Field(5.0, le=3600, description="how far the clock of Prometheus may be from ours")
    watchdog: bool = Field(True, description="the Watchdog, which always fires, must be among what fires")
    match: Matchers | None = Field(
        None, description='the matchers of the Watchdog; unless given `alertname="Watchdog"`'
    )
    timeout: Duration = Field(5.0, gt=0, le=20, description="how long the answer of Prometheus may take")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.database or self.scrape_age or self.skew or self.watchdog):
            raise ValueError("nothing is asked; leave at least one of database, scrape_age, skew, watchdog as it is")
        return self

    @property
    def sought(self) -> tuple[Matcher, ...]:
        """By what the Watchdog is known."""
        return self.match if self.match is not None else _WATCHDOG


class SelfHealth(Guard):
    """Denies while what we judge by cannot be trusted; what cannot be asked is unknown, which denies too.

    `database`: it answered this process so lately; it is asked before every write, too. `scrape_age`: Prometheus has
    scraped, or tried to, so lately. `skew`: its clock and ours agree. `watchdog`: the alert that always fires has come
    and has not expired, so that alerts do reach us. In a rehearsal's `metrics` the age is called `scrape_age`.
    """

    name = "self_health"
    example = "self_health: {scrape_age: 1m}"
    Params = SelfHealthParams
    reads = frozenset({"metrics"})
    escapes: ClassVar = {"watchdog": "literal", "match": "literal"}

    def watches(self, params: SelfHealthParams) -> tuple[tuple[Matcher, ...], ...]:
        """The Watchdog."""
        return (params.sought,) if params.watchdog else ()

    async def judge(self, params: SelfHealthParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at each part; what is known to be wrong weighs more than what is not known."""
        evidence: dict[str, Any] = {}
        said = [*_database(params, seen, evidence), *_watchdog(params, seen, evidence)]
        if params.scrape_age or params.skew:
            said += await _prometheus(params, seen, tools, evidence)
        for weighed in (Answer.DENY, Answer.UNKNOWN):
            against = [reason for answer, reason in said if answer is weighed]
            if against:
                return Verdict(self.name, weighed, one_line("; ".join(against)), evidence)
        return Verdict(self.name, Answer.ALLOW, one_line("; ".join(reason for _, reason in said)), evidence)


def _database(params: SelfHealthParams, seen: Seen, evidence: dict[str, Any]) -> Iterator[_Said]:
    if not params.database:
        return
    if seen.database is None:
        yield Answer.UNKNOWN, "nobody knows when the database answered last"
        return
    evidence["database"] = round(seen.database, 3)
    answer = Answer.ALLOW if seen.database <= params.database else Answer.DENY
    yield answer, f"the database answered {span(seen.database)} ago"


def _watchdog(params: SelfHealthParams, seen: Seen, evidence: dict[str, Any]) -> Iterator[_Said]:
    if not params.watchdog:
        return
    found = seen.others.matching(params.sought)
    evidence["watchdog"] = len(found)
    if found:
        yield Answer.ALLOW, f"the Watchdog fires, since {ago(found[0].starts_at, seen.now)}"
    else:
        yield Answer.DENY, "the Watchdog does not fire, so that nothing says that alerts reach us"


async def _prometheus(params: SelfHealthParams, seen: Seen, tools: Tools, evidence: dict[str, Any]) -> list[_Said]:
    """What one question tells of its scrapes, and of its clock."""
    most = params.scrape_age or 3600.0
    # Looking back further than is borne tells an old scrape from none at all.
    question = Question("scrape_age", _SCRAPED, "<=", most, 0.0, "only", max(most, 300.0), params.timeout)
    found = await look(question, tools.metrics, seen.now)
    said: list[_Said] = []
    if found.holds is None:
        return [(Answer.UNKNOWN, found.reason)]
    evidence["scrape_age"] = found.seen.get("value")
    if params.scrape_age:
        said.append((Answer.ALLOW if found.holds else Answer.DENY, found.reason))
    if params.skew:
        apart = (datetime.fromisoformat(str(found.seen["at"])) - seen.now).total_seconds()
        evidence["skew"] = round(apart, 3)
        answer = Answer.ALLOW if abs(apart) <= params.skew + params.timeout * (apart > 0) else Answer.DENY
        said.append(
            (answer, f"the clock of Prometheus is {span(abs(apart))} {'ahead of' if apart > 0 else 'behind'} ours")
        )
    return said
