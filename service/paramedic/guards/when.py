"""Guard `when`: a condition in CEL over what the playbook knows, for whatever has no guard of its own."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, StrictBool, StrictStr

from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["When"]


class WhenParams(Params):
    """What `when` may be told."""

    condition: StrictBool | StrictStr = Field(description="a CEL expression that must be true")
    text: str = Field("", description="the expression as written, kept for the reason when it has been evaluated")


class When(Guard):
    """Allows if the expression is true, and nothing else: neither 1 nor "true" nor a value that is missing.

    `when: EXPRESSION` is the short form. The expression is compiled when the playbook is loaded and evaluated for each
    run; what arrives here is its value as `condition`, and the expression itself as `text`.
    """

    name = "when"
    example = "when: params.replicas >= 2"
    Params = WhenParams
    escapes: ClassVar[Mapping[str, str]] = {"condition": "cel"}
    short = "condition"

    async def judge(self, params: WhenParams, seen: Seen, tools: Tools) -> Verdict:
        """Take the value that the expression came to."""
        text = one_line(params.text) or "the condition"
        if params.condition is True:
            return Verdict(self.name, Answer.ALLOW, f"{text} is true", {"is": True})
        if params.condition is False:
            return Verdict(self.name, Answer.DENY, f"{text} is false", {"is": False})
        return Verdict(self.name, Answer.UNKNOWN, f"{one_line(str(params.condition))} was not evaluated")
