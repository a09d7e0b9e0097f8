"""`paramedic schema`: what an editor wants, for each kind of file."""

import json
from collections.abc import Callable

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Said

Paramedic = Callable[..., Said]


@pytest.mark.parametrize("kind", ["rule", "playbook", "rehearsal", "people"])
def test_each_kind_of_file_has_a_schema(paramedic: Paramedic, kind: str) -> None:
    said = paramedic("schema", kind)
    schema = json.loads(said.out)

    assert (said.code, said.err) == (0, "")
    Draft202012Validator.check_schema(schema)


def test_a_playbook_knows_the_plug_ins_there_are(paramedic: Paramedic) -> None:
    schema = json.loads(paramedic("schema", "playbook").out)
    guards = schema["properties"]["guards"]["items"]["properties"]

    assert {"still_firing", "cooldown", "budget", "when", "not_firing", "window"} <= set(guards)
    assert "http" in schema["properties"]["steps"]["items"]["properties"]


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["rule", "playbook"]])
def test_wrong_usage(paramedic: Paramedic, argv: list[str]) -> None:
    said = paramedic("schema", *argv)

    assert said.code == 2
    assert said.err.startswith("usage: paramedic")
