"""The client of clusters: what it sends for each call, and how it bounds what comes back."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from paramedic.clients.kube import client as client_module
from paramedic.clients.kube.client import KubeClient
from paramedic.cluster.resources import CONFIG_MAPS, NODES, PODS, Place, Resource
from paramedic.errors import Permanent, Temporary
from tests.clients.kube.clusters import API, POD, ApiServer, Asked, kubeconfig, opened, serving

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "new": {"in": [1.36]}}
BASE = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with serving(lambda asked: web.json_response(DEPLOYMENT)) as one:
        yield one


@pytest.fixture
async def kube(server: ApiServer, tmp_path: Path) -> AsyncIterator[KubeClient]:
    async with await opened(kubeconfig(tmp_path, server.url)) as one:
        yield one


async def test_unknown_members_come_through_untouched(kube: KubeClient, server: ApiServer) -> None:
    assert await kube.get(API) == DEPLOYMENT
    [asked] = server.asked
    assert (asked.method, asked.path) == ("GET", f"{BASE}/api")
    assert asked.headers["Authorization"] == "Bearer secret"
    assert asked.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("how", "content"),
    [
        ("json", "application/json-patch+json"),
        ("merge", "application/merge-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
    ],
)
async def test_the_kind_of_a_patch_is_said_whatever_its_body_is(
    kube: KubeClient, server: ApiServer, how: Any, content: str
) -> None:
    """Also for kinds that a CustomResourceDefinition made."""
    rollouts = Resource("argoproj.io/v1alpha1", "rollouts", "Rollout")
    await kube.patch(Place("main", rollouts, "shop", "api"), {"spec": {"replicas": 2}}, how, timeout=7)
    [asked] = server.asked

    assert asked.headers["Content-Type"] == content
    assert asked.path.startswith("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/api?")
    assert dict(asked.query) == {"fieldManager": "paramedic", "timeout": "7s"}
    assert asked.body == {"spec": {"replicas": 2}}


async def test_a_dry_run_says_so(kube: KubeClient, server: ApiServer) -> None:
    await kube.patch(API, [{"op": "test", "path": "/x", "value": 1}], "json", subresource="scale", dry_run=True)
    await kube.create(Place("main", CONFIG_MAPS, "shop"), {"metadata": {"name": "x"}}, dry_run=True)
    await kube.delete(POD, uid="u-1", dry_run=True)
    await kube.evict(POD, uid="u-1", dry_run=True)
    patch, create, delete, evict = server.asked

    assert patch.path.startswith(f"{BASE}/api/scale?")
    assert [one.query.get("dryRun") for one in (patch, create, evict)] == ["All"] * 3
    assert delete.body["dryRun"] == evict.body["deleteOptions"]["dryRun"] == ["All"]


async def test_what_is_deleted_and_evicted_is_named_by_its_identity(kube: KubeClient, server: ApiServer) -> None:
    await kube.delete(POD, uid="u-1")
    await kube.delete(POD, uid="u-1", grace=0.2)
    await kube.evict(POD, uid="u-1", grace=0)
    delete, soon, evict = server.asked

    assert (delete.method, delete.path) == ("DELETE", "/api/v1/namespaces/shop/pods/api-1?timeout=10s")
    assert delete.body == {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u-1"}}
    assert soon.body["gracePeriodSeconds"] == 1, "never less than was asked for"
    assert evict.path.startswith("/api/v1/namespaces/shop/pods/api-1/eviction?")
    assert evict.query["fieldManager"] == "paramedic"
    assert evict.body == {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "api-1", "namespace": "shop"},
        "deleteOptions": {"preconditions": {"uid": "u-1"}, "gracePeriodSeconds": 0},
    }


def pages(*counts: int) -> Callable[[Asked], web.Response]:
    """Answers page by page; the mark of the next is the number of the page."""

    def answer(asked: Asked) -> web.Response:
        page = int(asked.query.get("continue", "0"))
        more = str(page + 1) if page + 1 < len(counts) else ""
        items = [{"metadata": {"name": f"p-{page}-{n}"}} for n in range(counts[page])]
        return web.json_response({"kind": "PodList", "metadata": {"continue": more}, "items": items})

    return answer


async def test_pages_are_put_together_and_kinds_filled_in(kube: KubeClient, server: ApiServer) -> None:
    server.answer = pages(250, 250, 3)
    found = await kube.list(
        Place("main", PODS, "shop"), labels="app in (a, b)", fields="spec.nodeName=n&x=1", limit=600
    )

    assert len(found) == 503
    assert {(one["kind"], one["apiVersion"]) for one in found} == {("Pod", "v1")}
    assert [one.query["limit"] for one in server.asked] == ["250", "250", "101"]
    assert [one.query.get("continue") for one in server.asked] == [None, "1", "2"]
    assert {(one.query["labelSelector"], one.query["fieldSelector"]) for one in server.asked} == {
        ("app in (a, b)", "spec.nodeName=n&x=1")
    }
    assert "labelSelector=app%20in%20%28a%2C%20b%29" in server.asked[0].path


@pytest.mark.parametrize("counts", [(11,), (10, 1), (6, 6)])
async def test_more_than_the_limit_is_refused_and_never_a_part(
    kube: KubeClient, server: ApiServer, counts: tuple[int, ...]
) -> None:
    server.answer = pages(*counts)

    with pytest.raises(Permanent, match="more than 10; name fewer"):
        await kube.list(Place("main", PODS, "shop"), limit=10)


async def test_a_list_too_large_for_memory_is_refused(
    kube: KubeClient, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pages together count."""
    monkeypatch.setattr(client_module, "LARGEST_LIST", 5000)
    server.answer = pages(60, 60, 60)

    with pytest.raises(Permanent, match=r"larger than \d+ bytes"):
        await kube.list(Place("main", PODS, "shop"))
    assert len(server.asked) == 3


