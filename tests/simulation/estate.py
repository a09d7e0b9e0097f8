"""The estate of every scenario: its rules and playbooks, in two versions, so that a run can be caught in a reload.

Every way of writing is in it: an endpoint that knows keys, one that does not, a cluster that compares; with approval,
in shadow, with measured guards and checks, with a change that is taken back. Each path says of which version it is.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from paramedic.catalog.load import load_files
from paramedic.core.bundle import Bundle
from paramedic.plugin import Plugins, discover

__all__ = [
    "ALERTS",
    "EXPIRY",
    "GAPS",
    "JOBS",
    "PAIR",
    "QUIET_AFTER",
    "STORM",
    "VERSIONS",
    "bundle",
    "bundles",
    "plugins",
]

ALERTS = ("Down", "Slow", "Asked", "Both", "Heavy", "Peek", "Hush")
JOBS = ("api", "web", "db")
VERSIONS = ("1", "2")

GAPS = (180.0, 300.0)
"""Seconds between the levels of the policy."""

STORM = 6
"""New incidents of the rule `flood` in a minute, beyond which there is a storm; every other rule is exempt."""

PAIR = "?v=2&"
"""What stands in the writes of version 2, in which two people have to approve what one approves in version 1."""

EXPIRY = 2 * (300.0 + 60.0)
"""Seconds without a delivery after which an alert may be taken as over."""

QUIET_AFTER = 900.0
"""Seconds after which an incident that is over is closed."""

_RULES = """
sources: [{name: main, repeat: 5m, group_interval: 1m, storm: 6}]
endpoints:
  - {name: keyed, url: "http://127.0.0.1:9", idempotent: true}
  - {name: bare, url: "http://127.0.0.1:9"}
  - {name: bell, url: "http://127.0.0.1:9"}
windows: [{name: rest, on: "daily 02:15-02:16", zone: UTC}]
people:
  - {name: alice, notifier: webhook, webhook: bell, roles: [operator, approver]}
  - {name: bob, roles: [operator, approver]}
  - {name: carol, roles: [approver]}
escalation:
  - name: sre
    levels: [{after: 0m, page: [alice], second: [bob]}, {after: 3m, page: [bob]}, {after: 8m, page: [carol]}]
    ack: {for: 20m, remind: 15m}
communication:
  - {name: notes, tell: [{audience: engineering, by: log, every: change}]}
rules:
  - {name: down, match: ['alertname="Down"'], incident: [job], playbook: restart, with: {job: "${labels.job}"},
     escalation: sre, communication: notes, storm: off}
  - {name: slow, match: ['alertname="Slow"'], incident: [job, alertname], playbook: poke, with: {job: "${labels.job}"},
     escalation: sre, storm: off}
  - {name: asked, match: ['alertname="Asked"'], incident: [alertname], playbook: ask, with: {job: "${labels.job}"},
     escalation: sre, storm: off}
  - {name: both, match: ['alertname="Both"'], incident: [], playbook: both, with: {job: "${labels.job}"}, storm: off}
  - {name: heavy, match: ['alertname="Heavy"'], incident: [job, alertname], playbook: drain,
     with: {job: "${labels.job}"}, escalation: sre, storm: off}
  - {name: peek, match: ['alertname="Peek"'], incident: [alertname], playbook: look, with: {job: "${labels.job}"},
     escalation: sre, communication: notes, storm: off}
  - {name: hush, match: ['alertname="Hush"'], incident: [alertname], playbook: restart, with: {job: "${labels.job}"},
     escalation: sre, mode: shadow, storm: off}
  - {name: crowded, match: ['alertname="Crowded"'], incident: [job], playbook: grow,
     with: {target: "${labels.target}"}, escalation: sre, storm: off}
  - {name: flood, match: ['alertname="Flood"'], incident: [job], playbook: calm, with: {job: "${labels.job}"},
     escalation: sre, communication: notes}
---
playbook: restart
mode: auto
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [still_firing: {}, cooldown: {for: 2m}]
steps:
  - http: {endpoint: keyed, method: POST, path: "/restart?v=1&job=${params.job}"}
    verify: [alert_cleared: {within: 3m}]
---
playbook: poke
mode: auto
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [still_firing: {}, budget: {max: 4, per: 20m}]
steps:
  - http: {endpoint: bare, method: POST, path: "/poke?v=1&job=${params.job}",
           undo: {path: "/unpoke?v=1&job=${params.job}"}}
    verify: [http: {endpoint: keyed, path: /health, within: 1m, every: 20s}]
    on_failure: undo
---
playbook: ask
mode: approve
approval: 4m
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
steps:
  - http: {endpoint: keyed, method: POST, path: "/fix?v=1&job=${params.job}"}
---
playbook: both
mode: auto
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [not_firing: {match: ['alertname="Asked"']}]
steps:
  - http: {endpoint: keyed, method: POST, path: "/first?v=1&job=${params.job}"}
    on_failure: next
  - http: {endpoint: bare, method: POST, path: "/second?v=1&job=${params.job}"}
---
playbook: drain
mode: auto
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [metric: {name: load, query: "sum(load)", op: ">", threshold: 5}, window: {outside: rest}]
steps:
  - http: {endpoint: keyed, method: POST, path: "/drain?v=1&job=${params.job}",
           undo: {path: "/undrain?v=1&job=${params.job}"}}
    verify: [metric: {name: errors, query: "sum(errors)", op: "<", threshold: 1, within: 1m, every: 20s}]
    on_failure: undo
---
playbook: look
mode: shadow
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
steps:
  - http: {endpoint: keyed, method: POST, path: "/look?v=1&job=${params.job}"}
---
playbook: calm
mode: auto
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
steps:
  - http: {endpoint: keyed, method: POST, path: "/calm?v=1&job=${params.job}"}
---
playbook: grow
mode: auto
defaults: none
params: {target: {type: string}}
target: "${params.target}"
steps:
  - scale: {by: 2, max: 9, for: 2m}
    verify: [alert_cleared: {within: 2m}]
    on_failure: undo
"""


@cache
def plugins() -> Plugins:
    """All plug-ins, found once: they hold nothing."""
    return discover()


@cache
def bundle(version: str) -> Bundle:
    """The bundle of a version."""
    text = _RULES.replace("?v=1&", f"?v={version}&")
    if version == "2":
        text = text.replace("approval: 4m\n", "guards: [approval: {of: 2, from: [approver], within: 4m}]\n")
    loaded = load_files({"rules.yaml": text}, plugins())
    assert loaded.bundle is not None, [str(fault) for fault in loaded.faults]
    return loaded.bundle


@cache
def bundles() -> Mapping[str, Bundle]:
    """All of them, by hash."""
    return MappingProxyType({bundle(version).hash: bundle(version) for version in VERSIONS})
