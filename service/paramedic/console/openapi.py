"""What the API offers, as a table of operations, and its description in OpenAPI 3.1 made from that table.

`api`, `acts` and `changes` list their operations; `front` serves them and this description of them, so the two cannot
differ.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from paramedic.console.answers import Handler
from paramedic.console.models import Problem

__all__ = ["Operation", "document"]

_REF = "#/components/schemas/{model}"
_WHY = {
    400: "the request is wrong; `right` says what would be",
    401: "nobody we know",
    403: "the role is missing",
    404: "there is no such thing",
    409: "it cannot be done now, or somebody was first",
    503: "the database is slow or away; see Retry-After",
}
_ABOUT = {
    "id": "INC-12 or 12; of a run, INC-12.1",
    "digest": "sha256 of the evidence, in hex",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `role` is what the caller needs: "" for any reader."""

    method: str
    path: str
    summary: str
    handler: Handler
    answer: type[BaseModel] | None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    role: str = ""
    refusals: Sequence[int] = (400, 401, 404, 503)


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI document of these operations."""
    operations = list(operations)
    models = {model.__name__: model for each in operations for model in (each.answer, each.body) if model is not None}
    models[Problem.__name__] = Problem
    _, schemas = models_json_schema([(models[name], "validation") for name in sorted(models)], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Paramedic",
            "version": version,
            "description": "Reading needs any person's token, or to be on the same machine; acting needs the role.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(each: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": each.summary,
        "operationId": _name_of(each),
        "responses": {"200": _content(each.answer, "done")}
        | {str(status): _content(Problem, _WHY[status]) for status in each.refusals},
        "security": [{"token": []}] if each.role else [{"token": []}, {}],
    }
    if each.role:
        described["description"] = f"Needs the role {each.role}."
    parameters = [_in_path(name) for name in re.findall(r"{(\w+)}", each.path)] + _in_query(each.query)
    if parameters:
        described["parameters"] = parameters
    if each.body is not None:
        described["requestBody"] = {"content": {"application/json": {"schema": _ref(each.body)}}}
    return described


def _name_of(each: Operation) -> str:
    words = [word for word in re.split(r"[/{}._-]+", each.path.removeprefix("/api/v1")) if word]
    return "_".join([each.method.lower(), *words])


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _content(model: type[BaseModel] | None, what: str) -> dict[str, Any]:
    if model is None:
        return {"description": what, "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"description": what, "content": {"application/json": {"schema": _ref(model)}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": _ABOUT[name]}


def _in_query(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=_REF)
    return [
        {"name": name, "in": "query", "schema": about, "description": about.pop("description", "")}
        for name, about in _resolved(schema.get("properties", {}), schema.get("$defs", {})).items()
    ]


def _resolved(value: Any, definitions: dict[str, Any]) -> Any:
    """`value` with its references replaced by what they name: parameters share no components."""
    if isinstance(value, dict):
        if "$ref" in value:
            return _resolved(definitions[value["$ref"].rpartition("/")[2]], definitions)
        return {key: _resolved(item, definitions) for key, item in value.items()}
    return [_resolved(item, definitions) for item in value] if isinstance(value, list) else value
