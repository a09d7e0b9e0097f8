"""JSON Patch, merge patch and strategic merge patch, as the API server applies them."""

from copy import deepcopy
from typing import Any

import pytest

from paramedic.errors import Changed, Permanent
from paramedic.rehearse.cluster.patches import json_patched, merged
from paramedic.rehearse.cluster.strategic import strategically_merged

DOCUMENT: dict[str, Any] = {
    "metadata": {"name": "a", "annotations": {"x/y": "1", "m~n": "2"}},
    "spec": {"replicas": 3, "list": [1, 2, 3], "none": None, "yes": True},
}


@pytest.mark.parametrize(
    ("operation", "path", "found"),
    [
        ({"op": "replace", "path": "/spec/replicas", "value": 5}, ("spec", "replicas"), 5),
        ({"op": "add", "path": "/spec/new", "value": {"a": 1}}, ("spec", "new"), {"a": 1}),
        ({"op": "add", "path": "/spec/list/1", "value": 9}, ("spec", "list"), [1, 9, 2, 3]),
        ({"op": "add", "path": "/spec/list/-", "value": 9}, ("spec", "list"), [1, 2, 3, 9]),
        ({"op": "add", "path": "/spec/list/3", "value": 9}, ("spec", "list"), [1, 2, 3, 9]),
        ({"op": "remove", "path": "/spec/list/0"}, ("spec", "list"), [2, 3]),
        (
            {"op": "replace", "path": "/metadata/annotations/x~1y", "value": "9"},
            ("metadata", "annotations", "x/y"),
            "9",
        ),
        (
            {"op": "replace", "path": "/metadata/annotations/m~0n", "value": "9"},
            ("metadata", "annotations", "m~n"),
            "9",
        ),
        ({"op": "copy", "from": "/spec/list", "path": "/spec/other"}, ("spec", "other"), [1, 2, 3]),
        ({"op": "move", "from": "/spec/replicas", "path": "/spec/other"}, ("spec", "other"), 3),
        ({"op": "test", "path": "/spec/replicas", "value": 3}, ("spec", "replicas"), 3),
        ({"op": "test", "path": "/spec/list", "value": [1, 2, 3]}, ("spec", "list"), [1, 2, 3]),
        ({"op": "test", "path": "/spec/none", "value": None}, ("spec", "none"), None),
        ({"op": "test", "path": "/spec/absent", "value": None}, ("spec", "replicas"), 3),
    ],
)
def test_a_json_patch_that_fits(operation: dict[str, Any], path: tuple[str, ...], found: Any) -> None:
    before = deepcopy(DOCUMENT)
    value: Any = json_patched(DOCUMENT, [operation])
    for part in path:
        value = value[part]
    assert value == found
    assert before == DOCUMENT


def test_a_moved_value_is_gone_from_where_it_was() -> None:
    moved = json_patched(DOCUMENT, [{"op": "move", "from": "/spec/replicas", "path": "/spec/other"}])
    assert "replicas" not in moved["spec"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/replicas", "value": 4},
        {"op": "test", "path": "/spec/yes", "value": 1},
        {"op": "test", "path": "/spec/absent", "value": 1},
        {"op": "test", "path": "/nothing/here", "value": None},
        {"op": "replace", "path": "/spec/absent", "value": 1},
        {"op": "remove", "path": "/spec/absent"},
        {"op": "remove", "path": "/spec/list/3"},
        {"op": "add", "path": "/spec/list/4", "value": 1},
        {"op": "add", "path": "/spec/list/01", "value": 1},
        {"op": "add", "path": "/nothing/here", "value": 1},
        {"op": "add", "path": "/spec/replicas/x", "value": 1},
        {"op": "add", "path": "/spec/x"},
        {"op": "copy", "from": "/nothing", "path": "/spec/x"},
        {"op": "replace", "path": "spec", "value": 1},
        {"op": "increment", "path": "/spec/replicas", "value": 1},
    ],
)
def test_a_json_patch_that_does_not_fit_changes_nothing(operation: dict[str, Any]) -> None:
    before = deepcopy(DOCUMENT)
    with pytest.raises(Changed, match="does not fit the object"):
        json_patched(DOCUMENT, [{"op": "replace", "path": "/spec/replicas", "value": 9}, operation])
    assert before == DOCUMENT


