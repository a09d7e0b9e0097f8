"""The description of the API is made of what is served: complete, valid, and true about what is answered."""

from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from paramedic.console.openapi import Operation
from paramedic.store.connect import Connection
from tests.console.seed import approval, keep_evidence, told, write
from tests.console.serving import Serving

METHODS = {"get", "post", "put"}


@pytest.fixture
async def document(bare: Serving) -> Any:
    return await bare.get("/api/v1/openapi.json")


def references(value: Any) -> set[str]:
    """Every `$ref` below a value."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(references(item) for item in value.values()))
    return set[str]().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_it_says_what_it_is(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Paramedic"
    assert document["info"]["version"]


async def test_anyone_may_have_it(bare: Serving) -> None:
    assert await bare.status("/api/v1/openapi.json", headers={"Host": "paramedic.example.org"}) == 200


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]

    assert references(document)
    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= set(schemas)


def test_every_schema_is_one(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_routes_that_scripts_rely_on_are_there(document: Any) -> None:
    relied_on = {
        "get /api/v1/incidents",
        "get /api/v1/incidents/{id}",
        "get /api/v1/incidents/{id}/timeline",
        "get /api/v1/runs/{id}",
        "get /api/v1/switch",
        "put /api/v1/switch",
        "get /api/v1/catalog",
        *(f"post /api/v1/incidents/{{id}}/{act}" for act in ("ack", "take", "snooze", "escalate", "close", "note")),
        *(f"post /api/v1/runs/{{id}}/{act}" for act in ("approve", "deny", "cancel")),
    }

    assert relied_on <= {f"{method} {path}" for path, item in document["paths"].items() for method in item}


def test_every_operation_has_a_name_and_says_what_it_needs(document: Any) -> None:
    operations = [(method, item[method]) for item in document["paths"].values() for method in item]
    names = [operation["operationId"] for _, operation in operations]

    assert len(names) == len(set(names))
    for method, operation in operations:
        assert operation["summary"]
        assert {"token": []} in operation["security"]
        reads = method == "get" or operation["operationId"] == "post_explain"
        assert ({} in operation["security"]) is reads, "acting always needs a token"
        assert ("requestBody" in operation) is (method != "get")
        assert ("403" in operation["responses"]) is not reads


def test_a_parameter_has_a_schema_of_its_own(document: Any) -> None:
    listed = {each["name"]: each for each in document["paths"]["/api/v1/incidents"]["get"]["parameters"]}

    assert set(listed) == {"phase", "severity", "since", "q", "open", "cursor", "limit"}
    assert listed["limit"]["schema"] == {
        "default": 50,
        "maximum": 200,
        "minimum": 1,
        "title": "Limit",
        "type": "integer",
    }
    assert listed["since"]["description"].startswith("opened since")
    assert not references([each["schema"] for each in listed.values()])


async def test_what_is_answered_is_what_is_described(console: Serving, seeding: Connection) -> None:
    document = await console.get("/api/v1/openapi.json")
    about = await keep_evidence(seeding, "logs", b"x")
    await write(seeding, approval(7), rows=told("one"))
    names = {"/api/v1/runs/{id}": "7.1"}

    for path, item in document["paths"].items():
        if "get" not in item or "{digest}" in path:
            continue
        answer = await console.get(path.replace("{id}", names.get(path, "7")))
        described = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**described, "components": document["components"]}
        Draft202012Validator(schema).validate(answer)
    assert await console.status(f"/api/v1/evidence/{about.digest}") == 200


async def test_a_refusal_is_described_too(bare: Serving, document: Any) -> None:
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}

    for path, status in (("/api/v1/incidents/99", 404), ("/api/v1/incidents/x", 400)):
        Draft202012Validator(problem).validate(await bare.get(path, status))
        assert str(status) in document["paths"]["/api/v1/incidents/{id}"]["get"]["responses"]


def test_an_operation_without_a_body_of_json_is_text() -> None:
    from paramedic.console.openapi import document as described

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    made = described([Operation("GET", "/x", "x", handler, None, refusals=())], "1")

    assert made["paths"]["/x"]["get"]["responses"] == {
        "200": {"description": "done", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
