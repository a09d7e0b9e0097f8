"""What every guard is held to, named nowhere: what goes wrong denies, evidence is there and small, text stays text.

Each is asked as the engine asks it, through the jury, with its example's parameters as the catalog compiles them.
"""

import asyncio
import re
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paramedic.core import judging
from paramedic.core.bounds import LARGEST, REASON
from paramedic.core.bundle import GuardSpec
from paramedic.core.effects import Apply, Plan
from paramedic.core.model import Verdict
from paramedic.core.words import Answer, Outcome
from paramedic.engine.jury import Jury
from paramedic.errors import Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Guard, Plugins, Seen, Tools, discover
from paramedic.rehearse.loop import VirtualLoop, virtually
from paramedic.telemetry import Telemetry
from tests.contract.guard_scene import Ports, scene, scope_of, spec_of, structure, with_text
from tests.contract.plugin_scene import Others, episode
from tests.core.builders import book, bundle, firing, guard
from tests.core.story import Story

GUARDS = discover().guards
EVERY = pytest.mark.parametrize("kind", GUARDS)
READING = pytest.mark.parametrize("kind", [name for name, one in GUARDS.items() if one.reads])
PATIENT = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
METACHARACTERS = "\"'`\\{}[]()<>=~!|&*+?.,;:@$#%^/ \t\r\n\x00\x1b\x7f\u202e\u2066\u2028é\U0001d4b3"
WELL = Others([episode("Watchdog", 3600)])
HOSTILE = st.text(st.sampled_from(METACHARACTERS), min_size=1, max_size=60)
WORST = (
    '"} or vector(1) or up{x="',
    "'] || true || object.metadata['",
    "$..[?(@.x)]",
    "${params.namespace}",
    "../../api/v1/secrets",
    "\u202eevil\u2066\u200f",
    "\x1b]0;owned\x07\r\nSet-Cookie: a=b",
    "x" * 65536,
    "\u202e" * 65536,
)


def heard(one: Guard, spec: GuardSpec, ports: Ports, known: Seen, deadline: float = 30.0) -> Verdict:
    """What the guard answers, asked as the engine asks it."""
    jury = Jury(Plugins({}, {one.name: one}, {}, {}), ports.tools(), Telemetry())

    async def story(loop: VirtualLoop) -> tuple[Verdict, ...]:
        return await jury.ask([spec], scope_of(known), known, deadline=deadline)

    (verdict,) = virtually(story)
    return verdict


def texts_of(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for item in pair for text in texts_of(item)]
        case list() | tuple():
            return [text for item in value for text in texts_of(item)]
        case _:
            return []


# -- what goes wrong denies -------------------------------------------------------------------------------------------


def broken(one: Guard, how: BaseException | None) -> Guard:
    """This guard, but it raises, or without an error never answers."""

    class Broken(type(one)):  # type: ignore[misc]
        async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
            if how is None:
                await asyncio.Event().wait()
            raise how or AssertionError

    return Broken()


@EVERY
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (RuntimeError("a defect"), Answer.ERROR),
        (Permanent("not allowed"), Answer.ERROR),
        (Refused("no"), Answer.ERROR),
        (Temporary("not reached"), Answer.UNKNOWN),
        (UnknownOutcome("lost"), Answer.UNKNOWN),
        (TimeoutError(), Answer.UNKNOWN),
    ],
)
def test_an_error_is_an_answer_and_denies(kind: str, error: BaseException, answer: Answer) -> None:
    one = GUARDS[kind]

    verdict = heard(broken(one, error), spec_of(one), Ports(), scene())

    assert (verdict.name, verdict.answer) == (kind, answer)
    assert judging.denials([verdict]) == [verdict]
    assert verdict.again is None, "an error is no reason to wait"


@READING
def test_one_that_never_answers_is_unknown_and_denies(kind: str) -> None:
    one = GUARDS[kind]

    verdict = heard(broken(one, None), spec_of(one), Ports(), scene())

    assert (verdict.name, verdict.answer, verdict.reason) == (kind, Answer.UNKNOWN, "no answer within 30s")
    assert judging.denials([verdict]) == [verdict]


@READING
@pytest.mark.parametrize(
    "error",
    [Permanent("not allowed"), Temporary("not reached"), UnknownOutcome("lost"), RuntimeError("x"), TimeoutError()],
)
def test_while_nothing_can_be_read_it_does_not_allow(kind: str, error: BaseException) -> None:
    """A guard may look after the errors of its ports itself: not even then does it allow what it cannot know."""
    verdict = heard(GUARDS[kind], spec_of(GUARDS[kind]), Ports(raises=error), scene(others=WELL))

    assert verdict.answer in (Answer.ERROR, Answer.UNKNOWN), verdict
    assert verdict.reason


