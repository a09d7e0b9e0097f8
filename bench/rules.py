"""Routing an alert and deciding on it, with 10 rules and with 1,000: in this process, without HTTP or a database.

Two kinds of catalog: rules that name their alert (`alertname="…"`), which are found by it, and rules that match by
pattern, which have to be asked one after the other. The alert's rule is the last one each time.
"""

import statistics
import time
from collections.abc import Iterator
from itertools import count

from bench.processes import PLAYBOOK
from bench.rig.payload import body
from paramedic.catalog.load import load_files
from paramedic.clock import SystemClock
from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.model import Alert
from paramedic.core.routing import Known, route
from paramedic.core.words import Mode
from paramedic.intake.alertmanager import parse_body
from paramedic.plugin import Plugins, discover

_ALERTS = 400
_ROUNDS = 7


def main() -> None:
    """Print microseconds an alert, and 1,000 rules over 10."""
    plugins = discover()
    alerts = [
        alert for n in range(_ALERTS) for alert in parse_body("default", body("r", n, 1, name="Rule-last")).alerts
    ]
    for label, form in (("by alertname", 'alertname="{}"'), ("by pattern", 'alertname=~"{}|x{}"')):
        few, many = (_measured(alerts, _bundle(rules, form, plugins)) for rules in (10, 1000))
        print(
            f"   {label:13} 10 rules {few * 1e6:6.1f} us   1,000 rules {many * 1e6:6.1f} us an alert"
            f"   {many / few:5.2f} times",
            flush=True,
        )


def _bundle(rules: int, form: str, plugins: Plugins) -> Bundle:
    """A catalog of so many rules, the last of which wants the alerts."""
    names = [f"Rule-{n}" for n in range(rules - 1)] + ["Rule-last"]
    lines = [
        f"  - {{name: r{n}, match: ['{form.format(name, name)}'], incident: [aid], storm: off, playbook: call-the-hook,"
        ' with: {id: "${labels.aid}"}}'
        for n, name in enumerate(names)
    ]
    endpoint = 'endpoints: [{name: hook, url: "http://127.0.0.1:9", idempotent: true}]\n'
    loaded = load_files({"a.yaml": endpoint + "rules:\n" + "\n".join(lines), "b.yaml": PLAYBOOK}, plugins)
    if loaded.bundle is None:
        raise RuntimeError(str(loaded.faults[0]))
    return loaded.bundle


def _measured(alerts: list[Alert], bundle: Bundle) -> float:
    """Seconds an alert, median of the rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for _ in _decided(alerts, bundle):
            pass
        rounds.append((time.perf_counter() - began) / len(alerts))
    return statistics.median(rounds)


def _decided(alerts: list[Alert], bundle: Bundle) -> Iterator[object]:
    """Each alert as a delivery of its own, opening an incident of its own."""
    now, numbers = SystemClock().now(), count(1)
    known = Known(lambda *_: None, lambda _: None, lambda _: False, lambda: next(numbers))
    for alert in alerts:
        for share in route([alert], known, bundle, now, Mode.AUTO).shares.values():
            if share.opened is None:
                raise RuntimeError("the alert opened nothing")
            opened = decide(None, share.opened, bundle)
            yield decide(opened.incident, share.seen(now, Mode.AUTO, "delivery", 1), bundle)


if __name__ == "__main__":
    main()
