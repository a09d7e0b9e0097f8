"""Action `http`: planned without touching anything, sent once, judged by what the endpoint promises (promise 3)."""

from typing import Any

import msgspec
import pytest

from paramedic.actions.http import HttpAction
from paramedic.core.model import Change
from paramedic.core.words import Once
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Applied, Reply
from tests.contract.plugin_scene import RESOURCES, Wire, at_once, seen, tools

KEY = "INC-12/1/1/1"
ACTION = HttpAction()


def params(**given: object) -> Any:
    return ACTION.Params.model_validate({"endpoint": "hook", "path": "/act?id=7"} | given)


def plan(**given: object) -> Change:
    return at_once(ACTION.plan(params(**given), seen(), tools()))


def apply(wire: Wire, **given: object) -> Applied:
    return at_once(ACTION.apply(plan(**given).write, KEY, seen(), tools(wire)))


def test_the_plan_is_the_request_as_it_would_be_sent() -> None:
    change = plan(body={"id": "7"}, headers={"X-Reason": "alert"}, timeout="20s", expect=[202], method="PUT")

    assert change.summary == "PUT hook/act?id=7"
    assert change.write == {
        "endpoint": "hook",
        "method": "PUT",
        "path": "/act?id=7",
        "body": {"id": "7"},
        "headers": {"X-Reason": "alert"},
        "timeout": 20.0,
        "expect": [202],
    }
    assert change.undo is None
    assert change.needed


def test_the_plan_leaves_out_what_nobody_said() -> None:
    assert plan().write == {"endpoint": "hook", "method": "POST", "path": "/act?id=7"}


def test_a_plan_survives_being_stored() -> None:
    """The engine keeps the change as JSON between the plan and the write, across processes."""
    change = plan(body={"id": [1, None, "x"]}, expect=[200, 202], undo={"path": "/undo"})
    again = msgspec.json.decode(msgspec.json.encode(change), type=Change)

    assert again == change


@pytest.mark.parametrize("body", [False, 0, "", [], {}])
def test_an_empty_body_is_still_a_body(body: object) -> None:
    wire = Wire()
    apply(wire, body=body)

    assert wire.asked[0]["body"] == (b"" if body == "" and isinstance(body, str) else msgspec.json.encode(body))


def test_the_way_back_is_part_of_the_plan() -> None:
    change = plan(headers={"X-A": "1"}, undo={"method": "DELETE", "path": "/act/7", "body": {"back": True}})

    assert change.undo == {
        "endpoint": "hook",
        "method": "DELETE",
        "path": "/act/7",
        "body": {"back": True},
        "headers": {"X-A": "1"},
    }
    wire = Wire()
    at_once(ACTION.apply(change.undo, KEY + "/undo", seen(), tools(wire)))
    assert (wire.asked[0]["method"], wire.asked[0]["path"]) == ("DELETE", "/act/7")
    assert wire.asked[0]["headers"]["Idempotency-Key"] == KEY + "/undo"


def test_the_digest_covers_everything_that_would_be_sent() -> None:
    """An approval binds to it: whatever is changed afterwards needs another one."""
    variants: list[dict[str, object]] = [
        {},
        {"path": "/act?id=8"},
        {"endpoint": "safe"},
        {"method": "PUT"},
        {"body": {"id": 7}},
        {"body": {"id": "7"}},
        {"headers": {"X-A": "1"}},
        {"expect": [202]},
        {"timeout": 3},
        {"undo": {"path": "/undo"}},
        {"undo": {"path": "/undo", "body": 1}},
    ]
    digests = [plan(**variant).digest for variant in variants]

    assert len(set(digests)) == len(variants)
    assert all(len(digest) == 64 for digest in digests)
    assert plan(body={"a": 1, "b": 2}).digest == plan(body={"b": 2, "a": 1}).digest


@pytest.mark.parametrize("path", ["/hosts//restart", "/hosts/..", "/x%0d%0aHost:%20evil", "/${params.x}"])
@pytest.mark.parametrize("where", ["path", "undo"])
def test_what_an_alert_bent_is_refused_before_it_is_sent(path: str, where: str) -> None:
    bent: dict[str, object] = {"path": path} if where == "path" else {"undo": {"path": path}}
    given = ACTION.Params.model_construct(**(params().__dict__ | params_of(bent)))
    with pytest.raises(Permanent, match="the path"):
        at_once(ACTION.plan(given, seen(), tools()))


def params_of(bent: dict[str, object]) -> dict[str, object]:
    """Parameters as they would be without the first check, so that the second has to see it."""
    match bent:
        case {"undo": {"path": path}}:
            undo = params(undo={"path": "/"}).undo
            return {"undo": undo.model_construct(method="POST", path=path, body=None)}
        case _:
            return bent


def test_a_body_that_cannot_be_sent_is_found_when_planning() -> None:
    with pytest.raises(Permanent, match="cannot be written"):
        plan(body={"note": "\ud800"})
    with pytest.raises(Permanent, match="65536 is the most"):
        plan(body="x" * 70_000)


def test_it_sends_one_request_with_the_key() -> None:
    wire = Wire([Reply(202, {}, b"taken")])
    applied = apply(wire, body={"id": "7"}, headers={"X-Reason": "alert"}, timeout="20s")

    assert wire.asked == [
        {
            "endpoint": "hook",
            "method": "POST",
            "path": "/act?id=7",
            "headers": {"Idempotency-Key": KEY, "X-Reason": "alert", "Content-Type": "application/json"},
            "body": b'{"id":"7"}',
            "timeout": 20.0,
        }
    ]
    assert applied.summary == "POST to hook answered 202"
    assert applied.seen == {"status": 202, "answer": "taken"}
    assert applied.exhibits == ()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, None),
        ({"body": "a=1"}, "text/plain; charset=utf-8"),
        ({"body": "a=1", "headers": {"content-type": "application/x-www-form-urlencoded"}}, None),
    ],
)
def test_the_content_type_is_said_once(given: dict[str, object], kind: str | None) -> None:
    wire = Wire()
    apply(wire, **given)

    assert wire.asked[0]["headers"].get("Content-Type") == kind


