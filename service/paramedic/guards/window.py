"""Guard `window`: only inside, or only outside, a named stretch of time such as a change freeze."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.errors import Fault
from paramedic.plugin import Guard, Params, Resources, Seen, Tools

__all__ = ["WindowGuard"]

_NAME = "^[A-Za-z0-9][A-Za-z0-9_. -]{0,99}$"


class WindowParams(Params):
    """What `window` may be told."""

    inside: str = Field("", pattern=f"^$|{_NAME}", description="a window of `windows`: act only while it is open")
    outside: str = Field("", pattern=f"^$|{_NAME}", description="a window of `windows`: act only while it is shut")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if bool(self.inside) is bool(self.outside):
            raise ValueError("name exactly one window, either as `inside` or as `outside`")
        return self


class WindowGuard(Guard):
    """Allows depending on the time: inside one window, or outside it. A window that is not known denies."""

    name = "window"
    example = "window: {outside: change-freeze}"
    Params = WindowParams
    escapes: ClassVar[Mapping[str, str]] = {"inside": "literal", "outside": "literal"}

    def refers(self, params: WindowParams, resources: Resources) -> None:
        """The window must be declared."""
        where, name = ("inside", params.inside) if params.inside else ("outside", params.outside)
        if name not in resources.windows:
            known = ", ".join(sorted(resources.windows)) or "none is declared"
            raise Fault(where, f'there is no window "{name}"', f"windows: {known}")

    async def judge(self, params: WindowParams, seen: Seen, tools: Tools) -> Verdict:
        """Look at the clock."""
        name = params.inside or params.outside
        window = seen.windows.get(name)
        evidence = {"window": name, "at": seen.now.isoformat()}
        if window is None:
            return Verdict(self.name, Answer.UNKNOWN, f"there is no window {name}", evidence)
        within = window.contains(seen.now)
        answer = Answer.ALLOW if within is bool(params.inside) else Answer.DENY
        return Verdict(self.name, answer, f"{'inside' if within else 'outside'} {name}", evidence)
