"""The decision as a whole: what comes first, what counts for nothing, and that it is a function (promise 9)."""

from typing import Any

import msgspec
import pytest

from paramedic.core.decide import VERSION, decide
from paramedic.core.effects import Apply, Page
from paramedic.core.events import AlertsSeen, Event, Opened, Parked, TimerFired
from paramedic.core.model import Incident
from paramedic.core.words import Mode, Phase, Severity
from tests.core.builders import HOUR, T0, after, book, bundle, firing, resolved, verified
from tests.core.story import Story, deny, whole_story


def opened(**changes: Any) -> Opened:
    event = Opened(T0, Mode.AUTO, 1, "main{}", 3, "main", "HighErrorRate api", "b1", "errors", Severity.P1)
    return msgspec.structs.replace(event, **changes)


# -- the first event --------------------------------------------------------------------------------------------------


def test_opened_is_the_first_event_and_says_what_the_incident_is() -> None:
    decision = decide(None, opened(previous=7), bundle())

    incident = decision.incident
    assert (incident.ref, incident.phase, incident.open, incident.decided_by) == (
        "INC-1",
        Phase.DETECTED,
        True,
        VERSION,
    )
    assert (incident.severity, incident.previous, incident.paging.policy) == (Severity.P1, 7, "sre")
    assert [(entry.text, entry.note) for entry in decision.entries] == [
        ('INC-1 P1 "HighErrorRate api"; before it: INC-7', "rule errors")
    ]


def test_a_rule_that_is_gone_pages_nobody_and_breaks_nothing() -> None:
    assert decide(None, opened(rule="gone"), bundle()).incident.paging.policy == ""


def test_nothing_happens_to_an_incident_that_was_never_opened() -> None:
    with pytest.raises(LookupError, match="AlertsSeen for an incident that was never opened"):
        decide(None, AlertsSeen(T0, Mode.AUTO, "delivery", opened=1), bundle())


def test_an_incident_is_opened_once() -> None:
    incident = decide(None, opened(), bundle()).incident

    with pytest.raises(LookupError, match="INC-1 is open already"):
        decide(incident, opened(), bundle())


def test_from_opened_to_resolved_in_four_events() -> None:
    """The shortest way through the decision: it fires, the guards refuse, it clears."""
    story = Story()
    story.deliver(firing())
    story.judge(deny())
    story.deliver(resolved(ends=20))

    assert [type(event).__name__ for event in story.events[1]] == ["Opened", "AlertsSeen", "Judged", "AlertsSeen"]
    assert (story.incident.phase, story.incident.fixed_by) == (Phase.RESOLVED, "itself")


# -- time -------------------------------------------------------------------------------------------------------------


def test_time_never_runs_backwards_within_an_incident() -> None:
    """The database's clock may be set; an incident's events keep their order."""
    story = Story()
    story.now = after(60)
    story.deliver(firing())

    story.now = after(30)
    story.deliver(firing(pod="b"))

    assert story.incident.updated_at == after(60)
    assert story.incident.timers["page"].due == after(62)


def test_a_timer_fires_once_and_only_as_it_was_last_set() -> None:
    """Promise 6."""
    story = Story()
    story.deliver(firing())
    timer = story.incident.timers["page"]
    event = TimerFired(after(2), Mode.AUTO, "page", timer.n)
    story.fold(event)
    paged = story.incident

    story.fold(event)

    assert (story.incident, len(story.all_of(Page))) == (paged, 1)


@pytest.mark.parametrize("name", ["climb", "quiet", "nothing"])
def test_a_timer_that_was_cancelled_or_never_set_does_nothing(name: str) -> None:
    story = Story()
    story.deliver(firing())
    before = story.incident

    story.fold(TimerFired(after(2), Mode.AUTO, name, 99))

    assert msgspec.structs.replace(story.incident, updated_at=before.updated_at) == before


