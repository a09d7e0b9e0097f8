"""A scenario out of a seed: a service with an endpoint that knows keys and one that does not, and an hour of trouble.

What is drawn is a rehearsal like any other (`Script`), so that a seed that fails can be written down as a file.
"""

from random import Random
from typing import Any

from paramedic.rehearse.script import Script
from tests.simulation import shop

RULES = """
sources: [{name: main, repeat: 20m, group_interval: 1m}]
endpoints:
  - {name: keyed, url: "http://127.0.0.1:9", idempotent: true}
  - {name: bare, url: "http://127.0.0.1:9"}
  - {name: bell, url: "http://127.0.0.1:9"}
people:
  - {name: alice, notifier: webhook, webhook: bell}
  - {name: bob}
escalation:
  - name: sre
    levels: [{after: 0m, page: [alice], second: [bob]}, {after: 10m, page: [bob]}]
    ack: {for: 30m, remind: 10m}
rules:
  - {name: down, match: ['alertname="Down"'], incident: [job], playbook: restart, with: {job: "${labels.job}"},
     escalation: sre}
  - {name: slow, match: ['alertname="Slow"'], incident: [job, alertname], playbook: poke, with: {job: "${labels.job}"},
     escalation: sre}
  - {name: asked, match: ['alertname="Asked"'], incident: [alertname], playbook: ask, with: {job: "${labels.job}"},
     escalation: sre}
  - {name: both, match: ['alertname="Both"'], incident: [], playbook: both, with: {job: "${labels.job}"}}
---
playbook: restart
mode: auto
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [still_firing: {}, cooldown: {for: 3m}]
steps:
  - http: {endpoint: keyed, method: POST, path: "/restart?job=${params.job}"}
    verify: [alert_cleared: {within: 4m}]
---
playbook: poke
mode: auto
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [still_firing: {}, budget: {max: 6, per: 30m}]
steps:
  - http: {endpoint: bare, method: POST, path: "/poke?job=${params.job}", undo: {path: "/unpoke?job=${params.job}"}}
    verify: [http: {endpoint: keyed, path: /health, within: 1m, every: 15s}]
    on_failure: undo
---
playbook: ask
mode: approve
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
steps:
  - http: {endpoint: keyed, method: POST, path: "/fix?job=${params.job}"}
---
playbook: both
mode: auto
defaults: none
params: {job: {type: string}}
target: "shop/${params.job}"
guards: [not_firing: {match: ['alertname="Asked"']}]
steps:
  - http: {endpoint: keyed, method: POST, path: "/first?job=${params.job}"}
    on_failure: next
  - http: {endpoint: bare, method: POST, path: "/second?job=${params.job}"}
"""

TROUBLE = 3600.0
"""Seconds in which things go wrong; after them the world is well again."""

QUIET = 5400.0
"""Seconds after the trouble, in which everything has to come to rest."""

SHOPS = 3
"""Every so many seeds have a cluster as well."""

_ALERTS = ("Down", "Slow", "Asked", "Both")
_ACTS = ("ack", "take", "snooze", "escalate", "close", "note", "approve", "deny", "cancel")
_JOBS = ("api", "web", "db")


def scenario(seed: int) -> Script:
    """The scenario of a seed, always the same."""
    dice = Random(seed)
    when = _happenings(dice)
    world = {"endpoints": _endpoints(dice), "people": _people(dice)}
    faults = _faults(dice)
    if seed % SHOPS == 0:
        world |= shop.world()
        crowds, failures = shop.happenings(dice, TROUBLE)
        when, faults = sorted([*when, *crowds], key=lambda one: float(one["at"])), [*faults, *failures]
    return Script.model_validate(
        {
            "rehearsal": f"seed {seed}",
            "world": world,
            "when": when,
            "faults": faults,
            "clock": {"until": TROUBLE + QUIET},
        }
    )


