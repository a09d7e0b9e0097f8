"""The contract of the plug-ins, asked of every one there is: a new file is held to it without being named here."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from pydantic import BaseModel, ValidationError

import paramedic
from paramedic.core.matching import Matcher
from paramedic.core.model import Change, Verdict
from paramedic.core.words import Answer, Once
from paramedic.errors import Permanent
from paramedic.plugin import Action, Check, Guard, Notifier, Plugin, discover
from tests.contract.plugin_scene import (
    ACCEPTED,
    HOOK,
    MESSAGE,
    PAGE,
    RESOURCES,
    Wire,
    at_once,
    credential,
    seen,
    tools,
)

PLUGINS = discover()
PORTS = frozenset({"http", "kube", "metrics", "changes", "alerts"})
ESCAPES = frozenset({"url", "promql", "literal", "cel", "live"})
FOLDERS: Mapping[str, Mapping[str, Plugin]] = {
    "actions": PLUGINS.actions,
    "guards": PLUGINS.guards,
    "checks": PLUGINS.checks,
    "notifiers": PLUGINS.notifiers,
}
ALL = [(folder, name, plugin) for folder, found in FOLDERS.items() for name, plugin in found.items()]
EVERY = pytest.mark.parametrize(("folder", "name", "plugin"), ALL, ids=[f"{f}/{n}" for f, n, _ in ALL])


def example_of(plugin: Plugin) -> Any:
    """The parameters of a plug-in's example, a bare value under the name that it is short for."""
    document = yaml.safe_load(plugin.example)
    assert list(document) == [plugin.name], "the example is a mapping with the plug-in's name as its only key"
    given = document[plugin.name]
    return given if isinstance(given, dict) else {plugin.short: given}


def source_of(plugin: Plugin) -> tuple[Path, ast.Module]:
    path = Path(inspect.getfile(type(plugin)))
    return path, ast.parse(path.read_text())


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The parameters and whatever models they hold."""
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models_of(part)


def test_there_is_what_the_first_playbooks_need() -> None:
    assert set(PLUGINS.actions) >= {"http"}
    assert set(PLUGINS.guards) >= {"still_firing", "cooldown", "budget", "when", "not_firing", "window"}
    assert set(PLUGINS.checks) >= {"alert_cleared", "http"}
    assert set(PLUGINS.notifiers) >= {"log", "webhook"}


@EVERY
def test_its_name_is_its_files(folder: str, name: str, plugin: Plugin) -> None:
    path, _ = source_of(plugin)

    assert plugin.name == name == path.stem
    assert path.parent.name == folder
    assert name.isidentifier()


@EVERY
def test_it_says_what_it_does(folder: str, name: str, plugin: Plugin) -> None:
    """The reference is made of these sentences: the class tells users, the module tells developers."""
    for text in (type(plugin).__doc__, sys.modules[type(plugin).__module__].__doc__, plugin.Params.__doc__):
        assert text is not None
        assert len(text.split()) >= 3
        assert text.strip().endswith(".")


@EVERY
def test_its_example_validates(folder: str, name: str, plugin: Plugin) -> None:
    plugin.Params.model_validate(example_of(plugin))


@EVERY
def test_its_example_can_stand_in_one_line_of_a_message(folder: str, name: str, plugin: Plugin) -> None:
    assert yaml.safe_load(" ".join(plugin.example.split())) == yaml.safe_load(plugin.example)


@EVERY
def test_an_unknown_parameter_is_a_fault(folder: str, name: str, plugin: Plugin) -> None:
    for model in models_of(plugin.Params):
        assert model.model_config.get("extra") == "forbid", model
        assert model.model_config.get("frozen") is True, model
    with pytest.raises(ValidationError, match="surplus"):
        plugin.Params.model_validate({**example_of(plugin), "surplus": 1})


@EVERY
def test_every_parameter_is_described(folder: str, name: str, plugin: Plugin) -> None:
    for model in models_of(plugin.Params):
        for field, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{field}"
            assert not info.description.endswith("."), f"{model.__name__}.{field}: a phrase, not a sentence"


@EVERY
def test_parameters_have_a_schema_for_editors(folder: str, name: str, plugin: Plugin) -> None:
    schema = plugin.Params.model_json_schema()

    assert schema["additionalProperties"] is False


@EVERY
def test_its_ports_are_known_and_its_escapes_mean_something(folder: str, name: str, plugin: Plugin) -> None:
    assert plugin.reads <= PORTS
    assert plugin.writes <= PORTS
    assert set(plugin.escapes.values()) <= ESCAPES
    for path in (*plugin.escapes, *([plugin.short] if plugin.short else [])):
        model: Any = plugin.Params
        for step in path.split("."):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            field = fields[step]
            parts = (field.annotation, *getattr(field.annotation, "__args__", ()))
            model = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)), None)


@EVERY
def test_a_path_is_always_escaped(folder: str, name: str, plugin: Plugin) -> None:
    """A value out of an alert inside a URL is percent-encoded, wherever a plug-in takes a path."""
    for model, prefix in ((model, "" if model is plugin.Params else "undo.") for model in models_of(plugin.Params)):
        if "path" in model.model_fields:
            assert plugin.escapes.get(f"{prefix}path") == "url"


@EVERY
def test_a_query_is_always_escaped(folder: str, name: str, plugin: Plugin) -> None:
    """A value out of an alert inside PromQL stays a value, wherever a plug-in takes a query."""
    if "query" in plugin.Params.model_fields:
        assert plugin.escapes.get("query") == "promql"


@EVERY
def test_it_imports_no_other_plugin_and_no_library_of_the_outside(folder: str, name: str, plugin: Plugin) -> None:
    _, tree = source_of(plugin)
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    others = tuple(f"paramedic.{kind}" for kind in FOLDERS)

    assert not [module for module in imported if module.startswith(others)]
    assert not [module for module in imported if module.split(".")[0] in {"aiohttp", "asyncio", "os", "socket"}]
    assert all(paramedic.__name__ not in module or module.count(".") for module in imported)


@EVERY
def test_it_keeps_nothing_between_two_calls(folder: str, name: str, plugin: Plugin) -> None:
    """One object serves all incidents at once: whatever it remembered would be another incident's."""
    assert vars(plugin) == {}


