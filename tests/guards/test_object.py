"""`object`: true of the live object allows, false denies, and everything else is an error or unknown."""

from typing import Any

import pytest
import yaml

from paramedic.catalog.shapes import playbook_shape
from paramedic.catalog.templates import compile_tree
from paramedic.cluster.port import NoCluster
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Missing, Permanent, Temporary
from paramedic.guards.object import ObjectGuard
from paramedic.plugin import Tools
from tests.contract.fake_kube import FakeKube, with_revisions, workload
from tests.contract.plugin_scene import RUN, Wire, seen

GUARD = ObjectGuard()
EXAMPLE: str = yaml.safe_load(GUARD.example)["object"]


async def judge(text: str, kube: Any, **scene: Any) -> Verdict:
    """As the engine asks it: the parameter compiled, rendered, validated."""
    template = compile_tree({"condition": text}, playbook_shape({}), GUARD.escapes)
    params = GUARD.validated(template.render({"target": {"name": RUN.target}}))
    return await GUARD.judge(params, seen(**scene), Tools(http=Wire(), kube=kube))


async def test_true_allows_and_says_what_it_saw() -> None:
    verdict = await judge(EXAMPLE, with_revisions())

    assert (verdict.name, verdict.answer, verdict.reason) == ("object", Answer.ALLOW, f"{EXAMPLE} is true")
    assert verdict.seen == {"object.spec.replicas": 3}


@pytest.mark.parametrize(("replicas", "paused"), [(1, None), (3, True), (3, False)])
async def test_false_denies(replicas: int, paused: bool | None) -> None:
    thing = workload(replicas=replicas)
    if paused is not None:
        thing["spec"]["paused"] = paused
    verdict = await judge(EXAMPLE, with_revisions(thing=thing))

    assert (verdict.answer, verdict.reason) == (Answer.DENY, f"{EXAMPLE} is false")


async def test_a_field_that_is_missing_is_an_error() -> None:
    thing = workload()
    del thing["spec"]["replicas"]
    verdict = await judge("object.spec.replicas >= 2", with_revisions(thing=thing))

    assert verdict.answer is Answer.ERROR
    assert '"replicas" is not there' in verdict.reason


async def test_what_is_neither_true_nor_false_is_an_error() -> None:
    thing = workload()
    thing["spec"]["paused"] = "yes"

    assert (await judge("object.spec.paused", with_revisions(thing=thing))).answer is Answer.ERROR


async def test_an_annotation_that_is_too_long_is_an_error_that_names_it_and_shows_little_of_it() -> None:
    thing = workload(annotations={"note": "x\x1b[31m" * 20_000})
    verdict = await judge('object.metadata.annotations["note"] == "x"', with_revisions(thing=thing))

    assert verdict.answer is Answer.ERROR
    assert "object.metadata.annotations.note is a text of 120000 characters" in verdict.reason
    shown = verdict.seen["object.metadata.annotations.note"]
    assert len(shown) <= 120
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("kube", "said"),
    [
        (FakeKube(), "the target cannot be read: deployment api in shop does not exist"),
        (FakeKube(fails={"get": Temporary("not reached")}), "the target cannot be read: not reached"),
        (FakeKube(fails={"get": Missing("gone")}), "the target cannot be read: gone"),
        (FakeKube(fails={"get": Permanent("not allowed: get deployments.apps")}), "the target cannot be read: not all"),
        (NoCluster(), "the target cannot be read: no cluster is configured"),
    ],
)
async def test_what_cannot_be_read_is_unknown(kube: Any, said: str) -> None:
    verdict = await judge(EXAMPLE, kube)

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.reason.startswith(said)


async def test_an_expression_that_was_not_compiled_decides_nothing() -> None:
    params = GUARD.validated({"condition": "true"})
    verdict = await GUARD.judge(params, seen(), Tools(http=Wire(), kube=with_revisions()))

    assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, "true was not compiled")


def test_editors_see_text() -> None:
    assert GUARD.Params.model_json_schema()["properties"]["condition"]["type"] == "string"
