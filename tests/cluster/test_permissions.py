"""Permissions as plug-ins declare them: taken apart, merged, and asked about."""

import pytest

from paramedic.clients.kube.targets import PERMISSIONS
from paramedic.cluster.permissions import Permission, parse_permission, review, rules_of
from paramedic.errors import Fault
from paramedic.plugin import Plugin, discover

PLUGINS = discover()
DECLARED = sorted(
    {
        *PERMISSIONS,
        *(
            permission
            for folder in (PLUGINS.actions, PLUGINS.guards, PLUGINS.checks)
            for plugin in folder.values()
            for permission in plugin.permissions
        ),
    }
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("get pods", Permission("", "pods", "", "get")),
        ("get pods/log", Permission("", "pods", "log", "get")),
        ("create pods/eviction", Permission("", "pods", "eviction", "create")),
        ("patch deployments.apps", Permission("apps", "deployments", "", "patch")),
        ("patch deployments.apps/scale", Permission("apps", "deployments", "scale", "patch")),
        ("get events.events.k8s.io", Permission("events.k8s.io", "events", "", "get")),
    ],
)
def test_a_permission_is_its_parts_and_back(text: str, parts: Permission) -> None:
    assert parse_permission(text) == parts
    assert str(parts) == text


@pytest.mark.parametrize("text", ["", "get", "get  pods", "GET pods", "get pods/", "get pods/log/x", "get *", "* pods"])
def test_what_is_none_is_a_fault(text: str) -> None:
    with pytest.raises(Fault, match="is not VERB RESOURCE"):
        parse_permission(text)


@pytest.mark.parametrize("text", DECLARED)
def test_everything_declared_can_be_read(text: str) -> None:
    assert str(parse_permission(text)) == text


@pytest.mark.parametrize("kind", ["actions", "guards", "checks"])
def test_who_uses_a_cluster_declares_permissions_and_nobody_else(kind: str) -> None:
    for plugin in getattr(PLUGINS, kind).values():
        assert isinstance(plugin, Plugin)
        assert bool(plugin.permissions) is ("kube" in plugin.reads | plugin.writes), plugin.name


def test_verbs_are_merged_and_the_order_of_asking_does_not_matter() -> None:
    asked = [parse_permission(text) for text in ("patch deployments.apps", "get pods", "get deployments.apps")]

    assert rules_of(asked) == rules_of(reversed(asked))
    assert rules_of(asked) == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
    ]


def test_the_question_names_what_is_there() -> None:
    assert review(parse_permission("get pods/log"), "shop")["spec"] == {
        "resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "shop"}
    }
    assert review(parse_permission("list deployments.apps"))["spec"] == {
        "resourceAttributes": {"verb": "list", "group": "apps", "resource": "deployments"}
    }


def test_what_has_no_namespace_is_asked_about_without_one() -> None:
    assert "namespace" not in review(parse_permission("get nodes"), "shop")["spec"]["resourceAttributes"]
