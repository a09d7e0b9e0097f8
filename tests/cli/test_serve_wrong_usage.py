"""`paramedic serve` with settings that cannot be right: one line that names the setting, exit code 2, no start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Paramedic = Callable[..., Said]

LISTEN = "for example 127.0.0.1:8080"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: empty, and no setting of the machine reaches in."""
    for name in ("MODE", "DATABASE_URL", "DATABASE_URL_FILE", "WEBHOOK_TOKEN", "WEBHOOK_TOKEN_FILE", "TOKENS_FILE"):
        monkeypatch.delenv(f"PARAMEDIC_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PARAMEDIC_LISTEN", "x", f'PARAMEDIC_LISTEN: "x" is not HOST:PORT; {LISTEN}'),
        ("PARAMEDIC_LISTEN", "", f'PARAMEDIC_LISTEN: "" is not HOST:PORT; {LISTEN}'),
        ("PARAMEDIC_LISTEN", "127.0.0.1:http", f'PARAMEDIC_LISTEN: "127.0.0.1:http" is not HOST:PORT; {LISTEN}'),
        ("PARAMEDIC_LISTEN", "127.0.0.1:65536", f'PARAMEDIC_LISTEN: "127.0.0.1:65536" is not HOST:PORT; {LISTEN}'),
        ("PARAMEDIC_MODE", "fast", 'PARAMEDIC_MODE: "fast" is not a mode; one of freeze, off, shadow, approve, auto'),
        (
            "PARAMEDIC_DATABASE_URL",
            "mysql://me:secret@host/db",
            "database URL: it does not begin with postgresql://; "
            "write it as postgresql://user:password@host:5432/database",
        ),
        (
            "PARAMEDIC_DATABASE_URL_FILE",
            "no/such/file",
            "PARAMEDIC_DATABASE_URL_FILE: cannot read no/such/file: No such file or directory; name a readable file",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)

    said = paramedic("serve")

    assert (said.code, said.out, said.err) == (2, "", f"paramedic: {line}\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "alerts.example:8080", "10.0.0.1:8080"])
def test_it_refuses_to_listen_beyond_loopback_without_a_token(
    paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, folder: Path, address: str
) -> None:
    monkeypatch.setenv("PARAMEDIC_LISTEN", address)

    said = paramedic("serve")

    assert (said.code, said.out) == (2, "")
    assert said.err.endswith(
        "can be reached from other machines, and no PARAMEDIC_WEBHOOK_TOKEN is set; "
        "set PARAMEDIC_WEBHOOK_TOKEN, or listen on 127.0.0.1\n"
    )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("token", ["", " ", ",", " , "])
def test_an_empty_token_is_none(paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("PARAMEDIC_LISTEN", "0.0.0.0:0")
    monkeypatch.setenv("PARAMEDIC_WEBHOOK_TOKEN", token)

    assert paramedic("serve").code == 2


def test_a_secret_in_two_places_is_neither(paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "token").write_text("one\n")
    monkeypatch.setenv("PARAMEDIC_WEBHOOK_TOKEN", "another")
    monkeypatch.setenv("PARAMEDIC_WEBHOOK_TOKEN_FILE", "token")

    said = paramedic("serve")

    assert said.code == 2
    assert "PARAMEDIC_WEBHOOK_TOKEN and PARAMEDIC_WEBHOOK_TOKEN_FILE are both set; set one of them" in said.err
    assert "another" not in said.err


def test_a_secret_never_stands_in_an_error(paramedic: Paramedic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_DATABASE_URL", "mysql://me:hunter2@host/db")

    assert "hunter2" not in paramedic("serve").err


@pytest.mark.parametrize("argv", [["--port", "80"], ["rules"], ["--help-me"]])
def test_wrong_usage(paramedic: Paramedic, argv: list[str]) -> None:
    said = paramedic("serve", *argv)

    assert said.code == 2
    assert said.err.startswith("usage: paramedic")
