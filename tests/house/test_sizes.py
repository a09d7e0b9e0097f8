"""Files stay small enough to be read at one go, and the tests outweigh the code."""

from pathlib import Path

import pytest

from tests.house.tree import ROOT, SERVICE, TESTS, all_told, files, shown

LONGEST = 350
"""Lines in a file. Whoever needs more has two things in it."""

TESTS_PER_CODE = 1.3


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("folder", ["service", "tests", "bench"])
def test_no_file_is_longer_than_350_lines(folder: str) -> None:
    kinds = (".py", ".sql", ".html", ".j2", ".css", ".js")
    sizes = [(path, lines_of(path)) for path in files(ROOT / folder, *kinds)]

    assert [f"{shown(path)}: {n} lines" for path, n in sizes if n > LONGEST] == []


def test_tests_outweigh_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    service = sum(lines_of(path) for path in files(SERVICE, ".py"))
    tests = sum(lines_of(path) for path in files(TESTS, ".py"))
    figure = f"tests {tests} lines, service {service} lines: {tests / service:.2f} lines of test a line of code"

    with capsys.disabled():
        print(f"\n{figure}")

    assert tests >= TESTS_PER_CODE * service, figure


def test_no_folder_is_there_for_nothing() -> None:
    """A folder without a file that says something is a promise nobody made."""
    folders = {path.parent for path in files(SERVICE)} | {path.parent for path in files(TESTS)}
    hollow = [
        shown(folder)
        for folder in sorted(folders)
        if not any(path.stat().st_size and path.name != "__init__.py" for path in files(folder))
    ]

    assert not hollow, all_told(hollow)


def test_the_source_root_is_no_package() -> None:
    """With `service/__init__.py` every module would exist under two names."""
    assert not (SERVICE / "__init__.py").exists()
    assert sorted(entry.name for entry in SERVICE.iterdir() if entry.name != "__pycache__") == ["paramedic"]


def test_every_package_says_what_it_is() -> None:
    lacking = {
        shown(path.parent) for path in files(SERVICE / "paramedic", ".py") if not (path.parent / "__init__.py").exists()
    }

    assert not lacking, f"no __init__.py with a docstring in {sorted(lacking)}"
