"""Which files make the catalog: not rehearsals, not Prometheus' rules, not what begins with a dot."""

import os
from pathlib import Path

import pytest

from paramedic.catalog import files
from paramedic.catalog.documents import LARGEST
from paramedic.catalog.faults import Faults
from paramedic.catalog.files import read_folders, stamp_of, yaml_files


def lay(base: Path, *names: str, text: str = "a: 1\n") -> Path:
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return base


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in yaml_files(folder)]


def test_yaml_files_of_all_depths_in_order(tmp_path: Path) -> None:
    lay(tmp_path, "b.yaml", "a.yml", "sub/c.yaml", "sub/deep/d.yaml", "Z.yaml")

    assert found(tmp_path) == ["Z.yaml", "a.yml", "b.yaml", "sub/c.yaml", "sub/deep/d.yaml"]


@pytest.mark.parametrize(
    "name",
    [
        "a.test.yaml",
        "sub/a.test.yml",
        "prometheus/a.yaml",
        "prometheus/deep/a.yaml",
        ".hidden.yaml",
        "..data/a.yaml",
        ".git/a.yaml",
        "a.yaml~",
        "a.yaml.swp",
        "a.json",
        "README.md",
        "yaml",
    ],
)
def test_what_is_left_out(tmp_path: Path, name: str) -> None:
    lay(tmp_path, name)

    assert found(tmp_path) == []


def test_a_mounted_config_map(tmp_path: Path) -> None:
    """Kubernetes mounts links to files in a folder of the day that begins with two dots."""
    lay(tmp_path, "..2026_11_22/rules.yaml")
    (tmp_path / "..data").symlink_to("..2026_11_22")
    (tmp_path / "rules.yaml").symlink_to("..data/rules.yaml")
    faults = Faults()

    assert read_folders([tmp_path], faults) == {f"{tmp_path.name}/rules.yaml": "a: 1\n"}
    assert not faults.found


def test_a_file_can_be_named_itself(tmp_path: Path) -> None:
    lay(tmp_path, "a.test.yaml", "b.yaml")

    assert set(read_folders([tmp_path / "a.test.yaml"], Faults())) == {"a.test.yaml"}
    assert set(read_folders([tmp_path / "b.yaml"], Faults(), as_given=True)) == {str(tmp_path / "b.yaml")}


def test_a_file_is_read_once_however_it_is_reached(tmp_path: Path) -> None:
    lay(tmp_path, "rules/a.yaml", "rules/playbooks/b.yaml")
    texts = read_folders([tmp_path / "rules", tmp_path / "rules" / "playbooks", tmp_path / "rules"], Faults())

    assert set(texts) == {"rules/a.yaml", "rules/playbooks/b.yaml"}


def test_a_folder_named_by_a_dot_has_a_name_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "rules/a.yaml")
    monkeypatch.chdir(tmp_path / "rules")

    assert set(read_folders([Path()], Faults())) == {"rules/a.yaml"}
    assert set(read_folders([Path()], Faults(), as_given=True)) == {"a.yaml"}


def faults_of(*folders: Path) -> list[str]:
    faults = Faults()
    read_folders(folders, faults)
    assert faults.torn == bool(faults.found)
    return [str(fault) for fault in faults.sorted()]


def test_a_missing_folder_is_a_fault_and_the_rest_goes_on(tmp_path: Path) -> None:
    lay(tmp_path, "rules/a.yaml")
    faults = Faults()
    texts = read_folders([tmp_path / "nope", tmp_path / "rules"], faults)

    assert set(texts) == {"rules/a.yaml"}
    assert [str(one) for one in faults.sorted()] == [
        f"{tmp_path}/nope: there is no such folder; make it, or name another one"
    ]


def test_what_is_not_utf_8_is_a_fault_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("ä: 1\nb: x".encode() + b"\xff\n")

    assert faults_of(tmp_path) == [f"{tmp_path.name}/a.yaml:2:5: this is not UTF-8; save the file as UTF-8"]


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(LARGEST * 4 + 1)

    assert faults_of(tmp_path) == [
        f"{tmp_path.name}/a.yaml: cannot be read: it has {LARGEST * 4 + 1} bytes; "
        "make it readable, and smaller than a megabyte"
    ]


def test_a_link_that_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("gone.yaml")

    (fault,) = faults_of(tmp_path)
    assert "cannot be read: No such file or directory" in fault


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")

    assert found(tmp_path) == []


def test_a_file_that_is_shut_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root nothing is shut, so the reading is made to fail."""
    lay(tmp_path, "a.yaml")

    def fail(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert faults_of(tmp_path) == [
        f"{tmp_path.name}/a.yaml: cannot be read: Permission denied; make it readable, and smaller than a megabyte"
    ]


def test_a_folder_that_cannot_be_listed_is_a_fault_and_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root nothing is shut, so the listing is made to fail."""
    lay(tmp_path, "rules/a.yaml")

    def fail(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", fail)
    assert faults_of(tmp_path / "rules") == [f"{tmp_path}/rules: cannot be read: Permission denied; make it readable"]


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    monkeypatch.setattr(files, "MOST_FILES", 2)
    faults = Faults()

    assert len(read_folders([tmp_path], faults)) == 2
    assert [fault.what for fault in faults.sorted()] == ["there are more than 2 files"]


# -- has anything changed? --------------------------------------------------------------------------------------------


def test_a_stamp_changes_with_every_change(tmp_path: Path) -> None:
    lay(tmp_path, "a.yaml", "b.yaml", "note.txt")
    stamps = [stamp_of([tmp_path])]

    def after_a_change() -> None:
        stamps.append(stamp_of([tmp_path]))

    (tmp_path / "a.yaml").write_text("a: 22\n")
    after_a_change()
    lay(tmp_path, "sub/c.yaml")
    after_a_change()
    (tmp_path / "b.yaml").unlink()
    after_a_change()
    (tmp_path / "sub" / "c.yaml").rename(tmp_path / "sub" / "d.yaml")
    after_a_change()
    os.utime(tmp_path / "a.yaml", ns=(1, 1))
    after_a_change()

    assert len(set(stamps)) == len(stamps)


def test_a_stamp_stays_while_nothing_that_counts_changes(tmp_path: Path) -> None:
    lay(tmp_path, "a.yaml")
    before = stamp_of([tmp_path, tmp_path / "nowhere"])
    lay(tmp_path, "note.txt", "a.test.yaml", ".b.yaml")

    assert stamp_of([tmp_path, tmp_path / "nowhere"]) == before
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    assert stamp_of([tmp_path]) == before
