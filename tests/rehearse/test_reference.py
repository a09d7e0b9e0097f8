"""The reference of rehearsals knows every key, and what it shows goes as told."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from paramedic.rehearse import expectations, scenery, script
from paramedic.rehearse.cluster import spec
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse
from tests.rehearse.staged import RULES, plugins

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "rehearsals.md").read_text()


def keys() -> set[str]:
    found = set()
    for module in (script, scenery, spec, expectations):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, BaseModel):
                found |= {field.alias or name for name, field in model.model_fields.items()}
    return found


@pytest.mark.parametrize("key", sorted(keys()))
def test_every_key_is_on_the_page(key: str) -> None:
    assert re.search(rf"`{key}`|\b{key}:", PAGE), f'docs/reference/rehearsals.md does not say what "{key}" is'


def words(annotation: Any) -> set[str]:
    """The words of every enumeration and literal in an annotation."""
    return {value for value in getattr(annotation, "__args__", ()) if isinstance(value, str)}


@pytest.mark.parametrize(
    "model",
    [
        *(script.Act, scenery.Answer, script.Away, script.Failing, script.Crash, expectations.Step),
        *(spec.KubeFails, spec.Condition, spec.DeploymentWorld, spec.StatefulSetWorld),
    ],
)
def test_every_word_is_on_the_page(model: type[BaseModel]) -> None:
    found = {word for field in model.model_fields.values() for word in words(field.annotation) if word}
    missing = {word for word in found if not re.search(rf"`{word}`|: {word}\b", PAGE)}
    assert not missing


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_what_it_shows_goes_as_told(block: str) -> None:
    file = read_rehearsals("page.test.yaml", block, plugins(), lambda: pytest.fail("brings its own rules"))
    assert not file.faults
    (rehearsal,) = file.rehearsals
    result = rehearse(rehearsal, plugins(), lambda: 0.0)
    assert result.ok, (result.error, result.findings)


HOW_TO = (ROOT / "docs" / "how-to" / "rehearse-a-playbook.md").read_text()
STEPS = [text for language, text in re.findall(r"```(\w*)\n(.*?)```", HOW_TO, re.DOTALL) if not language]


@pytest.mark.parametrize("block", STEPS)
def test_the_steps_of_the_how_to_are_sound(block: str) -> None:
    """Each is a whole rehearsal, or a part of one, about a service like the one that the page speaks of."""
    lines = [line.removeprefix("   ") for line in block.splitlines()]
    text = "\n".join(lines)
    if "rehearsal:" not in text:
        text = "rehearsal: A part\nwhen: [{at: 0s, alert: {alertname: ServiceDown, job: api}}]\n" + text
    file = read_rehearsals(
        "page.test.yaml", f"{RULES}\n---\n{text}", plugins(), lambda: pytest.fail("has its own rules")
    )
    assert not file.faults
