"""Rules of the source that no linter knows, read from the syntax tree of every module of the service."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import SERVICE, TESTS, all_told, code, docstring, files, shown

BROAD = frozenset({"Exception", "BaseException"})
LOGGED = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
EMPTY = frozenset({"dict", "list", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter"})
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b|#\s*type:\s*ignore|#\s*noqa|#\s*pragma:")


def last_name(node: ast.expr | None) -> str:
    """`c` of `a.b.c`; empty for anything that is no name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or last_name(kind) in BROAD for kind in caught)


def is_logged(handler: ast.ExceptHandler) -> bool:
    for node in ast.walk(handler):
        match node:
            case ast.Call(func=ast.Attribute(value=logger, attr=method)) if method in LOGGED:
                if "log" in last_name(logger).lower():
                    return True
    return False


def unlogged_handlers(tree: ast.Module) -> Iterator[int]:
    """Lines of handlers that catch everything and neither say so in the log nor pass it on."""
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(body=[*_, last]) if is_broad(node):
                if not is_logged(node) and not isinstance(last, ast.Raise):
                    yield node.lineno
            case ast.Call(func=func, args=args) if last_name(func) == "suppress":
                if any(last_name(kind) in BROAD for kind in args):
                    yield node.lineno


def module_state(tree: ast.Module) -> Iterator[int]:
    """Lines where a module makes an empty container for itself: it can only be there to be filled later."""
    for node in tree.body:
        match node:
            case ast.Assign(value=value) | ast.AnnAssign(value=value):
                pass
            case _:
                continue
        match value:
            case ast.Dict(keys=[]) | ast.List(elts=[]):
                yield node.lineno
            case ast.Call(func=func, args=[]) if last_name(func) in EMPTY:
                yield node.lineno


def import_effects(tree: ast.Module) -> Iterator[int]:
    """Lines that do something when the module is merely imported."""
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Call()) | ast.For() | ast.While() | ast.With() | ast.Delete():
                yield node.lineno


def casts(tree: ast.Module) -> Iterator[int]:
    """Lines that tell the type checker to look away."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func) if last_name(func) == "cast":
                yield node.lineno


def nameless_waits(tree: ast.Module) -> Iterator[int]:
    """Lines that start a task and drop its handle."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="create_task" | "ensure_future"))):
                if last_name(owner) in {"asyncio", "loop"}:
                    yield node.lineno


def unwritten(tree: ast.Module) -> Iterator[int]:
    """Lines that log something beside the message: no line of ours shows it."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=method), keywords=words) if method in LOGGED:
                if any(word.arg == "extra" for word in words):
                    yield node.lineno


RULES = {
    "a broad except that is neither logged nor raised on": unlogged_handlers,
    "an empty container at module level: state belongs to an object that somebody owns": module_state,
    "something happens on import": import_effects,
    "a cast: narrow with isinstance, or decode into the type": casts,
    "what a log line has in `extra` is written nowhere: say it in the message": unwritten,
    "a task nobody holds: use a TaskGroup": nameless_waits,
}


def test_the_service_keeps_every_rule() -> None:
    """All in one: what takes time is reading the service."""
    found = [
        f"{shown(path, line)}: {rule}"
        for path, tree in code(SERVICE)
        for rule, breaches in RULES.items()
        for line in breaches(tree)
    ]

    assert not found, all_told(found)


def test_every_module_says_what_it_is_for() -> None:
    """What stage am I, who calls me, what do I hand on: at least a sentence."""
    modules = [path for folder in (SERVICE, TESTS) for path in files(folder, ".py")]
    silent = [shown(path) for path in modules if not docstring(path.read_text())]

    assert modules
    assert not silent, all_told(silent)


def test_nothing_is_unfinished_or_hidden_from_the_checkers() -> None:
    found = [
        f"{shown(path, number)}: {line.strip()}"
        for path in files(SERVICE, ".py", ".sql", ".html", ".j2", ".css", ".js")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert not found, all_told(found)


def test_no_module_is_named_for_nothing_in_particular() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}

    assert not [shown(path) for path in files(SERVICE, ".py") if path.stem in vague]


@pytest.mark.parametrize("text", ['"""  """\nx = 1\n', "# a\nx = 1\n", "", 'x = 1\n"""a"""\n'])
def test_a_silent_module_is_seen(text: str) -> None:
    assert not docstring(text)


@pytest.mark.parametrize("text", ['"""A."""\nx = """b"""\n', "# a\n'A.'\n", '#!/bin/x\n"""A."""\n'])
def test_a_word_about_itself_is_enough(text: str) -> None:
    assert docstring(text) == "A."


# The rules are only worth something if they see what they forbid.

BREACHES = {
    "a broad except that is neither logged nor raised on": [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    count.inc()",
        "try:\n    f()\nexcept (ValueError, BaseException) as e:\n    return_ = e",
        "with contextlib.suppress(Exception):\n    f()",
    ],
    "an empty container at module level: state belongs to an object that somebody owns": [
        "_seen = {}",
        "_seen: dict[str, int] = {}",
        "_queue = collections.deque()",
    ],
    "something happens on import": ["register(Http)", "for a in b:\n    a()"],
    "a cast: narrow with isinstance, or decode into the type": ["x = cast(int, y)", "x = typing.cast('int', y)"],
    "what a log line has in `extra` is written nowhere: say it in the message": [
        "_log.error('it failed', extra={'incident': 1})"
    ],
    "a task nobody holds: use a TaskGroup": ["async def f():\n    asyncio.create_task(g())"],
}

KEPT = """
import logging
_log = logging.getLogger(__name__)
LANES = {"page": 4}
async def f(group):
    group.create_task(g())
    try:
        await g()
    except ValueError:
        pass
    except Exception:
        _log.exception("the lane stopped")
    except BaseException:
        raise
    with contextlib.suppress(FileNotFoundError):
        g()
"""


@pytest.mark.parametrize(("rule", "breach"), [(rule, breach) for rule in RULES for breach in BREACHES[rule]])
def test_a_breach_is_seen(rule: str, breach: str) -> None:
    assert list(RULES[rule](ast.parse(breach)))


@pytest.mark.parametrize("rule", RULES)
def test_what_is_allowed_is_not_taken_for_a_breach(rule: str) -> None:
    assert list(RULES[rule](ast.parse(KEPT))) == []


@pytest.mark.parametrize(
    "line", ["x = 1  # TODO: y", "raise NotImplementedError", "a()  # type: ignore[x]", "b # noqa"]
)
def test_the_unfinished_is_seen(line: str) -> None:
    assert UNFINISHED.search(line)
