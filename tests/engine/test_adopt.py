"""A new bundle: new incidents use it, open ones keep theirs, and guards of both see what they look out for.

Promise 10: a run keeps the bundle it began with.
"""

import asyncio

from paramedic.core.model import Episode
from paramedic.engine.holdings import Watched
from paramedic.rehearse.loop import START
from tests.engine.stage import Stage, play
from tests.engine.texts import bundle_of, catalog, element

NEW = catalog().replace("/act?job=", "/new?job=")
LOOKS_OUT = "{not_firing: {match: ['alertname=\"ClusterDown\"']}}"
CLUSTER = (
    '  - {name: cluster, match: [\'alertname="ClusterDown"\'], playbook: act, with: {job: c, target: c}, mode: "off"}\n'
)


def watching(text: str = "") -> str:
    """A catalog whose guard looks out for another alert, which has a rule of its own."""
    return (text or catalog(mode="approve", guards=LOOKS_OUT)).replace("rules:\n", "rules:\n" + CLUSTER)


def test_new_incidents_use_it_and_open_ones_keep_theirs() -> None:
    async def story(stage: Stage) -> None:
        old = await stage.fire("old")
        await stage.pass_(5.0)
        new_bundle = bundle_of(NEW)
        await stage.adopt(new_bundle)
        new = await stage.fire("new")
        await stage.deliver(element("old", starts=START, ends=stage.clock.now()))
        await stage.pass_(60.0)
        await stage.fire("old")  # again within its quiet time: the same incident, and its own bundle
        await stage.pass_(60.0)
        assert stage.incident(old).bundle != stage.incident(new).bundle == new_bundle.hash
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=old", "/new?job=new", "/act?job=old"]

    play(story)


def test_after_a_restart_each_incident_still_has_its_own_bundle() -> None:
    async def story(stage: Stage) -> None:
        old = await stage.fire("old")
        await stage.pass_(5.0)
        await stage.adopt(bundle_of(NEW.replace("mode: auto", "mode: approve")))
        stage.bundle = stage.engine.bundle or stage.bundle
        stage.kill()
        stage.store, stage.port, stage.engine = stage._process()
        await stage.start()
        await stage.act(old, "approve", run=1)
        await stage.fire("new")
        await stage.pass_(60.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=old"]

    play(story, catalog(mode="approve"))


def test_a_bundle_adopted_while_nothing_serves_is_used_afterwards() -> None:
    async def story(stage: Stage) -> None:
        stage.store.fail_next("before")
        await asyncio.gather(stage.deliver(element("x")), return_exceptions=True)
        await stage.loop.rest()
        assert not stage.engine.live
        await stage.adopt(bundle_of(NEW))
        await stage.pass_(5.0)
        await stage.fire("new")
        await stage.pass_(5.0)
        assert [call.path for call in stage.world.to("hook")] == ["/new?job=new"]

    play(story)


def test_a_bundle_adopted_during_recovery_is_used_afterwards() -> None:
    async def story(stage: Stage) -> None:
        recover = stage.store.recover

        async def slowly(**since):  # type: ignore[no-untyped-def]
            found = await recover(**since)
            await stage.clock.sleep(1.0)
            return found

        stage.store.recover = slowly  # type: ignore[method-assign]
        await stage.start()
        assert not stage.engine.live
        await stage.adopt(bundle_of(NEW))
        await stage.pass_(5.0)
        await stage.fire("new")
        await stage.pass_(5.0)
        assert [call.path for call in stage.world.to("hook")] == ["/new?job=new"]

    play(story, start=False)


def test_an_alert_that_fired_before_is_seen_by_a_new_bundles_guards() -> None:
    async def story(stage: Stage) -> None:
        await stage.deliver(element("c", alertname="ClusterDown"))
        await stage.adopt(bundle_of(watching()))
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "refused"
        assert "ClusterDown" in stage.incident(number).past[0].reason

    play(story)


def test_the_guards_of_an_open_incident_still_see_what_a_new_bundle_does_not_look_out_for() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        await stage.adopt(bundle_of(catalog()))
        await stage.deliver(element("c", alertname="ClusterDown"))
        await stage.act(number, "approve", run=1)  # the guards are asked again
        await stage.pass_(5.0)
        assert stage.outcome(number) == "refused"
        assert not stage.world.to("hook")

    async def after_a_restart(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        await stage.deliver(element("c", alertname="ClusterDown"))
        await stage.adopt(bundle_of(catalog()))
        stage.bundle = bundle_of(catalog())
        stage.kill()
        stage.store, stage.port, stage.engine = stage._process()
        await stage.start()
        await stage.act(number, "approve", run=1)
        await stage.pass_(5.0)
        assert stage.outcome(number) == "refused"

    play(story, watching())
    play(after_a_restart, watching())


def test_what_is_written_while_the_store_is_read_is_newer_than_what_was_read() -> None:
    def episode(identity: str, *, is_open: bool) -> Episode:
        return Episode("default", identity, "ClusterDown", {"alertname": "ClusterDown"}, START, START, open=is_open)

    (wanted,) = bundle_of(watching()).watched
    watched = Watched()
    watched.look_for([wanted])
    watched.note(episode("closed-unseen", is_open=True))
    news = watched.look_again()
    watched.note(episode("closed-meanwhile", is_open=False))
    watched.note(episode("opened-meanwhile", is_open=True))
    watched.begin_with([episode("closed-meanwhile", is_open=True), episode("open", is_open=True)], news)
    assert sorted(one.identity for one in watched.matching(wanted)) == ["open", "opened-meanwhile"]
    watched.note(episode("open", is_open=False))
    assert [one.identity for one in watched.matching(wanted)] == ["opened-meanwhile"]
