"""Guard `targets`: a run acts on so many named things and no more; an empty name or a wildcard never means all."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Targets"]

_WILD = re.compile(r"[*?\[\]{}^$|\\]")
_BETWEEN = re.compile(r"[,;\s]")
_Param = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,63}$")]


class TargetsParams(Params):
    """What `targets` may be told."""

    max: int = Field(1, ge=1, le=100, description="how many things one parameter may name")
    of: tuple[_Param, ...] = Field(
        (), max_length=20, description="parameters that name what is acted on: one name, or several with commas between"
    )


class Targets(Guard):
    """Allows if the run's target is one name, and each parameter in `of` names at least one thing and at most `max`.

    An empty name, one with a wildcard (`*`, `?`, brackets) or with what cannot be seen denies: it could come to mean
    everything. A name that is there twice counts once.
    """

    name = "targets"
    example = "targets: {max: 3, of: [nodes]}"
    Params = TargetsParams
    escapes: ClassVar[Mapping[str, str]] = {"of": "literal"}

    async def judge(self, params: TargetsParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the target part by part, then at the parameters."""
        target = one_line(seen.target, 120)
        for part in seen.target.split("/"):
            if why := _wrong(part):
                return self._no(f"the target {target}: {why}", target=target)
        counted: dict[str, int] = {}
        for name in params.of:
            if name not in seen.run.params:
                return Verdict(self.name, Answer.UNKNOWN, f'the run has no parameter "{name}"', {"target": target})
            names = set(_names(seen.run.params[name]))
            for one in sorted(names):
                if why := _wrong(one):
                    return self._no(f"{name}: {why}", target=target, parameter=name)
            counted[name] = len(names)
            if not names:
                return self._no(f"{name} names nothing", target=target, parameter=name)
            if len(names) > params.max:
                return self._no(f"{name} names {len(names)}, at most {params.max} are wanted", target=target, **counted)
        said = "".join(f", {name} names {count}" for name, count in counted.items())
        return Verdict(self.name, Answer.ALLOW, f"one target{said}", {"target": target, **counted})

    def _no(self, reason: str, **evidence: Any) -> Verdict:
        return Verdict(self.name, Answer.DENY, one_line(reason), evidence)


def _names(value: Any) -> Iterator[str]:
    """What a parameter names: text is split at commas, semicolons and spaces, and what is empty between two stays."""
    text = str(value).strip()
    if text:
        yield from _BETWEEN.split(re.sub(r"\s*([,;])\s*|\s+", lambda found: found[1] or " ", text))


def _wrong(name: str) -> str:
    """Why this is not the name of one thing; empty if it is."""
    if not name.strip():
        return "an empty name could mean everything"
    if not name.isprintable():
        return f"{one_line(ascii(name), 80)} holds what cannot be seen"
    if _WILD.search(name):
        return f'"{one_line(name, 80)}" could mean more than one'
    return ""
