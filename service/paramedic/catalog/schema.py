"""JSON Schema of the catalog's files, for editors, from the models that validate them. `paramedic schema` prints it.

What plug-ins declare is part of it, so that an editor completes the guards, steps and checks there are, with their
parameters. A schema cannot know names or expressions: what it accepts, `paramedic check` may still refuse.
"""

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from paramedic.catalog.entries import NOUNS
from paramedic.catalog.models import (
    CheckTerms,
    CommunicationEntry,
    EndpointEntry,
    PlaybookEntry,
    PolicyEntry,
    RotaEntry,
    RuleEntry,
    ServiceEntry,
    SourceEntry,
    StepEntry,
    WindowEntry,
)
from paramedic.catalog.people import person_model
from paramedic.plugin import Plugin, Plugins

__all__ = ["people_schema", "playbook_schema", "rules_schema"]

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WITH_EXPRESSION: Schema = {"type": "string", "pattern": r"\$\{", "description": "text with ${...} in it"}


def rules_schema(plugins: Plugins) -> Schema:
    """A document of `rules/*.yaml`: rules and what they name, or a playbook."""
    playbook = playbook_schema(plugins)
    definitions, entries = _entries(plugins)
    definitions |= playbook.pop("$defs")
    playbook.pop("$schema")
    return {
        "$schema": _DIALECT,
        "title": "A file of rules",
        "type": "object",
        "if": {"required": ["playbook"]},
        "then": playbook,
        "else": _sheet(entries),
        "$defs": definitions,
    }


def people_schema(plugins: Plugins) -> Schema:
    """A document that holds people only."""
    definitions, entries = _entries(plugins)
    sheet = _sheet({"people": entries["people"]})
    return {"$schema": _DIALECT, "title": "People", **sheet, "$defs": definitions}


def playbook_schema(plugins: Plugins) -> Schema:
    """A playbook."""
    definitions, playbook = _plain(PlaybookEntry)
    uses = _Uses(definitions)
    properties = playbook["properties"]
    properties["guards"] |= {"items": uses.one_of(plugins.guards)}
    properties["steps"] |= {"items": uses.step(plugins)}
    return {"$schema": _DIALECT, **playbook, "title": "A playbook", "$defs": uses.definitions}


def _sheet(entries: Mapping[str, Schema]) -> Schema:
    lists = {key: {"type": ["array", "null"], "items": entry} for key, entry in entries.items()}
    return {"type": "object", "additionalProperties": False, "properties": lists}


def _entries(plugins: Plugins) -> tuple[Schema, dict[str, Schema]]:
    """Definitions, and for each key of a file of rules what one of its entries looks like."""
    person = person_model(plugins.notifiers)
    models: dict[str, type[BaseModel]] = {
        "sources": SourceEntry,
        "rules": RuleEntry,
        "services": ServiceEntry,
        "people": person,
        "escalation": PolicyEntry,
        "communication": CommunicationEntry,
        "windows": WindowEntry,
        "endpoints": EndpointEntry,
    }
    inputs: list[type[BaseModel]] = [*models.values(), RotaEntry]
    references, whole = models_json_schema([(model, "validation") for model in inputs])
    entries = {key: references[models[key], "validation"] for key in NOUNS}
    rota = references[RotaEntry, "validation"]
    entries["people"] = {"if": {"required": ["rota"]}, "then": rota, "else": entries["people"]}
    return whole["$defs"], entries


def _plain(model: type[BaseModel]) -> tuple[Schema, Schema]:
    """A model's definitions and its own schema."""
    schema = model.model_json_schema()
    return schema.pop("$defs", {}), schema


class _Uses:
    """Schemas of plug-ins as playbooks use them; their definitions are gathered under names of their own."""

    def __init__(self, definitions: Schema) -> None:
        self.definitions = definitions

    def one_of(self, plugins: Mapping[str, Plugin], beside: Schema | None = None) -> Schema:
        """One plug-in's name with its parameters."""
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {name: self._params(plugin, beside or {}) for name, plugin in plugins.items()},
        }

    def step(self, plugins: Plugins) -> Schema:
        """One action with its parameters, and what a step may say beside it."""
        terms, check = _plain(CheckTerms)
        definitions, beside = _plain(StepEntry)
        self.definitions |= terms | definitions
        beside["properties"]["verify"] |= {"items": self.one_of(plugins.checks, check["properties"])}
        actions = {name: self._params(plugin, {}) for name, plugin in plugins.actions.items()}
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {**actions, **beside["properties"]},
            "oneOf": [{"required": [name]} for name in actions],
        }

    def _params(self, plugin: Plugin, beside: Schema) -> Schema:
        """A plug-in's parameters; every one may hold `${...}`, unless the plug-in wants it literal."""
        schema = plugin.Params.model_json_schema(ref_template=f"#/$defs/{plugin.name}.{{model}}")
        for name, definition in schema.pop("$defs", {}).items():
            self.definitions[f"{plugin.name}.{name}"] = _loosened(definition, plugin.escapes)
        schema = _loosened(schema, plugin.escapes)
        schema["description"] = (plugin.__doc__ or "").strip().splitlines()[0] if plugin.__doc__ else plugin.name
        schema.setdefault("properties", {}).update(copy.deepcopy(beside))
        ways: list[Schema] = [schema]
        if plugin.short:
            ways.append(schema["properties"][plugin.short])
        if not schema.get("required"):
            ways.append({"type": "null"})
        return ways[0] if len(ways) == 1 else {"anyOf": ways}


def _loosened(schema: Schema, escapes: Mapping[str, str]) -> Schema:
    """The same, with text with an expression allowed wherever a plug-in does not want its parameter literal."""
    loose = copy.deepcopy(schema)
    for name, field in loose.get("properties", {}).items():
        if escapes.get(name) != "literal":
            loose["properties"][name] = {"anyOf": [field, _WITH_EXPRESSION]}
    return loose
