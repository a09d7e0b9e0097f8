"""Check `http`: an answer passes or fails, no answer is unknown; with the wire in hand and with a real server."""

import pytest

from paramedic.checks.http import HttpCheck
from paramedic.clients.answers import LARGEST_ANSWER
from paramedic.clients.http import HttpClient
from paramedic.core.bundle import Endpoint
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Fault, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Reply, Tools
from tests.clients.servers import Peer, serving, unused_port
from tests.contract.plugin_scene import RESOURCES, Wire, at_once, seen, tools


def ask(answer: Reply | Exception, **params: object) -> Verdict:
    return asked(Wire([answer]), **params)


def asked(wire: Wire, **params: object) -> Verdict:
    check = HttpCheck()
    given = check.Params.model_validate({"endpoint": "hook", "path": "/healthz"} | params)
    return at_once(check.ask(given, seen(), tools(wire)))


def test_it_sends_one_get_with_the_endpoints_timeout() -> None:
    wire = Wire()
    verdict = asked(wire, path="/healthz?host=a%20b")

    assert verdict.answer is Answer.PASS
    assert wire.asked == [
        {
            "endpoint": "hook",
            "method": "GET",
            "path": "/healthz?host=a%20b",
            "headers": {},
            "body": None,
            "timeout": 7.0,
        }
    ]


@pytest.mark.parametrize(
    ("status", "params", "answer", "reason"),
    [
        (200, {}, Answer.PASS, "hook answered 200"),
        (503, {}, Answer.FAIL, "hook answered 503, 200 is wanted: all fine"),
        (204, {}, Answer.FAIL, "hook answered 204, 200 is wanted: all fine"),
        (302, {"status": 302}, Answer.PASS, "hook answered 302"),
        (200, {"contains": "fine"}, Answer.PASS, 'hook answered 200, with "fine"'),
        (200, {"contains": "Fine"}, Answer.FAIL, 'hook answered 200, without "Fine"'),
        (500, {"contains": "fine"}, Answer.FAIL, "hook answered 500, 200 is wanted: all fine"),
    ],
)
def test_answers(status: int, params: dict[str, object], answer: Answer, reason: str) -> None:
    verdict = ask(Reply(status, {}, b"all fine\n"), **params)

    assert (verdict.name, verdict.answer, verdict.reason) == ("http", answer, reason)
    assert verdict.seen == {"status": status, "answer": "all fine"}


def test_text_beyond_what_was_read_is_unknown() -> None:
    """Promise 11: absence in a part proves nothing about the whole."""
    assert ask(Reply(200, {}, b"x" * LARGEST_ANSWER), contains="fine").answer is Answer.UNKNOWN
    assert ask(Reply(200, {}, b"x" * (LARGEST_ANSWER - 1)), contains="fine").answer is Answer.FAIL
    assert ask(Reply(200, {}, b"x" * (LARGEST_ANSWER - 4) + b"fine"), contains="fine").answer is Answer.PASS


@pytest.mark.parametrize("error", [Temporary("no route"), Permanent("no token"), UnknownOutcome("lost")])
def test_no_answer_is_unknown_and_keeps_the_reason(error: Exception) -> None:
    verdict = ask(error)

    assert (verdict.answer, verdict.reason) == (Answer.UNKNOWN, str(error))


def test_evidence_is_safe_to_print() -> None:
    verdict = ask(Reply(500, {}, b"\x1b[2J02:14:07  resolved\r\n" * 100))

    assert verdict.reason.isprintable()
    assert verdict.seen["answer"].isprintable()
    assert len(verdict.seen["answer"]) <= 200


@pytest.mark.parametrize("path", ["/a/..", "/a//b", "/x${y}"])
def test_a_path_that_an_alert_bent_is_not_asked(path: str) -> None:
    wire = Wire()
    check = HttpCheck()
    params = check.Params.model_construct(endpoint="hook", path=path, status=200, contains="")

    assert at_once(check.ask(params, seen(), tools(wire))).answer is Answer.UNKNOWN
    assert wire.asked == []


def test_the_endpoint_must_exist() -> None:
    check = HttpCheck()
    check.refers(check.Params.model_validate({"endpoint": "hook", "path": "/"}), RESOURCES)
    with pytest.raises(Fault, match='no endpoint "hok"'):
        check.refers(check.Params.model_validate({"endpoint": "hok", "path": "/"}), RESOURCES)
    assert ask(Reply(200, {}, b""), endpoint="hok").answer is Answer.UNKNOWN


@pytest.mark.parametrize("bad", [{"path": "healthz"}, {"endpoint": "a b"}, {"status": 99}, {"contains": "x" * 1025}])
def test_parameters_that_make_no_sense(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        HttpCheck.Params.model_validate({"endpoint": "hook", "path": "/"} | bad)


async def test_a_real_server_fails_passes_and_is_gone() -> None:
    async def starting(peer: Peer) -> None:
        for status, body in ((503, b"starting"), (200, b'{"status": "ok"}')):
            await peer.take()
            peer.answer(status, body)

    check = HttpCheck()
    params = check.Params.model_validate({"endpoint": "hook", "path": "/healthz", "contains": '"ok"'})
    async with HttpClient(str) as client:
        async with serving(starting) as server:
            scene = seen(endpoints={"hook": server.endpoint()})
            answers = [(await check.ask(params, scene, Tools(http=client))).answer for _ in range(2)]
        gone = seen(endpoints={"hook": Endpoint("hook", f"http://127.0.0.1:{unused_port()}")})
        answers.append((await check.ask(params, gone, Tools(http=client))).answer)

    assert answers == [Answer.FAIL, Answer.PASS, Answer.UNKNOWN]
