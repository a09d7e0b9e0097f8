"""The files of the repository as the tests of the house see them: what is in the tree, built things left out."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "service"
TESTS = ROOT / "tests"
QUOTES = '"""'

BUILT = frozenset({"__pycache__", "build", "dist", "node_modules"})
"""Folders that are made, not written. So is every folder whose name starts with a dot, `.ci` excepted."""


def files(under: Path = ROOT, *suffixes: str) -> Iterator[Path]:
    """Every file below `under`, in a fixed order; only those with one of the suffixes where any is named."""
    for folder, folders, names in os.walk(under):
        folders[:] = sorted(n for n in folders if n not in BUILT and (not n.startswith(".") or n == ".ci"))
        for name in sorted(names):
            if name != ".git" and (not suffixes or name.endswith(suffixes)):  # a file where git keeps several trees
                yield Path(folder, name)


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the repository with its text; binary files are left out."""
    for path in files():
        body = path.read_bytes()
        if b"\0" not in body:
            yield path, body.decode(errors="replace")


def code(under: Path, word: str = "") -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below `under` that has the word in it, with its syntax tree."""
    for path in files(under, ".py"):
        if word in (text := path.read_text()):
            yield path, ast.parse(text, filename=str(path))


def docstring(text: str) -> str | None:
    """What a module says of itself. Parsed is the docstring alone, where the text begins with one."""
    ends = text.find(QUOTES, len(QUOTES)) + len(QUOTES) if text.startswith(QUOTES) else len(text)
    return ast.get_docstring(ast.parse(text[:ends]))


def shown(path: Path, line: int | None = None) -> str:
    """A path as people write it: from the root of the repository, with the line where there is one."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"


def all_told(faults: list[str]) -> str:
    """The message of a failed rule: every place, one a line."""
    return "\n" + "\n".join(faults)
