"""POST /api/v1/changes: what CI tells is kept as it was meant, and what is wrong is named."""

from datetime import timedelta
from typing import Any

import pytest

from paramedic.errors import Temporary
from paramedic.ports import Deployed
from tests.console.seed import NOW
from tests.console.serving import Serving

API = {"workload": "deployment/api", "namespace": "shop", "cluster": "main", "version": "api:42"}
URL = "https://ci.example/7"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (API, Deployed(NOW, "main/shop/deployment/api", "", "api:42", "", "builder")),
        (
            {**API, "url": URL, "at": "2026-05-12T04:30:00+02:00"},
            Deployed(NOW - timedelta(minutes=1), "main/shop/deployment/api", "", "api:42", URL, "builder"),
        ),
        (
            {**API, "workload": "statefulset/db"},
            Deployed(NOW, "main/shop/statefulset/db", "", "api:42", "", "builder"),
        ),
        ({"service": "api", "version": "v42"}, Deployed(NOW, "", "api", "v42", "", "builder")),
        ({"service": "api", "version": "v42", "cluster": "main"}, Deployed(NOW, "main", "api", "v42", "", "builder")),
        (
            {"service": "api", "version": "v42", "cluster": "main", "namespace": "shop"},
            Deployed(NOW, "main/shop", "api", "v42", "", "builder"),
        ),
        ({"service": "a\tb\u202e ", "version": " v\n42 "}, Deployed(NOW, "", "a b", "v 42", "", "builder")),
    ],
)
async def test_a_change_is_kept_as_it_was_meant(bare: Serving, body: dict[str, str], kept: Deployed) -> None:
    answer = await bare.post("/api/v1/changes", body, who="builder")

    assert bare.changes.reported == [kept]
    assert answer == {
        "target": kept.target,
        "service": kept.service,
        "version": kept.version,
        "url": kept.url,
        "at": kept.at.isoformat().replace("+00:00", "Z"),
        "by": "builder",
        "new": True,
    }


async def test_a_repeat_says_that_it_is_one(bare: Serving) -> None:
    body = {**API, "at": "2026-05-12T02:30:00Z"}
    answers = [await bare.post("/api/v1/changes", body, who="builder") for _ in range(2)]

    assert [answer["new"] for answer in answers] == [True, False]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"workload": None}, "workload: Input should be a valid string"),
        ({"workload": ""}, "workload: is missing"),
        ({"service": "api"}, "service: stands beside a workload"),
        ({"workload": "api"}, "workload: 'x/x/api' is not CLUSTER/NAMESPACE/KIND/NAME"),
        ({"workload": "deployment/api/../db"}, "workload: 'x/x/deployment/api/../db' is not CLUSTER"),
        ({"workload": "deployment/.."}, "workload: '..' is not the name of an object"),
        ({"workload": "deployment/*"}, "workload: '*' is not the name of an object"),
        ({"workload": "deployment/\u0430pi"}, "workload: '\\u0430pi' is not the name of an object"),
        ({"workload": "pod/api-1"}, "workload: a pod is not a workload"),
        ({"workload": "cronjob/api"}, 'workload: there is no kind "cronjob"'),
        ({"namespace": ""}, "namespace: is missing"),
        ({"namespace": "Shop"}, "namespace: the namespace 'Shop' is not a name"),
        ({"namespace": "shop/x"}, "namespace: 'x/shop/x/deployment/x' is not CLUSTER/NAMESPACE/KIND/NAME"),
        ({"cluster": ""}, "cluster: is missing"),
        ({"cluster": "../main"}, "cluster: '../main/x/deployment/x' is not CLUSTER/NAMESPACE/KIND/NAME"),
        ({"cluster": "", "workload": "", "service": "api"}, "cluster: is missing"),
        ({"version": ""}, "version: is empty"),
        ({"version": "\x00\u202e"}, "version: is empty"),
        ({"version": "x" * 201}, "version: String should have at most 200 characters"),
        ({"version": 42}, "version: Input should be a valid string"),
        ({"url": "javascript:alert(1)"}, "url: is not an address"),
        ({"url": "https://ci:secret@ci.example/7"}, "url: holds a user or a password"),
        ({"url": "https://ci.example/a b"}, "url: is not an address"),
        ({"at": "2026-05-12T02:30:00"}, "at: Input should have timezone info"),
        ({"at": "yesterday"}, "at: Input should be a valid datetime"),
        ({"at": 1778500000}, "at: Input should be a valid datetime"),
        ({"at": "2026-05-12T02:36:01Z"}, "at: lies 5m1s in the future"),
        ({"at": "9999-12-31T23:59:59-23:59"}, "at: lies "),
        ({"at": "2026-04-12T02:30:59Z"}, "at: lies more than 30 days back"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "at: lies more than 30 days back"),
        ({"image": "api:42"}, "image: there is no such field"),
    ],
)
async def test_a_wrong_report_is_not_kept(bare: Serving, changed: dict[str, Any], error: str) -> None:
    answer = await bare.post("/api/v1/changes", {**API, **changed}, who="builder", status=400)

    assert answer["error"].startswith(error)
    assert bare.changes.reported == []


async def test_a_clock_a_little_ahead_is_believed(bare: Serving) -> None:
    await bare.post("/api/v1/changes", {**API, "at": "2026-05-12T02:35:59Z"}, who="builder")

    assert bare.changes.reported[0].at == NOW + timedelta(minutes=4, seconds=59)


async def test_version_must_be_there(bare: Serving) -> None:
    answer = await bare.post("/api/v1/changes", {"service": "api"}, who="builder", status=400)

    assert answer["error"] == "version: Field required"


async def test_only_a_token_with_the_role_reports(bare: Serving) -> None:
    """An operator's token is not CI's, and CI's token can do nothing else."""
    answer = await bare.post("/api/v1/changes", API, who="alice", status=403)

    assert answer == {"error": "alice is no ci", "right": "give alice the role ci under `people` in the rules"}
    assert await bare.status("/api/v1/changes", "POST", json=API) == 401
    await bare.post("/api/v1/incidents/7/ack", who="builder", status=403)
    await bare.post("/api/v1/runs/7.1/approve", who="builder", status=403)
    assert await bare.status("/api/v1/switch", "PUT", json={"mode": "off"}, headers=bare.bearer("builder")) == 403
    assert bare.changes.reported == []


async def test_a_database_that_is_away_is_told_as_such(bare: Serving) -> None:
    bare.changes.raises = Temporary("keeping a reported change: it is away", delay=2.0)
    answer = await bare.post("/api/v1/changes", API, who="builder", status=503)

    assert answer["error"] == "keeping a reported change: it is away"
