"""What holds after every event, whatever happens: alerts, answers, failures, people and time in any order.

A simulation in small, of the core alone: hypothesis makes up what happens, and shrinks what goes wrong to a few lines.
"""

from functools import partial
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paramedic.core.acts import objection
from paramedic.core.effects import Apply, Check, Effect, Judge, Observe, Page, Plan, Resolve
from paramedic.core.events import Acted, Held
from paramedic.core.model import Failure, Incident, Past, Run
from paramedic.core.routing import EXEMPLARS
from paramedic.core.words import Answer, Kind, Mode, Once, Phase, Purpose, Stage
from tests.core import builders
from tests.core.builders import Given, after, book, bundle, check, guard, step
from tests.core.story import Story, changed, deny, failure, late

PODS = st.sampled_from("abc")
KINDS = st.sampled_from(Kind)
_DRASTIC = frozenset({"take", "close", "cancel", "snooze"})
"""Acts that end much: made more rarely, or little else would happen."""

WAITS = frozenset({"again", "approval", "retry", "check"})
"""The timers for which a run may wait while it has asked for nothing."""


class Anything(RuleBasedStateMachine):
    """One source, three alerts of one incident key, two targets, one policy: and everything that can happen."""

    story: Story

    @initialize(
        once=st.sampled_from(Once),
        undo=st.booleans(),
        mode=st.sampled_from([Mode.AUTO, Mode.APPROVE]),
        lasts=st.sampled_from([0.0, 60.0, 1000.0]),
        named=st.booleans(),
    )
    def begin(self, once: Once, undo: bool, mode: Mode, lasts: float, named: bool) -> None:
        steps = (
            step("drain", once=once, verify=(check(within=120),), on_failure="undo" if undo else "next"),
            step("restart", once=once),
        )
        rules = (
            builders.rule(with_={"workload": Given("${labels.job}")}),
            builders.rule("slow", "Slow", playbook="scale"),
        )
        guards = (guard(), guard("metric", inline=False))
        books = (book(steps=steps, guards=guards, on_cluster=named), book("scale", on_cluster=named))
        self.story = Story(bundle(*books, rules=rules), mode)
        self.unknown: set[str] = set()
        self.lasts = lasts

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(pod=PODS, name=st.sampled_from(["HighErrorRate", "Slow"]), ago=st.integers(0, 100))
    def it_fires(self, pod: str, name: str, ago: int) -> None:
        self.story.deliver(builders.firing(self.seconds - ago, name=name, pod=pod))

    @rule(pod=PODS, name=st.sampled_from(["HighErrorRate", "Slow"]), ago=st.integers(0, 100))
    def it_ends(self, pod: str, name: str, ago: int) -> None:
        self.story.deliver(builders.resolved(self.seconds - ago, name=name, pod=pod))

    @precondition(lambda self: any(self.asked(kind) for kind in (Resolve, Judge, Plan, Apply)))
    @rule()
    def the_run_gets_on(self) -> None:
        """The plain course of things, so that what is far along is reached as well."""
        story = self.story
        courses: tuple[tuple[type[Effect], Any], ...] = (
            (Resolve, partial(story.resolve, "main/deployment/api")),
            (Judge, story.judge),
            (Plan, partial(story.plan, undo={"back": 1}, lasts=self.lasts)),
            (Apply, story.apply),
        )
        for kind, answer in courses:
            if self.asked(kind):
                answer()
                return

    @precondition(lambda self: self.asked(Resolve))
    @rule(fails=st.sampled_from([None, *Kind]), name=st.sampled_from(["main/deployment/api", "main/deployment/web"]))
    def the_target_is_known(self, fails: Kind | None, name: str) -> None:
        self.story.resolve("" if fails else name, failure(fails) if fails else None)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 5.0, 12.0, 70.0, 130.0, 1000.0, 5000.0, 50_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.story.wait(seconds)

    @rule(mode=st.sampled_from([Mode.AUTO] * 6 + [Mode.APPROVE] * 2 + [Mode.SHADOW, Mode.OFF, Mode.FREEZE]))
    def the_switch_moves(self, mode: Mode) -> None:
        self.story.mode = mode

    @precondition(lambda self: self.asked(Judge))
    @rule(answer=st.sampled_from(["allow", "allow", "allow", "deny", "wait"]))
    def guards_answer(self, answer: str) -> None:
        said = {"allow": (), "deny": (deny("metric"),), "wait": (deny("metric", again=20.0),)}[answer]
        self.story.judge(*said)

    @precondition(lambda self: self.asked(Plan))
    @rule(
        fails=st.sampled_from([None, None, None, changed(), *map(failure, Kind)]),
        needed=st.sampled_from([True, True, False]),
        most=st.sampled_from([None, None, None, *Mode]),
    )
    def the_action_plans(self, fails: Failure | None, needed: bool, most: Mode | None) -> None:
        self.story.plan(failed=fails, undo={"back": 1}, needed=needed, most=most, lasts=self.lasts)

    @precondition(lambda self: self.asked(Apply))
    @rule(how=st.sampled_from(["done", "done", "lost", "changed", "halted", *Kind]))
    def the_write_comes_back(self, how: Any) -> None:
        write = self.story.one(Apply)
        if how in ("lost", Kind.UNKNOWN):
            self.unknown.add(write.key)
        if how == "lost":
            self.story.lose()
        elif how == "halted":
            self.story.apply(halted="the switch is at freeze")
        else:
            failed = {"done": None, "changed": changed()}
            self.story.apply(failed[how] if how in failed else failure(how))

    @precondition(lambda self: bool(self.settled()))
    @rule(data=st.data(), came_to=st.sampled_from(["done", "halted", *Kind]))
    def a_late_result_is_learned(self, data: st.DataObject, came_to: str) -> None:
        """It is recorded, and changes nothing that was decided."""
        write = data.draw(st.sampled_from(self.settled()))
        before = self.story.incident
        self.story.fold(late(self.story, write, came_to))
        now = self.story.incident
        assert (now.run, now.past, now.temporaries, now.phase) == (
            before.run,
            before.past,
            before.temporaries,
            before.phase,
        )
        assert write.n in now.late

    def settled(self) -> list[Apply]:
        """Writes of the incident that nobody waits for any more."""
        story = self.story
        return [
            effect
            for number, effect in story.asked
            if isinstance(effect, Apply) and story.incident.open and number == story.incident.id
            if effect.n not in story.incident.effects
        ]

    @precondition(lambda self: self.asked(Apply))
    @rule(used_up=st.booleans())
    def a_claim_is_held(self, used_up: bool) -> None:
        story, write = self.story, self.story.one(Apply)
        until = after(self.seconds + 60) if used_up else None
        story.fold(Held(story.now, story.mode, write.n, "target/main/api", "INC-99.1", until))

    @precondition(lambda self: self.asked(Observe))
    @rule(found=st.sampled_from([True, False, None]))
    def somebody_looks(self, found: bool | None) -> None:
        if found is False:
            self.unknown.discard(self.story.one(Observe).key)
        self.story.observe(found)

    @precondition(lambda self: self.asked(Check))
    @rule(answer=st.sampled_from([Answer.PASS, Answer.FAIL, Answer.UNKNOWN]))
    def a_check_answers(self, answer: Answer) -> None:
        self.story.check(answer)

    @precondition(lambda self: self.asked(Page))
    @rule(fails=st.none() | KINDS)
    def a_page_comes_back(self, fails: Kind | None) -> None:
        self.story.send(failure(fails) if fails else None)

    @precondition(lambda self: bool(self.story.open_incidents()))
    @rule(
        what=st.sampled_from(["ack", "ack", "take", "snooze", "escalate", "close", *["approve"] * 4, "deny", "cancel"]),
        sure=st.sampled_from([True, False, False]),
    )
    def somebody_acts(self, what: str, sure: bool) -> None:
        story = self.story
        run = story.incident.run.n if story.incident.run else None
        if what in _DRASTIC and not sure:
            return
        wish = Acted(story.now, story.mode, "alice", what, run)
        if story.incident.open and not objection(story.incident, wish, story.bundle):
            story.act("alice", what, run=run, until=after(self.seconds + 600))

    # -- what holds ---------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        return (self.story.now - builders.T0).total_seconds()

    def asked(self, kind: type[Effect]) -> bool:
        """Whether something of this kind waits for its answer, in the incident that answers are for."""
        story = self.story
        return bool(story.incidents) and any(
            isinstance(effect, kind) and number == story.incident.id and effect.n in story.incident.effects
            for number, effect in story.asked
        )

    @property
    def open(self) -> list[Incident]:
        return [incident for incident in self.story.incidents.values() if incident.open]

    @invariant()
    def counts_are_those_of_the_episodes(self) -> None:
        for incident in self.open:
            mine = [one for one in self.story.episodes.values() if one.incident == incident.id]
            assert incident.firing.open == sum(one.open for one in mine)
            assert incident.firing.doubted == sum(one.doubted_at is not None for one in mine)

    @invariant()
    def a_run_waits_for_one_thing(self) -> None:
        """And never for nothing: it would hang for ever."""
        for incident in self.open:
            work = [n for n, about in incident.effects.items() if about.what != "page"]
            if incident.run is None:
                assert work == []
                assert not WAITS & incident.timers.keys()
            else:
                assert work == ([] if incident.run.effect is None else [incident.run.effect])
                assert work or WAITS & incident.timers.keys()

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Promises 6 and 7: while it fires, somebody has it, or the next page has its timer, or all have been paged."""
        for incident in self.open:
            paging, timers = incident.paging, incident.timers
            if incident.firing.open and not paging.acked_by:
                assert paging.level == 3 or {"page", "climb"} & timers.keys()
            if paging.acked_by and incident.phase is not Phase.RESOLVED:
                assert {"ack", "snooze"} & timers.keys()

    @invariant()
    def what_is_over_is_resolved_and_will_close(self) -> None:
        for incident in self.open:
            firing = incident.firing
            if not firing.open and not firing.doubted and incident.run is None:
                assert incident.phase is Phase.RESOLVED
            if incident.phase is Phase.RESOLVED:
                assert "quiet" in incident.timers
                assert incident.run is None or incident.run.purpose is Purpose.EXPIRE
                assert incident.firing.open == 0
            assert (firing.open > 0) is ("expiry" in incident.timers)
            assert (firing.doubted > 0) is ("doubt" in incident.timers)

    @invariant()
    def what_is_closed_leaves_nothing_behind(self) -> None:
        for incident in self.story.incidents.values():
            if not incident.open:
                assert (incident.run, incident.timers, incident.effects) == (None, {}, {})
                assert incident.temporaries == ()

    @invariant()
    def what_was_done_for_a_time_is_not_forgotten(self) -> None:
        """While nothing fires and nothing is under way, the moment is set at which it is taken back."""
        for incident in self.open:
            firing = incident.firing
            if incident.temporaries and incident.run is None and not firing.open and not firing.doubted:
                assert "expire" in incident.timers
            else:
                assert "expire" not in incident.timers

    @invariant()
    def a_target_is_treated_once(self) -> None:
        """Promise 2: whatever it is called, by one playbook, while it fires."""
        for incident in self.open:
            runs: list[Past | Run] = [*incident.past, *([incident.run] if incident.run is not None else [])]
            about = [(one.playbook, one.target, one.recurrence) for one in runs if one.treats]
            assert len(about) == len(set(about))

    @invariant()
    def an_unknown_outcome_is_never_repeated_blindly(self) -> None:
        """Promise 3. A target that knows our key may be asked again; nothing else without having been looked at."""
        for number, write in self.story.asked:
            if not isinstance(write, Apply) or write.key not in self.unknown or write.once is Once.KEY:
                continue
            later = [one for _, one in self.story.asked if isinstance(one, Apply) and one.key == write.key]
            assert later[-1].n not in self.story.incidents[number].effects

    @invariant()
    def nothing_is_written_that_may_not_be(self) -> None:
        """Promise 12 and approvals: a remedy is only ever asked for in auto, or approved in approve."""
        for incident in self.open:
            run = incident.run
            if run is not None and run.stage is Stage.APPLYING and run.purpose is Purpose.REMEDY:
                assert run.change is not None
                assert run.claims

    @invariant()
    def state_stays_small(self) -> None:
        for incident in self.open:
            assert len(incident.firing.exemplars) <= EXEMPLARS
            assert len(incident.past) <= 20
            assert len(incident.paging.sent) <= 50
            assert len(msgspec.json.encode(incident)) < 60_000

    @invariant()
    def what_people_read_is_printable(self) -> None:
        assert all(entry.text.isprintable() for _, entry in self.story.entries)


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
