"""Guard `scope`: only targets that are on the list, and none that is on the other."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Scope"]

_PART = r"[A-Za-z0-9._-]*(?:\*[A-Za-z0-9._-]*){0,2}"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)
_Pattern = Annotated[str, StringConstraints(max_length=300, pattern=rf"^{_PART}/{_PART}/{_PART}/{_PART}$")]
_Namespace = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=f"^{_PART}$")]


class ScopeParams(Params):
    """What `scope` may be told."""

    allow: tuple[_Pattern, ...] | None = Field(
        None, min_length=1, max_length=100, description="targets that may be treated, with * for anything in a part"
    )
    deny: tuple[_Pattern, ...] = Field((), max_length=100, description="targets that may not, whatever else is said")
    namespaces: tuple[_Namespace, ...] | None = Field(
        None, min_length=1, max_length=100, description="the namespaces whose targets may be treated, with * as above"
    )
    except_namespaces: tuple[_Namespace, ...] = Field((), max_length=100, description="the namespaces whose may not")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.allow is None and self.namespaces is None and not self.deny and not self.except_namespaces:
            raise ValueError("name what is in scope or out of it: allow, deny, namespaces or except_namespaces")
        return self


class Scope(Guard):
    """Allows a target `CLUSTER/NAMESPACE/KIND/NAME` that every list given allows, and that none forbids.

    What is forbidden stays forbidden, whatever is allowed beside it. A target that is not made of these four names is
    unknown, as none of the lists can be about it. A list that is there and empty is a fault: it never means everything.
    """

    name = "scope"
    example = 'scope: {allow: ["main/shop/deployment/*"], except_namespaces: ["kube-*"]}'
    Params = ScopeParams
    escapes: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("allow", "deny", "namespaces", "except_namespaces"), "literal"
    )

    async def judge(self, params: ScopeParams, seen: Seen, tools: Tools) -> Verdict:
        """Look through the lists, the forbidding ones first."""
        target = one_line(seen.target, 120)
        parts = seen.target.split("/")
        if len(parts) != 4 or not all(_NAME.fullmatch(part) for part in parts):
            return Verdict(self.name, Answer.UNKNOWN, f"{target} is no CLUSTER/NAMESPACE/KIND/NAME", {"target": target})
        namespace = parts[1:2]
        for forbidding, about in ((params.deny, parts), (params.except_namespaces, namespace)):
            if (pattern := _first(forbidding, about)) is not None:
                reason = f"{target} is out of scope: {pattern}"
                return Verdict(self.name, Answer.DENY, reason, {"target": target, "pattern": pattern})
        found = []
        for allowing, about in ((params.allow, parts), (params.namespaces, namespace)):
            if allowing is None:
                continue
            if (pattern := _first(allowing, about)) is None:
                reason = f"{target} is not in scope: none of {one_line(', '.join(allowing), 120)}"
                return Verdict(self.name, Answer.DENY, reason, {"target": target})
            found.append(pattern)
        said = f": {', '.join(found)}" if found else ", nothing excludes it"
        return Verdict(self.name, Answer.ALLOW, f"{target} is in scope{said}", {"target": target, "patterns": found})


def _first(patterns: Sequence[str], parts: Sequence[str]) -> str | None:
    """The first pattern whose every part fits."""
    for pattern in patterns:
        if all(_fits(one, part) for one, part in zip(pattern.split("/"), parts, strict=True)):
            return pattern
    return None


def _fits(pattern: str, part: str) -> bool:
    """Whether a part fits one with * for anything. Patterns come from files alone and hold two stars at most."""
    return re.fullmatch(".*".join(re.escape(fixed) for fixed in pattern.split("*")), part, re.DOTALL) is not None
