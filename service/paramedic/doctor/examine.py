"""All probes at the same time, each with a deadline of its own. `paramedic doctor` calls it and prints the findings."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

from paramedic.catalog.load import Loaded
from paramedic.clients import alertmanager
from paramedic.clients.http import HttpClient
from paramedic.clients.slack import TOKEN
from paramedic.clock import Clock
from paramedic.core.bundle import Bundle
from paramedic.doctor.alerting import examine_instance, examine_prometheus, examine_source, instances_of
from paramedic.doctor.clusters import examine_cluster, needed_by, no_cluster
from paramedic.doctor.database import examine_database, password_of
from paramedic.doctor.finding import Finding, fine, wrong
from paramedic.doctor.people import examine_endpoints, examine_pagerduty, examine_slack, pagerduty_keys
from paramedic.errors import Fault
from paramedic.plugin import Plugins
from paramedic.settings import Settings

__all__ = ["examine"]

_ONE = 5.0
"""Seconds that one question may take."""

_ALL = 20.0
"""Seconds that all questions to one system may take."""

Probe = tuple[str, str, Awaitable[Sequence[Finding]]]


async def examine(
    settings: Settings, loaded: Loaded, plugins: Plugins, clock: Clock, namespace: str = ""
) -> Sequence[Finding]:
    """Look at everything outside. Never raises for what it finds; no finding holds a secret.

    `namespace`: where the permissions are needed; empty: everywhere. What is known without asking comes first.
    """
    bundle = loaded.bundle
    said = [*_catalog(loaded), *no_cluster(settings, bundle)]
    async with HttpClient(settings.secret) as http:
        probes = list(_probes(settings, bundle, plugins, clock, http, namespace))
        answers = await asyncio.gather(*(_bounded(probe) for probe in probes))
    secrets = sorted({each for each in _secrets(settings, bundle) if each}, key=len, reverse=True)
    return [each.without(secrets) for each in (*said, *(each for answer in answers for each in answer))]


def _probes(
    settings: Settings, bundle: Bundle | None, plugins: Plugins, clock: Clock, http: HttpClient, namespace: str
) -> Iterator[Probe]:
    yield "database", "", examine_database(settings, clock, _ONE)
    yield "endpoint", "", examine_endpoints(settings, bundle)
    for source in bundle.sources.values() if bundle is not None else ():
        yield "alertmanager", source.name, examine_source(source, settings)
        for url in instances_of(source, settings):
            yield "alertmanager", f"{source.name} {url}", examine_instance(source, url, settings, http, clock, _ONE)
    yield "prometheus", "", examine_prometheus(settings, bundle, plugins, clock, _ONE)
    permissions = needed_by(bundle, plugins)
    for cluster in settings.clusters:
        yield "cluster", cluster.name, examine_cluster(cluster, settings, permissions, namespace, clock, _ONE)
    yield "pagerduty", "", examine_pagerduty(settings, bundle, http, _ONE)
    yield "slack", "", examine_slack(settings, bundle, http)


async def _bounded(probe: Probe) -> Sequence[Finding]:
    system, about, work = probe
    try:
        async with asyncio.timeout(_ALL):
            return await work
    except TimeoutError:
        return [wrong(system, about, f"no answer within {_ALL:g}s", "see whether this machine can reach it")]
    except Fault as fault:
        return [wrong(system, about or fault.where, fault.what, fault.right)]


def _catalog(loaded: Loaded) -> Sequence[Finding]:
    if loaded.bundle is not None:
        return [fine("catalog", "", f"{len(loaded.files)} files without faults")]
    said = str(loaded.faults[0]) if loaded.faults else "there is nothing to serve"
    more = f" and {len(loaded.faults) - 1} more" if len(loaded.faults) > 1 else ""
    right = "paramedic check shows them all; what depends on the files is not looked at"
    return [wrong("catalog", "", said + more, right)]


def _secrets(settings: Settings, bundle: Bundle | None) -> Iterator[str]:
    """Every secret that a probe had in its hands."""
    yield password_of(settings.database_url)
    names = [TOKEN, alertmanager.TOKEN, "PARAMEDIC_PROMETHEUS_TOKEN", *pagerduty_keys(bundle)]
    if bundle is not None:
        names += [source.token for source in bundle.sources.values() if source.token]
        names += [endpoint.token for endpoint in bundle.endpoints.values() if endpoint.token]
    for name in names:
        try:
            yield settings.value(name)
        except Fault:  # a file that cannot be read has been reported where it was needed
            continue
    try:
        password = urlsplit(settings.value("PARAMEDIC_PROMETHEUS_URL")).password or ""
    except (Fault, ValueError):
        return
    yield password
    yield unquote(password)
