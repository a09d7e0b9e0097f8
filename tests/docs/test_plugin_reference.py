"""docs/reference/plug-ins.md says what the plug-ins say of themselves, and nothing older."""

import re

import yaml

from paramedic.plugin import discover
from tests.docs.plugin_reference import KINDS, PAGE, REFRESH, render_reference


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == render_reference(discover()), f"the plug-ins have changed; refresh with: {REFRESH}"


def test_every_plugin_and_every_parameter_is_on_it() -> None:
    page = render_reference(discover())
    plugins = discover()
    for kind in KINDS:
        for name, plugin in getattr(plugins, kind).items():
            start = page.index(f"### `{name}`", page.index(f"## {KINDS[kind][0]}\n"))
            section = page[start : page.find("### ", start + 4)]
            for field, info in plugin.Params.model_fields.items():
                assert f"| `{info.alias or field}` |" in section, f"{kind}/{name}: {field}"


def test_its_examples_are_yaml() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", render_reference(discover()), re.DOTALL)

    assert len(examples) >= 8
    assert all(isinstance(yaml.safe_load(example), dict) for example in examples)


def test_a_changed_plugin_changes_the_page() -> None:
    """The comparison above is worth something only if it can fail."""
    plugins = discover()
    before = render_reference(plugins)
    schema = type(plugins.checks["rollout"])
    kept = schema.__doc__
    try:
        schema.__doc__ = "Something else."
        assert render_reference(plugins) != before
    finally:
        schema.__doc__ = kept
