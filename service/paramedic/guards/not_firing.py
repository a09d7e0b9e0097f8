"""Guard `not_firing`: do not treat a symptom while what would explain it, or make the remedy blind, is firing."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from paramedic.core.matching import Matcher
from paramedic.core.model import Verdict
from paramedic.core.text import ago, one_line
from paramedic.core.words import Answer
from paramedic.matchers import Matchers
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["NotFiring"]


class NotFiringParams(Params):
    """What `not_firing` may be told."""

    match: Matchers = Field(description="matchers in Alertmanager's syntax; an alert that all of them accept denies")


class NotFiring(Guard):
    """Denies while any alert that all matchers accept is firing, whichever incident it belongs to.

    The matchers are fixed when the playbook is loaded: they hold no `${}`.
    """

    name = "not_firing"
    example = """\
not_firing: {match: ['alertname=~"KubeAPIDown|etcd.*"']}
"""
    Params = NotFiringParams
    escapes: ClassVar[Mapping[str, str]] = {"match": "literal"}

    def watches(self, params: NotFiringParams) -> tuple[tuple[Matcher, ...], ...]:
        """Its matchers, as one set."""
        return (params.match,)

    async def judge(self, params: NotFiringParams, seen: Seen, tools: Tools) -> Verdict:
        """Look for open episodes that match."""
        found = seen.others.matching(params.match)
        wanted = ", ".join(str(matcher) for matcher in params.match)
        if not found:
            reason = one_line(f"nothing fires that matches {wanted}", 200)
            return Verdict(self.name, Answer.ALLOW, reason, {"firing": 0})
        first = found[0]
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        name = one_line(first.alertname, 100)
        reason = f"{name} has been firing for {ago(first.starts_at, seen.now)}{more}"
        labels = {one_line(key, 50): one_line(value, 100) for key, value in sorted(first.labels.items())[:20]}
        return Verdict(self.name, Answer.DENY, reason, {"firing": len(found), "labels": labels})
