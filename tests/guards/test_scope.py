"""Guard `scope`: only targets that are on the list, and none that is on the other."""

import time

import pytest

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.guards.scope import Scope
from tests.contract.plugin_scene import at_once, seen, tools

API = "main/shop/deployment/api"


def judge(target: str = API, **params: object) -> Verdict:
    guard = Scope()
    return at_once(guard.judge(guard.Params.model_validate(params), seen(target=target), tools()))


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (API, True),
        ("main/shop/deployment/*", True),
        ("*/*/*/*", True),
        ("main/shop/*/api", True),
        ("ma*/s*p/dep*/a*i", True),
        ("main/*/deployment/a*p*", True),
        ("main/shop/deployment/apis", False),
        ("main/shop/deployment/ap", False),
        ("other/shop/deployment/api", False),
        ("main/shop/statefulset/*", False),
        ("main/shop/Deployment/api", False),
        ("*/sho/*/*", False),
    ],
)
def test_what_a_pattern_fits(pattern: str, fits: bool) -> None:
    """As allowed and as forbidden it is the same, turned round."""
    assert judge(allow=[pattern]).answer is (Answer.ALLOW if fits else Answer.DENY)
    assert judge(deny=[pattern]).answer is (Answer.DENY if fits else Answer.ALLOW)


def test_the_reason_names_the_pattern() -> None:
    assert judge(allow=["a/b/c/d", "main/*/*/*"]).reason == f"{API} is in scope: main/*/*/*"
    assert judge(deny=["a/b/c/d", "main/*/*/*"]).reason == f"{API} is out of scope: main/*/*/*"
    assert judge(allow=["a/b/c/d", "e/f/g/h"]).reason == f"{API} is not in scope: none of a/b/c/d, e/f/g/h"
    assert judge(deny=["a/b/c/d"]).reason == f"{API} is in scope, nothing excludes it"
    assert judge(allow=[API]).seen == {"target": API, "patterns": [API]}


def test_what_is_forbidden_stays_forbidden() -> None:
    assert judge(allow=["*/*/*/*"], deny=["*/shop/*/*"]).answer is Answer.DENY
    assert judge(namespaces=["*"], except_namespaces=["sh*"]).answer is Answer.DENY
    assert judge(allow=["*/*/*/*"], except_namespaces=["shop"]).answer is Answer.DENY
    assert judge(deny=[API], namespaces=["shop"]).answer is Answer.DENY


def test_every_list_that_allows_must_allow() -> None:
    assert judge(allow=["main/*/*/*"], namespaces=["shop"]).answer is Answer.ALLOW
    assert judge(allow=["main/*/*/*"], namespaces=["bank"]).answer is Answer.DENY
    assert judge(allow=["other/*/*/*"], namespaces=["shop"]).answer is Answer.DENY


def test_a_namespace_is_a_whole_name() -> None:
    assert judge("main/shop-admin/deployment/api", namespaces=["shop"]).answer is Answer.DENY
    assert judge("main/kube-system/deployment/api", except_namespaces=["kube-*"]).answer is Answer.DENY
    assert judge("shop/bank/deployment/shop", namespaces=["shop"]).answer is Answer.DENY


@pytest.mark.parametrize(
    "target",
    [
        "",
        "api",
        "hook/api",
        "main/shop/deployment",
        "main/shop/deployment/api/scale",
        "main//deployment/api",
        "main/shop/deployment/",
        "main/shop/deployment/*",
        "main/shop/deployment/api\n",
        "main/shop/deployment/../api",
        "main/shop/deployment/\u202eipa",
        "main/sh\u043ep/deployment/api",
        "main/shop/deployment/" + "a" * 65536,
    ],
)
def test_what_is_no_target_of_four_names_is_unknown(target: str) -> None:
    """Promise 11: also where everything is allowed."""
    verdict = judge(target, allow=["*/*/*/*"])

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.reason.isprintable()
    assert len(verdict.reason) < 250
    assert len(str(verdict.seen)) < 250


def test_a_long_name_is_compared_quickly() -> None:
    """What an alert says cannot make a pattern take long."""
    started = time.perf_counter()
    judge("main/shop/deployment/" + "a" * 253, allow=["*a*/*a*/*a*/*a*b"])
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"allow": []},
        {"namespaces": []},
        {"allow": [], "deny": ["a/b/c/d"]},
        {"deny": []},
        {"allow": ["api"]},
        {"allow": ["a/b/c"]},
        {"allow": ["a/b/c/d/e"]},
        {"allow": ["a/b/c/d*e*f*"]},
        {"allow": ["a/b/c/[ab]"]},
        {"allow": "a/b/c/d"},
        {"namespaces": ["a/b"]},
        {"namespaces": [""]},
    ],
)
def test_a_list_that_is_empty_or_no_list_of_patterns_is_a_fault(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Scope.Params.model_validate(bad)
