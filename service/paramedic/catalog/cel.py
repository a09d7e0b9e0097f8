"""CEL, bounded: the one place that knows the library. `templates` builds on it; conditions are made here.

An expression is compiled when it is loaded and tried out on typical values, so that what cannot work is a fault with a
line number and not an incident at night. The library has no limit on cost and holds the interpreter while it runs, so
the limits are here: length, number and nesting of comprehensions, names and functions on a list, sizes of results.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import cel

from paramedic.catalog.faults import did_you_mean, quoted
from paramedic.catalog.shapes import Shape, typical
from paramedic.catalog.tokens import Reading, read_tokens
from paramedic.errors import Fault

__all__ = ["LONGEST", "LONGEST_LIST", "LONGEST_TEXT", "CelCondition", "Expression", "compile_cel", "compile_condition"]

LONGEST = 1024  # characters of an expression
LONGEST_LIST = 1000  # items of a result
LONGEST_TEXT = 64 * 1024  # characters of a result
MOST_MACROS = 4

_OPERATORS = frozenset(
    ("_+_", "_-_", "_*_", "_/_", "_%_", "-_", "!_", "_&&_", "_||_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")
) | {"_?_:_", "_[_]", "@in", "@not_strictly_false"}
_FUNCTIONS = frozenset(
    ("size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string", "duration", "timestamp")
) | {"getFullYear", "getMonth", "getDayOfMonth", "getDayOfWeek", "getHours", "getMinutes", "getSeconds"}
_LIVE = 'nothing is read for this expression; the guard "object" reads it: object: "object.spec.replicas >= 2"'
_MEMBER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_SYNTAX = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class _Momentary(Fault):
    """It has no usable value now; another alert may give it one."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `_path` is set where it only follows fields, as most do; `sample` is what it came to on
    typical values, None where those do not tell.
    """

    text: str
    _program: cel.Program = field(repr=False, compare=False)
    _needs: Mapping[str, frozenset[str] | None] = field(repr=False)
    _path: tuple[str, ...] = field(repr=False)
    sample: Any = field(default=None, repr=False)

    def value(self, scope: Mapping[str, Any]) -> Any:
        """Its value as plain JSON. Raises `Fault` naming the expression when it has none."""
        if self._path:
            found = self._walked(scope)
            if found is not None:
                return found
        return self._bounded(self._executed(scope))

    def _walked(self, scope: Mapping[str, Any]) -> Any:
        """The value at the path, where it is one that CEL would hand through as it is; else None."""
        value: Any = scope
        for name in self._path:
            if type(value) is not dict or name not in value:
                return None
            value = value[name]
        kind = type(value)
        if kind is str:
            return value if value.isascii() and len(value) <= LONGEST_TEXT else None
        return value if kind is bool or (kind is int and -(2**63) <= value < 2**63) else None

    def _executed(self, scope: Mapping[str, Any]) -> Any:
        try:
            return self._program.execute({name: self._narrowed(scope[name], name) for name in self._needs})
        except KeyError as error:
            raise Fault(self._where, f"{quoted(error.args[0])} is not there") from error
        except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
            raise Fault(self._where, _why(error)) from error

    def _narrowed(self, value: Any, root: str) -> Any:
        """Only the fields that the expression names: handing a mapping over costs more than all else."""
        names = self._needs[root]
        if names is None or type(value) is not dict:
            return value
        return {name: value[name] for name in names if name in value}

    def _bounded(self, value: Any) -> Any:
        """`value`, if it is plain JSON of a sensible size."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                raise _Momentary(self._where, "is not a finite number")
            return value
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT:
                raise _Momentary(self._where, f"is a text of {len(value)} characters", f"at most {LONGEST_TEXT}")
            return value
        if isinstance(value, list | dict):
            return self._container(value)
        if isinstance(value, datetime | timedelta):
            raise Fault(self._where, "is a moment or a duration, not text", f"write string({self.text})")
        raise Fault(self._where, f"is of a kind ({type(value).__name__}) that cannot be used here")

    def _container(self, value: list[Any] | dict[Any, Any]) -> Any:
        if len(value) > LONGEST_LIST:
            raise _Momentary(self._where, f"has {len(value)} items", f"at most {LONGEST_LIST}")
        if isinstance(value, list):
            return [self._bounded(item) for item in value]
        if not all(isinstance(key, str) for key in value):
            raise Fault(self._where, "is a mapping whose keys are not text")
        return {key: self._bounded(item) for key, item in value.items()}

    @property
    def _where(self) -> str:
        return "${" + self.text + "}"


@dataclass(frozen=True, slots=True)
class CelCondition:
    """An expression that must be exactly true."""

    text: str
    expression: Expression = field(repr=False)

    def holds(self, scope: Mapping[str, Any]) -> bool:
        """Whether it is true. Raises `Fault` when it is neither true nor false, or cannot be evaluated."""
        value = self.expression.value(scope)
        if value is not True and value is not False:
            raise Fault(f"when {self.text}", "is neither true nor false")
        return value is True


