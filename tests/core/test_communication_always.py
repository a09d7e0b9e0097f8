"""Whatever happens: one message an audience at a time, every line told once and in order, and in the end the end."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from paramedic.core.bulletin import is_over, root
from paramedic.core.bundle import Tell
from paramedic.core.effects import Apply, Judge, Message, Page, Plan
from paramedic.core.events import Interrupted, Messaged
from paramedic.core.words import Kind
from tests.core.audiences import telling
from tests.core.builders import MINUTE, When, firing, resolved
from tests.core.story import Story, failure

BAD = When("severity", lambda scope: scope["incident"]["severity"] == "P1")
AUDIENCES = (
    Tell("engineering", "slack", "C01"),
    Tell("support", "slack", "C02", every=15 * MINUTE),
    Tell("bosses", "log", when=BAD),
)
PODS = st.sampled_from(["a", "b"])


class Telling(RuleBasedStateMachine):
    """One incident, three audiences. Each channel keeps what arrived in it, as Slack would: by key."""

    story: Story

    @initialize()
    def begin(self) -> None:
        self.story = telling(*AUDIENCES)
        self.channels: dict[str, dict[str, Message]] = {}
        self.arrived: dict[str, list[Message]] = {}
        self.gave_up: set[str] = set()
        self.notes: list[str] = []
        self.fire("a", "warning")

    @property
    def seconds(self) -> float:
        return (self.story.now - self.story.incident.opened_at).total_seconds() if self.story.incidents else 0.0

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(pod=PODS, severity=st.sampled_from(["warning", "warning", "critical"]))
    def fire(self, pod: str, severity: str) -> None:
        self.story.deliver(firing(self.seconds, pod=pod, severity=severity))

    @rule(pod=PODS, severity=st.sampled_from(["warning", "critical"]))
    def end(self, pod: str, severity: str) -> None:
        self.story.deliver(resolved(self.seconds, pod=pod, severity=severity))

    @rule()
    def the_run_gets_on(self) -> None:
        for kind, answer in ((Judge, self.story.judge), (Plan, self.story.plan), (Apply, self.story.apply)):
            if self.story.open_effects(kind) and self.story.incident.run is not None:
                answer()
                return

    @rule(what=st.sampled_from(["ack", "note", "take", "escalate"]))
    def somebody_acts(self, what: str) -> None:
        if what == "note":
            self.notes.append(f"note {len(self.notes)}")
        self.story.act("alice", what, text=self.notes[-1] if self.notes else "")

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 10.0, 70.0, 900.0]))
    def time_passes(self, seconds: float) -> None:
        self.story.wait(seconds)

    @precondition(lambda self: self.under_way())
    @rule(data=st.data())
    def a_message_arrives(self, data: Any) -> None:
        self._arrives(data.draw(st.sampled_from(self.under_way())))

    @precondition(lambda self: self.under_way())
    @rule(data=st.data(), how=st.sampled_from(["temporary", "lost", "crashed", "crashed after"]))
    def a_message_fails(self, data: Any, how: str) -> None:
        message = data.draw(st.sampled_from(self.under_way()))
        if how in ("lost", "crashed after"):
            self._post(message)
        if how.startswith("crashed"):
            self._fold(Interrupted(self.story.now, self.story.mode, message.n))
            return
        if message.tries == 5:
            self.gave_up.add(message.audience)  # its lines are in the timeline alone
        kind = Kind.UNKNOWN if how == "lost" else Kind.TEMPORARY
        self._fold(Messaged(self.story.now, self.story.mode, message.n, failure=failure(kind)))

    def _arrives(self, message: Message) -> None:
        self._post(message)
        ref = message.ref or f"{message.to}/{message.key}"
        self._fold(Messaged(self.story.now, self.story.mode, message.n, ref=ref))

    def _post(self, message: Message) -> None:
        """As the notifier does it: what may be there is looked for, and a root is edited."""
        channel = self.channels.setdefault(message.audience, {})
        if message.key in channel and not message.ref:
            assert message.doubtful, "posted twice"
        if message.part == "detail" and message.key in channel:
            assert message.doubtful, "answered twice"
            return
        channel[message.key] = message

    def _fold(self, event: Any) -> None:
        self.story.fold(event, self.story.incident.id)

    def under_way(self) -> list[Message]:
        incident = self.story.incident
        return [
            effect
            for number, effect in self.story.asked
            if number == incident.id and isinstance(effect, Message) and effect.n in incident.effects
        ]

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def one_message_an_audience_at_a_time(self) -> None:
        audiences = [message.audience for message in self.under_way()]
        assert len(audiences) == len(set(audiences))

    @invariant()
    def whoever_is_to_be_told_something_will_be(self) -> None:
        """Either a message is under way, or a timer is set."""
        incident = self.story.incident
        for told in incident.told.values():
            behind = told.owed or (told.ref and told.upto < told.goal)
            assert not (incident.open and behind) or told.effect is not None or "message" in incident.timers

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        assert len(self.story.incident.news) <= 20

    @invariant()
    def a_message_pages_nobody(self) -> None:
        assert all(page.level <= 3 for page in self.story.open_effects(Page))

    def teardown(self) -> None:
        """When all has calmed down, the channel says what is."""
        if not self.story.incidents or not self.story.incident.open:
            return
        for _ in range(60):
            for message in self.under_way():
                self._arrives(message)
            engineering = self.story.incident.told["engineering"]
            if engineering.effect is None and engineering.wait is None:
                break
            self.story.wait(4)
        incident = self.story.incident
        if not incident.open or "engineering" in self.gave_up:
            return
        lines = [line for one in self._details("engineering") for line in one.lines]
        assert self.channels["engineering"][f"{incident.ref}/engineering"].lines == root(
            incident, self.story.bundle, None
        )
        if not any("earlier entries" in line for line in lines):
            assert [line.split(" note: ")[1] for line in lines if " note: " in line] == self.notes
        if is_over(incident):
            assert any(": " in line and " resolved: " in line for line in lines)

    def _details(self, audience: str) -> list[Message]:
        found = [one for one in self.channels[audience].values() if one.part == "detail"]
        return sorted(found, key=lambda one: int(one.key.rsplit("/", 1)[1]))


TestTelling = Telling.TestCase
TestTelling.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
