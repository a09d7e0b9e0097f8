"""A plug-in's use is checked against the plug-in: the right place in the tree, whatever form it was written in."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import Field

from paramedic.catalog.documents import Node, read
from paramedic.catalog.faults import Faults
from paramedic.catalog.plugged import Surroundings, part, plugged, without
from paramedic.catalog.shapes import OPEN
from paramedic.core.bundle import Endpoint
from paramedic.errors import Fault
from paramedic.plugin import Params, Resources
from tests.catalog.texts import PLUGINS, Allowing, Push


def around(faults: Faults) -> Surroundings:
    resources = Resources({"hook": Endpoint("hook", "http://x", idempotent=True)}, {})
    return Surroundings("f", {"params": {"host": "web"}, "labels": OPEN}, resources, faults)


def node_of(text: str) -> Node:
    (document,) = read("f", text, Faults())
    return document.root


def said(faults: Faults) -> list[str]:
    return [str(fault) for fault in faults.sorted()]


def test_a_use_has_its_parameters_compiled_and_validated() -> None:
    faults = Faults()
    use = plugged(around(faults), Push(), node_of('{to: hook, path: "/${params.host}", wait: 5s}'))

    assert said(faults) == []
    assert use is not None
    assert use.params.model_dump(include={"to", "path", "wait"}) == {"to": "hook", "path": "/web", "wait": 5}
    assert use.template.render({"params": {"host": "a b"}}) == {"to": "hook", "path": "/a%20b", "wait": "5s"}
    assert use.at == "f:1"


class Deep(Params):
    items: list[dict[str, int]] = Field([])


class Fussy(Allowing):
    """Names things deep inside."""

    name = "fussy"
    example = "fussy: {items: []}"
    Params = Deep
    escapes: ClassVar[Mapping[str, str]] = {}

    def refers(self, params: Deep, resources: Resources) -> None:
        raise Fault("items.1.b", "is not there", "look")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{items: [{a: 1}, {b: 2}]}", "f:1:22: is not there; look"),
        ("{items: [{a: 1}, {b: x}]}", 'f:1:22: b must be a whole number, not "x"'),
        ("{items: [{a: 1}]}", "f:1:9: is not there; look"),
    ],
)
def test_a_fault_deep_inside_has_its_place(text: str, fault: str) -> None:
    faults = Faults()

    assert plugged(around(faults), Fussy(), node_of(text)) is None
    assert said(faults) == [fault]


def test_what_is_referred_to_is_not_asked_while_a_file_cannot_be_read() -> None:
    faults = Faults(torn=True)

    assert plugged(around(faults), Push(), node_of("{to: elsewhere}")) is not None
    assert said(faults) == []


@pytest.mark.parametrize(
    ("plugin", "text", "params"),
    [
        ("when", "params.host == 'web'", {"condition": True, "text": "params.host == 'web'"}),
        ("when", "{condition: 'true'}", {"condition": True, "text": "true"}),
        ("still_firing", "{}", {}),
    ],
)
def test_a_bare_value_stands_for_one_parameter(plugin: str, text: str, params: dict[str, Any]) -> None:
    faults = Faults()
    use = plugged(around(faults), PLUGINS.guards[plugin], node_of(text))

    assert said(faults) == []
    assert use is not None
    assert use.template.render({"params": {"host": "web"}}) == params


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{still_firing: {for: 1m}}", "still_firing"),
        ("{still_firing: }", "still_firing"),
        ("{nope: {}}", None),
        ("still_firing", None),
        ("[still_firing]", None),
        ("{}", None),
    ],
)
def test_an_item_is_one_name_with_its_parameters(text: str, found: str | None) -> None:
    faults = Faults()
    named = part(around(faults), node_of(text), PLUGINS.guards, "guard")

    assert (named[0] if named else None) == found
    assert len(said(faults)) == (0 if found else 1)


def test_without_any_plug_in_there_is_nothing_to_show() -> None:
    faults = Faults()

    assert part(around(faults), node_of("still_firing"), {}, "guard") is None
    assert said(faults) == ["f:1:1: a guard is one name with its parameters"]


def test_keys_can_be_left_out_with_their_places() -> None:
    node = without(node_of("{a: 1, b: 2, c: 3}"), frozenset("bx"))

    assert (node.value, set(node.keys), set(node.children)) == ({"a": 1, "c": 3}, {"a", "c"}, {"a", "c"})
    assert without(node_of("text"), frozenset("a")).value == "text"