def compile_condition(text: str, shape: Shape) -> CelCondition:
    """A condition. Raises `Fault` as `compile_cel` does, and when typical values do not make it true or false."""
    expression = compile_cel(text, shape)
    if expression.sample is not None and not isinstance(expression.sample, bool):
        what = f"{_shown(text)} is {_kind(expression.sample)}, not true or false"
        raise Fault(text, what, "compare it, for example with ==")
    return CelCondition(text, expression)


def compile_cel(text: str, shape: Shape) -> Expression:
    """Compile and try out. Raises `Fault` (`what` names the expression) for what can never work."""
    if len(text) > LONGEST:
        raise Fault(text, f"an expression of {len(text)} characters is too long", f"at most {LONGEST}")
    if not text.strip():
        raise Fault(text, "an expression is empty", "write one, such as params.id")
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise Fault(text, f"{_shown(text)} is not a CEL expression: {_syntax(str(error))}") from error
    reading = read_tokens(text)
    _judge(text, program, reading, shape)
    try:
        scope = typical(shape, [path for path in reading.paths if path[0] not in reading.variables])
    except Fault as fault:
        raise Fault(text, f"{_shown(text)}: {fault.what}", fault.right) from fault
    simple = tuple(text.split(".")) if _MEMBER.fullmatch(text) else ()
    expression = Expression(text, program, _needs(reading, shape), simple)
    return replace(expression, sample=_tried(expression, scope))


def _judge(text: str, program: cel.Program, reading: Reading, shape: Shape) -> None:
    """Names, functions and comprehensions within their bounds."""
    for name in program.variables():
        if name not in shape and name not in reading.variables:
            right = _LIVE if name == "object" else did_you_mean(name, shape)
            raise Fault(text, f"{_shown(text)}: {quoted(name)} refers to nothing", right)
    for variable in sorted(reading.variables & set(shape)):
        raise Fault(text, f"{_shown(text)}: the variable {variable} hides {variable}", "name it differently")
    for name in program.functions():
        if name not in _OPERATORS | _FUNCTIONS:
            raise Fault(text, f"{_shown(text)}: there is no function {quoted(name)}", did_you_mean(name, _FUNCTIONS))
    if reading.depth > 1:
        raise Fault(text, f"{_shown(text)}: a comprehension stands inside another", "one level is allowed")
    if reading.macros > MOST_MACROS:
        raise Fault(text, f"{_shown(text)} has {reading.macros} comprehensions", f"at most {MOST_MACROS}")


def _needs(reading: Reading, shape: Shape) -> Mapping[str, frozenset[str] | None]:
    """For each name of the scope the fields that are used of it; None where it is used as a whole."""
    needs: dict[str, frozenset[str] | None] = {}
    for path in reading.paths:
        root = path[0]
        if root in shape and root not in reading.variables:
            before = needs.get(root, frozenset())
            whole = root in reading.bare or before is None
            needs[root] = None if whole or before is None else before | {path[1]}
    return needs


def _tried(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """What it comes to on typical values. Only what no other value would mend is a fault."""
    try:
        return expression.value(scope)
    except _Momentary:
        return None
    except Fault as fault:
        lasting = isinstance(fault.__cause__, TypeError) or fault.__cause__ is None
        undefined = isinstance(fault.__cause__, RuntimeError) and "Undefined" in str(fault.__cause__)
        pattern = isinstance(fault.__cause__, RuntimeError) and "not a valid regex" in str(fault.__cause__)
        if lasting or undefined or pattern:
            raise Fault(expression.text, f"{_shown(expression.text)} {fault.what}", fault.right) from fault
        return None


def _shown(text: str) -> str:
    """An expression as faults show it."""
    return f"`{quoted(text)[1:-1]}`"


def _syntax(said: str) -> str:
    found = _SYNTAX.search(said)
    if found is None:
        return "it cannot be read"
    line, column, problem = found.groups()
    where = f"position {column}" if line == "1" else f"line {line}, position {column}"
    if "<EOF>" in problem.split("expecting")[0]:
        return f"it ends too early ({where})"
    shown = re.search(r"(?:input|at:?) '(.*?)'(?: expecting|$)", problem)
    return f"{where} cannot be read" + (f" ({shown[1]})" if shown else "")


def _why(error: Exception) -> str:
    said = str(error)
    if isinstance(error, TypeError) or "Undefined" in said:
        return "mixes kinds of values that do not go together, such as text and a number"
    if "not a valid regex" in said:
        return "holds a regular expression that cannot be read"
    if isinstance(error, ZeroDivisionError):
        return "divides by zero"
    return "has no value here" if isinstance(error, LookupError) else f"cannot be evaluated ({quoted(said, 100)})"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return "a number" if isinstance(value, int | float) else "a list or a mapping"
