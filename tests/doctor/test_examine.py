"""The doctor, asked about a whole world outside: what it says when all is well, and of each thing that is not."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from paramedic.clients.kube.targets import PERMISSIONS
from paramedic.doctor import examine as module
from paramedic.doctor.finding import Finding
from paramedic.plugin import discover
from tests.doctor.outside import CATALOG, SECRETS, examined, outside, settings_for

DENIED = "patch deployments.apps"


def said(found: dict[tuple[str, str], list[Finding]], system: str, state: str) -> list[str]:
    return [each.said for each in found.get((system, state), [])]


def wrongs(found: dict[tuple[str, str], list[Finding]]) -> list[Finding]:
    return [each for (_, state), some in found.items() if state == "wrong" for each in some]


async def test_when_all_is_well_nothing_is_wrong(tmp_path: Path) -> None:
    async with outside() as told:
        found = await examined(told, settings_for(told, tmp_path))

    assert wrongs(found) == []
    assert said(found, "alertmanager", "fine") == ["version 0.28.1, reached", "its clock is within 1s of ours"]
    assert said(found, "prometheus", "fine") == [
        "version 2.53.0, reached",
        "its clock is within 1s of ours",
        "it looks back only as far as it is told to",
    ]
    assert said(found, "cluster", "fine")[0] == "Kubernetes v1.34.1, reached"
    assert said(found, "slack", "fine") == ["Slack takes the token"]
    assert said(found, "pagerduty", "fine") == ["it answers (200)"]


async def test_nothing_is_paged_and_nothing_is_posted(tmp_path: Path) -> None:
    async with outside() as told:
        await examined(told, settings_for(told, tmp_path))

    asked = {(each.method, each.target) for each in told.asked}
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldManager=paramedic&timeout=5s"
    assert asked == {
        ("GET", "/api/v2/status"),
        ("GET", "/api/v1/status/buildinfo"),
        ("POST", "/api/v1/query"),
        ("GET", "/version"),
        ("POST", reviews),
        ("POST", "/auth.test"),
        ("GET", "/"),
    }


async def test_each_permission_is_asked_about_and_the_missing_one_is_named(tmp_path: Path) -> None:
    needed = {*PERMISSIONS, *discover().actions["restart"].permissions}
    async with outside(denied=frozenset({DENIED})) as told:
        found = await examined(told, settings_for(told, tmp_path))

    allowed = {text.removeprefix("may ") for text in said(found, "cluster", "fine") if text.startswith("may ")}
    assert allowed == needed - {DENIED}
    [finding] = wrongs(found)
    assert (finding.system, finding.about) == ("cluster", "main")
    assert finding.said == f"may not {DENIED}, which restart needs"
    assert finding.right == "grant it: paramedic rbac | kubectl apply -f -"


async def test_permissions_are_asked_about_in_the_namespace_that_is_named(tmp_path: Path) -> None:
    async with outside(denied=frozenset({f"{DENIED} in shop"})) as told:
        found = await examined(told, settings_for(told, tmp_path), namespace="shop")

    [finding] = wrongs(found)
    assert finding.said == f"may not {DENIED} in shop, which restart needs"
    assert "paramedic rbac --namespace shop" in finding.right


async def test_clocks_that_differ_are_wrong(tmp_path: Path) -> None:
    async with outside(ahead=-90) as told:
        found = await examined(told, settings_for(told, tmp_path))

    assert sorted(each.system for each in wrongs(found)) == ["alertmanager", "cluster", "prometheus"]
    assert all("behind ours" in each.said and each.right == "keep both machines on NTP" for each in wrongs(found))


REFUSALS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"statuses": {"/api/v2/status": 502}}, "alertmanager", "it answered 502", "must lead to an Alertmanager"),
    ({"statuses": {"/api/v1/query": 401}}, "prometheus", "it answered 401", "or correct the address"),
    ({"looks_back": True}, "prometheus", "it ignores lookback_delta", "2.43 or newer"),
    ({"statuses": {"/version": 401}}, "cluster", "does not accept our credentials", "correct PARAMEDIC_CLUSTERS"),
    ({"bodies": {"/auth.test": {"ok": False, "error": "invalid_auth"}}}, "slack", "invalid_auth", "make a new token"),
    ({"statuses": {"/auth.test": 503}}, "slack", "503", "by HTTPS"),
]


@pytest.mark.parametrize(("answers", "system", "what", "right"), REFUSALS, ids=[f"{s}-{w}" for _, s, w, _ in REFUSALS])
async def test_a_refusal_is_told_with_what_to_do(
    tmp_path: Path, answers: dict[str, Any], system: str, what: str, right: str
) -> None:
    async with outside(**answers) as told:
        found = await examined(told, settings_for(told, tmp_path))

    [finding] = wrongs(found)
    assert finding.system == system
    assert what in finding.said
    assert right in finding.right


CANNOT_TELL: list[tuple[dict[str, Any], str, str]] = [
    ({"up": 0}, "prometheus", "there is no series `up`"),
    (
        {"statuses": {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": 403}},
        "cluster",
        "may get deployments.apps cannot be told",
    ),
    (
        {"bodies": {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {}}},
        "cluster",
        "the answer does not say so",
    ),
]


@pytest.mark.parametrize(("answers", "system", "what"), CANNOT_TELL, ids=[what for _, _, what in CANNOT_TELL])
async def test_what_cannot_be_told_is_neither_fine_nor_wrong(
    tmp_path: Path, answers: dict[str, Any], system: str, what: str
) -> None:
    async with outside(**answers) as told:
        found = await examined(told, settings_for(told, tmp_path))

    assert wrongs(found) == []
    assert any(what in text for text in said(found, system, "open"))


async def test_a_version_that_is_not_told_is_unknown_and_that_is_all(tmp_path: Path) -> None:
    paths = {"/api/v2/status": [], "/api/v1/status/buildinfo": {"status": "success", "data": {}}, "/version": {}}
    async with outside(bodies=paths) as told:
        found = await examined(told, settings_for(told, tmp_path))

    assert wrongs(found) == []
    assert "version unknown, reached" in said(found, "alertmanager", "fine")
    assert "version unknown, reached" in said(found, "prometheus", "fine")
    assert "Kubernetes of an unknown version, reached" in said(found, "cluster", "fine")


MISSING = [
    ("PARAMEDIC_PROMETHEUS_URL", "prometheus", "so that metric is unknown in restart"),
    ("PARAMEDIC_CLUSTERS", "cluster", "so that nothing comes of restart"),
    ("SLACK_BOT_TOKEN", "slack", "nothing that ann should be told is posted"),
    ("PAGERDUTY_SRE_KEY", "pagerduty", "a page to sre reaches nobody"),
    ("HOOK_TOKEN", "endpoint", "HOOK_TOKEN is not set, so that nothing can be sent there"),
    ("MAIN_WEBHOOK_TOKEN", "alertmanager", "so that nothing it sends is taken"),
]


@pytest.mark.parametrize(("name", "system", "what"), MISSING, ids=[name for name, _, _ in MISSING])
async def test_what_is_needed_and_not_set_is_wrong(tmp_path: Path, name: str, system: str, what: str) -> None:
    async with outside() as told:
        found = await examined(told, settings_for(told, tmp_path, **{name: ""}))

    [finding] = wrongs(found)
    assert finding.system == system
    assert what in finding.said
    assert finding.right.startswith("set ")


async def test_an_alertmanager_of_the_settings_is_asked_with_its_token(tmp_path: Path) -> None:
    catalog = CATALOG.replace(', instances: ["URL"]', "")
    assert catalog != CATALOG
    async with outside() as told:
        alone = await examined(told, settings_for(told, tmp_path), catalog=catalog)
        settings = settings_for(
            told, tmp_path, PARAMEDIC_ALERTMANAGER_URL=told.url, PARAMEDIC_ALERTMANAGER_TOKEN="alerts-s3cret"
        )
        found = await examined(told, settings, catalog=catalog)

    assert "no instances are named, so it cannot be asked" in said(alone, "alertmanager", "open")
    assert said(found, "alertmanager", "open") == []
    assert "version 0.28.1, reached" in said(found, "alertmanager", "fine")
    tokens = {one.headers["authorization"] for one in told.asked if one.target == "/api/v2/status"}
    assert tokens == {"Bearer alerts-s3cret"}


async def test_an_alertmanager_that_wants_a_token_says_which_setting_it_is(tmp_path: Path) -> None:
    async with outside(statuses={"/api/v2/status": 401}) as told:
        found = await examined(told, settings_for(told, tmp_path))

    [finding] = wrongs(found)
    assert (finding.said, finding.right) == (
        "it answered 401",
        "set PARAMEDIC_ALERTMANAGER_TOKEN to the token that it takes",
    )


async def test_every_guard_that_measures_is_named_where_nothing_can_be_measured(tmp_path: Path) -> None:
    catalog = CATALOG.replace("guards: [", "guards: [{self_health: {}}, {data_safety: {timeline: {query: x}}}, ")
    assert catalog != CATALOG
    async with outside() as told:
        settings = settings_for(told, tmp_path, PARAMEDIC_PROMETHEUS_URL="")
        found = await examined(told, settings, catalog=catalog)

    [finding] = wrongs(found)
    unknown = "; ".join(f"{kind} is unknown in restart" for kind in ("data_safety", "metric", "self_health"))
    assert finding.said == f"PARAMEDIC_PROMETHEUS_URL is not set, so that {unknown}"


async def test_what_is_not_needed_and_not_set_is_not_wrong(tmp_path: Path) -> None:
    names = [name for name, *_ in MISSING]
    async with outside() as told:
        found = await examined(told, settings_for(told, tmp_path, **dict.fromkeys(names, "")), catalog="rules: []\n")

    assert wrongs(found) == []
    assert {system for system, state in found if state == "open"} >= {"prometheus", "cluster", "slack", "pagerduty"}


@pytest.mark.parametrize(
    ("environment", "system", "what"),
    [
        ({"PARAMEDIC_CLUSTERS": "main=/nowhere/kubeconfig"}, "cluster", "there is no file"),
        ({"PARAMEDIC_PROMETHEUS_URL": "prometheus:9090"}, "prometheus", "is not http:// or https://"),
        ({"SLACK_BOT_TOKEN_FILE": "/nowhere/token"}, "slack", "are both set"),
        ({"HOOK_TOKEN": "", "HOOK_TOKEN_FILE": "/nowhere/token"}, "endpoint", "cannot read"),
    ],
)
async def test_a_setting_that_cannot_be_right_is_a_finding(
    tmp_path: Path, environment: dict[str, str], system: str, what: str
) -> None:
    async with outside() as told:
        found = await examined(told, settings_for(told, tmp_path, **environment))

    [finding] = wrongs(found)
    assert finding.system == system
    assert what in finding.said


async def test_files_with_faults_are_a_finding_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    async with outside() as told:
        found = await examined(told, settings_for(told, tmp_path), catalog=CATALOG.replace("restart: {}", "start: {}"))

    [finding] = wrongs(found)
    assert finding.system == "catalog"
    assert finding.said.startswith("all.yaml:")
    assert ("cluster", "fine") in found
    assert ("prometheus", "fine") in found


async def test_no_finding_ever_holds_a_secret(tmp_path: Path) -> None:
    """Whatever the systems say back: here they repeat every secret there is."""
    secrets = [*(value for name, value in SECRETS.items() if "PROMETHEUS" not in name), "db-s3cret", "url-s3cret"]
    everything = " ".join(secrets)
    paths = ["/api/v2/status", "/api/v1/query", "/version", "/auth.test", "/"]
    bodies = {path: {"status": "error", "error": everything, "message": everything, "ok": False} for path in paths}
    async with outside(bodies=bodies, statuses=dict.fromkeys(paths, 400)) as told:
        settings = settings_for(
            told,
            tmp_path,
            PARAMEDIC_DATABASE_URL="postgresql://ann:db-s3cret@127.0.0.1:1/x",
            PARAMEDIC_PROMETHEUS_TOKEN="",
            PARAMEDIC_PROMETHEUS_URL=told.url.replace("http://", "http://ann:url-s3cret@"),
        )
        found = await examined(told, settings)

    texts = [f"{each.about} {each.said} {each.right}" for some in found.values() for each in some]
    assert len(wrongs(found)) >= 4
    assert [text for text in texts for secret in secrets if secret in text] == []


async def test_who_never_answers_keeps_nobody_else_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ONE", 2.0)  # half of it is for the connection, which is made
    silent = frozenset({"/api/v2/status", "/api/v1/query", "/version"})
    async with outside(silent=silent) as told, asyncio.timeout(20):
        found = await examined(told, settings_for(told, tmp_path))

    assert sorted(each.system for each in wrongs(found)) == ["alertmanager", "cluster", "prometheus"]
    late = re.compile(r"no answer within [12](\.\d+)?s$")  # what is left of it is what a question may take
    assert [each.said for each in wrongs(found) if not late.search(each.said)] == []
    assert ("slack", "fine") in found


async def test_a_probe_that_takes_too_long_altogether_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ALL", 0.1)
    async with outside(silent=frozenset({"/version"})) as told:
        found = await examined(told, settings_for(told, tmp_path))

    assert "no answer within 0.1s" in said(found, "cluster", "wrong")
