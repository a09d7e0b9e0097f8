"""Every value that is stored or recorded survives its JSON unchanged (promise 9), whatever is in it."""

import inspect
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core import effects, events, model, outgoing
from paramedic.core.decision import Entry
from paramedic.core.effects import Effect, Page, lane_of
from paramedic.core.events import Acted, AlertsSeen, Applied, Event
from paramedic.core.model import Alert, Evidence, Exemplar, Failure, Incident
from paramedic.core.runs import Value
from paramedic.core.words import Kind, Mode, Purpose, Severity
from tests.core.builders import T0, after, firing, resolved
from tests.core.story import Story, whole_story

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABELS = st.dictionaries(TEXT, TEXT, max_size=3)
SEEN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
EVIDENCE = st.builds(Evidence, TEXT, TEXT, st.integers(0, 2**31)).map(lambda one: (one,))


def through_json(value: Any, kind: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)


@given(TEXT, TEXT, LABELS, LABELS, st.booleans())
@settings(max_examples=50, deadline=None)
def test_alerts(source: str, identity: str, labels: dict[str, str], notes: dict[str, str], fires: bool) -> None:
    alert = Alert(source, identity, labels, notes, fires, T0, None if fires else after(1.5), "http://x")

    assert through_json(alert, Alert) == alert


@given(st.dictionaries(TEXT, SEEN, max_size=3), TEXT, EVIDENCE)
@settings(max_examples=50, deadline=None)
def test_evidence_of_any_shape(seen: dict[str, Any], text: str, evidence: tuple[Evidence, ...]) -> None:
    event = Applied(after(0.000001), Mode.AUTO, 7, 1, text, Failure(Kind.UNKNOWN, text, 1.25), seen, evidence)
    entry = Entry("apply", text, text, text, seen, evidence)

    assert through_json(event, Event) == event
    assert through_json(entry, Entry) == entry


@given(LABELS, TEXT, st.integers(0, 5000))
@settings(max_examples=50, deadline=None)
def test_sightings(labels: dict[str, str], text: str, count: int) -> None:
    exemplars = (Exemplar(text, labels, labels, T0, open=bool(count % 2)),)
    event = AlertsSeen(T0, Mode.SHADOW, "delivery", opened=count, settled=1, exemplars=exemplars, severity=Severity.P0)

    assert through_json(event, Event) == event


def test_acts_with_their_end() -> None:
    event = Acted(T0, Mode.OFF, "älice", "snooze", 3, "lunch\n", after(3600))

    assert through_json(event, Event) == event


def test_a_whole_story_is_recorded_as_it_was() -> None:
    story = whole_story()

    for event in story.events[1]:
        assert through_json(event, Event) == event
    for _, effect in story.asked:
        assert through_json(effect, Effect) == effect
    for _, entry in story.entries:
        assert through_json(entry, Entry) == entry
    assert through_json(story.incident, Incident) == story.incident


@pytest.mark.parametrize("kind", [*get_args(Event), *get_args(Effect)], ids=lambda kind: kind.__name__)
def test_every_kind_is_told_apart_by_its_tag(kind: type[msgspec.Struct]) -> None:
    """Values with nothing but what they need, out of each field's type."""
    value = example(kind)

    again = through_json(value, Event if kind in get_args(Event) else Effect)

    assert (type(again), again) == (kind, value)


def example(kind: type[Any]) -> Any:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return kind(**{field.name: _filled(field.type) for field in info.fields if field.required})


def _filled(kind: msgspec.inspect.Type) -> Any:
    plain: dict[type[Any], Any] = {
        msgspec.inspect.IntType: 5,
        msgspec.inspect.StrType: "text",
        msgspec.inspect.FloatType: 2.5,
        msgspec.inspect.DateTimeType: T0,
        msgspec.inspect.VarTupleType: (),
        msgspec.inspect.DictType: {},
        msgspec.inspect.BoolType: True,
    }
    if isinstance(kind, msgspec.inspect.EnumType):
        return next(iter(kind.cls))
    if isinstance(kind, msgspec.inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, msgspec.inspect.StructType):
        return example(kind.cls)
    return plain[type(kind)]


@pytest.mark.parametrize("module", [model, outgoing, events, effects])
def test_every_value_is_frozen_and_leaves_defaults_out(module: Any) -> None:
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]

    assert kinds
    for kind in kinds:
        assert issubclass(kind, msgspec.Struct)
        assert kind.__struct_config__.frozen, kind
        assert kind.__struct_config__.omit_defaults, kind


def test_a_value_cannot_be_changed() -> None:
    story = Story()
    story.deliver(firing())

    for name in story.incident.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(story.incident, name, getattr(story.incident, name))


def test_absent_fields_take_no_room() -> None:
    story = Story()
    story.deliver(firing(), resolved(ends=5))

    stored = msgspec.json.decode(msgspec.json.encode(story.incident))

    assert {"run", "candidates", "owner", "effects", "past"} & stored.keys() == set()


def test_every_effect_has_its_lane() -> None:
    """Writes need an intent, pages have slots of their own, everything else is safe to repeat."""
    lanes = {kind.__name__: lane_of(example(kind)) for kind in get_args(Effect)}

    assert lanes == {
        "Resolve": "read",
        "Judge": "read",
        "Plan": "read",
        "Apply": "write",
        "Observe": "read",
        "Check": "read",
        "Page": "page",
        "Message": "message",
    }


def test_modes_rank_from_nothing_to_everything() -> None:
    assert [mode.rank for mode in (Mode.FREEZE, Mode.OFF, Mode.SHADOW, Mode.APPROVE, Mode.AUTO)] == [0, 1, 2, 3, 4]
    assert Mode.lowest() is Mode.AUTO
    assert Mode.lowest(None, Mode.SHADOW, Mode.APPROVE) is Mode.SHADOW


def test_words_are_stored_as_themselves() -> None:
    assert msgspec.json.encode([Purpose.UNDO, Severity.P0, Mode.FREEZE]) == b'["undo","P0","freeze"]'
    assert issubclass(Incident, Value)
    assert isinstance(example(Page), Page)
