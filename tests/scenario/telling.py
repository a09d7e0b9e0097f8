"""How the stories of this folder are told: deliveries at their moments, and what Paramedic made of them.

All moments are seconds since the story began (`START`), as the times in the lab's notes are. Bodies go through intake's
parser and the real engine, over the store in memory, in virtual time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from paramedic.errors import Temporary
from paramedic.rehearse.loop import START
from paramedic.store.port import Doubtful
from tests.engine.stage import Stage, delivery_of
from tests.engine.texts import body

CATALOG = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000", idempotent: true, timeout: 10s}
  - {name: pager, url: "http://127.0.0.1:9002"}
people:
  - {name: alice, webhook: pager, roles: [operator, approver]}
  - {name: bob, webhook: pager}
escalation:
  - {name: sre, levels: [{after: 0s, page: [alice]}, {after: 5m, page: [bob]}]}
rules:
  - name: x
    match: ['alertname="X"']
    incident: [INCIDENT]
    playbook: act
    with: {i: "${labels.i}"}
    escalation: sre
---
playbook: act
mode: auto
defaults: none
params: {i: {type: string}}
target: "svc/${params.i}"
steps:
  - http: {endpoint: hook, path: "/act?i=${params.i}"}
"""

TOGETHER = CATALOG.replace("INCIDENT", "alertname")
"""All alerts of one name are one incident; each has a target, and so a treatment, of its own."""

APART = CATALOG.replace("INCIDENT", "i")
"""Each alert is an incident."""

EXEMPT = APART.replace("incident: [i]", "incident: [i]\n    storm: off")
"""As `APART`, however many there are at once."""

Element = Mapping[str, Any]


def moment(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


def firing(i: int | str, since: float, **labels: str) -> Element:
    """An element that fires."""
    return _element(i, "firing", since, "0001-01-01T00:00:00Z", labels)


def resolved(i: int | str, since: float, until: float, **labels: str) -> Element:
    """An element that is over."""
    return _element(i, "resolved", since, moment(until).isoformat(), labels)


def _element(i: int | str, status: str, since: float, ends: str, labels: Mapping[str, str]) -> Element:
    return {
        "status": status,
        "labels": {"alertname": "X", "i": str(i), **labels},
        "annotations": {"summary": f"s{i}"},
        "startsAt": moment(since).isoformat(),
        "endsAt": ends,
        "generatorURL": "",
        "fingerprint": "b915815a9d04c3be",
    }


@dataclass(frozen=True, slots=True)
class Post:
    """One POST of Alertmanager: when it came, what stood in it, and whether it was answered 200 (else 503)."""

    at: float
    alerts: tuple[Element, ...]
    taken: bool = True


def post(at: float, *alerts: Element) -> Post:
    """A POST that is answered 200."""
    return Post(at, alerts)


def refused(at: float, *alerts: Element) -> Post:
    """A POST that is answered 503."""
    return Post(at, alerts, taken=False)


async def until(stage: Stage, seconds: float) -> None:
    """Let the story's time reach a moment, and everything happen that is due by then."""
    await stage.pass_(max(0.0, seconds - stage.clock.monotonic()))


async def tell(stage: Stage, *posts: Post) -> None:
    """Deliver each POST at its moment."""
    for one in posts:
        await until(stage, one.at)
        delivery = delivery_of(body(*one.alerts))
        if one.taken:
            await stage.engine.deliver(delivery)
        else:
            with pytest.raises(Temporary):
                await stage.engine.deliver(delivery)
    await stage.loop.rest()


def doubled(posts: Iterable[Post], late: float = 0.0, jitter: float = 0.0, seed: int = 0) -> list[Post]:
    """The POSTs of a pair of twins: the second one's come `late` by so much, each shaken by up to `jitter` seconds."""
    dice = Random(seed)
    both = [Post(one.at + delay + dice.uniform(0.0, jitter), one.alerts) for one in posts for delay in (0.0, late)]
    return sorted(both, key=lambda one: one.at)


def take_away(stage: Stage) -> None:
    """The database is away: no commit, no joining."""

    async def gone(*_: object) -> None:
        raise Doubtful("the database is away")

    for name in ("commit", "join"):
        setattr(stage.store, name, gone)


def last(stage: Stage) -> int:
    """The number of the incident that was opened last."""
    return max(stage.disk.incidents)


def give_back(stage: Stage) -> None:
    """The database is there again."""
    for name in ("commit", "join"):
        delattr(stage.store, name)


@dataclass(frozen=True, slots=True)
class Came:
    """What a story came to.

    `opened` episodes began and `open` of them last; `keys` reached the endpoint, in order; `pages` are the keys under
    which somebody was paged. In both, incidents count from 1 as they were opened: their numbers skip after a restart.
    """

    opened: int = 0
    open: int = 0
    incidents: int = 0
    active: int = 0
    keys: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


def came(stage: Stage) -> Came:
    """What the story came to so far."""
    episodes = stage.disk.episodes.values()
    place = {str(number): place for place, number in enumerate(sorted(stage.disk.incidents), 1)}

    def placed(key: str) -> str:
        number, rest = key.removeprefix("INC-").split("/", 1)
        return f"INC-{place[number]}/{rest}"

    return Came(
        opened=sum(one.count for one in episodes),
        open=sum(one.open for one in episodes),
        incidents=len(stage.disk.incidents),
        active=sum(str(row.phase) not in ("resolved", "reviewed") for row in stage.disk.incidents.values()),
        keys=tuple(placed(call.key) for call in stage.world.to("hook")),
        pages=tuple(placed(call.body["dedup_key"]) for call in stage.world.pages()),
    )


def keys(*incidents: int, runs: int = 1) -> tuple[str, ...]:
    """The keys of the first runs of these incidents, one step each."""
    return tuple(f"INC-{incident}/{run}/1/1" for incident in incidents for run in range(1, runs + 1))


def pages(*incidents: int, levels: int = 1) -> tuple[str, ...]:
    """The keys of the first pages of these incidents."""
    return tuple(f"INC-{incident}/1/{level}" for incident in incidents for level in range(1, levels + 1))


def left_behind(stage: Stage) -> Sequence[str]:
    """What is kept for incidents that are closed: there must be nothing."""
    disk = stage.disk
    is_open = set(disk.open.values())
    kept = {
        "timer": [number for number, _ in disk.timers],
        "effect": [number for number, _ in disk.effects],
        "hold": [row.incident for row in disk.holds.values()],
        "inbox": [number for number, _ in disk.inbox],
        "episode": [one.incident for one in disk.live.values() if one.incident is not None],
    }
    return [f"{what} of INC-{number}" for what, numbers in kept.items() for number in numbers if number not in is_open]
