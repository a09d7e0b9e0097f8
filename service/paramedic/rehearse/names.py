"""The names in a rehearsal against what exists. `files` calls this once both the script and its bundle are read.

An expectation that names what does not exist could never be met, or never be broken: so a misspelt name is a fault.
"""

from collections.abc import Iterable, Iterator

from paramedic.catalog.documents import Document
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.core.bundle import Bundle
from paramedic.plugin import Plugins
from paramedic.rehearse.cluster.spec import KubeFails, Measured
from paramedic.rehearse.expectations import Expected, Forbidden, Incident, Message, Named, Page, Run
from paramedic.rehearse.script import Alerting, Failing, Script

__all__ = ["check_names"]

Path = tuple[str | int, ...]
Reference = tuple[Path, str, str, Iterable[str]]
"""Where it stands, what it is called, the name, and the names there are."""


def check_names(script: Script, document: Document, bundle: Bundle, plugins: Plugins, faults: Faults) -> None:
    """Add a fault for every name that nothing has. A name with `*` in it may stand for anything."""
    for path, noun, name, known in _references(script, bundle, plugins):
        if name and "*" not in name and name not in set(known):
            at = document.root.key_at(path) if path[-1] == name else document.root.at(path)
            faults.add(document.file, at, f"unknown {noun} {quoted(name)}", did_you_mean(name, known))


def _references(script: Script, bundle: Bundle, plugins: Plugins) -> Iterator[Reference]:
    for name, endpoint in script.world.endpoints.items():
        yield ("world", "endpoints", name), "endpoint", name, bundle.endpoints
        for position, answer in enumerate(endpoint.answers):
            path = ("world", "endpoints", name, "answers", position, "reports")
            yield path, "metric", answer.reports, script.world.metrics
    for position, step in enumerate(script.when):
        if isinstance(step, Alerting):
            yield ("when", position, "source"), "source", step.source, bundle.sources
    for position, fault in enumerate(script.faults):
        if isinstance(fault, Failing):
            yield ("faults", position, "notifier"), "notifier", fault.notifier, plugins.notifiers
    yield from _clustered(script, plugins)
    sections: tuple[tuple[str, tuple[Expected | Forbidden, ...]], ...] = (
        ("then", script.then),
        ("never", script.never),
    )
    for section, expectations in sections:
        for position, expectation in enumerate(expectations):
            yield from _expected(expectation, (section, position, expectation.kind), bundle, plugins)


def _clustered(script: Script, plugins: Plugins) -> Iterator[Reference]:
    """What the file says about clusters against the workloads that its world has, and what plug-ins ask of them."""
    world = script.world
    kinds = (("deployment", world.deployments), ("statefulset", world.stateful_sets), ("daemonset", world.daemon_sets))
    workloads = {f"{one.cluster}/{one.namespace}/{kind}/{one.name}" for kind, those in kinds for one in those}
    clusters = {one.partition("/")[0] for one in workloads} | {one.cluster for one in world.pods}
    asked = {
        one
        for kind in (plugins.actions, plugins.guards, plugins.checks)
        for each in kind.values()
        for one in each.permissions
    }
    for position, permission in enumerate(world.permissions or ()):
        yield ("world", "permissions", position), "permission", permission, asked
    for position, alert in enumerate(world.alerts):
        yield ("world", "alerts", position, "while", "target"), "workload", alert.while_.target, workloads
    for name, metric in world.metrics.items():
        if isinstance(metric, Measured):
            yield ("world", "metrics", name, "while", "target"), "workload", metric.while_.target, workloads
    for position, fault in enumerate(script.faults):
        if isinstance(fault, KubeFails):
            yield ("faults", position, "cluster"), "cluster", fault.cluster, clusters


def _expected(expectation: Forbidden, path: Path, bundle: Bundle, plugins: Plugins) -> Iterator[Reference]:
    thing = expectation.thing
    if isinstance(thing, Page):
        yield (*path, "policy"), "policy", thing.policy, bundle.policies
        yield (*path, "to"), "person", thing.to, bundle.people
        yield (*path, "notifier"), "notifier", thing.notifier, plugins.notifiers
    elif isinstance(thing, Message):
        audiences = {tell.audience for plan in bundle.communication.values() for tell in plan.tell}
        yield (*path, "audience"), "audience", thing.audience, audiences
        yield (*path, "by"), "notifier", thing.by, plugins.notifiers
    elif isinstance(thing, Run):
        yield (*path, "playbook"), "playbook", thing.playbook, bundle.playbooks
    elif isinstance(thing, Incident):
        yield (*path, "rule"), "rule", thing.rule, [rule.name for rule in bundle.rules]
    elif isinstance(thing, Named):
        kinds = {
            "step": ("action", plugins.actions),
            "guard": ("guard", plugins.guards),
            "check": ("check", plugins.checks),
        }
        noun, known = kinds[expectation.kind]
        yield (*path, thing.name), noun, thing.name, known
