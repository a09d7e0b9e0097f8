"""`paramedic token`: a token that only its owner ever sees, and a line that the service takes."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.console.tokens import Tokens
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
    assert Tokens(tmp_path / "tokens", SystemClock()).name_of(token) == "alice"


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
    assert Tokens(path, SystemClock()).name_of(said.lines[0]) == "alice"
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


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that the service reads."""
    path = tmp_path / "tokens"
    monkeypatch.setenv("PARAMEDIC_TOKENS_FILE", str(path))
    return path


def test_a_token_may_count_for_a_while_only(paramedic: Paramedic, tokens: Path) -> None:
    token = paramedic("token", "alice", "--write", "--expires", "90d").lines[0]

    until = datetime.fromisoformat(tokens.read_text().split()[2])
    assert timedelta(days=89) < until - datetime.now(UTC) < timedelta(days=91)
    assert Tokens(tokens, SystemClock()).name_of(token) == "alice"


@pytest.mark.parametrize("wrong", ["0s", "soon", "99999d"])
def test_an_end_that_is_none_is_refused(paramedic: Paramedic, tokens: Path, wrong: str) -> None:
    assert paramedic("token", "alice", "--write", "--expires", wrong).code == 2
    assert not tokens.exists()


def test_a_second_token_takes_over_from_the_first(paramedic: Paramedic, tokens: Path) -> None:
    old, new = (paramedic("token", "alice", "--write").lines[0] for _ in range(2))

    assert [Tokens(tokens, SystemClock()).name_of(token) for token in (old, new)] == ["alice", "alice"]


def test_revoked_all_tokens_of_a_person_are_gone_and_the_others_stay(paramedic: Paramedic, tokens: Path) -> None:
    gone = [paramedic("token", "alice", "--write").lines[0] for _ in range(2)]
    stays = paramedic("token", "alice.b", "--write").lines[0]
    tokens.write_text("# who may what\n" + tokens.read_text())
    tokens.chmod(0o640)
    known = Tokens(tokens, SystemClock())
    assert known.name_of(gone[0]) == "alice"

    said = paramedic("token", "alice", "--revoke")

    assert (said.code, said.lines) == (0, [f"alice had 2 tokens in {tokens}, and has none now"])
    assert [known.name_of(token) for token in (*gone, stays)] == [None, None, "alice.b"], "from the next request on"
    assert tokens.read_text().startswith("# who may what\n")
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o640
    assert [each.name for each in tokens.parent.iterdir()] == ["tokens"], "nothing is left beside it"


def test_nothing_to_revoke_is_said_and_changes_nothing(paramedic: Paramedic, tokens: Path) -> None:
    tokens.write_text("bob " + "0" * 64 + "\n")

    said = paramedic("token", "alice", "--revoke")

    assert (said.code, said.lines) == (1, [f"alice had 0 tokens in {tokens}"])
    assert tokens.read_text() == "bob " + "0" * 64 + "\n"


@pytest.mark.parametrize("argv", [["--revoke", "--write"], ["--revoke", "--expires", "1d"]])
def test_revoking_makes_no_token(paramedic: Paramedic, tokens: Path, argv: list[str]) -> None:
    assert paramedic("token", "alice", *argv).code == 2


def test_a_file_that_is_not_there_cannot_be_changed(paramedic: Paramedic, tokens: Path) -> None:
    said = paramedic("token", "alice", "--revoke")

    assert said.code == 2
    assert f"cannot change {tokens}" in said.err
