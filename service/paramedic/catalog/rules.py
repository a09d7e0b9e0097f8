"""Sources, endpoints, services and rules → values of `core.bundle`. `load` calls these."""

from collections.abc import Iterable, Mapping
from typing import Any

from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import EndpointEntry, RuleEntry, ServiceEntry, SourceEntry
from paramedic.catalog.shapes import Shape, rule_shape
from paramedic.catalog.templates import Renders, TemplateFault, compile_tree, has_expressions
from paramedic.catalog.wording import validated
from paramedic.clients.url import base_url
from paramedic.core.bundle import OPERATOR, Communication, Endpoint, Param, Playbook, Policy, Rule, Source, dependencies
from paramedic.core.bundle import ServiceEntry as Service
from paramedic.core.matching import Matcher, about
from paramedic.core.words import Mode, Severity
from paramedic.errors import Fault

__all__ = ["depended_on", "endpoints_of", "rules_of", "services_of", "sources_of"]

DEFAULT_SOURCE = "default"

_WANTED: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str, int, float), "text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}
_CONVERSIONS: Mapping[str, str] = {"integer": "int", "number": "double"}


def sources_of(items: Iterable[Item], faults: Faults) -> dict[str, Source]:
    """The sources by name; `default` is always there."""
    found: dict[str, Source] = {DEFAULT_SOURCE: Source(DEFAULT_SOURCE)}
    known_by: dict[str, str] = {}
    for item in items:
        entry = validated(item.file, item.node, SourceEntry, faults, "source")
        if entry is None:
            continue
        if entry.name == OPERATOR:
            faults.add(
                item.file, item.node.at(["name"]), f"{OPERATOR} is what people open by hand", "choose another name"
            )
        for n, address in enumerate(entry.instances):
            _address(item, ["instances", n], address, faults)
        if entry.token is not None and known_by.setdefault(entry.token, entry.name) != entry.name:
            what = f'the source "{known_by[entry.token]}" is known by the same token'
            faults.add(item.file, item.node.at(["token"]), what, "give each source a token of its own")
        found[entry.name] = Source(
            entry.name,
            tuple(entry.instances),
            entry.token or "",
            entry.cluster,
            entry.repeat,
            entry.group_interval,
            entry.storm,
        )
    return found


def endpoints_of(items: Iterable[Item], faults: Faults) -> dict[str, Endpoint]:
    """The endpoints by name. One with a fault stands in for itself, so that nobody is told that it does not exist."""
    found: dict[str, Endpoint] = {}
    for item in items:
        entry = validated(item.file, item.node, EndpointEntry, faults, "endpoint")
        if entry is None:
            found.setdefault(item.name, Endpoint(item.name, ""))
            continue
        url = _address(item, ["url"], entry.url, faults)
        found[entry.name] = Endpoint(entry.name, url, entry.token or "", entry.idempotent, entry.timeout)
    return found


def _address(item: Item, path: list[str | int], text: str, faults: Faults) -> str:
    try:
        return base_url(text)
    except Fault as fault:
        # The address is not shown: it may hold a password.
        faults.add(item.file, item.node.at(path), f"this address {fault.what}", fault.right)
        return ""


def services_of(items: Iterable[Item], faults: Faults) -> tuple[Service, ...]:
    """The services in the order written: the first that matches counts."""
    found: list[Service] = []
    for item in items:
        entry = validated(item.file, item.node, ServiceEntry, faults, "service")
        if entry is not None:
            found.append(Service(entry.match, dict(entry.model_extra or {})))
    return tuple(found)


def depended_on(services: Iterable[Service]) -> tuple[tuple[Matcher, ...], ...]:
    """Matcher sets for the alerts about what some service depends on: the guard `dependency` looks out for them."""
    names = dict.fromkeys(name for one in services for name in dependencies(one.fields))
    return tuple(matchers for name in names for matchers in about(name))