def test_without_a_timeout_the_endpoints_counts() -> None:
    wire = Wire()
    apply(wire)

    assert wire.asked[0]["timeout"] == 7.0


def test_a_long_answer_is_kept_whole_as_evidence() -> None:
    applied = apply(Wire([Reply(200, {}, b"line\n" * 1000)]))

    assert len(applied.seen["answer"]) <= 200
    [exhibit] = applied.exhibits
    assert (exhibit.name, exhibit.body) == ("answer", b"line\n" * 1000)


@pytest.mark.parametrize(("endpoint", "kind"), [("hook", UnknownOutcome), ("safe", Temporary)])
@pytest.mark.parametrize("answer", [UnknownOutcome("reset by peer"), Reply(500, {}, b""), Reply(502, {}, b"")])
def test_a_lost_answer_is_asked_for_again_only_where_the_key_is_known(
    endpoint: str, kind: type[Exception], answer: Reply | Exception
) -> None:
    wire = Wire([answer])
    with pytest.raises(kind):
        apply(wire, endpoint=endpoint)

    assert len(wire.asked) == 1


def test_a_lost_answer_to_a_get_is_always_asked_for_again() -> None:
    with pytest.raises(Temporary):
        apply(Wire([Reply(500, {}, b"")]), method="GET")


@pytest.mark.parametrize("status", [400, 404, 409, 412, 422])
def test_a_clear_no_is_permanent_and_quoted(status: int) -> None:
    body = b"no host 7\r\n\x1b[31m" + b"x" * 500
    with pytest.raises(Permanent) as caught:
        apply(Wire([Reply(status, {}, body)]), endpoint="safe")

    said = str(caught.value)
    assert said.startswith(f"POST to safe answered {status}: no host 7 [31mxxx")
    assert said.isprintable()
    assert len(said) < 250


@pytest.mark.parametrize(("status", "headers"), [(429, {"Retry-After": "7"}), (503, {"Retry-After": "7"})])
def test_the_target_may_ask_us_to_wait(status: int, headers: dict[str, str]) -> None:
    with pytest.raises(Temporary) as caught:
        apply(Wire([Reply(status, headers, b"")]))

    assert caught.value.delay == 7


def test_statuses_that_mean_done_can_be_named() -> None:
    assert apply(Wire([Reply(404, {}, b"")]), method="DELETE", expect=[204, 404]).seen["status"] == 404
    with pytest.raises(Permanent, match="answered 204"):
        apply(Wire([Reply(204, {}, b"")]), method="DELETE", expect=[404])


@pytest.mark.parametrize("error", [Refused("the switch is at off"), Temporary("refused"), Permanent("no token")])
def test_what_the_gate_and_the_wire_say_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        apply(Wire([error]))


def test_an_endpoint_that_is_gone_sends_nothing() -> None:
    wire = Wire()
    with pytest.raises(Permanent, match="there is no endpoint hook"):
        at_once(ACTION.apply(plan().write, KEY, seen(endpoints={}), tools(wire)))

    assert wire.asked == []


@pytest.mark.parametrize(
    ("endpoint", "method", "once"),
    [
        ("hook", "POST", Once.NONE),
        ("hook", "DELETE", Once.NONE),
        ("safe", "POST", Once.KEY),
        ("hook", "GET", Once.KEY),
        ("lost", "POST", Once.NONE),
    ],
)
def test_what_keeps_it_from_happening_twice(endpoint: str, method: str, once: Once) -> None:
    assert ACTION.once(params(endpoint=endpoint, method=method), RESOURCES) is once


def test_only_a_get_changes_nothing() -> None:
    changing = {method: ACTION.mutates(params(method=method)) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}

    assert changing == {"GET": False, "POST": True, "PUT": True, "PATCH": True, "DELETE": True}


def test_how_long_it_takes_and_what_it_refers_to() -> None:
    assert ACTION.takes(params(), RESOURCES) == 7.0
    assert ACTION.takes(params(timeout="20s"), RESOURCES) == 20.0
    assert ACTION.takes(params(endpoint="lost"), RESOURCES) == 30.0
    ACTION.refers(params(), RESOURCES)
    with pytest.raises(Fault, match='endpoint: there is no endpoint "lost"; endpoints: hook, safe'):
        ACTION.refers(params(endpoint="lost"), RESOURCES)


def test_whether_a_key_has_arrived_cannot_be_asked() -> None:
    assert at_once(ACTION.observe(plan().write, KEY, seen(), tools())) is None


@pytest.mark.parametrize(
    "bad",
    [
        {"endpoint": "http://evil.example"},
        {"endpoint": "${params.endpoint}"},
        {"endpoint": ""},
        {"method": "HEAD"},
        {"method": "post"},
        {"path": "act"},
        {"path": "//evil.example"},
        {"path": "/a/../b"},
        {"headers": {"Authorization": "x"}},
        {"headers": {"X": "a\nb"}},
        {"headers": {f"X-{n}": "1" for n in range(21)}},
        {"headers": {"X": 1}},
        {"timeout": "301s"},
        {"timeout": -1},
        {"expect": [199]},
        {"expect": [600]},
        {"expect": list(range(200, 230))},
        {"undo": {"method": "POST"}},
        {"undo": {"path": "x"}},
        {"undo": {"path": "/x", "endpoint": "other"}},
        {"url": "http://evil.example"},
    ],
)
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        params(**bad)
