"""A driver for the core: it routes alerts, folds events, lets time pass, and lets a test answer what is asked for.

It stands in for the engine with nothing in between: no store, no slots. Every fold is made twice and its result goes
through JSON, so that each test also shows that deciding is a function and that its state is what is stored (promise 9).
"""

from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.decision import Decision, Entry
from paramedic.core.effects import Apply, Check, Effect, Judge, Observe, Page, Plan, Resolve
from paramedic.core.episodes import lapse_due, lapsed, released, unanswered
from paramedic.core.events import (
    Acted,
    AlertsSeen,
    Applied,
    Checked,
    Event,
    Interrupted,
    Judged,
    Late,
    Observed,
    Paged,
    Planned,
    Resolved,
    TimerFired,
)
from paramedic.core.model import Alert, Change, Claim, Episode, Exemplar, Failure, Incident, Past, Run, Verdict
from paramedic.core.routing import EXEMPLARS, Known, Routing, route
from paramedic.core.words import Answer, Kind, Mode, Once, Outcome
from tests.core.builders import MINUTE, T0, book, bundle, check, firing, resolved, rule, step, verified

__all__ = ["Story", "changed", "deny", "failure", "late", "whole_story", "writing", "yes"]

E = TypeVar("E", bound=Effect)

_encode = msgspec.json.encode


def yes(name: str = "still_firing", *claims: Claim) -> Verdict:
    """A guard that allows."""
    return Verdict(name, Answer.ALLOW, "fine", claims=claims)


def deny(name: str = "still_firing", *, again: float | None = None, reason: str = "no longer firing") -> Verdict:
    """A guard that denies; with `again` only for now."""
    return Verdict(name, Answer.DENY, reason, again=again)


def failure(kind: Kind = Kind.TEMPORARY, message: str = "connection refused", delay: float = 1.0) -> Failure:
    return Failure(kind, message, delay)


def changed(message: str = "the generation is 8, not 7") -> Failure:
    """The target compared, and said no."""
    return Failure(Kind.PERMANENT, message, 1.0, changed=True)


