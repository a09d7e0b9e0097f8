"""What the stories of the engine's tests are made of: a catalog's text, and bodies of Alertmanager's webhook."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from paramedic.catalog.load import load_files
from paramedic.core.bundle import Bundle
from paramedic.plugin import Plugins, discover
from paramedic.rehearse.loop import START

CATALOG = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000", idempotent: true, timeout: 10s}
  - {name: raw, url: "http://127.0.0.1:9001", timeout: 10s}
  - {name: pager, url: "http://127.0.0.1:9002"}
people:
  - {name: alice, webhook: pager, roles: [operator, approver]}
  - {name: bob, webhook: pager}
escalation:
  - {name: sre, levels: [{after: 0s, page: [alice]}, {after: 5m, page: [bob]}]}
rules:
  - name: down
    match: ['alertname="Down"']
    incident: [job]
    playbook: act
    with: {job: "${labels.job}", target: "${has(labels.target) ? labels.target : labels.job}"}
    escalation: sre
    RULE
---
playbook: act
mode: MODE
defaults: none
params: {job: {type: string}, target: {type: string}}
target: "svc/${params.target}"
guards: [GUARDS]
steps:
  - http: {endpoint: ENDPOINT, path: "/act?job=${params.job}"UNDO}
    VERIFY
"""


def catalog(
    endpoint: str = "hook", *, mode: str = "auto", guards: str = "", verify: str = "", undo: str = "", rule: str = ""
) -> str:
    """The catalog of most stories, varied."""
    given = {"ENDPOINT": endpoint, "MODE": mode, "GUARDS": guards, "VERIFY": verify, "UNDO": undo, "RULE": rule}
    text = CATALOG
    for name, value in given.items():
        text = text.replace(name, value)
    return text


@cache
def plugins() -> Plugins:
    """The real plug-ins."""
    return discover()


@cache
def bundle_of(text: str) -> Bundle:
    """A catalog's text as a bundle."""
    return loaded(text, plugins())


def loaded(text: str, used: Plugins) -> Bundle:
    """As `bundle_of`, with other plug-ins."""
    result = load_files({"catalog.yaml": text}, used)
    assert result.bundle is not None, [str(fault) for fault in result.faults]
    return result.bundle


def body(*alerts: Mapping[str, Any]) -> bytes:
    """A body of version 4 with these elements."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}",
            "status": "firing",
            "receiver": "paramedic",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example",
            "alerts": alerts,
        }
    ).encode()


def element(
    job: str, *, alertname: str = "Down", starts: datetime = START, ends: datetime | None = None, **labels: str
) -> Mapping[str, Any]:
    """One element; resolved if it has an end."""
    return {
        "status": "firing" if ends is None else "resolved",
        "labels": {"alertname": alertname, "job": job, **labels},
        "annotations": {},
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat() if ends else "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "00",
    }
