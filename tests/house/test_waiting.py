"""Tests wait for what they want to see, never for time to pass: a sleep stands in a loop that asks again."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.tree import TESTS, all_told, code, shown

LOOPS = (ast.While, ast.For, ast.AsyncFor)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def is_sleep(node: ast.AST) -> bool:
    """A call of `asyncio.sleep` or `time.sleep`; `asyncio.sleep(0)` only lets others run."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio" | "time"), attr="sleep"), args=args):
            return not (args and isinstance(args[0], ast.Constant) and args[0].value == 0)
        case ast.ImportFrom(module="asyncio" | "time", names=names):
            return any(name.name == "sleep" for name in names)
        case _:
            return False


def bare_sleeps(node: ast.AST, in_loop: bool = False) -> Iterator[int]:
    """Lines of sleeps that no loop of the same function goes round."""
    for child in ast.iter_child_nodes(node):
        looping = (in_loop or isinstance(child, LOOPS)) and not isinstance(child, FUNCTIONS)
        if is_sleep(child) and not looping:
            yield getattr(child, "lineno", 0)
        yield from bare_sleeps(child, looping)


def test_no_test_sleeps() -> None:
    found = [shown(path, line) for path, tree in code(TESTS, "sleep") for line in bare_sleeps(tree)]

    assert not found, f"wait for a condition with a deadline, or use the virtual clock:{all_told(found)}"


@pytest.mark.parametrize(
    "source",
    [
        "async def test_x():\n    await asyncio.sleep(0.1)",
        "def test_x():\n    time.sleep(1)",
        "from time import sleep",
        "def f():\n    while True:\n        def g():\n            time.sleep(1)",
    ],
)
def test_a_sleep_is_seen(source: str) -> None:
    assert list(bare_sleeps(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "async def until(ready):\n    while not ready():\n        await asyncio.sleep(0.01)",
        "async def test_x():\n    await asyncio.sleep(0)",
        "async def test_x(clock):\n    await clock.sleep(300)",
    ],
)
def test_asking_again_is_allowed(source: str) -> None:
    assert list(bare_sleeps(ast.parse(source))) == []