@READING
def test_while_its_ports_hang_it_is_unknown(kind: str) -> None:
    verdict = heard(GUARDS[kind], spec_of(GUARDS[kind]), Ports(hangs=True), scene(others=WELL))

    assert verdict.answer is Answer.UNKNOWN
    assert judging.denials([verdict]) == [verdict]


@pytest.mark.parametrize("kind", [name for name, one in GUARDS.items() if one.asked != "people"])
@pytest.mark.parametrize("answer", [Answer.DENY, Answer.ERROR, Answer.UNKNOWN])
def test_what_is_no_yes_ends_in_the_record_and_not_in_a_write(kind: str, answer: Answer) -> None:
    one = GUARDS[kind]
    story = Story(bundle(book(guards=(guard(kind, inline=not one.reads, asked=one.asked),))))
    story.deliver(firing())
    if one.asked == "last":
        story.judge()
        story.plan()

    story.judge(Verdict(kind, answer, "so it is", {"seen": 1}))

    entry = next(entry for _, entry in story.entries if f"{kind}: so it is" in entry.text and entry.kind == "guards")
    assert entry.seen == {"seen": 1}
    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.REFUSED, [])
    assert bool(story.all_of(Plan)) is (one.asked == "last")


# -- evidence ---------------------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("others", [Others(), Others([episode("KubeAPIDown", 60)])], ids=["quiet", "firing"])
def test_a_yes_or_a_no_has_a_reason_and_evidence(kind: str, others: Others) -> None:
    verdict = heard(GUARDS[kind], spec_of(GUARDS[kind]), Ports(), scene(others=others))

    assert verdict.reason
    if verdict.answer in (Answer.ALLOW, Answer.DENY):
        assert verdict.seen, f"{verdict.answer}: {verdict.reason}"


def assert_small_and_printable(verdict: Verdict) -> None:
    assert len(verdict.reason) <= REASON
    assert len(msgspec.json.encode(verdict.seen)) <= LARGEST
    assert all(text.isprintable() for text in (verdict.reason, *texts_of(verdict.seen)))
    assert all(claim.scope.isprintable() and len(claim.scope) <= 200 for claim in verdict.claims)


def examples(test: Any) -> Any:
    for value in WORST:
        test = example(value=value)(test)
    return test


@EVERY
@PATIENT
@examples
@given(value=HOSTILE)
def test_whatever_an_alert_or_an_object_holds_its_answer_is_small_and_printable(kind: str, value: str) -> None:
    one = GUARDS[kind]

    for known in (scene(value), scene(value, target=value)):
        assert_small_and_printable(heard(one, spec_of(one, given=with_text(one)), Ports(value, (value,)), known))


# -- text stays text --------------------------------------------------------------------------------------------------


@EVERY
@PATIENT
@examples
@given(value=HOSTILE)
def test_no_text_changes_what_is_asked(kind: str, value: str) -> None:
    """Neither the structure of a query, nor which objects are read, nor the path of a request."""
    one = GUARDS[kind]
    plain, hostile = Ports(), Ports()
    spec = spec_of(one, given=with_text(one))
    heard(one, spec, plain, scene("x"))
    heard(one, spec, hostile, scene(value))

    asked = [structure(query) for query in hostile.queries]
    assert asked == [structure(query) for query in plain.queries][: len(asked)]
    assert [place for place in hostile.places if place not in plain.places] == [
        place for place in hostile.places if place not in plain.places and all(map(_a_name, place))
    ]
    assert all(re.fullmatch(r"[!-~]*", path) for path in hostile.paths)
    assert [path.count("/") for path in hostile.paths] == [path.count("/") for path in plain.paths][
        : len(hostile.paths)
    ]


def _a_name(part: str) -> bool:
    """What may stand in the path of an API."""
    return re.fullmatch(r"[A-Za-z0-9.-]{0,253}", part) is not None and ".." not in part


def test_the_test_of_structure_sees_what_it_should() -> None:
    """A guard that put a label into its query as it is would be found out."""

    class Careless(type(GUARDS["metric"])):  # type: ignore[misc]
        escapes: ClassVar[dict[str, str]] = {}

        async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
            await tools.metrics.instant("x", f'up{{ns="{seen.run.params["text"]}"}}', max_age=1.0, timeout=1.0)
            return Verdict("metric", Answer.ALLOW, "fine")

    ports = Ports()
    spec = spec_of(GUARDS["metric"])
    for value in ("shop", '"} or vector(1) or up{x="'):
        heard(Careless(), spec, ports, scene(value))

    assert structure(ports.queries[0]) != structure(ports.queries[1])
