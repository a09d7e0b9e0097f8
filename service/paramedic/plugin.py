"""The contract of the plug-ins: actions, guards, checks, notifiers. To add one, create one file in its folder.

A plug-in is a class with its parameters (pydantic, extras forbidden), a YAML example, the ports it reads and writes
and, for an action, what keeps its write from happening twice and how it is undone. `discover` finds them; the catalog
checks playbooks against them; the engine calls them. A plug-in never imports another, and never sees the engine.

A plug-in whose `reads` is empty touches no port and must not wait: the turn calls it in the batch it is deciding.
"""

import hashlib
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from paramedic.core.bundle import Asked, Endpoint
from paramedic.core.matching import Matcher
from paramedic.core.model import Change, Verdict
from paramedic.core.words import Once, Severity
from paramedic.errors import Fault, Permanent
from paramedic.ports import (
    Alerts,
    Changes,
    Deployed,
    Http,
    Measured,
    Metrics,
    NoAlerts,
    NoChanges,
    NoMetrics,
    Reply,
    Sample,
    Standing,
    Tools,
)
from paramedic.seen import FiringNow, Resources, Seen, Uses

__all__ = [
    "Action",
    "Alerts",
    "Applied",
    "Changes",
    "Check",
    "Deployed",
    "Exhibit",
    "FiringNow",
    "Guard",
    "Http",
    "Measured",
    "MessageText",
    "Metrics",
    "NoAlerts",
    "NoChanges",
    "NoMetrics",
    "Notifier",
    "PageText",
    "Params",
    "Plugin",
    "Plugins",
    "Reply",
    "Resources",
    "Sample",
    "Seen",
    "Standing",
    "Tools",
    "Uses",
    "claim_scope",
    "discover",
]


class Params(BaseModel):
    """Base of all parameters: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Evidence worth keeping whole: stored by digest, cited by the timeline."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """What an action did, in words and as evidence. `halted`: why it stopped between two writes, the first one made."""

    summary: str
    seen: Mapping[str, Any]
    exhibits: tuple[Exhibit, ...] = ()
    halted: str = ""


class Plugin(ABC):
    """What all four kinds declare.

    `name` is the key in YAML; `example` a YAML mapping with this key that validates; `reads`/`writes` the ports used;
    `short` is the parameter that a bare value stands for. `escapes` maps a parameter (or a path such as `undo.path`) to
    what `${}` means in it: `url`, values are percent-encoded and an empty one is a fault; `literal`, there may be none;
    `promql`, they stand in the values of label matchers only, escaped, and an empty one is a fault; `cel`, the whole is
    a condition, which arrives evaluated as true or false, with its text as the parameter `text`; `live`, a condition on
    `object` too, which arrives as a `core.bundle.LiveCondition` for the plug-in to ask when it has read the object.
    `on_target`: what it reads on a cluster is the run's target, which must be one then.
    `refers` raises `Fault` (its `where` a path such as `endpoint`) when a parameter names what does not exist.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    Params: ClassVar[type[BaseModel]]
    reads: ClassVar[frozenset[str]] = frozenset()
    writes: ClassVar[frozenset[str]] = frozenset()
    permissions: ClassVar[tuple[str, ...]] = ()
    escapes: ClassVar[Mapping[str, str]] = {}
    short: ClassVar[str] = ""
    on_target: ClassVar[bool] = True
    _validated: tuple[Any, Any] = (None, None)

    def validated(self, rendered: Any) -> Any:
        """Rendered values as this plug-in's parameters. Raises `Fault` in plain words: an alert's value may not fit.

        What holds no `${...}` is rendered as one and the same object each time, and is looked at once only.
        """
        known, params = self._validated
        if known is rendered is not None:
            return params
        try:
            params = self.Params.model_validate(rendered)
            self._validated = (rendered, params)
            return params
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "parameters"
            raise Fault(f"{self.name}, {where}", first["msg"].removeprefix("Value error, ")) from error

    def refers(self, params: Any, resources: Resources) -> None:
        """Check names in `params` against what exists; most plug-ins name nothing."""
        return