def _happenings(dice: Random) -> list[dict[str, Any]]:
    """Alerts that begin, end and come back; people; the switch, which is open again when the trouble is over."""
    moments = sorted(round(dice.uniform(0, TROUBLE), 3) for _ in range(dice.randint(4, 24)))
    firing: list[dict[str, str]] = []
    when: list[dict[str, Any]] = [{"at": 0, "alert": {"alertname": dice.choice(_ALERTS), "job": "api", "n": "0"}}]
    for moment in moments:
        draw = dice.random()
        if draw < 0.5 or not firing:
            alerts = [
                {"alertname": dice.choice(_ALERTS), "job": dice.choice(_JOBS), "n": str(dice.randint(0, 2))}
                for _ in range(dice.choice((1, 1, 1, 2, 5)))
            ]
            firing += [alert for alert in alerts if alert not in firing]
            when.append({"at": moment, "alert": alerts})
        elif draw < 0.75:
            when.append({"at": moment, "resolved": firing.pop(dice.randrange(len(firing)))})
        elif draw < 0.85:
            when.append({"at": moment, "repeat": dice.choice(firing)})
        elif draw < 0.92:
            act = {"name": dice.choice(("alice", "bob")), "does": dice.choice(_ACTS), "for": dice.choice(("1m", "30m"))}
            when.append({"at": moment, "person": act})
        else:
            when.append({"at": moment, "switch": dice.choice(("freeze", "off", "shadow", "approve", "auto", "auto"))})
    when.append({"at": TROUBLE, "switch": "auto"})
    return when


def _endpoints(dice: Random) -> dict[str, Any]:
    keyed: dict[str, Any] = {"answers": _answers(dice), "effects": []}
    if dice.random() < 0.6:
        keyed["effects"].append({"on": "POST /restart*", "resolves": "Down", "after": dice.choice((0, 20, 100))})
    if dice.random() < 0.2:
        keyed["effects"].append({"on": "POST *", "fires": {"alertname": "Slow", "job": "web"}, "after": 5})
    bare: dict[str, Any] = {"answers": _answers(dice), "effects": []}
    if dice.random() < 0.5:
        bare["effects"].append({"on": "POST /poke*", "resolves": "Slow", "after": dice.choice((0, 20, 100))})
    return {"keyed": keyed, "bare": bare, "bell": {"answers": _answers(dice)}}


def _answers(dice: Random) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for _ in range(dice.randint(0, 4)):
        begin = dice.uniform(0, TROUBLE)
        answer: dict[str, Any] = {"from": begin, "to": min(TROUBLE, begin + dice.choice((1, 30, 900)))}
        if dice.random() < 0.5:
            answer["times"] = dice.randint(1, 3)
        if dice.random() < 0.5:
            answer["fails"] = dice.choice(("refused", "lost", "dropped"))
        else:
            answer |= {"status": dice.choice((200, 200, 404, 500, 503)), "delay": dice.choice((0.001, 1, 9.9, 12))}
        answers.append(answer)
    return answers


def _people(dice: Random) -> dict[str, Any]:
    people: dict[str, Any] = {}
    if dice.random() < 0.4:
        people["alice"] = {"acks": {"after": dice.choice((1, 60, 700))}}
    if dice.random() < 0.1:
        people["alice"] = {"takes": {"after": dice.choice((1, 60))}}
    if dice.random() < 0.6:
        people["bob"] = {dice.choice(("approves", "denies")): {"after": dice.choice((1, 60, 599, 700))}}
    return people


def _faults(dice: Random) -> list[dict[str, Any]]:
    faults: list[dict[str, Any]] = []
    commits = dice.sample(range(1, 80), dice.randint(0, 5))
    for commit in commits:
        down = dice.choice((0, 0.1, 5, 40))
        faults.append({"commit": commit, "crash": dice.choice(("before", "after")), "down": down})
    for _ in range(dice.choice((0, 0, 1, 2))):
        faults.append({"at": dice.uniform(0, TROUBLE - 60), "crash": True, "down": dice.choice((0, 5, 50))})
    for _ in range(dice.choice((0, 0, 1, 2))):
        begin = dice.uniform(0, TROUBLE - 400)
        end = begin + dice.choice((0.01, 1, 300))
        faults.append({"database": dice.choice(("away", "silent")), "from": begin, "to": end})
    if dice.random() < 0.3:
        begin = dice.uniform(0, TROUBLE - 700)
        kind = dice.choice(("temporary", "permanent", "unknown"))
        faults.append({"notifier": dice.choice(("webhook", "log")), "fails": kind, "from": begin, "to": begin + 600})
    return faults
