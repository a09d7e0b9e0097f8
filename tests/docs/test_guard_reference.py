"""docs/reference/guards.md says what the guards say of themselves, what they answer and what they cost."""

import re

import pytest
import yaml

from paramedic.catalog.defaults import BINDING
from paramedic.plugin import discover
from tests.docs.guard_reference import PAGE, REFRESH, answers_of, cost_of, render_guards

GUARDS = discover().guards
TOLD = pytest.mark.parametrize("name", sorted(GUARDS))


@pytest.fixture(scope="module")
def page() -> str:
    return render_guards(discover())


def test_the_page_is_current(page: str) -> None:
    assert PAGE.read_text() == page, f"the guards have changed; refresh with: {REFRESH}"


@TOLD
def test_every_guard_has_its_line_and_its_section(page: str, name: str) -> None:
    line = next(line for line in page.splitlines() if line.startswith(f"| [`{name}`](#{name}) |"))
    section = page.split(f"\n## `{name}`\n", 1)[1].split("\n## `", 1)[0]

    for field, info in GUARDS[name].Params.model_fields.items():
        assert f"`{info.alias or field}`" in line
        assert f"| `{info.alias or field}` |" in section
    assert GUARDS[name].example.strip() in section
    assert "allow" in line
    for permission in GUARDS[name].permissions:
        assert f"`{permission}`" in section


@TOLD
def test_who_reads_costs_something_and_who_does_not_costs_nothing(name: str) -> None:
    assert (cost_of(GUARDS[name]) == "none") is not bool(GUARDS[name].reads)
    assert cost_of(GUARDS[name]) != "0 reads"


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("still_firing", ["allow", "deny (also for now)", "unknown"]),
        ("not_firing", ["allow", "deny"]),
        ("owned", ["allow", "deny"]),
        ("metric", ["allow", "deny (also for now)", "unknown"]),
    ],
)
def test_what_a_guard_answers_is_read_in_its_file(name: str, answers: list[str]) -> None:
    assert list(answers_of(GUARDS[name])) == answers


def test_the_defaults_are_on_it(page: str) -> None:
    for default in BINDING:
        assert f"| `{default.kind}: {{" in page
        assert default.why in page


def test_its_examples_are_yaml(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert len(examples) == len(GUARDS)
    assert all(isinstance(yaml.safe_load(example), dict) for example in examples)


def test_a_changed_guard_changes_the_page(page: str) -> None:
    """The comparison above is worth something only if it can fail."""
    changed = type(GUARDS["cooldown"])
    kept = changed.__doc__
    try:
        changed.__doc__ = "Something else."
        assert render_guards(discover()) != page
    finally:
        changed.__doc__ = kept