def rules_of(
    items: Iterable[Item],
    playbooks: Mapping[str, Playbook | None],
    policies: Mapping[str, Policy],
    plans: Mapping[str, Communication],
    services: Iterable[Service],
    faults: Faults,
) -> list[Rule]:
    """The rules in the order written. A playbook that is None has a fault of its own."""
    shape = rule_shape(services)
    found: list[Rule] = []
    for item in items:
        entry = validated(item.file, item.node, RuleEntry, faults, "rule")
        if entry is None:
            continue
        templates = _templates(item, entry, shape, faults)
        _check_names(item, entry, playbooks, policies, plans, faults)
        playbook = playbooks.get(entry.playbook)
        if playbook is not None:
            _check_given(item, entry, templates, playbook, faults)
        found.append(
            Rule(
                name=entry.name,
                match=entry.match,
                playbook=entry.playbook,
                severity=Severity(entry.severity) if entry.severity else None,
                incident=tuple(entry.incident),
                with_=templates,
                escalation=entry.escalation or "",
                communication=entry.communication or "",
                mode=Mode(entry.mode) if entry.mode else None,
                storm=entry.storm == "on",
                page_after=entry.page.after,
                page_unless_fixed=entry.page.unless == "fixed",
                at=item.at,
                team=entry.team or "",
            )
        )
    return found


def _templates(item: Item, entry: RuleEntry, shape: Shape, faults: Faults) -> dict[str, Renders]:
    found: dict[str, Renders] = {}
    for name, value in entry.with_.items():
        try:
            found[name] = compile_tree(value, shape, {})
        except TemplateFault as fault:
            faults.add(item.file, item.node.at(["with", name, *fault.path]), fault.what, fault.right)
    return found


def _check_names(
    item: Item,
    entry: RuleEntry,
    playbooks: Mapping[str, Playbook | None],
    policies: Mapping[str, Policy],
    plans: Mapping[str, Communication],
    faults: Faults,
) -> None:
    if faults.torn:
        return
    if entry.playbook not in playbooks:
        right = did_you_mean(entry.playbook, playbooks)
        faults.add(item.file, item.node.at(["playbook"]), f"there is no playbook {quoted(entry.playbook)}", right)
    if entry.escalation is not None and entry.escalation not in policies:
        right = did_you_mean(entry.escalation, policies)
        what = f"there is no escalation policy {quoted(entry.escalation)}"
        faults.add(item.file, item.node.at(["escalation"]), what, right)
    if entry.communication is not None and entry.communication not in plans:
        right = did_you_mean(entry.communication, plans)
        what = f"there is no communication plan {quoted(entry.communication)}"
        faults.add(item.file, item.node.at(["communication"]), what, right)


def _check_given(
    item: Item, entry: RuleEntry, templates: Mapping[str, Renders], playbook: Playbook, faults: Faults
) -> None:
    """`with` gives exactly the parameters that the playbook has."""
    for name in entry.with_:
        if name not in playbook.params:
            what = f'the playbook "{playbook.name}" has no parameter {quoted(name)}'
            faults.add(item.file, item.node.key_at(["with", name]), what, did_you_mean(name, playbook.params))
    for name, param in playbook.params.items():
        if name in templates:
            reason, right = _unfit(param, entry.with_[name], templates[name])
            if reason:
                faults.add(item.file, item.node.at(["with", name]), reason, right)
        elif param.required and name not in entry.with_:
            place: list[str | int] = ["with"] if entry.with_ else ["playbook"]
            what = f'the playbook "{playbook.name}" needs the parameter "{name}"'
            faults.add(item.file, item.node.at(place), what, f"add {name} to `with`")


def _unfit(param: Param, written: Any, template: Renders) -> tuple[str, str]:
    """Why a value cannot be this parameter's, and what would be right; empty where it can."""
    value = template.sample()
    types, wanted = _WANTED[param.type]
    if not isinstance(value, types) or (isinstance(value, bool) and param.type != "boolean"):
        right = ""
        if has_expressions(written) and isinstance(value, str) and param.type in _CONVERSIONS:
            inner = str(written).removeprefix("${").removesuffix("}")
            right = f'write "${{{_CONVERSIONS[param.type]}({inner})}}"'
        return f"{param.name} must be {wanted}, not {_kind(value)}", right
    if has_expressions(written):
        return "", ""
    if value == "":
        return f"{param.name} is empty", "an empty value never stands for everything"
    if param.regex is not None and param.regex.search(str(value)) is None:
        return f"{param.name} does not fit the pattern {quoted(param.pattern)} of the playbook", ""
    return "", ""


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "a mapping"
