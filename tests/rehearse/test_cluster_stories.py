"""Whole stories on a simulated cluster, as files tell them: actions, and guards and checks that read the cluster."""

import pytest

from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse
from tests.rehearse.staged import plugins

RULES = """
people: [{name: alice}]
escalation:
  - {name: sre, levels: [{after: 0m, page: [alice]}]}
rules:
  - {name: backlog, match: ['alertname="Backlog"'], incident: [job], playbook: scale-up, escalation: sre}
  - {name: errors, match: ['alertname="Errors"'], incident: [job], playbook: back, with: {target: "${labels.target}"},
     escalation: sre}
---
playbook: scale-up
mode: auto
target: main/shop/deployment/worker
guards: [still_firing: {}]
steps:
  - scale: {to: 6, max: 10, for: 10m}
    verify: [alert_cleared: {within: 10m}]
---
playbook: back
mode: auto
params: {target: {type: string}}
target: "main/shop/${params.target}"
guards:
  - still_firing: {}
  - recent_change: {within: 1h}
  - metric: {name: http_5xx, query: "sum(rate(errors[5m]))", op: ">", threshold: 0.1}
steps:
  - collect: {of: [pods, events, rollout_history, logs]}
  - roll_back: {}
    verify: [rollout: {within: 10m}, alert_cleared: {within: 10m}]
---
"""

BACKLOG = """
rehearsal: A backlog is worked off by more workers, which go again
world:
  deployments: [{name: worker, namespace: shop, replicas: 3, image: "worker:1"}]
  autoscalers: [{name: worker, namespace: shop, target: deployment/worker, min: 2, max: 10, wants: [[-1h, 3]]}]
  alerts: [{alert: {alertname: Backlog, job: worker}, while: {target: deployment/worker.shop, fewer: 6}, stays: 1m}]
then:
  - {by: 5s, step: {scale: deployment/worker.shop, to: {replicas: 6}}}
  - {by: 3m, incident: {phase: resolved, fixed_by: paramedic}}
  - {after: 10m, by: 14m, step: {scale: deployment/worker.shop, undo: true}}
clock: {until: 15m}
"""

OWNED = """
rehearsal: What an operator owns is left to it
world:
  stateful_sets:
    - {name: db, namespace: shop, replicas: 3, owner: Postgres/db, revisions: [{image: a}, {image: b, crash: true}]}
  alerts:
    - {alert: {alertname: Errors, job: db, target: statefulset/db}, while: {target: statefulset/db.shop, is: unready}}
  metrics: {http_5xx: [[-5m, 3.0]]}
then:
  - {by: 1m, page: {text: "Postgres/db"}}
never:
  - {step: {roll_back: "*"}}
"""

BROKEN = """
rehearsal: A broken release of a KIND is put back
world:
  KEY: [{name: it, namespace: shop, revisions: [{image: "it:1"}, {image: "it:2", crash: true, logs: "panic"}]}]
  alerts: [{alert: {alertname: Errors, job: it, target: KIND/it}, while: {target: KIND/it.shop, is: unready}, for: 1m}]
  metrics: {http_5xx: {while: {target: KIND/it.shop, is: unready}, value: 3.0}}
then:
  - {by: 2m, guard: {recent_change: allow, reason: "it:1 → it:2"}}
  - {by: 2m, guard: {metric: allow}}
  - {by: 2m, step: {collect: KIND/it.shop}}
  - {by: 2m, step: {roll_back: KIND/it.shop, to: {image: "it:1"}}}
  - {by: 5m, incident: {phase: resolved, fixed_by: paramedic}}
"""

PENDING = """
rehearsal: Somebody rolls back first, and nothing is done twice
world:
  deployments: [{name: api, namespace: shop, replicas: 3, revisions: [{image: "a:1"}, {image: "a:2", ready: false}]}]
  alerts:
    - alert: {alertname: Errors, job: api, target: deployment/api}
      while: {target: deployment/api.shop, is: unready}
      for: 30s
      stays: 5m
  metrics: {http_5xx: [[-5m, 3.0]]}
when:
  - {at: 30.03, cluster: {edit: deployment/api.shop, image: "a:1", by: alice}}
then:
  - {by: 31s, entry: {kind: changed, text: planned anew}}
  - {by: 1m, run: {outcome: refused}}
never:
  - {step: {roll_back: "*", outcome: done}}
clock: {until: 10m}
"""

STORIES = {
    "backlog": BACKLOG,
    "owned": OWNED,
    "somebody": PENDING,
    "deployment": BROKEN.replace("KIND", "deployment").replace("KEY", "deployments"),
    "statefulset": BROKEN.replace("KIND", "statefulset").replace("KEY", "stateful_sets"),
    "daemonset": BROKEN.replace("KIND", "daemonset").replace("KEY", "daemon_sets"),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_goes_as_told(name: str) -> None:
    file = read_rehearsals("a.test.yaml", RULES + STORIES[name], plugins(), lambda: pytest.fail("has its own rules"))
    assert not file.faults, [str(one) for one in file.faults]
    result = rehearse(file.rehearsals[0], plugins(), lambda: 0.0)
    assert result.ok, (result.error, result.findings)
