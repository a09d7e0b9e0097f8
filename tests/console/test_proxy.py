"""People signed in by a proxy: believed only straight from its addresses, and only of somebody who is known."""

import base64
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from paramedic.console.door import NAME
from paramedic.console.proxy import Proxy
from tests.console.serving import NoRows, Serving, serving_rows

USER = "X-Auth-User"
LIST = "/api/v1/incidents"
ACK = "/api/v1/incidents/INC-1/ack"
HERE = Proxy((ip_network("127.0.0.1"),), USER)
ELSEWHERE = Proxy((ip_network("10.0.0.5"), ip_network("fd00::/64")), USER)
Behind = Callable[[Proxy | None], AbstractAsyncContextManager[Serving]]


@pytest.fixture
def behind(tmp_path: Path) -> Behind:
    """A console that believes this proxy."""

    @asynccontextmanager
    async def serve(proxy: Proxy | None) -> AsyncIterator[Serving]:
        async with serving_rows(NoRows(), tmp_path, proxy=proxy) as running:
            yield running

    return serve


def signed_in(name: str, **more: str) -> dict[str, str]:
    return {
        USER: name,
        "Host": "paramedic.example.org",
        **{key.replace("_", "-"): value for key, value in more.items()},
    }


@pytest.mark.parametrize(
    ("remote", "trusted"),
    [
        ("10.0.0.5", True),
        ("10.0.0.6", False),
        ("::ffff:10.0.0.5", True),
        ("fd00::17", True),
        ("fd01::17", False),
        ("", False),
        (None, False),
        ("10.0.0.5, 10.0.0.6", False),
    ],
)
def test_which_addresses_are_the_proxys(remote: str | None, trusted: bool) -> None:
    assert ELSEWHERE.trusts(remote) is trusted


async def test_who_the_proxy_says_it_is_reads_and_acts_by_the_roles_of_the_bundle(behind: Behind) -> None:
    async with behind(HERE) as served:
        await served.get(LIST, headers=signed_in("vera"))
        assert await served.status(ACK, "POST", headers=signed_in("vera")) == 403
        assert await served.status(ACK, "POST", headers=signed_in("tina", X_Forwarded_For="6.6.6.6, 10.1.2.3")) == 200

        [(_, act)] = served.engine.acts
        assert (act.who, act.groups, act.way) == ("tina", ("operator", "dba"), "console")
        assert act.origin == "10.1.2.3 through 127.0.0.1", "the last one is what the proxy has seen itself"


async def test_a_person_may_be_known_by_the_mail_address(behind: Behind) -> None:
    async with behind(HERE) as served:
        assert await served.status(ACK, "POST", headers=signed_in("Tina@example.org")) == 200
        assert await served.status(ACK, "POST", headers=signed_in("tina@elsewhere.example")) == 401

        assert [act.who for _, act in served.engine.acts] == ["tina"]


async def test_from_anywhere_else_the_header_is_refused_and_logged(
    behind: Behind, caplog: pytest.LogCaptureFixture
) -> None:
    """Also beside a good token, and on this very machine: somebody is trying something, or something is set wrong."""
    async with behind(ELSEWHERE) as served:
        for headers in ({USER: "alice"}, {USER: "alice", **served.bearer("alice")}, {USER: ""}):
            for path, method in ((LIST, "GET"), (ACK, "POST"), ("/", "GET")):
                assert await served.status(path, method, headers=headers) == 401
        assert served.engine.acts == []

    assert "refused: 127.0.0.1 says who it is, as only the proxy may" in caplog.text
    assert "alice" not in caplog.text


async def test_through_the_door_nobody_says_who_they_are(behind: Behind) -> None:
    async with (
        behind(HERE) as served,
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(served.data / NAME))) as http,
        http.post(f"http://localhost{ACK}", headers={USER: "alice"}) as answer,
    ):
        assert answer.status == 401


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "nobody",
        "root",
        "alice bob",
        "alice,bob",
        "alice;admin",
        "../alice",
        "alice\t",
        "*",
        "a" * 4000,
        "älice",
        "\u202ealice",
        "alice@",
        "@example.org",
        "@",
    ],
)
async def test_a_name_that_is_nobodys_is_refused(behind: Behind, caplog: pytest.LogCaptureFixture, name: str) -> None:
    async with behind(HERE) as served:
        assert await served.status(LIST, headers=signed_in(name)) == (200 if name.strip() == "alice" else 401)
        assert await served.status(ACK, "POST", headers=signed_in(name)) == (200 if name.strip() == "alice" else 401)
    assert all(record.getMessage().isprintable() for record in caplog.records if record.levelno >= logging.WARNING)


async def test_a_header_that_stands_twice_is_refused(behind: Behind) -> None:
    """One of them is what somebody sent through the proxy."""
    async with behind(HERE) as served:
        twice = [(USER, "alice"), (USER, "ada"), ("Host", "paramedic.example.org")]
        assert await served.status(LIST, headers=twice) == 401


async def test_without_the_header_the_proxy_is_nobody_also_on_this_machine(behind: Behind) -> None:
    """What it passes on unsigned must not count as typed here. A token still counts: commands come through it too."""
    async with behind(HERE) as served:
        assert await served.status(LIST) == 401
        assert await served.status(LIST, headers=served.bearer("vera")) == 200
        assert await served.status(ACK, "POST", headers=served.bearer("alice")) == 200


async def test_switched_off_the_header_means_nothing(behind: Behind) -> None:
    async with behind(None) as served:
        assert await served.status(LIST, headers=signed_in("alice")) == 401
        assert await served.status(ACK, "POST", headers={USER: "alice"}) == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://paramedic.example.org"}, 403),
        ({"Origin": "https://paramedic.example.org"}, 200),
        ({"Origin": "https://front.example.org", "X-Forwarded-Host": "front.example.org"}, 200),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
    ],
)
async def test_a_page_elsewhere_cannot_make_a_browser_act(behind: Behind, headers: dict[str, str], status: int) -> None:
    """The proxy signs in whatever the browser sends, also what another page has caused."""
    async with behind(HERE) as served:
        assert await served.status(ACK, "POST", headers={**signed_in("alice"), **headers}) == status
        assert len(served.engine.acts) == (status == 200)


async def test_who_is_signed_in_counts_before_any_credential_of_the_proxys_own(behind: Behind) -> None:
    basic: dict[str, Any] = {"Authorization": "Basic " + base64.b64encode(b"proxy:secret").decode()}
    async with behind(HERE) as served:
        assert await served.status(ACK, "POST", headers={**signed_in("alice"), **basic}) == 200
