"""Who is asking is never guessed: a token, the private socket, or reading on this machine, and nothing else."""

import base64
import logging
import os
import pwd
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from paramedic.console.door import NAME
from paramedic.console.tokens import Tokens
from tests.console.seed import NOW, FixedClock, an_incident, write
from tests.console.serving import Serving

LIST = "/api/v1/incidents"
ACK = "/api/v1/incidents/INC-1/ack"


def line(name: str, token: str) -> str:
    return f"{name} {sha256(token.encode()).hexdigest()}\n"


def basic(token: str, name: str = "whoever") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()}


def test_a_token_is_known_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# people\n\n" + line("alice", "a") + "  " + line("bob", "b").upper().replace("BOB", "bob"))
    tokens = Tokens(path, FixedClock())

    assert [tokens.name_of(token) for token in ("a", "b", "c", "", "A", "\udcff")] == ["alice", "bob"] + [None] * 4


def test_one_person_may_have_two_tokens_while_they_are_changed(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(line("alice", "old") + line("alice", "new"))

    assert [Tokens(path, FixedClock()).name_of(token) for token in ("old", "new")] == ["alice", "alice"]


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(line("alice", "a"))
    tokens = Tokens(path, FixedClock())
    assert tokens.name_of("a") == "alice"

    path.write_text(line("bob", "b"))
    os.utime(path, ns=(1, 1))
    assert (tokens.name_of("a"), tokens.name_of("b")) == (None, "bob")

    other = tmp_path / "other"
    other.write_text(line("eve", "e"))
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert (tokens.name_of("b"), tokens.name_of("e")) == (None, "eve")


def test_a_file_that_goes_away_takes_its_tokens_along(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens"
    path.write_text(line("alice", "a"))
    tokens = Tokens(path, FixedClock())
    assert tokens.name_of("a") == "alice"

    path.unlink()
    assert [tokens.name_of("a") for _ in range(5)] == [None] * 5
    assert len(caplog.records) == 1, "it is said once, not at every request"

    path.write_text(line("alice", "a"))
    assert tokens.name_of("a") == "alice"


def test_no_file_and_nobody_is_known(tmp_path: Path) -> None:
    assert Tokens(None, FixedClock()).name_of("a") is None
    assert Tokens(tmp_path / "missing", FixedClock()).name_of("a") is None


@pytest.mark.parametrize(
    "wrong",
    ["alice", "alice xyz", "alice " + "a" * 63, "alice " + "a" * 65, "a b " + "a" * 64, "x" * 65 + " " + "a" * 64],
)
def test_a_wrong_line_is_told_by_its_number_and_the_rest_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"{wrong}\n" + line("bob", "b"))

    with caplog.at_level(logging.ERROR):
        assert Tokens(path, FixedClock()).name_of("b") == "bob"

    assert f"{path}:1: not a line NAME SHA256" in caplog.text
    assert wrong not in caplog.text, "what is in the file is a secret, or nearly one"


def test_a_file_that_is_no_text_makes_nobody_known(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(b"\xff\xfe")

    assert Tokens(path, FixedClock()).name_of("a") is None


@pytest.mark.parametrize(
    ("until", "known"),
    [
        ("", True),
        (f"{NOW + timedelta(minutes=1):%Y-%m-%dT%H:%MZ}", True),
        (f"{NOW + timedelta(days=1):%Y-%m-%d}", True),
        (f"{NOW:%Y-%m-%dT%H:%M:%SZ}", False),
        (f"{NOW - timedelta(days=1):%Y-%m-%d}", False),
        ("2099-99-99", False),
        ("sometime", False),
    ],
)
def test_a_line_may_say_until_when_its_token_counts(tmp_path: Path, until: str, known: bool) -> None:
    path = tmp_path / "tokens"
    path.write_text(line("alice", "a").strip() + f" {until}\n")

    assert Tokens(path, FixedClock()).name_of("a") == ("alice" if known else None)


@pytest.mark.parametrize("who", ["alice", "bob", "vera"])
async def test_anybody_with_a_token_may_read(bare: Serving, who: str) -> None:
    await bare.get(LIST, headers={**bare.bearer(who), "Host": "paramedic.example.org"})


async def test_on_this_machine_reading_needs_no_token_and_acting_does(bare: Serving) -> None:
    await bare.get(LIST)

    assert await bare.status(ACK, "POST") == 401
    assert await bare.status("/api/v1/switch", "PUT") == 401
    assert bare.engine.acts == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.org"},
        {"Host": "evil.example.org:8080"},
        {"Host": "localhost.evil.example.org"},
        {"Host": "127.0.0.1.evil.example.org"},
        {"Host": "10.0.0.1"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Host": "paramedic.example.org"},
        {"Cookie": "token=token-of-alice; Authorization=Bearer token-of-alice"},
    ],
    ids=str,
)
async def test_what_came_from_elsewhere_is_not_on_this_machine(bare: Serving, headers: dict[str, str]) -> None:
    """A page elsewhere may send a browser here: by its own name, or through a proxy. A cookie is no credential."""
    host = {"Host": "elsewhere.example.org"} if "Cookie" in headers else {}
    for path in (LIST, "/", "/incidents/1", "/events", "/api/v1/switch", "/api/v1/catalog"):
        assert await bare.status(path, headers={**headers, **host}) == 401


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "127.9.9.9"]
)
async def test_every_name_of_this_machine_is_one(bare: Serving, host: str) -> None:
    await bare.get(LIST, headers={"Host": host})


