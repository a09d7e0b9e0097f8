"""What the service says about itself to Prometheus. Intake and the engine report here; `/metrics` is what comes out.

Metrics are kept in a registry of their own. Label values are the names of sources, playbooks, plug-ins and fixed words;
none comes out of an alert, and each metric has an upper bound of children whatever a catalog holds.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from paramedic.core.words import Mode, Severity

__all__ = ["CONTENT_TYPE", "Telemetry"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
MOST_CHILDREN = 500

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds: what happens between a request and its answer."""
LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""Seconds: what waits for other systems."""

M = TypeVar("M", bound=MetricWrapperBase)


class Children(Generic[M]):
    """The children of one metric, each resolved once. Beyond `most` they are all the one called `other`."""

    def __init__(self, metric: M, most: int = MOST_CHILDREN) -> None:
        self._metric = metric
        self._most = most
        self._known: dict[tuple[str, ...], M] = {}

    def __call__(self, *values: str) -> M:
        """The child with these label values."""
        child = self._known.get(values)
        if child is None:
            if len(self._known) >= self._most:
                values = (OTHER,) * len(values)
            child = self._known[values] = self._metric.labels(*values)
        return child


class Telemetry:
    """All metrics of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"paramedic_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"paramedic_{name}", text, labels, registry=registry)

        def seconds(name: str, text: str, *labels: str, buckets: Sequence[float] = SHORT) -> Histogram:
            return Histogram(f"paramedic_{name}_seconds", text, labels, registry=registry, buckets=buckets)

        self._deliveries = Children(counter("deliveries", "Requests of sources, by answer", "source", "result"))
        self._alerts = Children(counter("alerts", "Alerts in accepted deliveries", "source"))
        self._intake = seconds("intake", "From a delivery's arrival to its answer")
        self._commit = seconds("commit", "Duration of a turn's commit")
        self._episodes = gauge("episodes_open", "Open episodes")
        self._incidents = Children(gauge("incidents_open", "Open incidents", "severity"))
        self._runs = Children(counter("runs", "Runs that ended", "playbook", "outcome"))
        self._steps = Children(counter("steps", "Steps that ended", "action", "outcome"))
        self._step = Children(seconds("step", "Duration of a step's write", "action", buckets=LONG))
        self._guards = Children(counter("guard_answers", "What guards answered", "guard", "answer"))
        self._pages = Children(counter("pages", "Pages that were attempted", "outcome"))
        self._messages = Children(counter("messages", "Messages that were attempted", "notifier", "outcome"))
        self._lateness = seconds("timer_lateness", "How late timers fired", buckets=LONG)
        self._waiting = Children(gauge("effects_waiting", "Effects that wait for a slot", "lane"))
        self._oldest = Children(gauge("oldest_effect_seconds", "Age of the oldest waiting effect", "lane"))
        self._unknown = gauge("unknown_outcomes_open", "Writes whose outcome a person has to settle")
        self._storms = gauge("storms_open", "Storms that are not over")
        self._mode = Children(gauge("mode", "1 for the mode in force", "mode"))
        self._catalog = gauge("catalog_errors", "Faults in the files as they are now")
        self._failures = Children(counter("failures", "Unexpected errors that were caught and logged", "where"))

    def delivered(self, source: str, result: str, alerts: int, seconds: float) -> None:
        """A request of a source was answered: `result` is one of intake's words."""
        self._deliveries(source, result).inc()
        self._intake.observe(seconds)
        if alerts:
            self._alerts(source).inc(alerts)

    def committed(self, incidents: Sequence[int], seconds: float) -> None:
        """A turn was committed; the incidents it changed matter to live pages only."""
        self._commit.observe(seconds)

    def run_ended(self, playbook: str, outcome: str) -> None:
        """A run ended."""
        self._runs(playbook, outcome).inc()

    def step_ended(self, action: str, outcome: str, seconds: float) -> None:
        """A step ended; its write took `seconds`."""
        self._steps(action, outcome).inc()
        self._step(action).observe(seconds)

    def guard_answered(self, guard: str, answer: str) -> None:
        """A guard was asked."""
        self._guards(guard, answer).inc()

    def paged(self, outcome: str) -> None:
        """A page was attempted."""
        self._pages(outcome).inc()

    def messaged(self, notifier: str, outcome: str) -> None:
        """A message was attempted: sent, dry or failed."""
        self._messages(notifier, outcome).inc()

    def timer_fired(self, lateness: float) -> None:
        """A timer fired so many seconds after it was due."""
        self._lateness.observe(max(0.0, lateness))

    def waiting(self, lane: str, count: int, oldest: float) -> None:
        """So many effects wait in a lane, the oldest for so long."""
        self._waiting(lane).set(count)
        self._oldest(lane).set(oldest)

    def open_incidents(self, by_severity: Mapping[Severity, int]) -> None:
        """How many incidents are open; a severity that is not named has none."""
        for severity in Severity:
            self._incidents(severity).set(by_severity.get(severity, 0))

    def open_episodes(self, count: int) -> None:
        """How many episodes are open."""
        self._episodes.set(count)

    def unknown_outcomes(self, count: int) -> None:
        """How many writes wait for a person to say what came of them."""
        self._unknown.set(count)

    def storms(self, count: int) -> None:
        """How many storms are not over."""
        self._storms.set(count)

    def mode(self, mode: Mode) -> None:
        """The mode in force."""
        for each in Mode:
            self._mode(each).set(each is mode)

    def catalog_faults(self, count: int) -> None:
        """How many faults the files have; the last good bundle keeps serving."""
        self._catalog.set(count)

    def failed(self, where: str) -> None:
        """An unexpected error was caught at the boundary of a task."""
        self._failures(where).inc()

    def expose(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
