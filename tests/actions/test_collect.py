"""`collect`: evidence of what was, within bounds, without secrets, and never in the way of a remedy."""

from typing import Any

import msgspec
import pytest

from paramedic.actions.collect import Collect
from paramedic.cluster.port import Json, NoCluster
from paramedic.cluster.resources import DEPLOYMENTS, EVENTS, PODS
from paramedic.core.words import Once
from paramedic.errors import Fault, Missing, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Applied, Tools
from tests.contract.fake_kube import FakeKube, pod, replica_set, with_revisions, workload
from tests.contract.plugin_scene import RESOURCES, RUN, Wire, seen

ACTION = Collect()
ALL = ["pods", "events", "rollout_history", "logs"]
LARGEST = 64 * 1024


async def collect(kube: Any, *of: str, target: str = "main/shop/deployment/api") -> Applied:
    scene = seen(run=msgspec.structs.replace(RUN, target=target))
    tools = Tools(http=Wire(), kube=kube)
    change = await ACTION.plan(ACTION.validated({"of": list(of or ALL)}), scene, tools)
    return await ACTION.apply(change.write, "INC-12/1/1/1", scene, tools)


def texts(applied: Applied) -> dict[str, str]:
    return {exhibit.name: exhibit.body.decode() for exhibit in applied.exhibits}


def event(name: str, at: str, message: str, *, uid: str, **other: Any) -> Json:
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"event-{name}"},
        "involvedObject": {"kind": "Pod", "name": uid.removeprefix("pod-"), "uid": uid},
        "type": "Warning",
        "reason": "BackOff",
        "message": message,
        "lastTimestamp": at,
        **other,
    }


def crashing(name: str, restarts: int = 4) -> Json:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s"}}
    last = {"terminated": {"reason": "Error", "exitCode": 1}}
    status = {"name": "api", "ready": False, "restartCount": restarts, "state": state, "lastState": last}
    return pod(name, ready=False, containerStatuses=[status])


def shop() -> FakeKube:
    """A release that crashes, beside a pod of the one before."""
    kube = with_revisions(
        replica_set(1, "2026-05-01T08:00:00Z", "registry.example/api:41"),
        replica_set(2, "2026-05-12T09:04:00Z", "api:42"),
    )
    for one in (pod("api-1"), crashing("api-2")):
        kube.put(PODS, one)
    kube.put(EVENTS, event("e2", "2026-05-12T09:12:00Z", "Back-off restarting", uid="pod-api-2", count=12))
    kube.put(EVENTS, event("e1", "2026-05-12T09:05:00Z", "Pulled image", uid="pod-api-2", type="Normal"))
    kube.put(EVENTS, event("e3", "2026-05-12T09:13:00Z", "somebody else's", uid="pod-web-1"))
    kube.container_logs = {
        ("api-2", "api", True): b"starting\nfatal: no such table: orders\n",
        ("api-1", "api", False): b"GET / 200\n",
    }
    return kube


async def test_everything_is_kept_as_text_that_a_person_reads() -> None:
    applied = await collect(shop())
    kept = texts(applied)

    assert list(kept) == ALL
    assert applied.summary == "collected pods, events, rollout_history, logs of deployment/api.shop"
    assert applied.seen == {"ready": "1 of 2 pods"}
    assert kept["pods"].splitlines() == [
        "api-2  not ready  0 of 1 containers ready  4 restarts  Running  on node-1  since an unknown time",
        "    api is waiting: CrashLoopBackOff: back-off 1m20s",
        "    api was terminated: Error, exit code 1",
        "api-1  ready  1 of 1 containers ready  0 restarts  Running  on node-1  since an unknown time",
    ]
    assert kept["events"].splitlines() == [
        "2026-05-12T09:05:00Z Normal BackOff pod/api-2 Pulled image",
        "2026-05-12T09:12:00Z Warning BackOff pod/api-2 12 times Back-off restarting",
    ]
    assert kept["rollout_history"].splitlines() == [
        "revision 2  2026-05-12T09:04:00Z  api:42  api-2  (the present template)",
        "revision 1  2026-05-01T08:00:00Z  api:41  api-1",
        "",
        "from revision 1 to the present template:",
        "    spec.containers[api].image: registry.example/api:41 → api:42",
    ]
    assert kept["logs"].split("\n\n") == [
        "== api-2/api before its last restart\nstarting\nfatal: no such table: orders",
        "== api-1/api\nGET / 200\n",
    ]


async def test_only_what_is_asked_for_in_that_order_once() -> None:
    assert list(texts(await collect(shop(), "logs", "pods", "logs"))) == ["logs", "pods"]


async def test_it_reads_and_nothing_else() -> None:
    kube = shop()
    await collect(kube)

    assert {what for what, *_ in kube.asked} == {"get", "list", "logs"}
    assert ACTION.writes == frozenset()
    params = ACTION.validated({})
    assert ACTION.mutates(params) is False
    assert ACTION.once(params, RESOURCES) is Once.KEY
    assert params.of == tuple(ALL)


async def test_its_plan_touches_no_port() -> None:
    tools = Tools(http=Wire(), kube=NoCluster())
    change = await ACTION.plan(ACTION.validated({}), seen(), tools)

    assert change.summary == "collect pods, events, rollout_history, logs of deployment/api.shop"
    assert await ACTION.observe(change.write, "k", seen(), tools) is None