@pytest.mark.parametrize(
    "value",
    [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        "bearer token-of-alice-2",
        "Token token-of-alice",
        "token-of-alice",
        "Basic",
        "Basic !",
        "Basic YQ==",
    ],
)
async def test_a_wrong_token_is_worse_than_none(bare: Serving, value: str) -> None:
    """Whoever sends a credential wants to be known by it, even where reading needs none."""
    headers = {"Authorization": value}

    assert (await bare.get(LIST, 401, headers=headers))["error"] == "this token is nobody's"
    assert await bare.status(ACK, "POST", headers=headers) == 401


async def test_a_browser_may_read_with_the_token_as_its_password(bare: Serving) -> None:
    headers = {**basic("token-of-vera"), "Host": "paramedic.example.org"}

    await bare.page("/", headers=headers)
    assert await bare.status("/", headers={**basic("wrong"), "Host": "paramedic.example.org"}) == 401


async def test_a_browser_cannot_act_with_what_it_sends_by_itself(bare: Serving) -> None:
    """A password is sent again with every request, also with one that another page caused."""
    assert await bare.status(ACK, "POST", headers=basic("token-of-alice")) == 401
    assert bare.engine.acts == []


async def test_a_page_asks_a_browser_for_a_password_and_the_api_asks_for_a_token(bare: Serving) -> None:
    for path, scheme in (("/", "Basic"), (LIST, "Bearer")):
        async with bare.http.get(bare.url + path, headers={"Host": "paramedic.example.org"}) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith(scheme)


@pytest.mark.parametrize(
    ("who", "what", "status"),
    [
        ("alice", "incidents/INC-1/ack", 200),
        ("alice", "runs/INC-1.1/approve", 200),
        ("bob", "incidents/INC-1/ack", 200),
        ("bob", "runs/INC-1.1/cancel", 200),
        ("bob", "runs/INC-1.1/approve", 403),
        ("bob", "runs/INC-1.1/deny", 403),
        ("vera", "incidents/INC-1/ack", 403),
        ("vera", "runs/INC-1.1/cancel", 403),
        ("vera", "runs/INC-1.1/approve", 403),
    ],
)
async def test_an_act_needs_its_role(bare: Serving, who: str, what: str, status: int) -> None:
    said: Any = await bare.post(f"/api/v1/{what}", who=who, status=status)

    assert len(bare.engine.acts) == (1 if status == 200 else 0)
    if status == 403:
        assert said["error"] in (f"{who} is no operator", f"{who} is no approver")
        assert "under `people` in the rules" in said["right"]


async def test_roles_are_those_of_the_bundle_in_force_now(bare: Serving) -> None:
    await bare.post(ACK, who="bob")

    bare.catalog.bundle = None

    await bare.post(ACK, who="bob", status=403)
    await bare.get(LIST, headers=bare.bearer("bob"))


async def test_through_the_door_one_is_the_systems_user_with_every_role(bare: Serving) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(bare.data / NAME))) as http:
        for path in ("incidents/INC-1/ack", "runs/INC-1.1/approve"):
            async with http.post(f"http://localhost/api/v1/{path}", headers={"Host": "whatever"}) as answer:
                assert answer.status == 200, await answer.text()

    assert {act.who for _, act in bare.engine.acts} == {pwd.getpwuid(os.getuid()).pw_name}
    assert {(act.groups, act.origin) for _, act in bare.engine.acts} == {(("admin",), "this machine")}


async def test_nobody_is_who_the_body_says(console: Serving, seeding: Any) -> None:
    await write(seeding, an_incident(1))

    await console.post(ACK, {"who": "alice"}, who="bob", status=400)
    await console.post(ACK, {}, who="bob")

    assert [act.who for _, act in console.engine.acts] == ["bob"]


async def test_an_act_says_who_came_by_which_way_and_from_where_and_of_which_roles_and_teams(bare: Serving) -> None:
    await bare.post(ACK, who="alice")
    async with bare.http.post(bare.url + ACK, headers={**bare.bearer("tina"), "User-Agent": "paramedic-cli"}) as answer:
        assert answer.status == 200

    told = [(act.groups, act.way, act.origin) for _, act in bare.engine.acts]
    assert told == [
        (("operator", "approver"), "api", "127.0.0.1"),
        (("operator", "dba"), "cli", "127.0.0.1"),
    ]


async def test_an_admin_may_do_everything_and_a_viewer_nothing(bare: Serving) -> None:
    for path in (ACK, "/api/v1/runs/INC-1.1/approve"):
        await bare.post(path, who="ada")
        await bare.post(path, who="vera", status=403)
