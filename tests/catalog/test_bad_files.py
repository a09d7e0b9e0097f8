"""Every bad file in tests/data/bad gets exactly the faults that its first lines expect, to the column (promise 10).

A line `# expect: LINE:COLUMN: what; right` is a fault; a line `# structural` says that JSON Schema sees it, too.
"""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from paramedic.catalog.documents import read
from paramedic.catalog.faults import Faults
from paramedic.catalog.load import load_files
from paramedic.catalog.schema import rules_schema
from paramedic.plugin import Plugins, discover

BAD = Path(__file__).parent.parent / "data" / "bad"
FILES = sorted(BAD.glob("*.yaml"))


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return discover()


@pytest.fixture(scope="module")
def schema(plugins: Plugins) -> Draft202012Validator:
    return Draft202012Validator(rules_schema(plugins))


def head(text: str, mark: str) -> list[str]:
    """What the first lines say after `mark`."""
    return [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bad_file_gets_the_faults_it_expects_and_no_other(path: Path, plugins: Plugins) -> None:
    text = path.read_text(encoding="utf-8")
    expected = head(text, "# expect: ")
    loaded = load_files({"x.yaml": text}, plugins)

    assert expected
    assert [str(fault).removeprefix("x.yaml:") for fault in loaded.faults] == expected
    assert loaded.bundle is None


@pytest.mark.parametrize("path", [path for path in FILES if "# structural\n" in path.read_text()], ids=lambda p: p.stem)
def test_an_editor_sees_what_is_structurally_wrong(path: Path, schema: Draft202012Validator) -> None:
    documents = read(path.name, path.read_text(encoding="utf-8"), Faults())

    assert documents
    assert not all(schema.is_valid(document.root.value) for document in documents)


def test_there_are_enough_bad_files_and_all_are_different() -> None:
    messages = [tuple(head(path.read_text(), "# expect: ")) for path in FILES]

    assert len(FILES) >= 150
    assert sum("# structural\n" in path.read_text() for path in FILES) >= 60
    assert len({tuple(one.partition(": ")[2] for one in each) for each in messages}) >= 0.9 * len(FILES)


def test_no_fault_speaks_pydantic(plugins: Plugins) -> None:
    """What the library says is for programmers; what we say is for whoever wrote the file."""
    theirs = ("Input should", "Field required", "Extra inputs", "validation error", "pydantic", "type=", "Value error")
    said = [str(fault) for path in FILES for fault in load_files({"x.yaml": path.read_text()}, plugins).faults]

    assert [one for one in said if any(word in one for word in theirs)] == []


def test_a_fault_never_shows_what_may_be_a_secret(plugins: Plugins) -> None:
    for name, secret in {
        "endpoint-password": "pass@",
        "source-token": "s3cret",
        "person-secret-in-place": "0123456789abcdef",
    }.items():
        text = (BAD / f"{name}.yaml").read_text()
        loaded = load_files({"x.yaml": text}, plugins)

        assert secret in text
        assert loaded.faults
        assert not any(secret in str(fault) for fault in loaded.faults)


def test_all_bad_files_together_give_all_their_faults(plugins: Plugins) -> None:
    """One broken file hides no other: every file that can be read on its own terms still gets its faults."""
    files = {path.name: path.read_text() for path in FILES if path.name.startswith("yaml-")}
    loaded = load_files(files, plugins)

    assert {fault.file for fault in loaded.faults} == set(files)
    assert list(loaded.faults) == sorted(loaded.faults, key=lambda one: (one.file, one.line, one.column))
