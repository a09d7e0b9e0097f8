"""Approvals racing each other and everything else: one decision, told to whoever is too late, and no write too many."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from paramedic.core.words import Mode, Stage
from paramedic.engine.inputs import Act, Conflict, Delivery, Forbidden
from tests.engine.several import Several
from tests.engine.several import play as play_several
from tests.engine.stage import Stage as Scene
from tests.engine.stage import delivery_of, play
from tests.engine.texts import body, bundle_of, catalog, element

PEOPLE = """\
  - {name: alice, webhook: pager, roles: [operator, approver]}
  - {name: carl, webhook: pager, roles: [approver], teams: [dba]}
  - {name: dora, webhook: pager, roles: [approver], teams: [dba]}
  - {name: eric, webhook: pager, roles: [approver], teams: [dba]}
"""


def two_of_dba(**about: Any) -> str:
    """The catalog of these stories: two people of a team have to approve."""
    text = catalog(guards="approval: {of: 2, from: [dba], within: 10m}", **about)
    return text.replace("  - {name: alice, webhook: pager, roles: [operator, approver]}\n", PEOPLE)


async def waits(scene: Scene, job: str = "api") -> int:
    """An alert fires, and its plan waits for people; the number of its incident."""
    number = await scene.fire(job)
    await scene.pass_(1.0)
    assert stage_of(scene, number) is Stage.APPROVAL
    return number


def stage_of(scene: Scene, number: int) -> Stage | None:
    run = scene.incident(number).run
    return run.stage if run is not None else None


async def at_once(*acts: Any) -> Sequence[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


def kinds(answers: Sequence[Any]) -> list[str]:
    return [type(answer).__name__ for answer in answers]


# -- several people ----------------------------------------------------------------------------------------------------


def test_two_people_in_one_turn_are_enough_and_the_third_is_told_who_was_first() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        answers = await at_once(*(scene.act(number, "approve", who=who, run=1) for who in ("carl", "dora", "eric")))

        assert kinds(answers) == ["str", "str", "Conflict"]
        assert "approved by carl, dora" in str(answers[2])
        await scene.pass_(5.0)
        assert scene.outcome(number) == "done"
        assert len(scene.world.to("hook")) == 1

    play(story, two_of_dba())


def test_one_person_who_clicks_twice_has_approved_once() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        answers = await at_once(*(scene.act(number, "approve", who="carl", run=1) for _ in range(2)))

        assert kinds(answers) == ["str", "Conflict"]
        assert "was approved by carl already, and waits for one more approval by dba" in str(answers[1])
        await scene.pass_(60.0)
        assert not scene.world.to("hook")

    play(story, two_of_dba())


def test_who_is_not_asked_is_refused_and_leaves_no_trace() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        before = scene.entries(number)
        with pytest.raises(Forbidden, match="it waits for 2 approvals by dba, and alice is none of them"):
            await scene.act(number, "approve", run=1)
        assert scene.entries(number) == before

    play(story, two_of_dba())


def test_nobody_in_time_is_a_denial_after_the_next_level_was_told() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        await scene.pass_(299.0)
        told = [call.body["to"] for call in scene.world.pages()]
        await scene.pass_(310.0)

        assert "bob" in [call.body["to"] for call in scene.world.pages()][len(told) :]
        assert scene.outcome(number) == "denied"
        assert scene.incident(number).past[0].reason == "only carl approved within 10m"
        with pytest.raises(Conflict, match="was decided already: denied"):
            await scene.act(number, "approve", who="dora", run=1)
        assert not scene.world.to("hook")

    play(story, two_of_dba())


# -- races -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["approve", "deny"])
def test_the_last_approval_racing_a_denial_is_one_decision(first: str) -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        wishes = [("approve", "dora"), ("deny", "eric")]
        ordered = wishes if first == "approve" else wishes[::-1]
        answers = await at_once(*(scene.act(number, what, who=who, run=1) for what, who in ordered))
        await scene.pass_(5.0)

        assert kinds(answers) == ["str", "Conflict"]
        assert scene.outcome(number) == ("done" if first == "approve" else "denied")
        assert len(scene.world.to("hook")) == (first == "approve")
        assert ("approved by carl, dora" if first == "approve" else "denied by eric") in str(answers[1])

    play(story, two_of_dba())


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.002, 0.003, 0.004, 0.006])
def test_an_approval_racing_the_end_of_the_alert_writes_nothing_after_it_was_known(gap: float) -> None:
    """However the two meet: once the resolve has been answered, no write of ours begins."""

    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        approving = asyncio.create_task(scene.act(number, "approve", who="dora", run=1))
        await scene.clock.sleep(gap)
        await scene.resolve("api")
        known = scene.clock.monotonic()
        await asyncio.wait([approving])
        await scene.pass_(5.0)

        assert all(call.at <= known for call in scene.world.to("hook"))
        assert scene.incident(number).phase == "resolved"

    play(story, two_of_dba())


def test_a_resolve_in_the_same_turn_is_final() -> None:
    """People come first in a turn, so that the approval counts; then the alert is over, and nothing is written."""

    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        answers = await at_once(scene.resolve("api"), scene.act(number, "approve", who="dora", run=1))
        await scene.pass_(5.0)

        assert kinds(answers) == ["NoneType", "str"]
        assert not scene.world.to("hook")
        assert scene.outcome(number) == "cleared"

    play(story, two_of_dba())


@pytest.mark.parametrize("mode", [Mode.FREEZE, Mode.OFF, Mode.SHADOW])
@pytest.mark.parametrize("gap", [0.0, 0.002, 0.004])
def test_an_approval_racing_the_switch_writes_nothing_after_it_was_thrown(mode: Mode, gap: float) -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        approving = asyncio.create_task(scene.act(number, "approve", who="dora", run=1))
        await scene.clock.sleep(gap)
        await scene.engine.set_switch(mode, who="alice", reason="", until=None)
        thrown = scene.clock.monotonic()
        await asyncio.wait([approving])
        await scene.pass_(30.0)

        assert all(call.at <= thrown for call in scene.world.to("hook"))

    play(story, two_of_dba())


def test_approved_in_freeze_is_refused_at_the_gate_and_told() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.engine.set_switch(Mode.FREEZE, who="alice", reason="", until=None)
        for who in ("carl", "dora"):
            await scene.act(number, "approve", who=who, run=1)
        await scene.pass_(5.0)

        assert (scene.outcome(number), scene.world.to("hook")) == ("refused", [])

    play(story, two_of_dba())


def test_a_reload_while_people_are_asked_changes_nothing_for_this_run() -> None:
    """A run keeps the bundle it began with: whom it asked, and what it writes."""

    async def story(scene: Scene) -> None:
        number = await waits(scene)
        changed = two_of_dba().replace("of: 2", "of: 1").replace("/act?", "/other?")
        await scene.act(number, "approve", who="carl", run=1)
        await at_once(scene.adopt(bundle_of(changed)), scene.act(number, "approve", who="dora", run=1))
        await scene.pass_(5.0)

        assert [call.path for call in scene.world.to("hook")] == ["/act?job=api"]

    play(story, two_of_dba())


def test_what_people_have_approved_survives_the_process() -> None:
    async def story(scene: Scene) -> None:
        number = await waits(scene)
        await scene.act(number, "approve", who="carl", run=1)
        await scene.restart()
        await scene.act(number, "approve", who="dora", run=1)
        await scene.pass_(5.0)

        assert (scene.outcome(number), len(scene.world.to("hook"))) == ("done", 1)

    play(story, two_of_dba())


def test_through_two_members_at_once_it_is_one_decision() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        [job] = several.of(first)
        await first.deliver(element(job))
        await first.pass_(1.0)
        [number] = [n for n, row in first.disk.incidents.items() if row.open]
        acts = [(first, "carl"), (second, "dora"), (second, "eric"), (first, "carl")]
        answers = await at_once(*(one.act(number, "approve", who=who, run=1) for one, who in acts))
        await first.pass_(5.0)

        assert sorted(kinds(answers)) == ["Conflict", "Conflict", "str", "str"]
        assert len(first.world.to("hook")) == 1

    play_several(story, two_of_dba())


def test_a_refusal_comes_back_from_another_member_as_what_it_is() -> None:
    async def story(several: Several) -> None:
        first, second = await several.grow(2)
        [job] = several.of(first)
        await first.deliver(element(job))
        await first.pass_(1.0)
        [number] = [n for n, row in first.disk.incidents.items() if row.open]

        with pytest.raises(Forbidden, match="alice is none of them"):
            await second.act(number, "approve", run=1)
        act = Act("carl", "approve", 1, plan="f" * 64)
        with pytest.raises(Conflict, match=r"the plan of run .* has changed"):
            await second.engine.act(number, act)

    play_several(story, two_of_dba())


# -- who asked for it --------------------------------------------------------------------------------------------------


def by_hand(who: str, job: str = "api") -> Delivery:
    """What the console makes of it when somebody opens an incident."""
    annotations = {"summary": "slow", "opened_by": who, "opened_way": "by cli from 10.0.0.7"}
    alert = {**element(job), "annotations": annotations}
    return delivery_of(body(alert), "operator")


def test_whoever_opened_the_incident_cannot_approve_what_follows() -> None:
    async def story(scene: Scene) -> None:
        await scene.engine.deliver(by_hand("carl"))
        await scene.pass_(1.0)
        number = max(scene.disk.incidents)
        incident = scene.incident(number)
        assert (incident.kind, incident.opened_by, incident.source) == ("operator", "carl", "operator")
        opened = [(one.text, one.who, one.note) for one in scene.entries(number) if one.kind == "opened"]
        assert opened == [("by hand", "carl", "by cli from 10.0.0.7")]
        with pytest.raises(Forbidden, match="carl has asked for this, and somebody else has to approve it"):
            await scene.act(number, "approve", who="carl", run=1)
        for who in ("dora", "eric"):
            await scene.act(number, "approve", who=who, run=1)
        await scene.pass_(5.0)
        assert scene.outcome(number) == "done"

    play(story, two_of_dba())


def test_only_what_was_opened_by_hand_says_who_opened_it() -> None:
    """An alert may carry that annotation too, and keeps nobody from approving."""

    async def story(scene: Scene) -> None:
        alert = {**element("api"), "annotations": {"opened_by": "carl"}}
        await scene.deliver(alert)
        await scene.pass_(1.0)
        number = max(scene.disk.incidents)
        assert (scene.incident(number).kind, scene.incident(number).opened_by) == ("alert", "")
        for who in ("carl", "dora"):
            await scene.act(number, "approve", who=who, run=1)
        await scene.pass_(5.0)
        assert scene.outcome(number) == "done"

    play(story, two_of_dba())


def test_opened_by_hand_it_lasts_for_days_and_ends_when_it_is_closed() -> None:
    async def story(scene: Scene) -> None:
        await scene.engine.deliver(by_hand("alice"))
        await scene.pass_(13 * 86400.0)
        number = max(scene.disk.incidents)
        assert scene.incident(number).firing.open == 1
        assert await scene.act(number, "close") == f"INC-{number}: close by alice", "nothing will bring it back"
        assert scene.incident(number).phase == "resolved"

    play(story)


# -- a person's hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["take", "close", "cancel"])
@pytest.mark.parametrize("gap", [0.0, 0.001, 0.002, 0.003, 0.004, 0.006])
def test_a_persons_hand_stops_the_write_at_the_gate(what: str, gap: float) -> None:
    """Whatever is on its way: once the act is answered, nothing of the run leaves any more."""

    async def story(scene: Scene) -> None:
        firing = asyncio.create_task(scene.deliver(element("api")))
        await scene.clock.sleep(0.002 + gap)
        await firing
        number = max(scene.disk.incidents)
        acting = scene.act(number, what, run=1 if what == "cancel" else None)
        [answer] = await at_once(acting)
        answered = scene.clock.monotonic()
        await scene.pass_(5.0)

        if not isinstance(answer, Conflict):  # too late: it was done already
            assert all(call.at <= answered for call in scene.world.to("hook"))

    play(story)