@pytest.mark.parametrize(
    "error", [Temporary("slow"), Permanent("not allowed: get pods/log"), UnknownOutcome("no answer")]
)
async def test_a_part_that_cannot_be_read_says_so_and_the_others_are_kept(error: Exception) -> None:
    kube = shop()
    kube.fails["list events"] = error
    applied = await collect(kube)

    assert list(texts(applied)) == ["pods", "rollout_history", "logs"]
    assert applied.seen["events"] == f"could not be read: {error}"
    assert applied.summary.endswith(f"; events could not be read: {error}")


async def test_a_log_that_cannot_be_read_says_so_and_the_others_are_kept() -> None:
    kube = shop()
    kube.container_logs["api-2", "api", True] = Missing("previous terminated container not found")
    logs = texts(await collect(kube, "logs"))["logs"]

    assert "== api-2/api before its last restart: could not be read: previous terminated container not found" in logs
    assert "GET / 200" in logs


@pytest.mark.parametrize("kube", [FakeKube(), NoCluster(), FakeKube(fails={"get": Temporary("not reached")})])
async def test_a_target_that_cannot_be_read_is_no_failure(kube: Any) -> None:
    """Evidence that is missing must not keep a remedy back: what cannot be treated, the next step will say itself."""
    applied = await collect(kube)

    assert applied.exhibits == ()
    assert applied.summary.startswith("nothing of deployment/api.shop could be read: ")


@pytest.mark.parametrize("target", ["hook/1", "main/shop/pod/api-1", "main/shop/deployment/../../secrets"])
async def test_what_is_no_workload_is_a_fault(target: str) -> None:
    with pytest.raises(Fault):
        await collect(shop(), target=target)


async def test_the_worst_comes_first_and_no_more_logs_than_a_few_are_read() -> None:
    kube = with_revisions()
    for n in range(10):
        kube.put(PODS, crashing(f"api-{n}", restarts=n + 1))
    kube.put(PODS, pod("api-fine"))
    await collect(kube, "logs")

    read = [(name, previous) for what, name, *rest in kube.asked if what == "logs" for previous in rest[1:2]]
    assert read == [(f"api-{n}", True) for n in (9, 8, 7, 6, 5, 4)]


async def test_events_are_asked_of_a_few_objects_and_of_pods_that_do_not_serve_first() -> None:
    kube = with_revisions(*[replica_set(n, f"2026-05-0{n}T08:00:00Z", f"api:{n}") for n in range(1, 5)])
    for n in range(10):
        kube.put(PODS, pod(f"api-{n}"))
    kube.put(PODS, crashing("api-zz"))
    await collect(kube, "events")

    asked = [
        fields.removeprefix("involvedObject.uid=") for what, _, *rest in kube.asked for fields in rest[1:] if fields
    ]
    assert asked[:4] == [
        workload()["metadata"]["uid"],
        "rs-4-2026-05-04T08:00:00Z",
        "rs-3-2026-05-03T08:00:00Z",
        "pod-api-zz",
    ]
    assert len(asked) == 8


async def test_every_part_is_bounded_and_keeps_what_tells_the_most() -> None:
    kube = with_revisions(*[replica_set(n, f"2026-05-{n + 1:02}T08:00:00Z", "é" * 5000 + f":{n}") for n in range(25)])
    for n in range(200):
        one = crashing(f"api-{n}")
        one["status"]["message"] = "é" * 10_000
        kube.put(PODS, one)
        kube.container_logs[f"api-{n}", "api", True] = b"\xff" * 100_000 + b"\nthe reason\n"
    for n in range(300):
        kube.put(EVENTS, event(f"e{n}", f"2026-05-12T{n // 60:02}:{n % 60:02}:00Z", "é" * 5000, uid="pod-api-0"))
    kept = texts(await collect(kube))

    assert all(len(text.encode()) <= LARGEST for text in kept.values())
    assert kept["events"].splitlines()[-1].startswith("2026-05-12T04:59:00Z")
    assert "bytes before this are left out" in kept["events"].splitlines()[0]
    assert kept["pods"].startswith("api-0  not ready")
    assert "are left out)" in kept["pods"].splitlines()[-1] or "more lines" in kept["pods"].splitlines()[-1]
    assert kept["logs"].count("\nthe reason") == 6
    assert kept["logs"].count(", the newest ") == 6


async def test_secrets_are_not_kept() -> None:
    kube = shop()
    new = workload("api:42")
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "GREETING", "value": "open sesame"}]
    new["spec"]["template"]["metadata"]["annotations"] = {"vault/token": "s.abcdef"}
    kube.put(DEPLOYMENTS, new)
    kube.container_logs["api-2", "api", True] = b"login with password=hunter2 at postgres://api:hunter2@db/api\n"
    kept = "".join(texts(await collect(kube)).values())

    assert "spec.containers[api].env[GREETING].value: none → (hidden)" in kept
    assert "metadata.annotations.vault/token: none → (hidden)" in kept
    assert "password=(hidden) at postgres://(hidden)@db/api" in kept
    assert not any(secret in kept for secret in ("sesame", "hunter2", "s.abcdef"))


async def test_what_anybody_wrote_cannot_steer_a_terminal() -> None:
    kube = shop()
    kube.container_logs["api-2", "api", True] = b"\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae fine\r\nnext"
    kube.put(EVENTS, event("e9", "2026-05-12T09:14:00Z", "\x1b[31mred\nline", uid="pod-api-2"))
    kept = texts(await collect(kube))

    for text in kept.values():
        assert all(char.isprintable() or char == "\n" for char in text)
    assert kept["events"].splitlines()[-1].endswith("[31mred line")


@pytest.mark.parametrize("params", [{"of": []}, {"of": ["secrets"]}, {"of": "pods"}, {"of": ALL * 2}, {"off": ALL}])
def test_what_it_may_not_be_told(params: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        ACTION.validated(params)
