"""A playbook's parameters: what a rule gives is checked against what the playbook declares. Pure; routing calls it."""

from collections.abc import Mapping
from typing import Any

from paramedic.core.bundle import Param, Playbook
from paramedic.errors import Fault

__all__ = ["checked_params"]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def checked_params(playbook: Playbook, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the playbook with their values. Raises `Fault` for a missing, unknown or wrong one."""
    for name in given:
        if name not in playbook.params:
            raise Fault(
                f"playbook {playbook.name}",
                f'has no parameter "{name}"',
                f"it has {', '.join(playbook.params) or 'none'}",
            )
    return {name: _checked(playbook.name, param, given) for name, param in playbook.params.items()}


def _checked(playbook: str, param: Param, given: Mapping[str, Any]) -> Any:
    where = f"playbook {playbook}, parameter {param.name}"
    if param.name not in given:
        if param.required:
            raise Fault(where, "is missing")
        return param.default
    value = given[param.name]
    if param.type == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    right = isinstance(value, _TYPES[param.type]) and (param.type == "boolean" or not isinstance(value, bool))
    if not right:
        raise Fault(where, f"is a {type(value).__name__}", f"a {param.type} is wanted")
    if param.type == "string" and not value:
        raise Fault(where, "is empty", "an empty value never stands for everything")
    if param.regex is not None and isinstance(value, str) and param.regex.search(value) is None:
        raise Fault(where, f'"{value}" does not match {param.pattern}')
    return value
