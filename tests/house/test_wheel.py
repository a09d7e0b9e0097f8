"""What is installed is what was tested: the wheel is built from the tree and holds all of the package, and only it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT, SERVICE, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip wheel` would, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(build, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = out.glob("*.whl")
    return made


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def read(wheel: Path, ending: str) -> str:
    with zipfile.ZipFile(wheel) as content:
        [name] = [name for name in content.namelist() if name.endswith(ending)]
        return content.read(name).decode()


@pytest.mark.timeout(120)
def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    package = {path.relative_to(SERVICE).as_posix() for path in files(SERVICE)}
    held = {name for name in names(wheel) if ".dist-info/" not in name}

    assert held == package
    assert any(name.startswith("paramedic/store/") and name.endswith(".sql") for name in held)


@pytest.mark.timeout(120)
def test_templates_and_styles_travel_with_the_console(wheel: Path) -> None:
    kinds = {Path(name).suffix for name in names(wheel) if name.startswith("paramedic/console/")}

    assert {".html", ".css"} <= kinds


@pytest.mark.timeout(120)
def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    metadata = read(wheel, ".dist-info/METADATA")

    assert "Name: paramedic\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "paramedic = paramedic.cli.main:main" in read(wheel, ".dist-info/entry_points.txt")
    assert "Apache License" in read(wheel, ".dist-info/licenses/LICENSE")


@pytest.mark.timeout(120)
def test_the_package_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, without the tree on its path, `paramedic` is found and knows its own commands."""
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path / "site")
    probe = "import paramedic.cli.main, sys; print(paramedic.__file__); sys.exit(paramedic.cli.main.main(['--help']))"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path)), done.stdout
    assert "serve" in done.stdout
