"""Label and field selectors, as text and as workloads carry them."""

from typing import Any

import pytest

from paramedic.errors import Permanent
from paramedic.rehearse.cluster.selectors import chosen_by, field_selector, label_selector, matches, selector_text


def thing(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "namespace": "shop", "labels": labels}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", True),
        ("app=api", True),
        ("app==api,tier=web", True),
        ("app!=api", False),
        ("zone!=a", True),
        ("app in (api, db)", True),
        ("app notin (api,db)", False),
        ("zone notin (a)", True),
        ("app", True),
        ("zone", False),
        ("!zone", True),
        ("! app", False),
        ("app in (api),tier=web,!zone", True),
        ("example.org/x=", False),
    ],
)
def test_a_label_selector(text: str, chosen: bool) -> None:
    assert chosen_by(thing(app="api", tier="web"), label_selector(text), []) is chosen


@pytest.mark.parametrize(
    "text", ["a in b", "a=b c", "=b", "a=b,", "a in (b", "a gt 3", "a=b,,c=d", "a=é", "a in (x y)", "-a=b", "a==b=c"]
)
def test_what_is_no_label_selector(text: str) -> None:
    with pytest.raises(Permanent, match="unable to parse requirement"):
        label_selector(text)


@pytest.mark.parametrize(
    ("text", "kind", "chosen"),
    [
        ("metadata.name=a", "ConfigMap", True),
        ("metadata.name!=a", "ConfigMap", False),
        ("metadata.namespace==shop,metadata.name=a", "Deployment", True),
        ("status.phase=Running", "Pod", True),
        ("spec.nodeName=", "Pod", True),
        ("spec.nodeName=node-1", "Pod", False),
    ],
)
def test_a_field_selector(text: str, kind: str, chosen: bool) -> None:
    assert chosen_by(thing(), [], field_selector(text, kind)) is chosen


def test_events_are_chosen_by_what_they_are_about() -> None:
    event = {"metadata": {"name": "x"}, "involvedObject": {"kind": "Pod", "name": "api-1"}, "reason": "BackOff"}
    assert chosen_by(event, [], field_selector("involvedObject.name=api-1,involvedObject.kind=Pod", "Event"))
    assert not chosen_by(event, [], field_selector("involvedObject.name=api-2", "Event"))


@pytest.mark.parametrize("text", ["status.phase=Running", "spec.replicas=3", "metadata.labels=x"])
def test_a_kind_is_chosen_only_by_some_fields(text: str) -> None:
    with pytest.raises(Permanent, match="field label not supported"):
        field_selector(text, "Deployment")


def test_what_is_no_field_selector() -> None:
    with pytest.raises(Permanent, match="can't understand it"):
        field_selector("metadata.name", "Pod")


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ({"matchLabels": {"app": "api"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["api", "db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {}}, True),
        ({}, True),
        (None, False),
    ],
)
def test_a_workloads_selector(selector: dict[str, Any] | None, chosen: bool) -> None:
    assert matches(selector, {"app": "api"}) is chosen


def test_a_workloads_selector_as_text_chooses_the_same() -> None:
    selector = {
        "matchLabels": {"app": "api"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["web", "edge"]},
            {"key": "zone", "operator": "DoesNotExist"},
            {"key": "b", "operator": "Exists"},
        ],
    }
    text = selector_text(selector)
    assert text == "app=api,b,tier in (edge,web),!zone"
    assert chosen_by(thing(app="api", tier="web", b="1"), label_selector(text), [])
