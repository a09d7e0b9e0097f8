"""Asking the guards of one phase: those that read do so at the same time, under one deadline. `perform` calls it.

So does `explaining`, for a run that does not exist. Whatever goes wrong is an answer too, and does not allow.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from paramedic.core.bounds import bounded
from paramedic.core.bundle import GuardSpec
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.durations import say_duration
from paramedic.engine.report import Report
from paramedic.errors import ParamedicError, Temporary, UnknownOutcome
from paramedic.plugin import Plugins, Seen, Tools

__all__ = ["DEADLINE", "Jury"]

_log = logging.getLogger(__name__)

DEADLINE = 30.0
"""Seconds that the guards of a phase have, all together."""


class Jury:
    """The guards of all playbooks, with the ports that they read. One for each engine."""

    def __init__(self, plugins: Plugins, tools: Tools, report: Report) -> None:
        self._plugins, self._tools, self._report = plugins, tools, report

    async def ask(
        self, guards: Sequence[GuardSpec], scope: Mapping[str, Any], seen: Seen, *, deadline: float = DEADLINE
    ) -> tuple[Verdict, ...]:
        """The answers in the order of `guards`; one that is not there after `deadline` seconds is unknown.

        Without a guard that reads, nothing is waited for.
        """
        answers = {n: await self._answer(spec, scope, seen) for n, spec in enumerate(guards) if spec.inline}
        reading = [(n, spec) for n, spec in enumerate(guards) if not spec.inline]
        if reading:
            answers |= await self._at_once(reading, scope, seen, deadline)
        late = f"no answer within {say_duration(deadline)}"
        return tuple(answers.get(n, Verdict(spec.kind, Answer.UNKNOWN, late)) for n, spec in enumerate(guards))

    async def _at_once(
        self, reading: Sequence[tuple[int, GuardSpec]], scope: Mapping[str, Any], seen: Seen, deadline: float
    ) -> dict[int, Verdict]:
        """What was answered in time. Nothing is left running, whichever way this ends."""
        answers: dict[int, Verdict] = {}

        async def ask(n: int, spec: GuardSpec) -> None:
            answers[n] = await self._answer(spec, scope, seen)

        tasks = [asyncio.create_task(ask(n, spec)) for n, spec in reading]
        try:
            await asyncio.wait(tasks, timeout=deadline)
        finally:
            for task in tasks:  # in their order, which a group of tasks does not keep
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if len(answers) < len(reading):
            _log.warning(
                "%d of %d guards did not answer within %gs", len(reading) - len(answers), len(reading), deadline
            )
        return answers

    async def _answer(self, spec: GuardSpec, scope: Mapping[str, Any], seen: Seen) -> Verdict:
        """One guard's answer, bounded (promise 11)."""
        try:
            guard = self._plugins.guards[spec.kind]
            params = guard.validated(spec.params.render(scope))
            return bounded(await guard.judge(params, seen, self._tools), spec.kind)
        except TimeoutError:
            return Verdict(spec.kind, Answer.UNKNOWN, "no answer within its time")
        except ParamedicError as error:
            answer = Answer.UNKNOWN if isinstance(error, Temporary | UnknownOutcome) else Answer.ERROR
            return Verdict(spec.kind, answer, one_line(str(error)))
        except Exception as error:
            self._report.failed("guard")
            _log.exception("the guard %s raised", spec.kind)
            return Verdict(spec.kind, Answer.ERROR, one_line(f"{type(error).__name__}: {error}"))
