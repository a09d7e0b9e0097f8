"""Every place where a crash is tried: before and after each await on a store, a client or a plug-in, found in the code.

`points` lists them by walking the syntax trees of the service; `rewritten` gives the same trees with a call around each
such await, so that whoever runs them can stop there. Nothing for this stands in the service, and no list is kept by
hand: an await that comes to be is a point, or an await that nobody can place, which fails `test_points.py`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import paramedic

__all__ = ["PASSING", "SIDES", "Point", "modules", "points", "rewritten", "unplaced"]

SERVICE = Path(paramedic.__file__).parent
FOLDERS = ("engine", "actions", "guards", "checks", "notifiers", "cluster")
PASSING = "__passing__"
SIDES = ("before", "after")

PORTS = frozenset(
    (
        "store",
        "_store",
        "http",
        "_http",
        "kube",
        "_kube",
        "metrics",
        "changes",
        "tools",
        "_tools",
        "pages",
        "_pages",
        "messages",
        "_messages",
        "slack",
        "scene",
        "bundle_of",
        "_kept",
        "_positions",
    )
)
"""Names of what leads out of the process: an await whose expression mentions one is a point."""

WITHIN = frozenset(
    (
        "asyncio.wait",
        "asyncio.gather",
        "asyncio.timeout",
        "self._adopted.wait",
        "self._awake.wait",
        "self._clock.sleep",
        "self._wait",
        "answer",
        "done",
        "flight",
    )
)
"""What is waited for inside the process: time, a task, an event, a future that somebody else brings to its end."""

OURS = frozenset(
    (
        "inbox.awake",
        "claim_first",
        "self._highest.note",
        "turn.last",
        "shell.executors.stop",
        "self._performer.perform",
        "self._jury.ask",
        "self.shell.performer.perform",
        "self.shell.performer.hear",
        "hearing.of",
        "self._notices.page",
        "self._notices.message",
        "self._gate.ask",
        "self._asking.may",
    )
)
"""What calls a function of another walked module, whose own awaits are walked there."""


@dataclass(frozen=True, order=True)
class Point:
    """One await: its module, the function around it, what is awaited, and the how-manieth such it is there."""

    module: str
    function: str
    awaited: str
    number: int = 1

    def __str__(self) -> str:
        again = f"#{self.number}" if self.number > 1 else ""
        return f"{self.module.removeprefix('paramedic.')}:{self.function}:{self.awaited}{again}"


@cache
def modules() -> dict[str, Path]:
    """The modules that are walked."""
    found = sorted(path for folder in FOLDERS for path in (SERVICE / folder).rglob("*.py"))
    return {f"paramedic.{'.'.join(one.relative_to(SERVICE).with_suffix('').parts)}": one for one in found}


class Awaits(ast.NodeTransformer):
    """One module, walked: its `points`, the `others` that lead nowhere with their lines, the `tree` with the calls."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._around = module, list[str]()
        self._seen = Counter[tuple[str, str]]()
        self.points = list[Point]()
        self.others = list[tuple[int, str]]()
        self.tree: ast.Module = ast.fix_missing_locations(self.visit(ast.parse(source)))

    def _scope(self, node: ast.AST, name: str) -> ast.AST:
        self._around.append(name)
        self.generic_visit(node)
        self._around.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._scope(node, node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._scope(node, node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._scope(node, node.name)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.others.append((node.lineno, ast.unparse(node.iter)))
        return self.generic_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.others += [(node.lineno, _callee(item.context_expr)) for item in node.items]
        return self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        awaited = _callee(node.value)
        if not _names(node.value) & PORTS:
            self.others.append((node.lineno, awaited))
            return node
        where = (".".join(self._around), awaited)
        self._seen[where] += 1
        point = Point(self._module, *where, self._seen[where])
        self.points.append(point)
        passing = ast.Call(ast.Name(PASSING, ast.Load()), [ast.Constant(str(point)), node.value], [])
        return ast.copy_location(ast.Await(passing), node)


def _callee(node: ast.expr) -> str:
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def _names(node: ast.expr) -> set[str]:
    """The names in an expression: of variables, of attributes."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
    return found


def rewritten(module: str, source: str) -> ast.Module:
    """The module's tree with a call around each point: `await __passing__(NAME, WHAT)`."""
    return Awaits(module, source).tree


@cache
def _walked() -> dict[str, Awaits]:
    found = {}
    for module, path in modules().items():
        found[module] = Awaits(module, path.read_text())
    return found


@cache
def points() -> tuple[Point, ...]:
    """All points."""
    return tuple(point for awaits in _walked().values() for point in awaits.points)


def unplaced() -> Iterator[str]:
    """Awaits that are no points, wait for nothing known within the process, and call nothing that is walked itself."""
    for module, awaits in _walked().items():
        own = {node.name for node in ast.walk(awaits.tree) if isinstance(node, ast.AsyncFunctionDef)}
        for line, awaited in awaits.others:
            if awaited not in WITHIN | OURS and awaited.removeprefix("self.") not in own:
                yield f"{module}:{line}: await {awaited}"
