"""A small world for plug-ins: a moment, an incident, a run, and ports that write down what they are asked."""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from paramedic.core.bundle import Endpoint, Window
from paramedic.core.matching import Matcher, matches
from paramedic.core.model import Episode, Firing, Run
from paramedic.core.words import Mode, Severity, Stage
from paramedic.plugin import MessageText, PageText, Reply, Resources, Seen, Tools

NOW = datetime(2026, 5, 12, 9, 14, 0, tzinfo=UTC)
HOOK = Endpoint("hook", "http://127.0.0.1:9000", timeout=7.0)
KNOWS_KEYS = Endpoint("safe", "http://127.0.0.1:9001", idempotent=True, timeout=7.0)
T = TypeVar("T")


def ago(seconds: float) -> datetime:
    """That many seconds before the scene's moment."""
    return NOW - timedelta(seconds=seconds)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that must not wait for anything."""
    try:
        work.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    work.close()
    raise AssertionError("it waited, although it says that it touches no port")


@dataclass
class Wire:
    """An HTTP port that answers what it was told to, in order, and keeps what it was asked."""

    answers: list[Reply | Exception] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> Reply:
        self.asked.append(
            {
                "endpoint": endpoint.name,
                "method": method,
                "path": path,
                "headers": dict(headers or {}),
                "body": body,
                "timeout": timeout,
            }
        )
        answer = self.answers.pop(0) if self.answers else Reply(200, {}, b"ok")
        if isinstance(answer, Exception):
            raise answer
        return answer


def credential(name: str) -> str:
    """The value of a setting in this scene."""
    return CREDENTIALS.get(name, "")


@dataclass
class Ledger:
    """What other runs have used, and what they hold."""

    used: dict[str, list[datetime]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)

    def holder(self, scope: str) -> str | None:
        return self.holders.get(scope)

    def since(self, scope: str, moment: datetime) -> Sequence[datetime]:
        return [at for at in self.used.get(scope, []) if at >= moment]

    def holding(self, prefix: str) -> Sequence[str]:
        return [scope for scope in sorted(self.held) if scope.startswith(prefix)]


@dataclass
class Others:
    """Open episodes of all incidents."""

    episodes: list[Episode] = field(default_factory=list)

    def matching(self, matchers: Sequence[Matcher]) -> Sequence[Episode]:
        return [episode for episode in self.episodes if matches(matchers, episode.labels)][:20]


@dataclass(frozen=True)
class Hours:
    """A window that is open from one hour to another."""

    name: str
    begins: int
    ends: int
    mute_pages: bool = False

    def contains(self, at: datetime) -> bool:
        return self.begins <= at.hour < self.ends


WINDOWS: Mapping[str, Window] = {"change-freeze": Hours("change-freeze", 9, 10), "night": Hours("night", 0, 6)}
ENDPOINTS = {"hook": HOOK, "safe": KNOWS_KEYS}
RESOURCES = Resources(endpoints=ENDPOINTS, windows=WINDOWS)
FIRING = Firing(open=1, total=1, since=ago(252), seen_at=ago(1))
CLEARED = Firing(open=0, total=1, cleared_at=ago(90), seen_at=ago(90))
RUN = Run(
    n=1,
    rule="service-down",
    playbook="restart",
    target="main/shop/deployment/api",
    identity="a1",
    params={"namespace": "shop", "cluster": "main", "count": 3},
    severity=Severity.P1,
    mode=Mode.AUTO,
    started_at=ago(2),
    stage=Stage.JUDGING,
)
CREDENTIALS = {"PAGERDUTY_ROUTING_KEY": "0" * 32, "hook": "0" * 32, "SLACK_BOT_TOKEN": "xoxb-0"}
"""Settings; the contact of `PAGE` names the one with a PagerDuty key."""
ACCEPTED = {"pagerduty": Reply(202, {}, b"{}"), "slack": Reply(200, {}, b'{"ok":true,"channel":"C01","ts":"1.0"}')}
"""What vendors answer who do not say 200 and leave it at that."""
PAGE = PageText(
    verb="trigger",
    dedup_key="INC-12/1/1",
    incident="INC-12",
    severity=Severity.P1,
    title="ServiceDown shop/api",
    text="not treated, because KubeAPIDown is firing",
    level=1,
    to="sre-primary",
    contact="hook",
    link="http://127.0.0.1:8080/incidents/INC-12",
)


MESSAGE = MessageText(
    part="root",
    key="INC-12/engineering",
    incident="INC-12",
    audience="engineering",
    to="C0123456789",
    lines=("P1 · ServiceDown shop/api · responding", "Restarting it", "Acknowledged by nobody yet"),
    since=ago(5),
    link="http://127.0.0.1:8080/incidents/INC-12",
)


def tools(wire: Wire | None = None) -> Tools:
    """The ports of a plug-in; a wire of its own where none is given."""
    return Tools(http=wire or Wire())


def seen(firing: Firing = FIRING, *, run: Run = RUN, **other: Any) -> Seen:
    """What a plug-in sees in this scene."""
    scene = Seen(
        now=NOW,
        incident="INC-12",
        severity=Severity.P1,
        firing=firing,
        run=run,
        target=run.target,
        uses=Ledger(),
        others=Others(),
        windows=WINDOWS,
        endpoints=ENDPOINTS,
    )
    return msgspec.structs.replace(scene, **other)


def episode(alertname: str, since: float, **labels: str) -> Episode:
    """An open episode that began `since` seconds ago."""
    return Episode(
        source="main",
        identity=alertname,
        alertname=alertname,
        labels={"alertname": alertname, **labels},
        starts_at=ago(since),
        seen_at=NOW,
        open=True,
    )
