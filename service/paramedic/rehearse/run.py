"""Rehearsing: each rehearsal on a loop of its own, one after the other. `paramedic test` and the tests call this.

A result says whether it went as told. What was found wrong by comparing, and what ended it early, are kept apart.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from paramedic.errors import ParamedicError
from paramedic.plugin import Plugins
from paramedic.rehearse.compare import Finding, compare
from paramedic.rehearse.files import Rehearsal
from paramedic.rehearse.loop import VirtualLoop, virtually
from paramedic.rehearse.stage import Played, Stage

__all__ = ["Result", "rehearse"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What a rehearsal came to. `error`: it could not be played to its end; `took` is real, `seconds` virtual."""

    rehearsal: Rehearsal
    findings: tuple[Finding, ...]
    error: str
    seconds: float
    took: float

    @property
    def ok(self) -> bool:
        """Whether it went as told."""
        return not self.findings and not self.error

    def line_of(self, finding: Finding) -> int:
        """The line in the file of the expectation that a finding is about."""
        return self.rehearsal.lines[finding.section][finding.position]


def rehearse(rehearsal: Rehearsal, plugins: Plugins, monotonic: Callable[[], float]) -> Result:
    """Play one rehearsal and compare. Never raises for what goes wrong in it. `monotonic` measures real seconds."""
    started = monotonic()
    findings: tuple[Finding, ...] = ()
    error, seconds = "", 0.0
    try:
        played = virtually(lambda loop: _play(loop, rehearsal, plugins))
    except ParamedicError as raised:
        error = str(raised)
    except Exception as raised:
        # A defect of the service ends this rehearsal and is its result; the others go on.
        _log.debug("a rehearsal raised", exc_info=True)
        error = _defect(raised)
    else:
        seconds = played.seconds
        findings = tuple(compare(rehearsal.script, played.happened))
        error = "; ".join(f"a defect in {defect}" for defect in played.defects)
    return Result(rehearsal, findings, error, seconds, monotonic() - started)


async def _play(loop: VirtualLoop, rehearsal: Rehearsal, plugins: Plugins) -> Played:
    try:
        return await Stage(loop, rehearsal.script, rehearsal.bundle, plugins).play()
    except* ParamedicError as group:
        raise _first(group) from group


def _first(group: BaseException) -> BaseException:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group


def _defect(raised: Exception) -> str:
    first = _first(raised)
    return f"a defect: {type(first).__name__}: {first}"
