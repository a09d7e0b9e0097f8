"""The catalog of the rounds, and their alerts: an endpoint that knows keys, one that nothing protects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["alert", "write_catalog"]

CATALOG = """\
endpoints:
  - {name: hook, url: "SINK/hook", idempotent: true, timeout: 1s}
  - {name: raw, url: "SINK/raw", idempotent: false, timeout: 1s}
people: [{name: sre}]
escalation: [{name: sre, levels: [{after: 0s, page: [sre]}]}]
rules:
  - name: unprotected
    match: ['endpoint="raw"']
    incident: [id]
    storm: off
    playbook: call-raw
    with: {id: "${labels.id}"}
    escalation: sre
  - name: every-alert
    match: ['alertname=~".+"']
    incident: [id]
    storm: off
    playbook: call-hook
    with: {id: "${labels.id}"}
"""
PLAYBOOK = """\
playbook: call-ENDPOINT
mode: auto
defaults: none
params: {id: {type: string}}
target: "ENDPOINT/${params.id}"
steps:
  - http: {endpoint: ENDPOINT, method: POST, path: "/act?id=${params.id}", body: {id: "${params.id}"}}
"""


def alert(identity: str, endpoint: str) -> Mapping[str, Any]:
    """A firing alert with an incident of its own."""
    return {
        "status": "firing",
        "labels": {"alertname": "Down", "id": identity, "endpoint": endpoint},
        "annotations": {},
        "startsAt": "2026-01-05T02:14:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "00",
    }


def write_catalog(folder: Path, url: str) -> Mapping[str, str]:
    """The catalog's files, acting on the sink at `url`; the settings that name them."""
    rules, playbooks = folder / "rules", folder / "playbooks"
    rules.mkdir()
    playbooks.mkdir()
    (rules / "crash.yaml").write_text(CATALOG.replace("SINK", url))
    for endpoint in ("hook", "raw"):
        (playbooks / f"call-{endpoint}.yaml").write_text(PLAYBOOK.replace("ENDPOINT", endpoint))
    return {"PARAMEDIC_RULES": str(rules), "PARAMEDIC_PLAYBOOKS": str(playbooks)}