@pytest.mark.parametrize("action", PLUGINS.actions.values(), ids=PLUGINS.actions)
def test_an_action_says_what_keeps_it_from_happening_twice_and_how_it_is_undone(action: Action) -> None:
    params = action.Params.model_validate(example_of(action))

    assert isinstance(action.once(params, RESOURCES), Once)
    assert len(action.undone_by.split()) >= 2
    assert 0 < action.takes(params, RESOURCES) <= 3600
    assert bool(action.writes) is action.mutates(params), "what changes nothing writes through no port"


@pytest.mark.parametrize("action", PLUGINS.actions.values(), ids=PLUGINS.actions)
def test_an_action_says_what_it_refuses_in_phrases(action: Action) -> None:
    """The reference lists them as they are; whoever writes to a cluster always refuses something."""
    assert action.refuses or "kube" not in action.writes
    assert len(set(action.refuses)) == len(action.refuses)
    for phrase in action.refuses:
        assert len(phrase.split()) >= 3
        assert phrase.isprintable()
        assert not phrase.endswith(".")


@pytest.mark.parametrize("action", [a for a in PLUGINS.actions.values() if not a.reads], ids=lambda a: a.name)
def test_an_action_that_reads_nothing_plans_at_once_and_touches_no_port(action: Action) -> None:
    wire = Wire()
    change = at_once(action.plan(concrete(action), seen(), tools(wire)))

    assert isinstance(change, Change)
    assert change.summary
    assert change.summary.isprintable()
    assert len(change.digest) == 64
    assert wire.asked == []


@pytest.mark.parametrize("guard", [g for g in PLUGINS.guards.values() if not g.reads], ids=lambda g: g.name)
def test_a_guard_that_reads_nothing_answers_at_once(guard: Guard) -> None:
    wire = Wire()
    verdict = at_once(guard.judge(concrete(guard), seen(), tools(wire)))

    assert isinstance(verdict, Verdict)
    assert verdict.answer in {Answer.ALLOW, Answer.DENY, Answer.UNKNOWN}
    assert verdict.name == guard.name
    assert verdict.reason
    assert verdict.reason.isprintable()
    assert wire.asked == []


