"""Where alerts and metrics come from: each Alertmanager of each source, and Prometheus."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from paramedic.clients.alertmanager import TOKEN, URL
from paramedic.clients.prometheus import PrometheusClient
from paramedic.clock import Clock
from paramedic.core.bundle import Bundle, Endpoint, Source
from paramedic.core.text import one_line
from paramedic.doctor.finding import Finding, fine, open_, skewed, wrong
from paramedic.errors import Fault, ParamedicError, Permanent
from paramedic.plugin import Http, Plugins, Reply
from paramedic.settings import Settings

__all__ = ["examine_instance", "examine_prometheus", "examine_source", "instances_of"]

_ALERTS, _METRICS = "alertmanager", "prometheus"


async def examine_source(source: Source, settings: Settings) -> Sequence[Finding]:
    """What the catalog says of a source, without asking it."""
    found = []
    if source.token and not settings.value(source.token):
        said = f"{source.token} is not set, so that nothing it sends is taken"
        found.append(wrong(_ALERTS, source.name, said, f"set {source.token} or {source.token}_FILE"))
    if not source.instances and not settings.value(URL):
        said = "no instances are named, so it cannot be asked"
        found.append(
            open_(_ALERTS, source.name, said, f"name them as `instances` of the source {source.name}, or set {URL}")
        )
    return found


def instances_of(source: Source, settings: Settings) -> Sequence[str]:
    """Where a source is asked: at the addresses that it names, or at the one of the settings."""
    return source.instances or tuple(filter(None, [settings.value(URL)]))


async def examine_instance(
    source: Source, url: str, settings: Settings, http: Http, clock: Clock, timeout: float
) -> Sequence[Finding]:
    """Ask one Alertmanager for its status."""
    about = f"{source.name} {url}"
    try:
        before = clock.now()
        endpoint = Endpoint(source.name, url, token=TOKEN if settings.value(TOKEN) else "")
        reply = await http.request(endpoint, "GET", "/api/v2/status", timeout=timeout)
    except ParamedicError as error:
        right = f"start it, or correct `instances` of the source {source.name}"
        return [wrong(_ALERTS, about, str(error), right)]
    if reply.status in {401, 403}:
        return [wrong(_ALERTS, about, f"it answered {reply.status}", f"set {TOKEN} to the token that it takes")]
    if reply.status != 200:
        right = f"`instances` of the source {source.name} must lead to an Alertmanager"
        return [wrong(_ALERTS, about, f"it answered {reply.status}", right)]
    found = [fine(_ALERTS, about, f"{_version(reply)}, reached")]
    theirs = moment_of(reply.headers.get("Date", ""))
    return found if theirs is None else [*found, skewed(_ALERTS, about, theirs, before)]


def moment_of(date: str) -> datetime | None:
    """The moment in an answer's `Date`, to the second."""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


async def examine_prometheus(
    settings: Settings, bundle: Bundle | None, plugins: Plugins, clock: Clock, timeout: float
) -> Sequence[Finding]:
    """Ask Prometheus for the time, its version, and whether it looks back only as far as it is told to."""
    url, token = (settings.value(f"PARAMEDIC_PROMETHEUS_{part}") for part in ("URL", "TOKEN"))
    if not url:
        users = _users(bundle, plugins) if bundle is not None else {}
        if not users:
            return [open_(_METRICS, "", "PARAMEDIC_PROMETHEUS_URL is not set, and no playbook measures anything")]
        unknown = "; ".join(f"{kind} is unknown in {', '.join(sorted(users[kind]))}" for kind in sorted(users))
        said = f"PARAMEDIC_PROMETHEUS_URL is not set, so that {unknown}"
        return [wrong(_METRICS, "", said, "set PARAMEDIC_PROMETHEUS_URL")]
    try:
        async with PrometheusClient(url, token, clock) as client:
            return await _measured(client, clock, timeout)
    except Fault as fault:
        return [wrong(_METRICS, fault.where, fault.what, fault.right)]
    except ParamedicError as error:
        return [wrong(_METRICS, "PARAMEDIC_PROMETHEUS_URL", str(error), "start it, or correct the address")]


def _users(bundle: Bundle, plugins: Plugins) -> dict[str, set[str]]:
    """The guards and checks that measure something, with the playbooks that they stand in."""
    found: dict[str, set[str]] = {}
    for playbook in bundle.playbooks.values():
        guards = {one.kind for one in playbook.guards if "metrics" in plugins.guards[one.kind].reads}
        asked = {check.kind for step in playbook.steps for check in step.verify}
        for kind in guards | {kind for kind in asked if "metrics" in plugins.checks[kind].reads}:
            found.setdefault(kind, set()).add(playbook.name)
    return found


async def _measured(client: PrometheusClient, clock: Clock, timeout: float) -> Sequence[Finding]:
    now = clock.now()
    told = await client.instant("the time", "time()", max_age=60.0, timeout=timeout)
    found = [
        fine(_METRICS, "queries", f"{await _build(client, timeout)}, reached"),
        skewed(_METRICS, "clock", datetime.fromtimestamp(told.samples[0].value, now.tzinfo), now),
    ]
    try:
        back = [await client.instant("up", "count(up)", max_age=age, timeout=timeout) for age in (300.0, 0.001)]
    except Permanent as error:
        return [*found, open_(_METRICS, "max_age", f"whether it is kept cannot be told: {error}")]
    usual, short = ([sample.value for sample in each.samples] for each in back)
    if not usual:
        return [*found, open_(_METRICS, "max_age", "whether it is kept cannot be told: there is no series `up`")]
    # Of what was scraped at all, next to nothing was within the last millisecond.
    if usual == short:
        said = "it ignores lookback_delta: a value may be 5 minutes old, whatever max_age says"
        return [*found, wrong(_METRICS, "max_age", said, "upgrade to Prometheus 2.43 or newer")]
    return [*found, fine(_METRICS, "max_age", "it looks back only as far as it is told to")]


async def _build(client: PrometheusClient, timeout: float) -> str:
    try:
        return f"version {await client.version(timeout=timeout)}"
    except Permanent:
        return "version unknown"


def _version(reply: Reply) -> str:
    # A long configuration is part of the answer, and may have been cut off in the middle.
    try:
        return f"version {one_line(str(json.loads(reply.body)['versionInfo']['version']), 40)}"
    except (ValueError, KeyError, TypeError):
        return "version unknown"
