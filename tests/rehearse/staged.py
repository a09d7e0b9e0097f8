"""One small service for the tests of the stage: an endpoint, people, a rule, a playbook; and how to play over it."""

from functools import cache
from typing import Any

from paramedic.catalog.load import load_files
from paramedic.core.bundle import Bundle
from paramedic.plugin import Plugins, discover
from paramedic.rehearse.compare import Finding, compare
from paramedic.rehearse.loop import virtually
from paramedic.rehearse.script import Script
from paramedic.rehearse.stage import Played, Stage

RULES = """
sources: [{name: main, repeat: 4h}]
endpoints:
  - {name: hook, url: "http://127.0.0.1:9", idempotent: true}
  - {name: bell, url: "http://127.0.0.1:9"}
people:
  - {name: alice, notifier: webhook, webhook: bell}
  - {name: bob}
  - {name: carol}
escalation:
  - name: sre
    levels: [{after: 0m, page: [alice], second: [carol]}, {after: 15m, page: [bob]}]
rules:
  - name: service-down
    match: ['alertname="ServiceDown"']
    incident: [job]
    severity: P1
    playbook: restart
    with: {job: "${labels.job}"}
    escalation: sre
  - {name: asked-first, match: ['alertname="Asked"'], incident: [job], playbook: ask, with: {job: "${labels.job}"},
     escalation: sre}
---
playbook: restart
mode: auto
params: {job: {type: string}}
target: "hook/${params.job}"
guards: [still_firing: {}]
steps:
  - http: {endpoint: hook, method: POST, path: "/restart?job=${params.job}"}
    verify: [alert_cleared: {within: 5m}]
---
playbook: ask
mode: approve
params: {job: {type: string}}
target: "hook/${params.job}"
steps:
  - http: {endpoint: hook, method: POST, path: "/restart?job=${params.job}"}
    verify: [http: {endpoint: hook, path: /health, within: 2m}]
"""

WORLD: dict[str, Any] = {
    "endpoints": {
        "hook": {"effects": [{"on": "POST /restart*", "resolves": "ServiceDown", "after": "30s"}]},
        "bell": {},
    }
}
DOWN = {"at": "0s", "alert": {"alertname": "ServiceDown", "job": "api"}}


@cache
def plugins() -> Plugins:
    """All plug-ins, found once: they hold nothing."""
    return discover()


@cache
def bundle(text: str = RULES) -> Bundle:
    """The bundle of a text."""
    loaded = load_files({"rules.yaml": text}, plugins())
    assert loaded.bundle is not None, loaded.faults
    return loaded.bundle


def scripted(**written: Any) -> Script:
    """A rehearsal; what is not written is the small world, and an alert that fires."""
    return Script.model_validate({"rehearsal": "x", "world": WORLD, "when": [DOWN], **written})


def played(script: Script, text: str = RULES) -> tuple[Stage, Played]:
    """Play it; the stage as it was left, and what came of it."""
    stages: list[Stage] = []

    async def play(loop: Any) -> Played:
        stages.append(Stage(loop, script, bundle(text), plugins()))
        return await stages[0].play()

    came_of_it = virtually(play)
    assert not came_of_it.defects
    return stages[0], came_of_it


def findings(script: Script) -> list[Finding]:
    """What it did not do as told."""
    return compare(script, played(script)[1].happened)
