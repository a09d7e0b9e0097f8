"""Asking a guard in a test as the engine asks it: with what it may be told validated, and ports that a test made."""

from typing import Any

import msgspec

from paramedic.core.model import Verdict
from paramedic.plugin import Guard, Seen, Tools
from tests.contract.plugin_scene import Wire, seen

HOSTILE = (
    '"} or vector(1) #',
    "$..[?(@.x)]",
    "a\u202eb\u0000c",
    "\ud800",
    "'); drop",
    "x" * 65_536,
    "../../secrets",
    "",
)
"""Values that an alert may bring: metacharacters of PromQL and JSONPath, right-to-left marks, control characters."""


async def asked(
    guard: Guard, *, scene: Seen | None = None, kube: Any = None, ports: Any = None, **given: Any
) -> Verdict:
    """The guard's verdict; what it says must be one short line, whatever it was told."""
    tools = Tools(http=Wire(), **(ports or {}))
    if kube is not None:
        tools = msgspec.structs.replace(tools, kube=kube)
    verdict = await guard.judge(guard.validated(given), scene if scene is not None else seen(), tools)
    assert verdict.name == guard.name
    assert verdict.reason
    assert verdict.reason.isprintable()
    assert len(verdict.reason) <= 400
    return verdict
