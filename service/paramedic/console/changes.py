"""POST /api/v1/changes: CI tells what it has deployed, so that an alert right after it finds what changed.

`front` serves it. A change is of one workload, by its name on the cluster, or of a service, by the name that playbooks
give to their guard. Repeating a report, with the same `at`, changes nothing.
"""

import logging
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from paramedic.clock import Clock
from paramedic.cluster.names import parse_target
from paramedic.cluster.resources import WORKLOADS
from paramedic.console.answers import as_json, read_body
from paramedic.console.bodies import Reporting
from paramedic.console.models import ReportedView
from paramedic.console.openapi import Operation
from paramedic.console.people import People
from paramedic.core.text import span
from paramedic.errors import Fault
from paramedic.ports import Deployed
from paramedic.record.changes import AHEAD, KEPT

__all__ = ["ROLE", "Changes", "Keeping"]

_log = logging.getLogger(__name__)

ROLE = "ci"
"""What a caller needs. A report can bring about a rollback or refuse a restart; a token of CI can do nothing else."""


class Keeping(Protocol):
    """Where reported changes go."""

    async def report(self, change: Deployed) -> bool:
        """Keep it; False if it was reported before. Raises `Temporary`."""
        ...


class Changes:
    """The one operation on changes."""

    def __init__(self, changes: Keeping, people: People, clock: Clock) -> None:
        self._changes, self._people, self._clock = changes, people, clock

    def operations(self) -> list[Operation]:
        """What this serves."""
        return [
            Operation(
                "POST",
                "/api/v1/changes",
                "Report what was deployed",
                self.report,
                ReportedView,
                body=Reporting,
                role=ROLE,
                refusals=(400, 401, 403, 503),
            )
        ]

    async def report(self, request: web.Request) -> web.Response:
        """POST /api/v1/changes"""
        caller = self._people.actor(request, ROLE)
        body = await read_body(request, Reporting)
        change = Deployed(self._moment(body.at), target_of(body), body.service, body.version, body.url, caller.name)
        new = await self._changes.report(change)
        if new:
            about = " ".join(part for part in (change.service, change.target) if part)
            _log.info("%s reported a change of %s to %s", caller.name, about, change.version)
        return as_json(
            ReportedView(
                target=change.target,
                service=change.service,
                version=change.version,
                url=change.url,
                at=change.at,
                by=change.by,
                new=new,
            )
        )

    def _moment(self, at: datetime | None) -> datetime:
        """When it changed, in UTC. Raises `Fault` for a moment that is still to come, or too long ago to matter."""
        now = self._clock.now()
        if at is None:
            return now
        if at - now > AHEAD:
            raise Fault("at", f"lies {span((at - now).total_seconds())} in the future", "report what has happened")
        if now - at > KEPT:
            raise Fault("at", f"lies more than {KEPT.days} days back", "they are not kept for longer")
        return at.astimezone(UTC)


def target_of(body: Reporting) -> str:
    """The workload's canonical name, or the place where the service runs. Raises `Fault` naming the field."""
    if body.workload and body.service:
        raise Fault("service", "stands beside a workload", "report a workload or a service, each by itself")
    if not body.workload and not body.service:
        raise Fault("workload", "is missing", "name a workload, such as deployment/api, or a service")
    _check("cluster", body.cluster, f"{body.cluster}/x/deployment/x")
    _check("namespace", body.namespace, f"x/{body.namespace}/deployment/x")
    _check("workload", body.workload, f"x/x/{body.workload}")
    for field, value in (("cluster", body.cluster), ("namespace", body.namespace)):
        if not value and (body.workload or (field == "cluster" and body.namespace)):
            raise Fault(field, "is missing", "a workload is known by its cluster, namespace and name")
    place = [part for part in (body.cluster, body.namespace) if part]
    return "/".join([*place, body.workload] if body.workload else place)


def _check(field: str, value: str, target: str) -> None:
    """One part of a target's name, by the one rule there is for it."""
    if not value:
        return
    try:
        kind = parse_target(target).resource
    except Fault as fault:
        raise Fault(field, fault.what, fault.right) from fault
    if kind not in WORKLOADS:
        words = ", ".join(each.word for each in WORKLOADS)
        raise Fault(field, f"a {kind.word} is not a workload", f"one of {words}, then / and its name")
