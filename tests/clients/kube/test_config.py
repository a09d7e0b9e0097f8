"""Who may speak to a cluster: kubeconfigs good and bad, tokens that change, the account of our own pod."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from paramedic.clients.kube.config import ServiceAccount
from paramedic.clients.kube.opening import open_clusters
from paramedic.clock import SystemClock
from paramedic.errors import Fault, Permanent
from paramedic.settings import ClusterSetting
from tests.clients.kube.clusters import API, Asked, kubeconfig, opened, serving, shown, taking
from tests.contract.kube.passing import PassingClock
from tests.vendors.tls import certificate, pem

CERTIFICATE = pem("CERTIFICATE", certificate())


BAD: dict[str, tuple[str, str]] = {
    "empty": ("", "cannot be used"),
    "a list": ("[]", "cannot be used"),
    "text": ("just words", "cannot be used"),
    "no yaml": ("{", "cannot be used"),
    "bytes": ("\x00\x01", "cannot be used"),
    "no context": ('{"clusters": [], "users": [], "contexts": []}', "current-context"),
    "another context": ('{"clusters": [], "users": [], "contexts": [], "current-context": "eu"}', "eu"),
    "no cluster": (
        '{"clusters": [], "contexts": [{"name": "x", "context": {"cluster": "c"}}], "current-context": "x"}',
        "name c in",
    ),
    "no server": (
        '{"clusters": [{"name": "c", "cluster": {}}], "contexts": [{"name": "x", "context": {"cluster": "c"}}], '
        '"current-context": "x"}',
        "names no server",
    ),
    "a strange server": (
        '{"clusters": [{"name": "c", "cluster": {"server": "ftp://x"}}], "contexts": '
        '[{"name": "x", "context": {"cluster": "c"}}], "current-context": "x"}',
        "names no server",
    ),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_kubeconfig_is_a_fault_that_names_it(tmp_path: Path, what: str) -> None:
    text, words = BAD[what]
    file = tmp_path / "kubeconfig"
    file.write_text(text)

    with pytest.raises(Fault) as caught:
        await opened(file)
    assert caught.value.where == "KUBECONFIG"
    assert str(file) in caught.value.what
    assert words in caught.value.what


async def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"KUBECONFIG: there is no file .*nowhere"):
        await opened(tmp_path / "nowhere")
    file = kubeconfig(tmp_path, "https://127.0.0.1:1", cluster={"certificate-authority": "missing.crt"})
    with pytest.raises(Fault, match=r"missing\.crt"):
        await opened(file)
    file = kubeconfig(tmp_path, "https://127.0.0.1:1", {"client-certificate": "missing.crt", "client-key": "k"})
    with pytest.raises(Fault, match=r"missing\.crt"):
        await opened(file)
    file = kubeconfig(tmp_path, "https://127.0.0.1:1", cluster={"certificate-authority-data": "bm8gY2VydGlmaWNhdGU="})
    with pytest.raises(Fault, match="cannot be used"):
        await opened(file)


async def test_several_files_are_one_configuration(tmp_path: Path) -> None:
    """As kubectl has it: those that are not there are left out, the first word counts."""
    async with serving(taking("secret")) as server:
        (tmp_path / "a").mkdir()
        file = kubeconfig(tmp_path / "a", server.url)
        async with await opened(f"{tmp_path / 'nowhere'}:{file}") as kube:
            await kube.get(API)

    assert shown(server) == ["Bearer secret"]


async def test_several_clusters_have_names(tmp_path: Path) -> None:
    async with serving(taking("a")) as first, serving(taking("b")) as second:
        settings = []
        for name, server in (("a", first), ("b", second)):
            (tmp_path / name).mkdir()
            file = kubeconfig(tmp_path / name, server.url, {"token": name})
            settings.append(ClusterSetting(name, str(file), "PARAMEDIC_CLUSTERS"))
        async with await open_clusters(settings, {}, SystemClock()) as kube:
            await kube.get(type(API)("b", API.resource, "shop", "api"))
            assert list(kube.clusters) == ["a", "b"]

    assert (len(first.asked), len(second.asked)) == (0, 1)


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old\n")
    clock = PassingClock()
    async with (
        serving(taking("old", "new")) as server,
        await opened(kubeconfig(tmp_path, server.url, {"tokenFile": "token"}), clock) as kube,
    ):
        await kube.get(API)
        (tmp_path / "token").write_text("new\n")
        await clock.sleep(59)
        await kube.get(API)
        await clock.sleep(2)
        await kube.get(API)

    assert shown(server) == ["Bearer old", "Bearer old", "Bearer new"]


async def test_a_refused_token_is_read_anew_at_once_but_not_again_and_again(tmp_path: Path) -> None:
    """A request that was refused for its token has done nothing: it is the one that is sent twice."""
    (tmp_path / "token").write_text("old")
    clock = PassingClock()
    async with (
        serving(taking("new")) as server,
        await opened(kubeconfig(tmp_path, server.url, {"tokenFile": "token"}), clock) as kube,
    ):
        with pytest.raises(Permanent, match="credentials"):
            await kube.get(API)
        await clock.sleep(11)
        (tmp_path / "token").write_text("new")
        await kube.patch(API, {"a": 1}, "merge")
        (tmp_path / "token").write_text("old")
        await clock.sleep(61)
        for _ in range(3):
            with pytest.raises(Permanent, match="credentials"):
                await kube.get(API)

    assert shown(server) == ["Bearer old", "Bearer old", "Bearer new", *["Bearer old"] * 3]


async def test_of_many_who_are_refused_at_once_each_gets_the_new_token(tmp_path: Path) -> None:
    """Also who is told so only when the others have it already."""
    (tmp_path / "token").write_text("old")
    clock, late = PassingClock(), asyncio.Event()
    async with (
        serving(taking("old", "new")) as server,
        await opened(kubeconfig(tmp_path, server.url, {"tokenFile": "token"}), clock) as kube,
    ):
        await kube.get(API)
        (tmp_path / "token").write_text("new")
        await clock.sleep(30)
        refusing = taking("new")

        async def answer(asked: Asked) -> web.Response:
            if asked.query.get("labelSelector") == "late" and asked.headers["Authorization"] == "Bearer old":
                await late.wait()
            return refusing(asked)

        server.answer = answer
        last = asyncio.create_task(kube.list(API, labels="late"))
        await asyncio.gather(*(kube.get(API) for _ in range(5)))
        late.set()
        await last

    assert shown(server)[-1] == "Bearer new"


async def test_a_token_that_cannot_be_renewed_is_used_on(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old")
    clock = PassingClock()
    file = kubeconfig(tmp_path, "http://127.0.0.1:1")
    async with serving(taking("secret")) as server:
        file = kubeconfig(tmp_path, server.url)
        async with await opened(file, clock) as kube:
            await kube.get(API)
            file.write_text("{")
            await clock.sleep(61)
            await kube.get(API)

    assert shown(server) == ["Bearer secret", "Bearer secret"]


@pytest.mark.parametrize("user", [{"x": "y"}, None])
async def test_a_user_without_credentials_shows_none(tmp_path: Path, user: dict[str, str] | None) -> None:
    async with serving(lambda asked: web.json_response({})) as server:
        file = kubeconfig(tmp_path, server.url, {"x": "y"})
        if user is None:
            file.write_text(file.read_text().replace(', "user": "u"', ""))
        async with await opened(file) as kube:
            await kube.get(API)

    assert shown(server) == [""]


# -- service accounts -------------------------------------------------------------------------------------------------


async def test_the_account_of_our_own_pod(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    clock = PassingClock()
    account = ServiceAccount(environment, clock, tmp_path)
    with pytest.raises(Fault, match="in-cluster"):
        await account.check()
    (tmp_path / "token").write_text("first\n")
    with pytest.raises(Fault, match="in-cluster"):
        await account.check()
    (tmp_path / "ca.crt").write_text(CERTIFICATE)

    await account.check()
    access = await account.access(1.0)
    (tmp_path / "token").write_text("second")
    await clock.sleep(61)
    later = await account.access(1.0)
    assert (access.url, access.authorization, later.authorization) == (
        "https://[fd00::1]:443",
        "Bearer first",
        "Bearer second",
    )
    assert access.secure is later.secure is not None
    assert "first" not in repr(access)
