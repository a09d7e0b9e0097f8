"""Which clusters a process was told of: by name, by KUBECONFIG, by the pod that it runs in; what is wrong with that."""

from pathlib import Path

import pytest

from paramedic import settings as settings_module
from paramedic.errors import Fault
from paramedic.settings import ClusterSetting, read_settings


def clusters(**environment: str) -> tuple[ClusterSetting, ...]:
    return read_settings(environment).clusters


def test_without_a_word_there_is_none() -> None:
    assert clusters() == ()
    assert clusters(KUBECONFIG="", PARAMEDIC_CLUSTERS="") == ()


def test_the_cluster_of_kubeconfig_is_called_main() -> None:
    assert clusters(KUBECONFIG="/a:/b") == (ClusterSetting("main", "/a:/b", "KUBECONFIG"),)


def test_clusters_have_names_and_their_setting_wins() -> None:
    found = clusters(KUBECONFIG="/x", PARAMEDIC_CLUSTERS="main=/etc/a=b, eu-1 = /etc/eu:/etc/more ,us=in-cluster")

    assert found == (
        ClusterSetting("main", "/etc/a=b", "PARAMEDIC_CLUSTERS"),
        ClusterSetting("eu-1", "/etc/eu:/etc/more", "PARAMEDIC_CLUSTERS"),
        ClusterSetting("us", "", "PARAMEDIC_CLUSTERS"),
    )


def test_a_pod_with_an_account_has_its_own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "_ACCOUNT", tmp_path / "token")
    assert clusters(KUBERNETES_SERVICE_HOST="10.0.0.1") == (), "a pod may have none"

    (tmp_path / "token").write_text("x")
    assert clusters(KUBERNETES_SERVICE_HOST="10.0.0.1") == (ClusterSetting("main", "", "in-cluster"),)
    assert clusters() == ()
    assert clusters(KUBERNETES_SERVICE_HOST="10.0.0.1", KUBECONFIG="/x")[0].setting == "KUBECONFIG"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("main", '"main" is not NAME=KUBECONFIG'),
        ("main=", '"main=" is not NAME=KUBECONFIG'),
        ("=/x", '"=/x" is not NAME=KUBECONFIG'),
        ("main=/x,", '"" is not NAME=KUBECONFIG'),
        ("main=/x,,eu=/y", '"" is not NAME=KUBECONFIG'),
        ("main=/x,main=/y", '"main" is named twice'),
        ("m/n=/x", "the cluster 'm/n' is not a name"),
        ("m\N{CYRILLIC SMALL LETTER A}in=/x", "is not a name"),
        ("-=/x", "is not a name"),
        (f"{'m' * 101}=/x", "is not a name"),
    ],
)
def test_what_names_no_cluster_is_a_fault(text: str, words: str) -> None:
    with pytest.raises(Fault) as caught:
        clusters(PARAMEDIC_CLUSTERS=text)

    assert caught.value.where == "PARAMEDIC_CLUSTERS"
    assert words in caught.value.what
    assert caught.value.right