class Action(Plugin):
    """Changes its target, or collects from it. `plan` first (absolute values, no writing), then `apply`.

    `refuses` names each case in which it does not act although it was asked to; the reference lists them.
    """

    undone_by: ClassVar[str]
    refuses: ClassVar[tuple[str, ...]] = ()
    timeout: ClassVar[float] = 30.0

    @abstractmethod
    def once(self, params: Any, resources: Resources) -> Once:
        """What keeps this write from happening twice, given what the parameters name."""

    def mutates(self, params: Any) -> bool:
        """Whether this write changes its target; false where it only collects."""
        return bool(self.writes)

    def takes(self, params: Any, resources: Resources) -> float:
        """The longest the write can take, in seconds: after that no answer can come any more."""
        return self.timeout

    @abstractmethod
    async def plan(self, params: Any, seen: Seen, tools: Tools) -> Change:
        """What would be written; reads only."""

    @abstractmethod
    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Write it. Raises `Refused`, `Temporary` (nothing left), `Permanent` or `UnknownOutcome`."""

    @abstractmethod
    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """Whether the write with this key is in effect; None when it cannot be known."""


class Guard(Plugin):
    """A precondition. It answers allow, deny or unknown; raising is an error, and everything but allow denies.

    `asked` says when: `first`, before the plan (those that read nothing before those that read) and again when the
    answers are stale; `people`, once there is a plan to be asked about; `last`, right before the write, when everything
    is reserved.
    """

    asked: ClassVar[Asked] = "first"

    @abstractmethod
    async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
        """Whether the run may go on, why, and what was seen. May add claims that the intent takes."""

    def watches(self, params: Any) -> tuple[tuple[Matcher, ...], ...]:
        """Matcher sets whose open episodes `Seen.others` must know."""
        return ()


class Check(Plugin):
    """A question about the world: pass, fail or unknown; `again` says when asking again makes sense."""

    @abstractmethod
    async def ask(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
        """One look."""


@dataclass(frozen=True, slots=True)
class PageText:
    """A page as a notifier sends it. `text` is plain; a notifier escapes it for its own medium."""

    verb: str
    dedup_key: str
    incident: str
    severity: Severity
    title: str
    text: str
    level: int
    to: str
    contact: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class MessageText:
    """A message to an audience: the incident's root message (`part` root) or a detail in its thread. `lines` are plain.

    `ref` is where the root stands, as `post` said; "": nowhere yet. `key` names the message, the same at every try;
    `doubtful`: an earlier try may have posted it, at `since` or later, so look for it first.
    """

    part: str
    key: str
    incident: str
    audience: str
    to: str
    lines: tuple[str, ...]
    since: datetime
    ref: str = ""
    doubtful: bool = False
    link: str = ""


class Notifier(Plugin):
    """Brings a page to a person, and perhaps messages to an audience. Receipts that begin with `dry` reached nobody.

    `contact` is the key of `people` that it uses ("": none), `needs_contact` whether it must be there. `messages` says
    whether it can post; `address_fault` what is wrong with a plan's `to`, and what would be right, if it can.
    """

    contact: ClassVar[str] = ""
    needs_contact: ClassVar[bool] = True
    messages: ClassVar[bool] = False
    dry: ClassVar[bool] = False
    timeout: ClassVar[float] = 10.0

    def address_fault(self, to: str) -> tuple[str, str]:
        """What is wrong with this address of an audience, and what would be right; empty when nothing is."""
        return "", ""

    async def post(self, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Post it, or edit it where it stands; returns where the root stands. Raises as `send`."""
        raise Permanent(f"{self.name} cannot post messages")

    @abstractmethod
    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Send it; returns a short receipt. Raises `Temporary`, `Permanent` or `UnknownOutcome`."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plug-ins there are, by name: built once by `discover`, passed to whoever needs them."""

    actions: Mapping[str, Action]
    guards: Mapping[str, Guard]
    checks: Mapping[str, Check]
    notifiers: Mapping[str, Notifier]


def discover() -> Plugins:
    """Find every plug-in in the four folders; a file without exactly one plug-in class, or a name twice, is a fault."""
    return Plugins(
        actions=_folder("actions", Action),
        guards=_folder("guards", Guard),
        checks=_folder("checks", Check),
        notifiers=_folder("notifiers", Notifier),
    )


def claim_scope(*parts: str) -> str:
    """The name of what a claim is about: `parts` joined by "/". Only the last part may come from an alert.

    Stores use it as a key, so it is printable and at most 200 characters: what is not ends in a digest of the whole.
    """
    whole = "/".join(parts)
    if len(whole) <= 200 and whole.isascii() and whole.isprintable():
        return whole
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
    start = "".join(char if char.isascii() and char.isprintable() else "_" for char in whole[:120])
    return f"{start}#{digest}"


P = TypeVar("P", bound=Plugin)


def _folder(folder: str, kind: type[P]) -> Mapping[str, P]:
    package = importlib.import_module(f"paramedic.{folder}")
    found: dict[str, P] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"paramedic.{folder}.{module_info.name}")
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise Fault(f"{folder}/{module_info.name}.py", f"holds {len(classes)} plug-ins", "one file, one plug-in")
        plugin = classes[0]()
        if plugin.name in found:
            raise Fault(f"{folder}/{module_info.name}.py", f'the name "{plugin.name}" is taken', "choose another")
        found[plugin.name] = plugin
    return MappingProxyType(found)
