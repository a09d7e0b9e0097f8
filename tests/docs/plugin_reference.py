"""Writes docs/reference/plug-ins.md from the plug-ins themselves: `python -m tests.docs.plugin_reference`.

`test_plugin_reference.py` fails while the page differs from what `render_reference` makes.
"""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from paramedic.plugin import Action, Notifier, Plugin, Plugins, discover

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "plug-ins.md"
REFRESH = "python -m tests.docs.plugin_reference"

INTRODUCTION = """\
# Plug-ins

What a playbook can do and check, and how people are told. Each is one file in the folder of its kind under
`service/paramedic`; this page is made from them. What a playbook can ask before it acts has
[its own page](guards.md).

A duration is written `30s`, `15m`, `2h30m` or `1w`; a number means seconds. `${...}` takes values from the alert, the
run and its parameters; where it says *percent-encoded* they are, and an empty one is a fault; where it says *escaped
for PromQL* it may stand in the value of a label matcher alone, and an empty one is a fault; where it says *written
out*, there may be no `${...}`.
"""

KINDS = {
    "actions": ("Actions", "A step of a playbook is one action: planned first, then applied, once."),
    "checks": ("Checks", "Questions about the world that verify a step. A check answers pass, fail or unknown."),
    "notifiers": ("Notifiers", "Ways to bring a page to a person, named by the person's `notifier`."),
}
ESCAPES = {
    "url": "percent-encoded",
    "promql": "escaped for PromQL",
    "literal": "written out",
    "cel": "a CEL condition",
    "live": "a CEL condition on the live object",
}


def render_reference(plugins: Plugins) -> str:
    """The page, from all plug-ins there are."""
    parts = [INTRODUCTION]
    for kind, (title, sentence) in KINDS.items():
        found: Mapping[str, Plugin] = getattr(plugins, kind)
        parts.append(f"## {title}\n\n{sentence}\n")
        parts += [section(found[name]) for name in sorted(found)]
    return "\n".join(parts)


def section(plugin: Plugin) -> str:
    """One plug-in: what it does, an example, its parameters, what else it declares."""
    parts = [f"### `{plugin.name}`", inspect.cleandoc(type(plugin).__doc__ or "")]
    if not isinstance(plugin, Notifier):
        parts.append(f"```yaml\n{plugin.example.strip()}\n```")
    rows = list(parameters(plugin.Params.model_json_schema(), plugin.escapes))
    if rows:
        table = ["| parameter | is | unless given | what it says |", "|---|---|---|---|"]
        parts.append(
            "\n".join(table + [f"| `{name}` | {kind} | {other} | {what} |" for name, kind, other, what in rows])
        )
    parts += facts(plugin)
    return "\n\n".join(parts) + "\n"


def facts(plugin: Plugin) -> Iterator[str]:
    """What a plug-in declares beside its parameters."""
    if isinstance(plugin, Action):
        yield f"Undone by: {plugin.undone_by}."
    if isinstance(plugin, Notifier) and plugin.contact:
        yield f"Needs the contact `{plugin.contact}` of a person."
    if plugin.permissions:
        yield "Needs permission to: " + ", ".join(f"`{permission}`" for permission in plugin.permissions) + "."


def parameters(
    schema: Mapping[str, Any], escapes: Mapping[str, str], prefix: str = "", root: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """Name, kind, default and meaning of each parameter, the nested ones under their path."""
    root = root or schema
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        path = prefix + name
        nested = nested_in(field, root)
        kind = "a mapping" if nested else kind_of(field)
        if path in escapes:
            kind += f", {ESCAPES[escapes[path]]}"
        other = "*must be given*" if name in required else default_of(field["default"])
        yield path, kind, other, field["description"].replace("|", "\\|")
        if nested:
            yield from parameters(nested, escapes, f"{path}.", root)


def nested_in(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a mapping with parameters of its own, if the field is one."""
    for option in (field, *field.get("anyOf", [])):
        found: Mapping[str, Any] = root.get("$defs", {}).get(option.get("$ref", "").rpartition("/")[2], {})
        if "properties" in found:
            return found
    return None


def kind_of(field: Mapping[str, Any]) -> str:
    """What a value must be, in a word or two."""
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        options = [option for option in field["anyOf"] if option.get("type") != "null"]
        if len(options) == 1:
            return kind_of(options[0])
        return "duration" if {option.get("type") for option in options} == {"string", "number"} else "text"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "object": "a mapping of text",
    }
    if field.get("type") == "array":
        return f"list of {kind_of(field['items'])}"
    return words.get(field.get("type", ""), "any JSON value")


def default_of(value: Any) -> str:
    """What holds where a parameter is left out."""
    if value in (None, "", [], {}) and value is not False:
        return "nothing"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render_reference(discover()))
