"""Guard `targets`: so many named things and no more; what is empty or a wildcard never means everything (promise 5)."""

from typing import Any

import pytest
from msgspec import structs

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.guards.targets import Targets
from tests.contract.plugin_scene import RUN, at_once, seen, tools


def judge(value: Any = "node-1", target: str = "main/shop/deployment/api", **params: object) -> Verdict:
    guard = Targets()
    run = structs.replace(RUN, params={"nodes": value, "zone": "a"})
    given = guard.Params.model_validate({"of": ["nodes"]} | params)
    return at_once(guard.judge(given, seen(run=run, target=target), tools()))


def test_one_target_and_one_name_are_allowed() -> None:
    verdict = judge()

    assert (verdict.answer, verdict.reason) == (Answer.ALLOW, "one target, nodes names 1")
    assert verdict.seen == {"target": "main/shop/deployment/api", "nodes": 1}


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("a,b,c", 3),
        ("a, b , c", 3),
        ("a b\tc", 3),
        ("a;b;c", 3),
        (" a,b,c ", 3),
        ("a,a,a", 1),
        ("a", 1),
        (7, 1),
    ],
)
def test_what_is_counted(value: object, count: int) -> None:
    assert judge(value, max=3).seen["nodes"] == count
    assert judge(value, max=3).answer is Answer.ALLOW
    if count > 1:
        assert judge(value, max=count - 1).reason == f"nodes names {count}, at most {count - 1} are wanted"


def test_one_is_the_most_unless_said_otherwise() -> None:
    assert judge("a,b").answer is Answer.DENY


@pytest.mark.parametrize("value", ["", "   ", ",", "a,", ",a", "a,,b", "a, ,b"])
def test_an_empty_name_never_means_all(value: str) -> None:
    verdict = judge(value, max=100)

    assert verdict.answer is Answer.DENY
    assert "names nothing" in verdict.reason or "an empty name could mean everything" in verdict.reason


@pytest.mark.parametrize("name", ["*", "node-*", "node-?", "node-[12]", "{a}", "^a", "a$", "a|b", "a\\b", ".*"])
def test_a_wildcard_is_refused_in_a_parameter_and_in_the_target(name: str) -> None:
    assert judge(name, max=100).answer is Answer.DENY
    assert judge(target=f"main/shop/deployment/{name}").answer is Answer.DENY
    assert "could mean more than one" in judge(target=f"main/{name}/deployment/api").reason


@pytest.mark.parametrize("target", ["", "/", "hook/", "/api", "main//deployment/api", "main/ /deployment/api"])
def test_a_target_with_an_empty_part_is_refused(target: str) -> None:
    assert judge(target=target).answer is Answer.DENY


@pytest.mark.parametrize("name", ["a\u202eb", "a\x00b", "a\u200bb", "\ufeff"])
def test_what_cannot_be_seen_is_refused_and_shown(name: str) -> None:
    verdict = judge(name)

    assert verdict.answer is Answer.DENY
    assert "holds what cannot be seen" in verdict.reason
    assert verdict.reason.isprintable()


def test_a_huge_value_makes_a_short_reason() -> None:
    for value in ("a" * 65536, "*" * 65536, ",".join(str(n) for n in range(20_000))):
        verdict = judge(value, target=f"hook/{value}")
        assert len(verdict.reason) <= 400
        assert len(str(verdict.seen)) < 500


def test_a_parameter_that_the_run_lacks_is_unknown() -> None:
    """Promise 11."""
    verdict = judge(of=["pods"])

    assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, 'the run has no parameter "pods"')


def test_without_parameters_the_target_alone_is_looked_at() -> None:
    assert judge("*", of=[]).reason == "one target"


@pytest.mark.parametrize("bad", [{"max": 0}, {"max": 101}, {"of": ["Nodes"]}, {"of": "nodes"}, {"of": ["${x}"]}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Targets.Params.model_validate(bad)