def test_what_is_no_json_patch() -> None:
    with pytest.raises(Permanent, match="operation 0 of the JSON patch has no path"):
        json_patched(DOCUMENT, [{"op": "add", "value": 1}])
    with pytest.raises(Permanent, match="10001 operations"):
        json_patched(DOCUMENT, [{"op": "test", "path": "/spec/replicas", "value": 3}] * 10_001)


def test_a_merge_patch_removes_by_null_and_replaces_lists() -> None:
    patch = {"metadata": {"annotations": {"x/y": None, "z": "3"}}, "spec": {"list": [9], "new": {"a": 1}}}
    after = merged(DOCUMENT, patch)
    assert after["metadata"]["annotations"] == {"m~n": "2", "z": "3"}
    assert after["spec"] == {"replicas": 3, "list": [9], "none": None, "yes": True, "new": {"a": 1}}
    assert DOCUMENT["spec"]["list"] == [1, 2, 3]


POD: dict[str, Any] = {
    "containers": [
        {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "side", "image": "s:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
    ],
    "volumes": [{"name": "data", "emptyDir": {}}],
    "finalizers": ["one"],
}


def test_lists_of_named_things_merge_by_their_name() -> None:
    patch = {
        "containers": [
            {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]},
            {"name": "side", "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 81}]},
            {"name": "new", "image": "n:1"},
        ],
        "volumes": [{"name": "more"}],
        "finalizers": ["one", "two"],
    }
    after = strategically_merged(POD, patch)
    app, side, new = after["containers"]
    assert app["image"] == "a:2"
    assert app["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}, {"name": "C", "value": "3"}]
    assert side["ports"] == [{"containerPort": 80, "protocol": "TCP", "name": "web"}, {"containerPort": 81}]
    assert (side["image"], new) == ("s:1", {"name": "new", "image": "n:1"})
    assert [one["name"] for one in after["volumes"]] == ["data", "more"]
    assert after["finalizers"] == ["one", "two"]
    assert POD["containers"][0]["image"] == "a:1"


def test_directives_replace_and_delete() -> None:
    gone = strategically_merged(POD, {"containers": [{"name": "side", "$patch": "delete"}]})
    assert [one["name"] for one in gone["containers"]] == ["app"]
    whole = strategically_merged(POD, {"containers": [{"$patch": "replace"}, {"name": "only", "image": "o:1"}]})
    assert whole["containers"] == [{"name": "only", "image": "o:1"}]
    template = {"spec": {"template": {**POD, "metadata": {"labels": {"a": "b"}}}}}
    put_back = strategically_merged(template, {"spec": {"template": {"$patch": "replace", "volumes": []}}})
    assert put_back == {"spec": {"template": {"volumes": []}}}
    assert "volumes" not in strategically_merged(POD, {"volumes": {"$patch": "delete"}})


def test_lists_of_other_things_are_replaced_and_directives_do_not_stay() -> None:
    after = strategically_merged({"args": ["a", "b"]}, {"args": ["c"], "$setElementOrder/containers": [{"name": "a"}]})
    assert after == {"args": ["c"]}
    assert strategically_merged({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {
        "finalizers": ["b"]
    }


def test_a_service_merges_its_ports_by_port() -> None:
    after = strategically_merged({"ports": [{"port": 80, "targetPort": 1}]}, {"ports": [{"port": 80, "targetPort": 2}]})
    assert after == {"ports": [{"port": 80, "targetPort": 2}]}


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(Permanent, match="an item of containers without its name"):
        strategically_merged(POD, {"containers": [{"image": "a:2"}]})
