"""Guard `silenced`: a silence or an inhibition at the source hands the alert to a person; nobody to ask is said so."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from paramedic.core.model import Exemplar, Firing
from paramedic.core.words import Answer
from paramedic.errors import Permanent, Temporary
from paramedic.guards.silenced import Silenced, SilencedParams
from paramedic.plugin import NoAlerts, Seen, Standing
from tests.contract.plugin_scene import FIRING, ago, seen
from tests.guards.asked import HOSTILE, asked


class Source:
    """A port that says of alerts, by the label `pod`, how they stand."""

    def __init__(self, **standing: Standing | Exception) -> None:
        self.standings = standing
        self.asked: list[tuple[str, Mapping[str, str], float]] = []

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        self.asked.append((source, labels, timeout))
        found = self.standings.get(labels.get("pod", ""), Standing("active"))
        if isinstance(found, Exception):
            raise found
        return found


def alert(pod: str = "a", *, since: float = 60, fires: bool = True, name: str = "Down") -> Exemplar:
    return Exemplar(pod, {"alertname": name, "pod": pod}, {}, ago(since), fires)


def scene(*others: Exemplar, own: Exemplar | None = None) -> Seen:
    firing = Firing(open=1, total=1, exemplars=others, since=ago(60), seen_at=ago(3))
    return msgspec.structs.replace(seen(firing), source="main", alert=own)


async def test_one_that_is_active_allows_and_is_asked_by_its_labels() -> None:
    source = Source()
    verdict = await asked(Silenced(), scene=scene(own=alert()), ports={"alerts": source}, timeout="2s")

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "main says that Down fires")
    assert verdict.seen == {"source": "main", "Down": "active"}
    assert source.asked == [("main", {"alertname": "Down", "pod": "a"}, 2.0)]


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing("silenced", ("4f1c", "77aa")), "Down is silenced at main by 4f1c, 77aa, so a person looks after it"),
        (Standing("silenced"), "Down is silenced at main, so a person looks after it"),
        (Standing("inhibited", ("deadbeef",)), "Down is inhibited at main by deadbeef, so a person looks after it"),
    ],
)
async def test_what_is_kept_quiet_is_a_persons(standing: Standing, reason: str) -> None:
    verdict = await asked(Silenced(), scene=scene(own=alert()), ports={"alerts": Source(a=standing)})

    assert (verdict.answer, verdict.reason, verdict.again) == (Answer.DENY, reason, None)


async def test_that_another_alert_inhibits_it_may_be_left_out() -> None:
    ports = {"alerts": Source(a=Standing("inhibited"))}
    assert (await asked(Silenced(), scene=scene(own=alert()), ports=ports, inhibited=False)).answer is Answer.ALLOW

    ports = {"alerts": Source(a=Standing("silenced"))}
    assert (await asked(Silenced(), scene=scene(own=alert()), ports=ports, inhibited=False)).answer is Answer.DENY


async def test_a_source_without_an_address_is_judged_by_its_newest_delivery_and_that_is_said() -> None:
    verdict = await asked(Silenced(), scene=scene(own=alert()), ports={"alerts": NoAlerts()})

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason == "main has no address, so its newest delivery, 3s ago counts, and there Down fires"
    assert verdict.seen["Down"] == "unasked"


async def test_that_it_is_absent_does_not_say_that_it_is_over() -> None:
    verdict = await asked(Silenced(), scene=scene(own=alert()), ports={"alerts": Source(a=Standing("absent"))})

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.reason == "main does not know Down any more, which does not say that it is over"


@pytest.mark.parametrize("error", [Temporary("no answer within 5s"), Permanent("it answered 401")])
async def test_a_source_that_cannot_be_asked_is_unknown(error: Exception) -> None:
    verdict = await asked(Silenced(), scene=scene(own=alert()), ports={"alerts": Source(a=error)})

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.reason == f"main cannot be asked: {error}"


async def test_once_the_alert_of_the_run_has_ended_those_that_still_fire_count() -> None:
    others = [alert(pod, since=since) for pod, since in (("c", 10), ("b", 30), ("d", 5))]
    source = Source()
    there = scene(*others, alert("e", fires=False), own=alert(fires=False))
    verdict = await asked(Silenced(), scene=there, ports={"alerts": source})

    assert verdict.reason == "main says that Down fires, and 2 more"
    assert [labels["pod"] for _, labels, _ in source.asked] == ["b", "c", "d"], "the oldest first"
    ports = {"alerts": Source(d=Standing("silenced"))}
    assert (await asked(Silenced(), scene=there, ports=ports)).answer is Answer.DENY


async def test_of_very_many_only_some_are_asked_about() -> None:
    source = Source()
    await asked(Silenced(), scene=scene(*(alert(f"p{n}") for n in range(20))), ports={"alerts": source})

    assert len(source.asked) == 5


async def test_without_any_alert_it_cannot_know() -> None:
    assert (await asked(Silenced(), scene=seen(FIRING), ports={"alerts": Source()})).answer is Answer.UNKNOWN


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("state", ["active", "silenced", "absent", "unasked"])
async def test_no_name_can_fake_a_timeline(name: str, state: Any) -> None:
    source = Source(a=Standing(state, ("4f1c",)))
    verdict = await asked(Silenced(), scene=scene(own=alert(name=name)), ports={"alerts": source})

    assert source.asked[0][1]["alertname"] == name, "the source is asked about the very alert"
    assert all(len(key) <= 80 and key.isprintable() for key in verdict.seen)


@pytest.mark.parametrize("wrong", [{"timeout": "1m"}, {"timeout": 0}, {"inhibited": "perhaps"}], ids=str)
def test_what_it_may_not_be_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SilencedParams.model_validate(wrong)
