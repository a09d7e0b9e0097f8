"""The points of `points`, woven into functions that are loaded already: for tests in virtual time, in one process.

`woven` gives each function that holds a point the code of the rewritten tree, and takes it back at the end. In a
process of its own `tests.crash.serve` does it at import.
"""

import importlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from tests.crash.points import PASSING, SIDES, modules, points, rewritten

__all__ = ["Passing", "passing", "woven"]

T = TypeVar("T")
Passing = Callable[[str], None]
"""What is told at each point; it may raise, and then nothing of what was awaited there happens."""


def passing(tell: Passing) -> Callable[[str, Awaitable[Any]], Coroutine[Any, Any, Any]]:
    """The call that stands around each point."""
    before, after = SIDES

    async def passes(name: str, awaitable: Awaitable[T]) -> T:
        try:
            tell(f"{name}:{before}")
        except BaseException:
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise
        answer = await awaitable
        tell(f"{name}:{after}")
        return answer

    return passes


@contextmanager
def woven(tell: Passing) -> Iterator[None]:
    """As long as this lasts, `tell` hears of each point that is passed in this process."""
    before: list[tuple[FunctionType, CodeType]] = []
    held = {point.module for point in points()}
    loaded = {name: importlib.import_module(name) for name in held}
    try:
        for name, module in loaded.items():
            codes = dict(_codes(compile(rewritten(name, modules()[name].read_text()), str(modules()[name]), "exec")))
            for function in _functions(module, {point.function for point in points() if point.module == name}):
                before.append((function, function.__code__))
                function.__code__ = codes[function.__qualname__]
            setattr(module, PASSING, passing(tell))
        yield
    finally:
        for function, code in before:
            function.__code__ = code
        for module in loaded.values():
            vars(module).pop(PASSING, None)


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType, wanted: set[str]) -> Iterator[FunctionType]:
    """The functions with these qualified names; every one is there, or this fails."""
    for name in wanted:
        found: Any = module
        for part in name.split("."):
            found = vars(found)[part]
        found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
        assert isinstance(found, FunctionType), f"{module.__name__}:{name} is no plain function: {found!r}"
        yield found
