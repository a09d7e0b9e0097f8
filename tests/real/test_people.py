"""People against a running service: opened by hand, approved by two of a team with their own tokens, and told so."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.real.processes import until
from tests.real.services import PARAMEDIC, Service, Services
from tests.real.sinks import Sink

RULES = """\
people:
  - {name: olga, roles: [operator, approver], teams: [dba]}
  - {name: dan, roles: [approver], teams: [dba]}
  - {name: eve, email: eve@example.org, roles: [approver], teams: [dba]}
  - {name: gil, roles: [operator, approver], teams: [sre]}
endpoints: [{name: hook, url: "HOOK", idempotent: true}]
rules:
  - name: failover
    match: ['alertname="PrimaryDown"']
    incident: [id]
    playbook: fail-over
    with: {id: "${labels.id}"}
    team: dba
"""
PLAYBOOK = """\
playbook: fail-over
mode: auto
defaults: none
team: dba
params: {id: {type: string}}
target: "hook/${params.id}"
guards: [approval: {of: 2, from: [dba], within: 10m}]
steps:
  - http: {endpoint: hook, method: POST, path: "/act?id=${params.id}", body: {id: "${params.id}"}}
"""


@dataclass(frozen=True)
class Failover:
    """Two of the team have to approve."""

    hook: str

    def write(self, rules: Path, playbooks: Path) -> None:
        """Put the files where a service looks for them."""
        rules.mkdir(exist_ok=True)
        playbooks.mkdir(exist_ok=True)
        (rules / "rules.yaml").write_text(RULES.replace("HOOK", self.hook))
        (playbooks / "fail-over.yaml").write_text(PLAYBOOK)


async def command(settings: Mapping[str, str], *words: str) -> tuple[int, str]:
    """The exit code and the words of a command with these settings."""
    process = await asyncio.create_subprocess_exec(
        PARAMEDIC,
        *words,
        env={**os.environ, "NO_COLOR": "1", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60.0):
        out, complaint = await process.communicate()
    return process.returncode or 0, (out + complaint).decode()


async def token(tokens: Path, name: str) -> str:
    """A new token of somebody, as its file has it from now on."""
    code, said = await command({"PARAMEDIC_TOKENS_FILE": str(tokens)}, "token", name, "--write")
    assert code == 0, said
    return next(line for line in said.splitlines() if line.startswith("paramedic_"))


async def waiting(service: Service, incident: str) -> dict[str, Any]:
    """The incident's run, once it waits for people."""

    async def there() -> dict[str, Any] | None:
        run: dict[str, Any] | None = (await service.detail(incident))["run"]
        return run if run is not None and run["wanted"] else None

    found = await until(there, "a run that waits for people")
    assert found is not None
    return found


@pytest.mark.timeout(120)
async def test_opened_by_hand_approved_by_two_of_the_team_and_never_by_who_asked(
    serve: Services, sink: Sink, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    names = ("olga", "dan", "eve", "gil")
    persons = dict(zip(names, await asyncio.gather(*(token(tokens, name) for name in names)), strict=True))
    service = await serve(Failover(sink.url), PARAMEDIC_TOKENS_FILE=str(tokens))

    async def by(name: str, *words: str) -> tuple[int, str]:
        return await command({"PARAMEDIC_URL": service.url, "PARAMEDIC_TOKEN": persons[name]}, *words)

    opening = ("incidents", "open", "the primary is gone", "alertname=PrimaryDown", "id=pg-1")
    assert "the rule failover is for the team dba, and gil is not of it" in (await by("gil", *opening))[1]
    code, said = await by("olga", *opening)
    number = said.strip()
    assert (code, number) == (0, "INC-1")
    run = await waiting(service, number)
    assert (run["id"], run["wanted"]) == ("INC-1.1", "2 approvals by dba")

    refused = await asyncio.gather(*(by(name, "runs", "approve", run["id"]) for name in ("olga", "gil")))
    assert [code for code, _ in refused] == [1, 1]
    assert "olga has asked for this, and somebody else has to approve it" in refused[0][1]
    assert "this is for the team dba, and gil is not of it" in refused[1][1]

    assert (await by("dan", "runs", "approve", run["id"]))[0] == 0
    again, last = await by("dan", "runs", "approve", run["id"])
    assert (again, "waits for one more approval by dba" in last) == (1, True)
    assert await sink.executed() == {}
    assert (await command({"PARAMEDIC_TOKENS_FILE": str(tokens)}, "token", "eve", "--revoke"))[0] == 0
    assert (await by("eve", "runs", "approve", run["id"]))[0] == 1, "a token that is gone counts no more"
    persons["eve"] = await token(tokens, "eve")
    assert (await by("eve", "runs", "approve", run["id"]))[0] == 0

    await sink.has("pg-1")
    assert await sink.executed() == {"pg-1": 1}
    entries = await service.entries(number)
    acted = [(one["kind"], one["who"], one["note"]) for one in entries if one["kind"] in ("opened", "approved")]
    assert acted == [
        ("opened", "olga", "by cli from 127.0.0.1"),
        ("approved", "dan", "by cli from 127.0.0.1"),
        ("approved", "eve", "by cli from 127.0.0.1"),
    ]


@pytest.mark.timeout(120)
async def test_the_proxy_says_who_it_is_and_nobody_else_may(serve: Services, sink: Sink) -> None:
    """This machine is the proxy of the one service, and a stranger to the other."""
    header = {"PARAMEDIC_USER_HEADER": "X-Auth-User"}
    behind = await serve(Failover(sink.url), PARAMEDIC_TRUSTED_PROXY="127.0.0.1", **header)
    apart = await serve(Failover(sink.url), PARAMEDIC_TRUSTED_PROXY="10.0.0.5", **header)

    async with aiohttp.ClientSession() as http:

        async def status(service: Service, user: str, **more: str) -> int:
            headers = {"X-Auth-User": user, **{name.replace("_", "-"): value for name, value in more.items()}}
            async with http.put(f"{service.url}/api/v1/switch", json={"mode": "auto"}, headers=headers) as answer:
                return answer.status

        assert await status(behind, "olga") == 200
        assert await status(behind, "eve@example.org") == 403, "she is no operator"
        assert await status(behind, "mallory") == 401
        assert await status(behind, "olga", Sec_Fetch_Site="cross-site") == 403
        assert await status(apart, "olga") == 401
    assert (await behind.json_of("switch"))["who"] == "olga"
    assert "says who it is, as only the proxy may" in apart.process.output()