@pytest.mark.parametrize("guard", PLUGINS.guards.values(), ids=PLUGINS.guards)
def test_a_guard_writes_nothing_and_watches_matchers(guard: Guard) -> None:
    assert guard.writes == frozenset()
    for matchers in guard.watches(guard.Params.model_validate(example_of(guard))):
        assert matchers, "an empty set of matchers watches everything"
        assert all(isinstance(matcher, Matcher) for matcher in matchers)


@pytest.mark.parametrize("check", PLUGINS.checks.values(), ids=PLUGINS.checks)
def test_a_check_answers_pass_fail_or_unknown_and_only_reads(check: Check) -> None:
    wire = Wire()
    params = concrete(check)
    there = {getattr(params, "endpoint", "hook"): HOOK}
    verdict = at_once(check.ask(params, seen(endpoints=there), tools(wire)))

    assert verdict.answer in {Answer.PASS, Answer.FAIL, Answer.UNKNOWN}
    assert verdict.name == check.name
    assert verdict.claims == ()
    assert check.writes == frozenset()
    assert bool(wire.asked) is ("http" in check.reads)
    assert all(asked["method"] == "GET" for asked in wire.asked)


@pytest.mark.parametrize("notifier", PLUGINS.notifiers.values(), ids=PLUGINS.notifiers)
def test_a_notifier_gives_a_receipt_and_a_dry_one_touches_nothing(notifier: Notifier) -> None:
    wire = Wire([ACCEPTED[notifier.name]] if notifier.name in ACCEPTED else [])
    ports = msgspec.structs.replace(tools(wire), setting=credential)
    receipt = at_once(notifier.send(PAGE, RESOURCES.endpoints, ports))

    assert receipt
    assert len(receipt) <= 200
    assert 0 < notifier.timeout <= 30
    assert bool(wire.asked) is not notifier.dry
    assert bool(notifier.writes) is not notifier.dry


@pytest.mark.parametrize("notifier", PLUGINS.notifiers.values(), ids=PLUGINS.notifiers)
def test_a_notifier_posts_messages_or_says_that_it_cannot(notifier: Notifier) -> None:
    wire = Wire([ACCEPTED[notifier.name]] if notifier.name in ACCEPTED else [])
    work = notifier.post(MESSAGE, RESOURCES.endpoints, msgspec.structs.replace(tools(wire), setting=credential))
    if not notifier.messages:
        with pytest.raises(Permanent, match="cannot post messages"):
            at_once(work)
        return
    ref = at_once(work)

    assert 0 < len(ref) <= 200
    assert notifier.address_fault(MESSAGE.to) == ("", "")
    assert bool(wire.asked) is not notifier.dry
    assert ref.startswith("dry") is notifier.dry


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_notifier_of_a_vendor_is_dry_without_credentials(name: str) -> None:
    wire = Wire()
    notifier = PLUGINS.notifiers[name]

    assert at_once(notifier.send(PAGE, RESOURCES.endpoints, tools(wire))).startswith("dry: ")
    if notifier.messages:
        assert at_once(notifier.post(MESSAGE, RESOURCES.endpoints, tools(wire))).startswith("dry: ")
    assert wire.asked == []


def concrete(plugin: Plugin) -> Any:
    """The example's parameters with every expression replaced by a value, as the engine renders them."""
    return plugin.Params.model_validate(filled(example_of(plugin), plugin))


def filled(value: Any, plugin: Plugin) -> Any:
    match value:
        case dict():
            return {key: filled(item, plugin) for key, item in value.items()} | evaluated(value, plugin)
        case list():
            return [filled(item, plugin) for item in value]
        case str() if "${" in value:
            return value[: value.index("${")] + "x" + value[value.rindex("}") + 1 :]
        case _:
            return value


def evaluated(value: dict[str, Any], plugin: Plugin) -> dict[str, Any]:
    """What the catalog makes of a condition: its value, and beside it its text."""
    for path, mode in plugin.escapes.items():
        if mode == "cel" and path in value:
            return {path: True, "text": value[path]}
    return {}
