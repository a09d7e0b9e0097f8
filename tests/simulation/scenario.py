"""A plan out of a seed: a quarter of an hour of alerts and trouble, then the time in which it has to come to rest.

Much of what goes wrong goes wrong by coincidence, so the moments are drawn close to each other: a switch thrown within
a step, an approval that races a resolve, a process stopped when its write is about to leave.
"""

from random import Random
from typing import Any

from tests.simulation import shop
from tests.simulation.estate import ALERTS, JOBS
from tests.simulation.plan import Plan

__all__ = ["QUIET", "TROUBLE", "scenario"]

TROUBLE = 900.0
"""Seconds in which things go wrong; after them the world is well again."""

QUIET = 2100.0
"""Seconds after the trouble, in which everything has to come to rest."""

SHOPS = 5
"""Every so many seeds have a cluster as well."""

FLOODS = 8
"""Every so many seeds more alerts begin at once than people can be paged for."""

_ACTS = ("ack", "ack", "take", "snooze", "escalate", "close", "note", "approve", "deny", "cancel")
_SOON = (0.0, 0.0, 0.001, 0.01, 0.5, 2.0, 2.2, 4.0, 20.0)
_LATER = (20.0, 60.0, 100.0, 200.0, 300.0)


def scenario(seed: int) -> Plan:
    """The plan of a seed, always the same."""
    dice = Random(seed)
    processes = dice.choice((1, 2, 2, 3))
    when = _happenings(dice)
    world: dict[str, Any] = {"endpoints": _endpoints(dice), "people": _people(dice), "metrics": _metrics(dice)}
    _pair(Random(f"pair {seed}"), world["people"])
    faults, trouble = _faults(dice), _trouble(dice, processes, when)
    if seed % SHOPS == 0:
        world |= shop.world()
        crowds, failures = shop.happenings(dice, TROUBLE)
        when, faults = sorted([*when, *crowds], key=lambda one: float(one["at"])), [*faults, *failures]
        trouble.append(_around(dice, "write", 6))
    if seed % FLOODS == FLOODS - 1:
        when = sorted([*when, *_floods(Random(-seed))], key=lambda one: float(one["at"]))
    return Plan(
        {
            "seed": seed,
            "processes": processes,
            "latency": dice.choice((0.0, 0.002, 0.05, 0.4)),
            "batch": dice.choice((256, 256, 256, 2)),
            "calm": TROUBLE,
            "until": TROUBLE + QUIET,
            "world": world,
            "when": when,
            "trouble": trouble,
            "faults": faults,
        }
    )


