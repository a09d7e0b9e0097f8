"""The how-to pages about people: what they show is loaded, rehearsed, and asked of a running console."""

import re
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from paramedic.catalog.load import load_files
from paramedic.console.proxy import Proxy
from paramedic.plugin import discover
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse
from paramedic.settings import read_settings
from tests.console.serving import NoRows, serving_rows

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
REHEARSED = ("require-two-approvers-for-failover.md", "let-one-team-act-only-in-office-hours.md")
PROXY = "let-people-sign-in-through-a-proxy.md"


def block(page: str, language: str = "yaml") -> str:
    """The one block of this language of a page."""
    [found] = re.findall(rf"^ *```{language}\n(.*?)^ *```$", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def changed(page: str, old: str, new: str) -> str:
    text = block(page)
    assert old in text
    return text.replace(old, new)


def went(page: str, text: str) -> list[bool]:
    """Whether each rehearsal of a text goes as told."""
    bundle = [part for part in text.split("---\n") if not part.startswith("rehearsal:")]
    loaded = load_files({"rules/page.yaml": "---\n".join(bundle)}, discover())
    assert [str(fault) for fault in loaded.faults] == []
    told = "---\n".join(part for part in text.split("---\n") if part.startswith("rehearsal:"))
    file = read_rehearsals(page, told, discover(), lambda: loaded)
    assert [str(fault) for fault in file.faults] == []
    return [rehearse(one, discover(), time.monotonic).ok for one in file.rehearsals]


@pytest.mark.parametrize("page", REHEARSED)
def test_what_it_shows_goes_as_told(page: str) -> None:
    results = went(page, block(page))

    assert len(results) >= 2
    assert all(results)


def test_without_the_guard_it_would_not_wait_for_anybody() -> None:
    page = REHEARSED[0]
    text = changed(page, "  - approval: {of: 2, from: [dba], within: 10m, escalate_after: 4m}\n", "")

    assert went(page, text)[1] is False


def test_for_one_approver_one_would_be_enough() -> None:
    page = REHEARSED[0]

    assert went(page, changed(page, "of: 2", "of: 1")) == [False, False]


def test_without_the_window_and_the_team_it_would_be_otherwise() -> None:
    page = REHEARSED[1]

    assert went(page, changed(page, "inside: office-hours", "outside: office-hours"))[:2] == [False, False]
    assert went(page, changed(page, "    team: payments\n", ""))[2] is False


async def test_the_settings_of_the_proxys_page_let_its_people_in(tmp_path: Path) -> None:
    lines = (line.strip().partition("=") for line in block(PROXY, "text").splitlines() if line.strip())
    settings = read_settings({name: value for name, _, value in lines})
    assert [str(network) for network in settings.trusted_proxy] == ["10.0.0.5/32"]
    loaded = load_files({"rules/page.yaml": block(PROXY)}, discover())
    here = Proxy((ip_network("127.0.0.1"),), settings.user_header)

    async with serving_rows(NoRows(), tmp_path, proxy=here) as served:
        served.catalog.bundle = loaded.bundle
        for one in yaml.safe_load(block(PROXY))["people"]:
            for said in (one["name"], one["email"]):
                headers = {settings.user_header: said, "Host": "paramedic.example.org"}
                status = 200 if "operator" in one["roles"] else 403
                assert await served.status("/api/v1/incidents/1/ack", "POST", headers=headers) == status
                await served.get("/api/v1/incidents", headers=headers)
