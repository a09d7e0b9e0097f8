"""What would be decided about an alert now: guards are asked, and the first write is planned, for a run of no incident.

The engine calls it for `paramedic explain`. Nothing is committed, claimed or written; all of it has one deadline.
"""

import asyncio
from dataclasses import dataclass

from msgspec.structs import replace

from paramedic.catalog.explain import Explained, Heard
from paramedic.core.bundle import Bundle, Playbook
from paramedic.core.effects import Effect, Judge, Plan, Resolve
from paramedic.core.events import Planned, Resolved
from paramedic.core.model import Candidate, Change, Exemplar, Firing, Incident, Run, Verdict
from paramedic.core.routing import service_of, title_of
from paramedic.core.scope import playbook_scope
from paramedic.core.sharing import shard_of
from paramedic.core.treatment import mode_in_force, modes_of_run
from paramedic.core.words import Phase, Stage
from paramedic.engine.perform import Job
from paramedic.engine.shell import Shell
from paramedic.errors import Fault

__all__ = ["DEADLINE", "hear"]

DEADLINE = 10.0
"""Seconds for the target, the guards and the plan together: somebody waits for the answer."""


async def hear(shell: Shell, explained: Explained, bundle: Bundle, *, deadline: float = DEADLINE) -> Heard | None:
    """What the guards say; None where no run would be started, so that there is nobody to ask."""
    candidate, playbook = explained.candidate, explained.playbook
    if candidate is None or playbook is None or candidate.fault or not explained.alert.firing:
        return None
    hearing = _Hearing(shell, bundle, playbook, deadline)
    return await hearing.of(explained, candidate)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """One alert's. `deadline` is in seconds from its beginning."""

    shell: Shell
    bundle: Bundle
    playbook: Playbook
    deadline: float

    async def of(self, explained: Explained, candidate: Candidate) -> Heard:
        until = self.shell.clock.monotonic() + self.deadline
        joins = self.shell.holdings.keys.get(explained.key)
        incident, run = self._begin(explained, candidate, joins)
        target, fault = await self._target(self._job(incident, run, Resolve(0, run.n)), run, self.deadline)
        run = replace(run, target=target, named=run.target if self.playbook.on_cluster else "")
        answers: dict[int, Verdict] = {}
        change, plan = None, ""
        if not fault:
            answers = await self._answers(incident, run, self._left(until))
            change, plan = await self._plan(incident, run, self._left(until))
        return Heard(
            target=target,
            modes=modes_of_run(self.bundle, self.shell.mode, replace(run, change=change)),
            answers=tuple((guard, answers.get(n)) for n, guard in enumerate(self.playbook.guards)),
            plan=plan,
            joins=f"INC-{joins}" if joins is not None else "",
            fault=fault,
        )

    def _left(self, until: float) -> float:
        return max(0.1, until - self.shell.clock.monotonic())

    def _job(self, incident: Incident, run: Run, effect: Effect) -> Job:
        return Job(replace(incident, run=run), effect, self.bundle, self.shell.mode)

    def _begin(self, explained: Explained, candidate: Candidate, joins: int | None) -> tuple[Incident, Run]:
        """The run as it would begin now, in an incident INC-0; what the open one remembers counts for it too."""
        alert, now, mode = explained.alert, self.shell.clock.now(), self.shell.mode
        known = self.shell.holdings.incident(joins) if joins is not None else None
        began = min(alert.starts_at, now)
        exemplar = Exemplar(alert.identity, alert.labels, alert.annotations, began)
        run = Run(
            n=1,
            rule=candidate.rule,
            playbook=candidate.playbook,
            target=candidate.target,
            identity=candidate.identity,
            params=candidate.params,
            severity=candidate.severity,
            mode=mode_in_force(self.bundle, mode, candidate.rule, candidate.playbook),
            started_at=now,
            stage=Stage.JUDGING,
            recurrence=known.recurrence if known is not None else 0,
        )
        incident = Incident(
            id=0,
            key=explained.key,
            shard=shard_of(explained.key),
            source=alert.source,
            title=title_of(alert.labels, service_of(alert.labels, self.bundle)),
            bundle=self.bundle.hash,
            rule=candidate.rule,
            severity=candidate.severity,
            phase=Phase.ASSESSING,
            opened_at=now,
            updated_at=now,
            fixes=known.fixes if known is not None else (),
            firing=Firing(open=1, total=1, exemplars=(exemplar,), since=began, seen_at=now),
            past=known.past if known is not None else (),
        )
        return incident, run

    async def _answers(self, incident: Incident, run: Run, seconds: float) -> dict[int, Verdict]:
        """What those say that are asked before there is a plan: all of them, also where one denies."""
        asked = [(n, guard) for n, guard in enumerate(self.playbook.guards) if guard.asked == "first"]
        job = self._job(incident, run, Judge(0, run.n, tuple(n for n, _ in asked)))
        guards = [guard for _, guard in asked]
        said = await self.shell.performer.hear(job, run, guards, self.shell.holdings, seconds)
        return {n: verdict for (n, _), verdict in zip(asked, said, strict=True)}

    async def _target(self, job: Job, run: Run, seconds: float) -> tuple[str, str]:
        """The one name of the target, or why it is not known."""
        if not self.playbook.on_cluster:
            return run.target, ""
        try:
            async with asyncio.timeout(seconds):
                event = (await self.shell.performer.perform(job, self.shell.holdings, None)).event
        except TimeoutError:
            return run.target, f"the target was not found within {seconds:g}s"
        if isinstance(event, Resolved) and event.failure is None:
            return event.target, ""
        why = event.failure.message if isinstance(event, Resolved) and event.failure is not None else "no answer"
        return run.target, why

    async def _plan(self, incident: Incident, run: Run, seconds: float) -> tuple[Change | None, str]:
        """The first write that would be made, and what is to be said of it."""
        step = self._first_write(replace(incident, run=run), run)
        if step is None:
            return None, ""
        wanted = self._job(incident, run, Plan(0, run.n, step, 1))
        try:
            async with asyncio.timeout(seconds):
                event = (await self.shell.performer.perform(wanted, self.shell.holdings, None)).event
        except TimeoutError:
            return None, f"no plan within {self.deadline:g}s"
        if isinstance(event, Planned) and event.change is not None:
            return event.change, event.change.summary
        why = event.failure.message if isinstance(event, Planned) and event.failure is not None else "no answer"
        return None, f"no plan: {why}"

    def _first_write(self, incident: Incident, run: Run) -> int | None:
        scope = playbook_scope(incident, run)
        for n, step in enumerate(self.playbook.steps):
            try:
                if step.mutates and (step.when is None or step.when.holds(scope)):
                    return n
            except Fault:
                return None
        return None