class Story:
    """Alerts, incidents and time, seen from the core."""

    def __init__(self, world: Bundle | None = None, mode: Mode = Mode.AUTO) -> None:
        self.bundle = world or bundle()
        self.bundles = {self.bundle.hash: self.bundle}
        self.mode = mode
        self.now = T0
        self.episodes: dict[tuple[str, str], Episode] = {}
        self.incidents: dict[int, Incident] = {}
        self.asked: list[tuple[int, Effect]] = []
        self.entries: list[tuple[int, Entry]] = []
        self.events: dict[int, list[Event]] = {}
        self._reserved = 0
        self.storm: tuple[int, int] | None = None  # the parent that holds back what begins, and how many are new

    # -- what there is ----------------------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident:
        """The incident opened last."""
        return self.incidents[max(self.incidents)]

    def open_incidents(self) -> list[int]:
        return [number for number, incident in self.incidents.items() if incident.open]

    @property
    def run(self) -> Run:
        run = self.incident.run
        assert run is not None, f"no run; it said {self.texts()}"
        return run

    @property
    def ended(self) -> Past:
        """The run that ended last."""
        assert self.incident.run is None, self.incident.run
        return self.incident.past[-1]

    def texts(self, kind: str = "") -> list[str]:
        """What the timelines say, of one kind or all."""
        return [entry.text for _, entry in self.entries if kind in ("", entry.kind)]

    def said(self, words: str) -> bool:
        """Whether some entry holds these words."""
        return any(words in text for text in self.texts())

    def open_effects(self, kind: type[E]) -> list[E]:
        """What was asked for, of this kind, and neither answered nor withdrawn, oldest first."""
        return [
            effect
            for number, effect in self.asked
            if isinstance(effect, kind) and effect.n in self.incidents[number].effects
        ]

    def one(self, kind: type[E]) -> E:
        found = self.open_effects(kind)
        assert len(found) == 1, f"{len(found)} of {kind.__name__}; it said {self.texts()}"
        return found[0]

    def all_of(self, kind: type[E]) -> list[E]:
        return [effect for _, effect in self.asked if isinstance(effect, kind)]

    def paged(self, verb: str = "trigger") -> list[tuple[int, str]]:
        """Every page asked for so far, as (level, to)."""
        return [(page.level, page.to) for page in self.all_of(Page) if page.verb == verb]

    def due_in(self, name: str) -> float:
        """Seconds until this timer."""
        return (self.incident.timers[name].due - self.now).total_seconds()

    # -- what happens -----------------------------------------------------------------------------------------------

    def fold(self, event: Event, number: int | None = None) -> Decision:
        """Fold one event, twice, and keep what came of it."""
        number = max(self.incidents, default=0) if number is None else number
        before = self.incidents.get(number)
        world = self.bundles[before.bundle if before else self.bundle.hash]
        decision, again = decide(before, event, world), decide(before, event, world)
        assert _encode(decision.incident) == _encode(again.incident)
        assert (decision.effects, decision.entries) == (again.effects, again.entries)
        self.incidents[decision.incident.id] = msgspec.json.decode(_encode(decision.incident), type=Incident)
        assert self.incidents[decision.incident.id] == decision.incident
        self.events.setdefault(decision.incident.id, []).append(event)
        self.asked += [(decision.incident.id, effect) for effect in decision.effects]
        self.entries += [(decision.incident.id, entry) for entry in decision.entries]
        return decision

    def deliver(self, *alerts: Alert) -> Routing:
        """One delivery from Alertmanager."""
        known = Known(
            episode=lambda source, identity: self.episodes.get((source, identity)),
            open_incident=self._open_incident,
            is_open=lambda number: number in self.incidents and self.incidents[number].open,
            number=self._number,
            storm=lambda source, nth: self.storm,
        )
        self._reserved = max(self.incidents, default=0)
        routing = route(alerts, known, self.bundle, self.now, self.mode)
        self.episodes.update({(one.source, one.identity): one for one in routing.episodes})
        for share in routing.shares.values():
            if share.opened is not None:
                self.fold(share.opened, share.incident)
            self.fold(share.seen(self.now, self.mode, "delivery", None), share.incident)
        return routing

    def _number(self) -> int:
        self._reserved += 1
        return self._reserved

    def _open_incident(self, key: str) -> int | None:
        return next((one.id for one in self.incidents.values() if one.open and one.key == key), None)

    def wait(self, seconds: float) -> None:
        """Let time pass; every timer that comes due meanwhile fires at its moment."""
        until = self.now + timedelta(seconds=seconds)
        while (found := self._next_timer(until)) is not None:
            number, name = found
            timer = self.incidents[number].timers[name]
            self.now = max(self.now, timer.due)
            if name in ("expiry", "doubt"):
                self._lapse(number, name)
            else:
                self.fold(TimerFired(self.now, self.mode, name, timer.n), number)
        self.now = until

    def _next_timer(self, until: datetime) -> tuple[int, str] | None:
        due = [
            (timer.due, timer.n, number, name)
            for number, incident in self.incidents.items()
            for name, timer in incident.timers.items()
            if timer.due <= until
        ]
        return min(due)[2:] if due else None

    def _lapse(self, number: int, name: str) -> None:
        """As the engine does it: the episodes say what the timer means."""
        incident = self.incidents[number]
        expiry = self.bundle.source(incident.source).expiry
        mine = [one for one in self.episodes.values() if one.incident == number]
        gone = lapsed(mine, self.now, expiry) if name == "expiry" else unanswered(mine, self.now)
        examples = self._written(gone)
        if name == "doubt":
            self.fold(AlertsSeen(self.now, self.mode, "doubt", reopened=len(gone), exemplars=examples), number)
            return
        left = [lapse_due(one.seen_at, expiry) for one in self.episodes.values() if one.incident == number and one.open]
        soonest = min(left, default=None)
        event = AlertsSeen(self.now, self.mode, "expired", closed=len(gone), exemplars=examples, lapses_at=soonest)
        self.fold(event, number)

    def _written(self, episodes: list[Episode]) -> tuple[Exemplar, ...]:
        self.episodes.update({(one.source, one.identity): one for one in episodes})
        return tuple(Exemplar(one.identity, one.labels, {}, one.starts_at, one.open) for one in episodes[:EXEMPLARS])

    def act(
        self, who: str, what: str, run: int | None = None, text: str = "", until: datetime | None = None, **about: Any
    ) -> None:
        """A person's act; `close` closes the episodes with it, as the engine does."""
        number, incident = self.incident.id, self.incident
        self.fold(Acted(self.now, self.mode, who, what, run, text, until, **about), number)
        if what == "close":
            mine = [one for one in self.episodes.values() if one.incident == number]
            over = self._written(released(mine, self.now))
            closed, doubts = incident.firing.open, incident.firing.doubted
            self.fold(AlertsSeen(self.now, self.mode, "person", closed=closed, undoubted=doubts, exemplars=over))

    # -- answers ----------------------------------------------------------------------------------------------------

    def judge(self, *verdicts: Verdict) -> None:
        """The guards answer; by default all that were asked allow."""
        asked = self.one(Judge)
        guards = self.bundles[self.incident.bundle].playbooks[self.run.playbook].guards
        said = verdicts or tuple(yes(guards[n].kind) for n in asked.guards)
        self.fold(Judged(self.now, self.mode, asked.n, asked.run, said))

    def plan(
        self, summary: str = "restart api", failed: Failure | None = None, digest: str = "d1", **about: Any
    ) -> None:
        """The action says what it would write."""
        asked = self.one(Plan)
        change = None if failed else Change(summary, {"do": summary}, digest=digest, **about)
        self.fold(Planned(self.now, self.mode, asked.n, asked.run, change=change, failure=failed))

    def resolve(self, target: str = "", failed: Failure | None = None) -> None:
        """The target is known by its one name, or is not."""
        asked = self.one(Resolve)
        self.fold(Resolved(self.now, self.mode, asked.n, asked.run, target=target, failure=failed))

    def apply(self, failed: Failure | None = None, summary: str = "api restarted", halted: str = "") -> None:
        """The write comes back."""
        asked = self.one(Apply)
        said = "" if failed else summary
        self.fold(Applied(self.now, self.mode, asked.n, asked.run, summary=said, failure=failed, halted=halted))

    def lose(self) -> Apply:
        """The process that carried the write out dies; gives the write."""
        asked = self.one(Apply)
        self.fold(Interrupted(self.now, self.mode, asked.n))
        return asked

    def observe(self, applied: bool | None = None, failed: Failure | None = None) -> None:
        """Somebody has looked whether the write is there."""
        asked = self.one(Observe)
        self.fold(Observed(self.now, self.mode, asked.n, asked.run, applied=applied, failure=failed))

    def check(self, answer: Answer = Answer.PASS, reason: str = "so it is", again: float | None = None) -> None:
        """A check answers."""
        asked = self.one(Check)
        verdict = Verdict("alert_cleared", answer, reason, again=again)
        self.fold(Checked(self.now, self.mode, asked.n, asked.run, verdict))

    def send(self, failed: Failure | None = None, *, to: str = "") -> None:
        """The oldest page that waits (to somebody) goes out, or fails."""
        page = next(page for page in self.open_effects(Page) if to in ("", page.to))
        self.fold(Paged(self.now, self.mode, page.n, failure=failed))

    def send_all(self) -> None:
        """Every page that waits goes out."""
        while self.open_effects(Page):
            self.send()

    # -- shortcuts --------------------------------------------------------------------------------------------------

    def until_write(self) -> "Story":
        """An alert fires, its guards allow, its plan is made: the write waits to leave."""
        self.deliver(firing())
        self.judge()
        self.plan()
        return self

    def until_verifying(self) -> "Story":
        """As `until_write`, and the write came back."""
        self.until_write()
        self.apply()
        return self