async def test_an_object_too_large_is_refused(kube: KubeClient, server: ApiServer) -> None:
    server.answer = lambda asked: web.json_response({"data": "x" * (4 * 1024 * 1024)})

    with pytest.raises(Permanent, match="larger than 4194304 bytes"):
        await kube.get(API)


@pytest.mark.parametrize("body", ["[]", "null", "<html>", '{"a"', '"x"'])
async def test_what_is_no_object_is_refused(kube: KubeClient, server: ApiServer, body: str) -> None:
    server.answer = lambda asked: web.Response(text=body)

    with pytest.raises(Temporary, match="not an object"):
        await kube.get(API)


def writing(lines: list[bytes]) -> Callable[[Asked], web.Response]:
    """A log as the API gives it: the last lines, and of these the first bytes."""

    def answer(asked: Asked) -> web.Response:
        tail = b"".join(lines[-int(asked.query["tailLines"]) :])
        return web.Response(body=tail[: int(asked.query["limitBytes"])])

    return answer


async def test_the_newest_bytes_of_a_log(kube: KubeClient, server: ApiServer) -> None:
    server.answer = writing([b"line %d\n" % n for n in range(5000)])
    found = await kube.logs(POD, container="app", previous=True, most=20)

    assert found == b" 4998\nline 4999\n"[-20:] or found.endswith(b"line 4999\n")
    assert len(found) == 20
    [asked] = server.asked
    assert (asked.query["container"], asked.query["previous"]) == ("app", "true")
    assert asked.path.startswith("/api/v1/namespaces/shop/pods/api-1/log?")


async def test_of_lines_that_are_too_long_fewer_are_asked_for(kube: KubeClient, server: ApiServer) -> None:
    server.answer = writing([b"%04d " % n + b"x" * 100_000 + b"\n" for n in range(100)])
    found = await kube.logs(POD, most=200_000)

    assert found.endswith(b"x\n")
    assert b"0099 " in found
    assert len(found) == 200_000
    assert [one.query["tailLines"] for one in server.asked] == ["1024", "64", "4"]


async def test_a_single_endless_line_is_bounded(kube: KubeClient, server: ApiServer) -> None:
    server.answer = writing([b"x" * 3_000_000])

    assert len(await kube.logs(POD, most=1000)) == 1000
    assert await kube.logs(POD, most=0) == b""


HOSTILE = [
    "../x",
    "x/y",
    "x%2fy",
    "x?y",
    "x#y",
    "X",
    "\N{CYRILLIC SMALL LETTER A}pi",
    "x..y",
    "x\ny",
    "",
    "x" * 254,
    ".",
    "..",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_goes_nowhere(kube: KubeClient, server: ApiServer, name: str) -> None:
    for place in (Place("main", PODS, "shop", name), Place("main", PODS, name, "api-1")):
        if place.namespace == "":
            continue
        with pytest.raises(Permanent, match="nothing was sent"):
            await kube.get(place)
        with pytest.raises(Permanent, match="nothing was sent"):
            await kube.delete(place, uid="u-1")
    assert server.asked == []


async def test_nothing_named_never_stands_for_everything(kube: KubeClient, server: ApiServer) -> None:
    for place in (Place("main", PODS, "", "api-1"), Place("main", PODS, "shop", ""), Place("main", NODES, "shop", "n")):
        with pytest.raises(Permanent):
            await kube.get(place)
        with pytest.raises(Permanent):
            await kube.delete(place, uid="u-1")
    with pytest.raises(Permanent, match="no subresource"):
        await kube.get(API, subresource="../x")
    with pytest.raises(Permanent, match="no kind"):
        await kube.list(Place("main", Resource("v1/../..", "pods", "Pod"), "shop"))
    assert server.asked == []


async def test_what_cannot_be_written_is_not_sent(kube: KubeClient, server: ApiServer) -> None:
    for value in (object(), "\ud800"):
        with pytest.raises(Permanent, match="nothing was sent"):
            await kube.patch(API, {"x": value}, "merge")
    assert server.asked == []


async def test_another_cluster_is_named_with_ours(kube: KubeClient) -> None:
    with pytest.raises(Permanent, match="no cluster 'eu'; configured: main"):
        await kube.get(Place("eu", PODS, "shop", "api-1"))
    assert list(kube.clusters) == ["main"]