class _Moments:
    """Moments one after the other: now and then much later than the one before, else close to it."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self.now = 0.0

    def next(self) -> float:
        self.now += self._dice.choice(_SOON if self._dice.random() < 0.6 else _LATER)
        return round(self.now, 3)


def _happenings(dice: Random) -> list[dict[str, Any]]:
    """Alerts that begin, end and come back; people; the switch, which is open again when the trouble is over."""
    moments, names = _Moments(dice), dice.sample(ALERTS, 3)
    first = {"alertname": names[0], "job": "api", "n": "0"}
    firing, when = [first], [{"at": 0.0, "alert": first}]
    for _ in range(dice.randint(2, 9)):
        moment = moments.next()
        if moment >= TROUBLE:
            break
        when += _happening(dice, moment, names, firing)
    when.append({"at": TROUBLE, "switch": "auto"})
    if dice.random() < 0.5:
        when += [{"at": TROUBLE + 60.0, "resolved": one} for one in firing]
    return when


def _floods(dice: Random) -> list[dict[str, Any]]:
    """A burst of alerts, each an incident of its own, of which most end, some before they are let go."""
    when: list[dict[str, Any]] = []
    moment = round(dice.uniform(0, 500.0), 3)
    for n in range(dice.choice((5, 8, 10, 14))):
        moment = round(moment + dice.choice((0.0, 0.0, 0.01, 0.5, 3.0)), 3)
        alert = {"alertname": "Flood", "job": f"flood{n}"}
        when.append({"at": moment, "alert": alert})
        draw = dice.random()
        if draw < 0.9:  # the others fire on
            ends = moment + dice.choice((5.0, 100.0, 300.0)) if draw < 0.6 else TROUBLE + 600.0
            when.append({"at": round(ends, 3), "resolved": alert})
    return when


def _happening(dice: Random, moment: float, names: list[str], firing: list[dict[str, str]]) -> list[dict[str, Any]]:
    draw = dice.random()
    if draw < 0.38 or not firing:
        alerts = [_alert(dice, names) for _ in range(dice.choice((1, 1, 2, 4)))]
        firing += [alert for n, alert in enumerate(alerts) if alert not in firing and alert not in alerts[:n]]
        if dice.random() < 0.25:  # several deliveries at once, instead of one
            return [{"at": moment, "alert": alert} for alert in alerts]
        return [{"at": moment, "alert": alerts}]
    if draw < 0.62:
        ends = [{"at": moment, "resolved": firing.pop(dice.randrange(len(firing)))}]
        if dice.random() < 0.25:  # and somebody decides at the same moment
            ends.append({"at": moment, "person": {"name": "bob", "does": dice.choice(("approve", "ack", "cancel"))}})
        return ends
    if draw < 0.68:
        return [{"at": moment, "repeat": dice.choice(firing)}]
    if draw < 0.82:
        act = {"name": dice.choice(("alice", "bob")), "does": dice.choice(_ACTS), "for": dice.choice(("1m", "8m"))}
        return [{"at": moment, "person": act}]
    return [{"at": moment, "switch": dice.choice(("freeze", "off", "shadow", "approve", "auto", "auto"))}]


def _alert(dice: Random, names: list[str]) -> dict[str, str]:
    return {"alertname": dice.choice(names), "job": dice.choice(JOBS), "n": str(dice.randint(0, 1))}


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
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        begin = round(dice.uniform(0, TROUBLE), 3)
        answer: dict[str, Any] = {"from": begin, "to": min(TROUBLE, begin + dice.choice((5, 60, 400)))}
        if dice.random() < 0.3:
            answer |= {"from": 0.0}
        if dice.random() < 0.4:
            answer["times"] = dice.randint(1, 3)
        if dice.random() < 0.6:
            answer["fails"] = dice.choice(("refused", "lost", "lost", "dropped"))
        else:
            answer |= {"status": dice.choice((200, 200, 404, 500, 503)), "delay": dice.choice((0.001, 1, 9.9, 12))}
        answers.append(answer)
    return answers


def _metrics(dice: Random) -> dict[str, Any]:
    """Two values that come and go; where there is none, nothing may be done about it."""

    def series(*values: float | None) -> list[list[float | None]]:
        moments = sorted({0.0, *(round(dice.uniform(0, TROUBLE), 1) for _ in range(dice.randint(0, 4)))})
        return [[moment, dice.choice(values)] for moment in moments]

    return {"load": series(9.0, 9.0, 2.0, None), "errors": series(3.0, 0.0, None)}


def _people(dice: Random) -> dict[str, Any]:
    people: dict[str, Any] = {}
    if dice.random() < 0.5:
        people["alice"] = {"acks": {"after": dice.choice((1, 60, 400))}}
    if dice.random() < 0.05:
        people["alice"] = {"takes": {"after": dice.choice((1, 60))}}
    if dice.random() < 0.6:
        people["bob"] = {dice.choice(("approves", "approves", "denies")): {"after": dice.choice((1, 60, 239, 300))}}
    return people


def _pair(dice: Random, people: dict[str, Any]) -> None:
    """Somebody else approves as well. With dice of its own, so that all else of a seed stays as it was."""
    if dice.random() < 0.4:
        people["carol"] = {"approves": {"after": dice.choice((1, 30, 60, 200, 239))}}


def _faults(dice: Random) -> list[dict[str, Any]]:
    """The database is away, or takes what it is given and does not answer; a notifier fails."""
    faults: list[dict[str, Any]] = []
    if dice.random() < 0.35:
        begin = round(dice.uniform(0, TROUBLE - 200), 3)
        end = begin + dice.choice((0.01, 1, 20, 150))
        faults.append({"database": dice.choice(("away", "silent")), "from": begin, "to": end})
    if dice.random() < 0.35:
        begin = round(dice.choice((0.0, dice.uniform(0, TROUBLE - 400))), 3)
        kind = dice.choice(("temporary", "permanent", "unknown"))
        faults.append({"notifier": dice.choice(("webhook", "log")), "fails": kind, "from": begin, "to": begin + 300})
    return faults


def _trouble(dice: Random, processes: int, when: list[dict[str, Any]]) -> list[dict[str, Any]]:
    trouble = [_around(dice, "commit", 40) for _ in range(dice.choice((0, 1, 2, 4)))]
    trouble += [_around(dice, "write", 12) for _ in range(dice.choice((0, 0, 1, 2)))]
    trouble += [_to_process(dice, processes) for _ in range(dice.choice((0, 0, 1, 2)))]
    for number in dice.sample(range(1, 15), dice.choice((0, 1, 2, 4))):
        goes = dice.choice(("twice", "twice", "late", "lost", "cut", "torn"))
        trouble.append({"delivery": number, "goes": goes, "after": dice.choice((0.0, 0.003, 5.0, 130.0, 500.0))})
    if dice.random() < 0.3:
        trouble.append({"process": 0, "skew": dice.choice((-0.2, 0.05, 0.3))})
    if dice.random() < 0.35:
        soon = dice.choice(when)["at"] + dice.choice((0.1, 1.0, 3.0, 30.0))
        trouble.append({"at": round(min(TROUBLE, soon), 3), "reload": "2"})
    if dice.random() < 0.15:
        guard = dice.choice(("still_firing", "cooldown", "budget", "not_firing", "metric"))
        begin = round(dice.uniform(0, TROUBLE / 2), 3)
        trouble.append({"guard": guard, "from": dice.choice((0.0, begin)), "to": begin + 200})
    return trouble


def _around(dice: Random, what: str, most: int) -> dict[str, Any]:
    """Trouble at the very moment of a commit or of a write."""
    number, draw = dice.randint(1, most), dice.random()
    if draw < 0.6:
        when, down = dice.choice(("before", "after")), dice.choice((0, 0.1, 5, 40))
        return {what: number, "crash": when, "down": down}
    if draw < 0.8 or what == "write":
        return {what: number, "pause": dice.choice((3, 14, 40, 90))}
    return {what: number, "answer": dice.choice(("lost", "never", "slow", "late"))}


def _to_process(dice: Random, processes: int) -> dict[str, Any]:
    who, moment = dice.randrange(processes), round(dice.uniform(0, TROUBLE - 120), 3)
    what = dice.choice(("crash", "pause", "pause", "jump", "cut"))
    amount = dice.choice((-60, -2, 2, 60)) if what == "jump" else dice.choice((0, 5, 14, 50))
    return {"process": who, "at": moment, what: amount}
