"""`paramedic token`: a token that only its owner ever sees, and a line that the service takes."""

import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from paramedic.console.people import Tokens
from tests.cli.conftest import Said

Paramedic = Callable[..., Said]


def test_the_token_and_its_line(paramedic: Paramedic, tmp_path: Path) -> None:
    said = paramedic("token", "alice")
    token, line = said.lines

    assert said.code == 0
    assert token.startswith("paramedic_")
    assert len(token) == len("paramedic_") + 64
    assert line == f"alice {sha256(token.encode()).hexdigest()}"
    assert token not in said.err
    (tmp_path / "tokens").write_text(line)
    assert Tokens(tmp_path / "tokens").name_of(token) == "alice"


def test_two_tokens_are_not_alike(paramedic: Paramedic) -> None:
    assert paramedic("token", "alice").lines[0] != paramedic("token", "alice").lines[0]


@pytest.mark.parametrize("before", [None, "", "bob " + "0" * 64 + "\n", "bob " + "0" * 64])
def test_it_can_be_written_where_the_service_reads_it(
    paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str | None
) -> None:
    path = tmp_path / "tokens"
    if before is not None:
        path.write_text(before)
    monkeypatch.setenv("PARAMEDIC_TOKENS_FILE", str(path))

    said = paramedic("token", "alice", "--write")

    assert said.code == 0
    assert len(said.lines) == 1
    assert Tokens(path).name_of(said.lines[0]) == "alice"
    assert path.read_text().startswith((before or "").strip())
    assert len(path.read_text().splitlines()) == (2 if before else 1)
    assert said.lines[0] not in path.read_text(), "only the hash is kept"


def test_a_new_file_is_for_its_owner_only(
    paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARAMEDIC_TOKENS_FILE", str(tmp_path / "tokens"))

    paramedic("token", "alice", "--write")

    assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["", "a b", "#a", "-a", ".a", "x" * 65, "a\nb", "ä", "a;b", "\x1b[31m", "alice " + "0" * 64]
)
def test_what_is_no_name(paramedic: Paramedic, name: str) -> None:
    said = paramedic("token", "--", name)

    assert said.code == 2
    assert said.out == ""
    assert "is not a name; letters, digits and . _ @ -, at most 64" in said.err
    assert said.err.count("\n") == 1


def test_a_file_that_is_not_named_or_cannot_be_written(
    paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = paramedic("token", "alice", "--write")
    assert (said.code, said.out) == (2, "")
    assert "PARAMEDIC_TOKENS_FILE: is not set; set it to the file that the service reads" in said.err

    monkeypatch.setenv("PARAMEDIC_TOKENS_FILE", str(tmp_path))
    said = paramedic("token", "alice", "--write")
    assert (said.code, said.out) == (2, "")
    assert f"cannot write {tmp_path}" in said.err
