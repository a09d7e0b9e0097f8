"""Conditions on a live object: what is found wrong when they are loaded, what they see, what is too large for them."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from paramedic.catalog.live import compile_live
from paramedic.catalog.shapes import playbook_shape
from paramedic.catalog.templates import TemplateFault, compile_tree
from paramedic.core.bundle import LiveCondition, Param
from paramedic.errors import Fault

SHAPE = playbook_shape({"least": Param("least", "integer")})
SCOPE = {"params": {"least": 2}, "target": {"name": "main/shop/deployment/api"}}
OBJECT: Mapping[str, Any] = {
    "metadata": {
        "name": "api",
        "labels": {"tier": "web"},
        "annotations": {"a/b": "yes", "kubectl.kubernetes.io/last-applied-configuration": "x" * 100_000},
        "managedFields": [{"manager": "x"}] * 5000,
    },
    "spec": {
        "replicas": 3,
        "template": {"spec": {"containers": [{"name": "api", "image": "api:42"}, {"name": "log", "image": "log:1"}]}},
    },
    "status": {"readyReplicas": 0},
}


def holds(text: str, thing: Mapping[str, Any] = OBJECT) -> bool:
    return compile_live(text, SHAPE).render(SCOPE).holds(thing)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("object.spec.replicas >= 2", True),
        ("object.spec.replicas >= 2 && !has(object.spec.paused)", True),
        ("has(object.spec.paused) && object.spec.paused", False),
        ("object.spec.replicas >= params.least", True),
        ("object.status.readyReplicas == 0", True),
        ('object.metadata.annotations["a/b"] == "yes"', True),
        ('object["metadata"]["labels"].tier in ["web", "db"]', True),
        ('object.spec.template.spec.containers.all(c, c.image.startsWith("api"))', False),
        ('object.spec.template.spec.containers.exists(c, c.name == "log")', True),
        ("size(object.spec.template.spec.containers) == 2", True),
        ('target.name.startsWith("main/") && object.spec.replicas == 3', True),
        ("!has(object.metadata.deletionTimestamp)", True),
    ],
)
def test_it_is_decided_on_the_object(text: str, true: bool) -> None:
    assert holds(text) is true


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("params.least > 1", "it does not look at the object"),
        ("true", "it does not look at the object"),
        ("object.spec.replicas", "`object.spec.replicas` is a number, not true or false"),
        ("object.spec.replicas + 1", "`object.spec.replicas + 1` is a number, not true or false"),
        ('object.spec.replicas >= "2"', '`object.spec.replicas >= "2"` mixes kinds of values'),
        ("object.spec.replicas >=", "`object.spec.replicas >=` is not a CEL expression"),
        ("object.spec.replicas > parms.least", '`object.spec.replicas > parms.least`: "parms" refers to nothing'),
        ("object.spec.replicas > params.lest", '`object.spec.replicas > params.lest`: params has no field "lest"'),
        ("open(object.metadata.name) == 1", '`open(object.metadata.name) == 1`: there is no function "open"'),
        (
            "object.spec.a.all(a, object.spec.b.all(b, a == b))",
            "`object.spec.a.all(a, object.spec.b.all(b, a == b))`: a comprehension stands inside another",
        ),
        (
            "object.spec.containers.all(object, true)",
            "`object.spec.containers.all(object, true)`: the variable object hides object",
        ),
    ],
)
def test_what_can_never_work_is_found_when_it_is_loaded(text: str, what: str) -> None:
    with pytest.raises(Fault) as caught:
        compile_live(text, SHAPE)

    assert caught.value.what.startswith(what)


def test_a_field_of_another_kind_of_object_is_no_fault() -> None:
    compile_live("object.spec.somethingOfACustomKind > 2", SHAPE)
    compile_live('object.data["flag"] == "on"', SHAPE)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("object.spec.replica >= 2", OBJECT),
        ("object.spec.replicas >= 2", {}),
        ("object.spec.replicas >= 2", {"spec": "text"}),
        ("object.spec.replicas >= 2", {"spec": {"replicas": "3"}}),
        ("object.spec.replicas >= 2", {"spec": {"replicas": float("nan")}}),
        ("object.spec.paused", {"spec": {"paused": "true"}}),
        ("object.spec.paused", {"spec": {"paused": 1}}),
        ("object.spec.paused", {"spec": {"paused": None}}),
        ('object.metadata.name == "x"', {"metadata": {"name": "\ud800"}}),
    ],
)
def test_what_cannot_be_decided_is_an_error_and_neither_true_nor_false(text: str, thing: Mapping[str, Any]) -> None:
    with pytest.raises(Fault):
        holds(text, thing)


def with_list(items: int) -> Mapping[str, Any]:
    return {"spec": {"list": ["x"] * items, "replicas": 3}}


def with_text(*lengths: int) -> Mapping[str, Any]:
    return {"spec": {"text": {str(n): "x" * length for n, length in enumerate(lengths)}, "replicas": 3}}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return {"spec": {"list": value}}


@pytest.mark.parametrize(
    ("text", "thing", "said"),
    [
        ('object.spec.list.all(i, i == "x")', with_list(257), "object.spec.list: has 257 items; at most 256"),
        ("size(object.spec.text) > 0", with_text(16385), "object.spec.text.0: is a text of 16385 characters"),
        ("size(object.spec.text) > 0", with_text(*[16000] * 9), "object.spec.text.0: and what is before it"),
        ("size(object.spec.text) > 0", with_text(*[1] * 1001), "object.spec.text: has 1001 items; at most 1000"),
        ("size(object.spec.list) == 1", nested(40), "lies too deep; at most 32 levels"),
        ("size(object) > 0", OBJECT, "object.metadata"),
    ],
)
def test_what_is_too_large_is_not_looked_at_and_the_field_is_named(
    text: str, thing: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(Fault) as caught:
        holds(text, thing)

    assert said in str(caught.value)


def test_at_its_bounds_it_is_decided() -> None:
    assert holds('object.spec.list.all(i, i == "x")', with_list(256))
    assert holds("size(object.spec.text) > 0", with_text(*[16_000] * 8))


def test_only_what_it_names_is_handed_over() -> None:
    """An annotation of 100 KB and 5000 managers are beside the point, and cost nothing."""
    assert holds('object.metadata.labels.tier == "web"')
    assert holds('object.metadata.name == "api"', {"metadata": {"name": "api", "annotations": {"a": "x" * 10**6}}})


def test_the_worst_that_passes_is_decided_in_no_time() -> None:
    """CEL holds the interpreter while it runs: its input is bounded so that nothing stands still for long."""
    text = " || ".join(["object.spec.list.exists(i, object.spec.text.matches(i))"] * 4)
    thing = {"spec": {"list": [f"x{n}$" for n in range(256)], "text": "x" * 16_384}}
    began = time.perf_counter()

    assert holds(text, thing) is False
    assert time.perf_counter() - began < 5


def test_what_it_looks_at_is_told_as_evidence() -> None:
    text = 'object.spec.replicas > 1 && object.metadata.annotations["a/b"] == "yes" && has(object.spec.template)'
    condition = compile_live(text, SHAPE).render(SCOPE)

    assert condition.values(OBJECT) == {"object.metadata.annotations.a/b": "yes", "object.spec.replicas": 3}
    assert condition.values({"spec": None}) == {}


def test_a_live_field_becomes_a_condition_that_is_asked_later() -> None:
    template = compile_tree({"condition": "object.spec.replicas > params.least"}, SHAPE, {"condition": "live"})

    for scope, true in ((SCOPE, True), ({**SCOPE, "params": {"least": 5}}, False)):
        condition = template.render(scope)["condition"]
        assert isinstance(condition, LiveCondition)
        assert condition.text == "object.spec.replicas > params.least"
        assert condition.holds(OBJECT) is true
    assert isinstance(template.sample()["condition"], LiveCondition)


@pytest.mark.parametrize("tree", [{"condition": 5}, {"condition": True}, {"condition": "params.least > 1"}])
def test_a_live_field_that_is_none_is_a_fault_at_its_place(tree: Any) -> None:
    with pytest.raises(TemplateFault) as caught:
        compile_tree(tree, SHAPE, {"condition": "live"})

    assert caught.value.path == ("condition",)


def test_an_object_where_none_is_read_is_told_where_one_is() -> None:
    with pytest.raises(Fault) as caught:
        compile_tree({"when": "object.spec.replicas >= 2"}, SHAPE, {"when": "cel"})

    assert caught.value.what == '`object.spec.replicas >= 2`: "object" refers to nothing'
    assert 'the guard "object" reads it' in caught.value.right


@pytest.mark.parametrize("field", ["spec", "status", "metadata"])
def test_an_expression_that_wants_the_object_is_told_how_to_ask_for_it(field: str) -> None:
    with pytest.raises(Fault) as caught:
        compile_tree({"when": f"target.{field}.x >= 2"}, SHAPE, {"when": "cel"})

    assert f'target has no field "{field}", because nothing is read for this expression' in caught.value.what
    assert caught.value.right.startswith(f'the guard "object" reads it: write for example object: "object.{field}.')
