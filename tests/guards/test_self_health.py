"""Guard `self_health`: what we judge by must answer, be fresh, agree on the time, and alerts must reach us."""

from collections.abc import Sequence
from datetime import timedelta
from math import inf, nan
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from paramedic.core.matching import matches
from paramedic.core.words import Answer
from paramedic.errors import Permanent, Temporary
from paramedic.guards.self_health import SelfHealth, SelfHealthParams
from paramedic.plugin import Measured, NoMetrics, Sample, Seen
from tests.contract.plugin_scene import NOW, Others, episode, seen
from tests.guards.asked import asked

WATCHDOG = episode("Watchdog", 3600)


class Prometheus:
    """A metrics port: the age of its newest scrape, by a clock that is `ahead` of ours."""

    def __init__(self, *ages: float, ahead: float = 0.0, fails: Exception | None = None, warns: str = "") -> None:
        self.ages, self.ahead, self.fails, self.warns = ages, ahead, fails, warns
        self.asked: list[tuple[str, float, float]] = []

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        self.asked.append((query, max_age, timeout))
        if self.fails is not None:
            raise self.fails
        samples = tuple(Sample({"n": str(n)}, age) for n, age in enumerate(self.ages))
        return Measured(NOW + timedelta(seconds=self.ahead), samples, (self.warns,) if self.warns else ())

    async def over(self, name: str, query: str, **_: Any) -> Sequence[Measured]:
        raise AssertionError("only now is asked about")


def scene(*firing: Any, database: float | None = 0.2) -> Seen:
    return msgspec.structs.replace(seen(), others=Others(list(firing)), database=database)


async def judged(port: Any = None, there: Seen | None = None, **given: Any) -> tuple[Answer, str, dict[str, Any]]:
    verdict = await asked(
        SelfHealth(), scene=there or scene(WATCHDOG), ports={"metrics": port or Prometheus(15.0)}, **given
    )
    assert verdict.again is None
    return verdict.answer, verdict.reason, verdict.seen


async def test_when_all_is_well_it_says_what_it_saw() -> None:
    port = Prometheus(15.0)
    answer, reason, evidence = await judged(port)

    assert answer is Answer.ALLOW
    assert reason == (
        "the database answered 0s ago; the Watchdog fires, since 1h; scrape_age 15 <= 120; "
        "the clock of Prometheus is 0s behind ours"
    )
    assert evidence == {"database": 0.2, "watchdog": 1, "scrape_age": 15.0, "skew": 0.0}
    assert port.asked == [("min(time() - timestamp(up))", 300.0, 5.0)]


@pytest.mark.parametrize(
    ("database", "answer"), [(0.0, Answer.ALLOW), (5.0, Answer.ALLOW), (5.1, Answer.DENY), (None, Answer.UNKNOWN)]
)
async def test_the_database_must_have_answered_lately(database: float | None, answer: Answer) -> None:
    assert (await judged(there=scene(WATCHDOG, database=database)))[0] is answer
    assert (await judged(there=scene(WATCHDOG, database=database), database=0))[0] is Answer.ALLOW


async def test_the_watchdog_must_fire() -> None:
    answer, reason, evidence = await judged(there=scene(episode("Down", 60)))

    assert (answer, evidence["watchdog"]) == (Answer.DENY, 0)
    assert reason == "the Watchdog does not fire, so that nothing says that alerts reach us"
    assert (await judged(there=scene(), watchdog=False))[0] is Answer.ALLOW


async def test_the_watchdog_may_have_another_name() -> None:
    there = scene(episode("DeadMansSwitch", 60, cluster="main"))
    match = ['alertname="DeadMansSwitch"', 'cluster="main"']

    assert (await judged(there=there))[0] is Answer.DENY
    assert (await judged(there=there, match=match))[0] is Answer.ALLOW
    (sought,) = SelfHealth().watches(SelfHealthParams.model_validate({"match": match}))
    assert matches(sought, there.others.matching(sought)[0].labels)
    assert SelfHealth().watches(SelfHealthParams.model_validate({"watchdog": False})) == ()


@pytest.mark.parametrize(
    ("age", "answer"), [(0.0, Answer.ALLOW), (120.0, Answer.ALLOW), (121.0, Answer.DENY), (inf, Answer.DENY)]
)
async def test_prometheus_must_have_scraped_something_lately(age: float, answer: Answer) -> None:
    assert (await judged(Prometheus(age)))[0] is answer


async def test_how_lately_is_said() -> None:
    port = Prometheus(15.0)

    assert (await judged(port, scrape_age="10s"))[1].startswith("scrape_age 15, <= 10 is wanted")
    assert (await judged(port, scrape_age="20m", timeout="2s"))[0] is Answer.ALLOW
    assert [(most, timeout) for _, most, timeout in port.asked] == [(300.0, 5.0), (1200.0, 2.0)]


@pytest.mark.parametrize(
    "port",
    [
        Prometheus(),
        Prometheus(nan),
        Prometheus(1.0, 2.0),
        Prometheus(1.0, warns="a block could not be read"),
        Prometheus(fails=Temporary("not reached")),
        Prometheus(fails=Permanent("it answered 401")),
        NoMetrics(),
    ],
)
async def test_what_prometheus_does_not_tell_is_unknown(port: Any) -> None:
    assert (await judged(port))[0] is Answer.UNKNOWN
    assert (await judged(port, scrape_age=0))[0] is Answer.UNKNOWN
    assert (await judged(port, skew=0))[0] is Answer.UNKNOWN
    assert (await judged(port, skew=0, scrape_age=0))[0] is Answer.ALLOW, "it is not even asked"


@pytest.mark.parametrize("ahead", [-400.0, 400.0])
async def test_an_answer_of_another_time_is_no_answer(ahead: float) -> None:
    assert (await judged(Prometheus(1.0, ahead=ahead)))[0] is Answer.UNKNOWN
    assert (await judged(Prometheus(1.0, ahead=ahead), skew=0))[0] is Answer.UNKNOWN
    assert (await judged(Prometheus(1.0, ahead=ahead), scrape_age=0))[0] is Answer.DENY, "the clocks differ"


@pytest.mark.parametrize(
    ("ahead", "answer", "said"),
    [
        (-5.0, Answer.ALLOW, "5s behind ours"),
        (-6.0, Answer.DENY, "the clock of Prometheus is 6s behind ours"),
        (9.0, Answer.ALLOW, "9s ahead of ours"),
        (11.0, Answer.DENY, "the clock of Prometheus is 11s ahead of ours"),
    ],
)
async def test_the_clocks_must_agree(ahead: float, answer: Answer, said: str) -> None:
    """Its answer may have taken its whole time, so that its clock is later than the moment at which we asked."""
    found = await judged(Prometheus(15.0, ahead=ahead))

    assert found[0] is answer
    assert said in found[1]
    assert found[2]["skew"] == ahead
    assert (await judged(Prometheus(15.0, ahead=ahead), skew=0))[0] is Answer.ALLOW


async def test_what_is_wrong_weighs_more_than_what_is_not_known() -> None:
    answer, reason, _ = await judged(Prometheus(), scene(database=60.0))

    assert answer is Answer.DENY
    assert reason == (
        "the database answered 1m ago; the Watchdog does not fire, so that nothing says that alerts reach us"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"database": 0, "scrape_age": 0, "skew": 0, "watchdog": False},
        {"database": -1},
        {"scrape_age": "2h"},
        {"timeout": 0},
        {"timeout": "1m"},
        {"match": []},
        {"watchdog": "sometimes"},
    ],
    ids=str,
)
def test_what_it_may_not_be_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SelfHealthParams.model_validate(wrong)
