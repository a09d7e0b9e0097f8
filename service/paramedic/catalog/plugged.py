"""Plug-ins as playbooks use them: `name: parameters`, checked against the plug-in that has the name.

Parameters are validated here once, with typical values in place of `${...}`; what they refer to is looked up; what the
plug-in says about itself (`once`, its timeout, what it watches) is asked. `playbooks` calls this for guards, steps and
checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from paramedic.catalog.documents import Node
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.shapes import Shape
from paramedic.catalog.templates import Renders, TemplateFault, compile_tree
from paramedic.catalog.wording import say
from paramedic.errors import Fault
from paramedic.plugin import Plugin, Resources

__all__ = ["Plugged", "Surroundings", "part", "plugged", "without"]

P = TypeVar("P", bound=Plugin)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a plug-in is used: the file, what its expressions see, what it may refer to."""

    file: str
    shape: Shape
    resources: Resources
    faults: Faults


@dataclass(frozen=True, slots=True)
class Plugged(Generic[P]):
    """A use of a plug-in: its compiled parameters, and these as validated with typical values."""

    plugin: P
    template: Renders
    params: Any
    at: str


def part(around: Surroundings, node: Node, plugins: Mapping[str, P], noun: str) -> tuple[str, Node] | None:
    """The name and parameters of an item such as `still_firing: {for: 1m}`; None after adding what is wrong."""
    if not isinstance(node.value, dict) or len(node.value) != 1:
        what = f"a {noun} is one name with its parameters"
        around.faults.add(around.file, node.mark, what, _example(node.value, plugins))
        return None
    name = next(iter(node.value))
    if name not in plugins:
        mark = node.key_at([name])
        right = did_you_mean(name, plugins) + f" ({noun}s: paramedic schema playbook)"
        around.faults.add(around.file, mark, f"unknown {noun} {quoted(name)}", right)
        return None
    return name, node.children[name]


def _example(written: Any, plugins: Mapping[str, Plugin]) -> str:
    if isinstance(written, dict) and len(written) > 1:
        return "begin each with -"
    meant = plugins.get(written) if isinstance(written, str) else None
    examples = [one.example for one in ([meant] if meant is not None else plugins.values())]
    return f"write for example {' '.join(examples[0].split())}" if examples else ""


def plugged(around: Surroundings, plugin: P, node: Node) -> Plugged[P] | None:
    """Check the parameters in `node`; None after adding what is wrong with them."""
    spread = _spread(around, plugin, node)
    if spread is None:
        return None
    try:
        template = compile_tree(spread.value, around.shape, plugin.escapes)
        params = plugin.Params.model_validate(template.sample())
        if not around.faults.torn:
            plugin.refers(params, around.resources)
    except TemplateFault as fault:
        around.faults.add(around.file, spread.at(fault.path), fault.what, fault.right)
    except ValidationError as error:
        say(around.file, spread, plugin.Params, error, around.faults, plugin.name)
    except Fault as fault:
        around.faults.add(around.file, spread.at(_steps(fault.where)), fault.what, fault.right)
    else:
        return Plugged(plugin, template, params, f"{around.file}:{node.mark.line}")
    return None


def _spread(around: Surroundings, plugin: Plugin, node: Node) -> Node | None:
    """The parameters as a mapping: nothing is none, and a bare value stands for the parameter `short`."""
    if isinstance(node.value, dict):
        return node
    if node.value is None:
        return replace(node, value={})
    if plugin.short and not isinstance(node.value, list):
        return replace(
            node,
            value={plugin.short: node.value},
            keys={plugin.short: node.mark},
            children={plugin.short: node},
        )
    right = f"write for example {' '.join(plugin.example.split())}"
    around.faults.add(around.file, node.mark, f"{plugin.name} takes a mapping of parameters", right)
    return None


def _steps(where: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in where.split(".")]


def without(node: Node, keys: frozenset[str]) -> Node:
    """The mapping `node` without these keys."""
    if not isinstance(node.value, dict):
        return node
    return replace(
        node,
        value={key: value for key, value in node.value.items() if key not in keys},
        keys={key: mark for key, mark in node.keys.items() if key not in keys},
        children={key: child for key, child in node.children.items() if key not in keys},
    )