def writing(once: Once = Once.KEY, **about: Any) -> Story:
    """A write waits to leave; its step is verified, and nothing else is special about it."""
    return Story(bundle(book(steps=(step(once=once, verify=(check(),), **about),)))).until_write()


def late(story: Story, write: Apply, came_to: str, text: str = "") -> Late:
    """What a write came to, learned when it had been settled without."""
    return Late(
        story.now,
        story.mode,
        write.n,
        "apply",
        came_to,
        text,
        story.now,
        run=write.run,
        step=write.step,
        attempt=write.attempt,
        key=write.key,
        playbook=write.playbook,
        purpose=write.purpose,
    )


def whole_story() -> Story:
    """Much of what can happen to one incident."""
    story = Story(bundle(verified(steps=(step(verify=(check(within=60),), on_failure="undo"),)), rules=(rule(),)))
    story.deliver(firing(pod="a"), firing(pod="b", severity="critical"))
    story.judge(deny(again=30.0))
    story.wait(30)
    story.judge()
    story.plan(undo={"replicas": 3})
    story.send_all()
    story.lose()
    story.wait(5)
    story.apply()
    story.check()
    assert story.ended.outcome is Outcome.FIXED
    story.act("alice", "ack")
    story.deliver(resolved(ends=50, pod="a"), resolved(ends=55, pod="b", severity="critical"))
    story.wait(3 * MINUTE)
    story.deliver(firing(pod="a"))
    story.wait(4 * MINUTE)
    story.act("bob", "close", text="enough")
    story.send_all()
    story.wait(30 * MINUTE)
    assert story.open_incidents() == []
    return story