def test_a_timer_of_the_same_name_set_anew_has_another_number() -> None:
    story = Story(bundle(verified())).until_verifying()
    story.check()
    old = story.incident.timers["climb"]
    story.send()
    assert story.incident.timers["climb"].n != old.n

    story.fold(TimerFired(after(HOUR), Mode.AUTO, "climb", old.n))

    assert story.paged() == [(1, "alice")]


def test_lateness_is_recorded() -> None:
    """Promise 6."""
    story = Story()
    story.deliver(firing())
    timer = story.incident.timers["page"]

    story.fold(TimerFired(after(92), Mode.AUTO, "page", timer.n, late=90.0))

    assert story.texts("timer") == ['the timer "page" fired 90s late']


# -- parked -----------------------------------------------------------------------------------------------------------


def test_an_incident_that_cannot_be_decided_is_parked_and_paged() -> None:
    story = Story()
    story.deliver(firing())

    story.fold(Parked(T0, Mode.AUTO, "KeyError: 'x'"))

    assert story.incident.parked == "KeyError: 'x'"
    assert story.paged() == [(1, "alice")]
    assert story.texts("parked") == ["this version cannot decide any further: KeyError: 'x'"]
    story.fold(Parked(T0, Mode.AUTO))
    assert (story.incident.parked, story.texts("parked")[-1]) == ("", "this version can decide again")


# -- a function (promise 9) -------------------------------------------------------------------------------------------


def test_folding_the_recorded_events_gives_the_stored_state_again() -> None:
    """Promise 9: the events, as they are recorded, are all that the state depends on."""
    story = whole_story()

    incident: Incident | None = None
    entries = []
    for event in story.events[1]:
        recorded = msgspec.json.decode(msgspec.json.encode(event), type=Event)
        decision = decide(incident, recorded, story.bundle)
        incident = msgspec.json.decode(msgspec.json.encode(decision.incident), type=Incident)
        entries += list(decision.entries)

    assert msgspec.json.encode(incident) == msgspec.json.encode(story.incident)
    assert entries == [entry for _, entry in story.entries]


def test_a_decision_changes_nothing_it_was_given() -> None:
    story = Story().until_write()
    before = msgspec.json.encode(story.incident)

    decide(story.incident, AlertsSeen(after(9), Mode.AUTO, "delivery", closed=1), story.bundle)

    assert msgspec.json.encode(story.incident) == before


def test_numbers_of_effects_and_timers_are_never_used_twice() -> None:
    """They are primary keys within their incident, and a late answer must not be taken for another one's."""
    story = whole_story()

    numbers = [effect.n for _, effect in story.asked]

    assert len(numbers) == len(set(numbers))
    assert max(numbers) <= story.incident.numbered


def test_every_effect_asked_for_is_answered_or_withdrawn_in_the_end() -> None:
    assert whole_story().incident.effects == {}


def test_one_write_is_asked_for_under_one_key() -> None:
    """Promise 3, in a story with a crash in it."""
    keys = [write.key for write in whole_story().all_of(Apply)]

    assert keys == ["INC-1/1/1/1", "INC-1/1/1/1"]


def test_the_bundle_an_incident_began_with_decides_to_its_end() -> None:
    """Promise 10: a run keeps the bundle it began with."""
    story = Story()
    story.deliver(firing())
    story.bundle = bundle(book(steps=()), hash_="b2")
    story.bundles["b2"] = story.bundle

    story.judge()
    story.plan()

    assert (story.incident.bundle, len(story.open_effects(Apply))) == ("b1", 1)


@pytest.mark.parametrize("part", ["paramedic.core.communication.keep_up", "paramedic.core.temporaries.arrange"])
def test_a_defect_after_each_event_still_pages(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What raised is what a parked incident would ask again: its page must not depend on it."""
    story = Story()
    story.deliver(firing())

    def defect(draft: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(part, defect)
    with pytest.raises(KeyError):
        story.fold(TimerFired(story.now, story.mode, "none", 99))
    story.fold(Parked(story.now, story.mode, error="KeyError: a defect"))

    assert (story.incident.parked, story.paged()) == ("KeyError: a defect", [(1, "alice")])
