"""Carrying one effect out through its plug-in: what is asked of whom, and how its answer becomes an event.

The turn drives effects that touch no port itself, in the batch (`perform_inline`); executors run the others. Errors of
the four kinds become failures in the event; anything else is a defect, and after a write that is an unknown outcome.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, assert_never

import msgspec

from paramedic.clients.kube.targets import resolve
from paramedic.clock import Clock
from paramedic.cluster.names import parse_target
from paramedic.core.bounds import bounded
from paramedic.core.bundle import Bundle, CheckSpec, GuardSpec, StepSpec, dependencies
from paramedic.core.effects import Apply, Check, Effect, Judge, Message, Observe, Page, Plan, Resolve
from paramedic.core.events import Applied, Checked, Event, Judged, Messaged, Observed, Paged, Planned, Resolved
from paramedic.core.model import Evidence, Exemplar, Failure, Incident, Run, Verdict
from paramedic.core.routing import service_of
from paramedic.core.scope import exemplar_of, playbook_scope
from paramedic.core.text import one_line
from paramedic.core.treatment import modes_of_run
from paramedic.core.words import Answer, Kind, Mode, Purpose
from paramedic.engine.gate import Gate
from paramedic.engine.gated import Asking, GatedHttp, GatedKube
from paramedic.engine.holdings import Holdings
from paramedic.engine.jury import Jury
from paramedic.engine.notices import Notices
from paramedic.engine.report import Report
from paramedic.errors import Changed, Fault, ParamedicError, Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Exhibit, Plugins, Seen, Tools
from paramedic.record.evidence import Kept, keep

__all__ = ["Done", "Job", "Performer", "inline"]

_log = logging.getLogger(__name__)


class Job(msgspec.Struct, frozen=True):
    """An effect to carry out, with the incident and the bundle it belongs to, and the global mode.

    `at` is the moment of the batch in which it is answered; one that has a slot of its own is answered when it is.
    """

    incident: Incident
    effect: Effect
    bundle: Bundle
    mode: Mode
    at: datetime | None = None


class Done(msgspec.Struct, frozen=True):
    """The event that an effect came to, and the evidence to keep."""

    event: Event
    kept: tuple[Kept, ...] = ()


def inline(incident: Incident, effect: Effect, bundle: Bundle) -> bool:
    """Whether this effect touches no port, so that the turn can have its answer in the same batch."""
    run = incident.run
    if run is None or not isinstance(effect, Judge | Plan | Check):
        return False
    playbook = bundle.playbooks[run.playbook]
    match effect:
        case Judge():
            return all(playbook.guards[n].inline for n in effect.guards)
        case Plan():
            return playbook.steps[effect.step].inline
        case Check():
            return playbook.steps[effect.step].verify[effect.check].inline
        case _:
            assert_never(effect)


class Performer:
    """Calls plug-ins. One for each engine."""

    def __init__(
        self,
        plugins: Plugins,
        tools: Tools,
        pages: Tools,
        clock: Clock,
        report: Report,
        public_url: str,
        jitter: Callable[[float], float],
        messages: Tools | None = None,
        *,
        heard: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._plugins, self._tools, self._clock, self._report = plugins, tools, clock, report
        self._notices = Notices(plugins, pages, messages or pages, clock, public_url)
        self._jury = Jury(plugins, tools, report)
        self._jitter, self._heard = jitter, heard

    def perform_inline(self, job: Job, holdings: Holdings) -> Done:
        """Carry out an effect that must not wait. A plug-in that waits all the same is a defect, and says so."""
        work = self.perform(job, holdings, None)
        try:
            work.send(None)
        except StopIteration as finished:
            done: Done = finished.value
            return done
        work.close()
        failure = Failure(Kind.PERMANENT, "its plug-in waits, although it says that it reads nothing")
        return Done(self._failed(job, failure))

    async def perform(self, job: Job, holdings: Holdings, gate: Gate | None) -> Done:
        """Carry out an effect. Never raises but for cancellation: every error is part of the event."""
        try:
            return await self._dispatch(job, holdings, gate)
        except ParamedicError as error:
            return Done(self._failed(job, failure_of(error, self._jitter)))
        except TimeoutError:
            return Done(self._failed(job, Failure(Kind.UNKNOWN, "no answer within its time", self._jitter(1.0))))
        except Exception as error:
            self._report.failed("perform")
            _log.exception("%s: effect %d raised", job.incident.ref, job.effect.n)
            kind = Kind.UNKNOWN if isinstance(job.effect, Apply) else Kind.PERMANENT
            return Done(self._failed(job, Failure(kind, one_line(f"a defect: {type(error).__name__}: {error}", 300))))

    async def _dispatch(self, job: Job, holdings: Holdings, gate: Gate | None) -> Done:
        effect = job.effect
        if isinstance(effect, Page):
            return Done(await self._notices.page(job.incident, effect, job.bundle, job.mode))
        if isinstance(effect, Message):
            return Done(await self._notices.message(job.incident, effect, job.bundle, job.mode))
        run = job.incident.run
        if run is None:
            raise Refused("its run is over")
        seen = self._seen(job, run, holdings)
        match effect:
            case Resolve():
                return await self._resolve(job, run, effect)
            case Judge():
                return await self._judge(job, run, effect, seen)
            case Plan():
                return await self._plan(job, run, effect, seen)
            case Apply():
                return await self._apply(job, run, effect, seen, gate)
            case Observe():
                return await self._observe(job, run, effect, seen)
            case Check():
                return await self._check(job, run, effect, seen)
            case _:
                assert_never(effect)

    def _now(self, job: Job) -> datetime:
        return job.at or self._clock.now()

    def _seen(self, job: Job, run: Run, holdings: Holdings) -> Seen:
        alert = exemplar_of(job.incident, run)
        return Seen(
            now=self._now(job),
            incident=job.incident.ref,
            severity=job.incident.severity,
            firing=job.incident.firing,
            run=run,
            target=run.target,
            uses=holdings.ledger.seen_by(job.incident.id, run.n),
            others=holdings.watched,
            windows=job.bundle.windows,
            endpoints=job.bundle.endpoints,
            alert=alert,
            past=job.incident.past,
            modes=partial(modes_of_run, job.bundle, job.mode, run),
            source=job.incident.source,
            needs=partial(self._needs, job.bundle, run),
            database=self._heard(),
            depends_on=partial(_depends_on, alert, job.bundle),
        )

    async def hear(
        self, job: Job, run: Run, guards: Sequence[GuardSpec], holdings: Holdings, deadline: float
    ) -> tuple[Verdict, ...]:
        """What these guards say of a run that does not exist: counted nowhere, and nothing comes of it."""
        seen = self._seen(job, run, holdings)
        return await self._jury.ask(guards, playbook_scope(job.incident, run), seen, deadline=deadline)

    def _needs(self, bundle: Bundle, run: Run) -> tuple[str, ...]:
        """What the steps of the run's playbook want to be permitted on clusters."""
        steps = bundle.playbooks[run.playbook].steps
        return tuple(sorted({one for step in steps for one in self._plugins.actions[step.kind].permissions}))

    async def _resolve(self, job: Job, run: Run, effect: Resolve) -> Done:
        async with asyncio.timeout(30.0):
            target = await resolve(self._tools.kube, parse_target(run.target))
        return Done(Resolved(self._now(job), job.mode, effect.n, run.n, target=str(target)))

    async def _judge(self, job: Job, run: Run, effect: Judge, seen: Seen) -> Done:
        playbook = job.bundle.playbooks[run.playbook]
        guards = [playbook.guards[n] for n in effect.guards]
        verdicts = await self._jury.ask(guards, playbook_scope(job.incident, run), seen)
        for spec, verdict in zip(guards, verdicts, strict=True):
            self._report.guard_answered(spec.kind, verdict.answer)
        return Done(Judged(self._now(job), job.mode, effect.n, run.n, verdicts))

    async def _plan(self, job: Job, run: Run, effect: Plan, seen: Seen) -> Done:
        spec = job.bundle.playbooks[run.playbook].steps[effect.step]
        action = self._plugins.actions[spec.kind]
        params = action.validated(self._rendered(spec, job, run))
        change = await action.plan(params, seen, self._tools)
        return Done(Planned(self._now(job), job.mode, effect.n, run.n, change=change))

    @staticmethod
    def _rendered(spec: StepSpec | CheckSpec, job: Job, run: Run) -> Any:
        return spec.params.render(playbook_scope(job.incident, run))

    async def _apply(self, job: Job, run: Run, effect: Apply, seen: Seen, gate: Gate | None) -> Done:
        change = run.change
        if gate is None or change is None:
            raise Permanent("a write without a plan or a gate")
        action = self._plugins.actions[job.bundle.playbooks[run.playbook].steps[effect.step].kind]
        write = change.write if effect.purpose is Purpose.REMEDY else change.undo
        if write is None:
            raise Permanent("there is nothing to take back")
        asking = Asking(gate, job.incident.id, effect, job.bundle)
        http, kube = GatedHttp(self._tools.http, asking), GatedKube(self._tools.kube, asking)
        tools = msgspec.structs.replace(self._tools, http=http, kube=kube)
        try:
            async with asyncio.timeout(effect.timeout):
                applied = await action.apply(write, effect.key, seen, tools)
        except TimeoutError:
            if asking.untouched:
                raise Temporary("its time was over before anything was sent") from None
            raise
        kept, references = _kept(applied.exhibits)
        event = Applied(
            self._now(job),
            job.mode,
            effect.n,
            run.n,
            summary=one_line(applied.summary),
            halted=one_line(applied.halted),
            seen=dict(applied.seen),
            evidence=references,
        )
        return Done(event, kept)

    async def _observe(self, job: Job, run: Run, effect: Observe, seen: Seen) -> Done:
        spec = job.bundle.playbooks[run.playbook].steps[effect.step]
        action = self._plugins.actions[spec.kind]
        change = run.change
        write = (change.write if run.purpose is Purpose.REMEDY else change.undo) if change else None
        async with asyncio.timeout(spec.timeout):
            found = await action.observe(write or {}, effect.key, seen, self._tools)
        return Done(Observed(self._now(job), job.mode, effect.n, run.n, applied=found))

    async def _check(self, job: Job, run: Run, effect: Check, seen: Seen) -> Done:
        spec = job.bundle.playbooks[run.playbook].steps[effect.step].verify[effect.check]
        check = self._plugins.checks[spec.kind]
        try:
            params = check.validated(self._rendered(spec, job, run))
            if spec.inline:
                verdict = await check.ask(params, seen, self._tools)
            else:
                async with asyncio.timeout(30.0):
                    verdict = await check.ask(params, seen, self._tools)
            verdict = bounded(verdict, spec.kind)
        except (ParamedicError, TimeoutError) as error:
            verdict = Verdict(spec.kind, Answer.UNKNOWN, one_line(str(error) or "no answer within 30s"))
        return Done(Checked(self._now(job), job.mode, effect.n, run.n, verdict))

    def _failed(self, job: Job, failure: Failure) -> Event:
        """The event of this effect with a failure in it."""
        effect, now, mode = job.effect, self._now(job), job.mode
        match effect:
            case Resolve():
                return Resolved(now, mode, effect.n, effect.run, failure=failure)
            case Judge():
                verdict = Verdict("guards", Answer.ERROR, failure.message)
                return Judged(now, mode, effect.n, effect.run, (verdict,))
            case Plan():
                return Planned(now, mode, effect.n, effect.run, failure=failure)
            case Apply():
                return Applied(now, mode, effect.n, effect.run, failure=failure)
            case Observe():
                return Observed(now, mode, effect.n, effect.run, failure=failure)
            case Check():
                return Checked(now, mode, effect.n, effect.run, Verdict("check", Answer.UNKNOWN, failure.message))
            case Page():
                return Paged(now, mode, effect.n, failure=failure)
            case Message():
                return Messaged(now, mode, effect.n, failure=failure)
            case _:
                assert_never(effect)


def _depends_on(alert: Exemplar | None, bundle: Bundle) -> tuple[str, ...]:
    return dependencies(service_of(alert.labels, bundle)) if alert is not None else ()


def _kept(exhibits: tuple[Exhibit, ...]) -> tuple[tuple[Kept, ...], tuple[Evidence, ...]]:
    kept = keep((exhibit.name, exhibit.body) for exhibit in exhibits)
    return kept, tuple(one.reference for one in kept)


def failure_of(error: ParamedicError, jitter: Callable[[float], float]) -> Failure:
    """An error of the four kinds as a value; the delay before another try is jittered here, outside the core."""
    message = one_line(str(error))
    match error:
        case Temporary():
            return Failure(Kind.TEMPORARY, message, jitter(error.delay))
        case Refused():
            return Failure(Kind.REFUSED, message)
        case UnknownOutcome():
            return Failure(Kind.UNKNOWN, message, jitter(1.0))
        case Changed():
            return Failure(Kind.PERMANENT, message, jitter(1.0), changed=True)
        case Permanent() | Fault():
            return Failure(Kind.PERMANENT, message)
        case _:
            return Failure(Kind.PERMANENT, message)
