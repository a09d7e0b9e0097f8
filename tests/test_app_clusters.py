"""The service and its clusters: what cannot be used is said before anything is started; what is unknown is refused."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from paramedic.app import Service
from paramedic.clock import SystemClock
from paramedic.cluster.resources import DEPLOYMENTS, Place
from paramedic.errors import Fault, Permanent
from paramedic.settings import ClusterSetting, Settings
from tests.clients.kube.clusters import kubeconfig, serving, taking


def told(folder: Path, *clusters: ClusterSetting) -> Settings:
    return Settings(port=0, data=folder / "data", clusters=clusters)


@pytest.mark.parametrize("setting", ["KUBECONFIG", "PARAMEDIC_CLUSTERS"])
async def test_a_file_that_cannot_be_used_keeps_the_service_from_starting(tmp_path: Path, setting: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text("clusters: 1")
    for file, words in ((tmp_path / "nowhere", "there is no file"), (broken, "cannot be used")):
        service = Service(told(tmp_path, ClusterSetting("main", str(file), setting)), SystemClock())
        with pytest.raises(Fault, match=words) as caught:
            await service.__aenter__()
        assert caught.value.where == setting
        assert str(file) in caught.value.what
    assert not (tmp_path / "data").exists(), "nothing else was started"


async def test_one_bad_cluster_among_others_is_named(tmp_path: Path) -> None:
    good = ClusterSetting("main", str(kubeconfig(tmp_path, "https://127.0.0.1:1")), "PARAMEDIC_CLUSTERS")
    bad = replace(good, name="eu", kubeconfig=str(tmp_path / "nowhere"))

    with pytest.raises(Fault, match="nowhere"):
        await Service(told(tmp_path, good, bad), SystemClock()).__aenter__()


async def test_without_a_cluster_a_step_is_told_which_settings_would_name_one(tmp_path: Path) -> None:
    kube = Service(told(tmp_path), SystemClock())._kube

    with pytest.raises(Permanent, match="KUBECONFIG or PARAMEDIC_CLUSTERS"):
        await kube.get(Place("main", DEPLOYMENTS, "shop", "api"))


async def test_a_service_reads_once_for_all_and_names_its_clusters(tmp_path: Path) -> None:
    async with serving(taking("secret")) as server, AsyncExitStack() as stack:
        setting = ClusterSetting("main", str(kubeconfig(tmp_path, server.url)), "KUBECONFIG")
        kube = await Service(told(tmp_path, setting), SystemClock())._clusters(stack)
        for _ in range(5):
            await kube.get(Place("main", DEPLOYMENTS, "shop", "api"), max_age=60)
        with pytest.raises(Permanent, match="no cluster 'eu'; configured: main"):
            await kube.get(Place("eu", DEPLOYMENTS, "shop", "api"), max_age=60)

    assert len(server.asked) == 1
