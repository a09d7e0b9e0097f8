"""docs/reference/http-api.md names every route, parameter and field of a body, and the role it needs; no others."""

import re
from pathlib import Path

import pytest

from paramedic.console.openapi import Operation
from tests.console.serving import console_of

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "http-api.md").read_text()
OPERATIONS = console_of().operations()
ROWS = re.findall(r"^\| `(GET|POST|PUT) (/\S+)` \|(.*)\|$", PAGE, re.MULTILINE)


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_route_is_there_and_no_other() -> None:
    served = {(each.method, each.path) for each in OPERATIONS}

    assert {(method, path) for method, path, _ in ROWS} == served


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_a_route_says_what_it_takes_and_needs(operation: Operation) -> None:
    row = next(rest for method, path, rest in ROWS if (method, path) == (operation.method, operation.path))

    if operation.role:
        assert row.strip().endswith(operation.role)
    for name, field in operation.body.model_fields.items() if operation.body is not None else ():
        assert f'"{field.alias or name}"' in row
    for name in operation.query.model_fields if operation.query is not None else ():
        assert f"`{name}`" in section("Reading")


def test_every_refusal_is_there() -> None:
    statuses = {status for each in OPERATIONS for status in each.refusals}

    assert {int(status) for status in re.findall(r"^\| (\d{3}) \|", section("Refusals"), re.MULTILINE)} == statuses
