"""Texts and plug-ins for the tests of the catalog: small, and the same everywhere."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from pydantic import Field

from paramedic.catalog.documents import Document, read
from paramedic.catalog.faults import Faults
from paramedic.catalog.load import Loaded, load_files
from paramedic.core.bundle import Bundle, Endpoint, Playbook
from paramedic.core.matching import Matcher
from paramedic.core.model import Change, Verdict
from paramedic.core.words import Answer, Once
from paramedic.durations import Duration
from paramedic.errors import Fault
from paramedic.matchers import Matchers
from paramedic.plugin import (
    Action,
    Applied,
    Check,
    Guard,
    Notifier,
    PageText,
    Params,
    Plugins,
    Resources,
    Seen,
    Tools,
)


class PushParams(Params):
    to: str
    path: str = "/"
    times: int = Field(1, ge=1, le=9)
    body: Any = None
    wait: Duration = 0.0
    undo: dict[str, str] | None = None


PATIENT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
"""For properties: a busy machine is no failure."""


class Acting(Action):
    """What both actions do not do: act."""

    async def plan(self, params: Any, seen: Seen, tools: Tools) -> Change:
        return Change("nothing", {})

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        return Applied("nothing", {})

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        return None


class Allowing(Guard):
    """What all guards answer."""

    async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
        return Verdict(self.name, Answer.ALLOW, "")


class Push(Acting):
    """Pushes."""

    name = "push"
    example = "push: {to: hook}"
    Params = PushParams
    writes = frozenset({"http"})
    escapes: ClassVar[Mapping[str, str]] = {"to": "literal", "path": "url", "undo.path": "url"}
    undone_by = "a pull"

    def refers(self, params: PushParams, resources: Resources) -> None:
        if params.to not in resources.endpoints:
            raise Fault("to", f'there is no endpoint "{params.to}"', "name one")

    def once(self, params: PushParams, resources: Resources) -> Once:
        return Once.KEY if resources.endpoints[params.to].idempotent else Once.NONE

    def mutates(self, params: PushParams) -> bool:
        return params.times > 1

    def takes(self, params: PushParams, resources: Resources) -> float:
        return params.wait or 7.0


class PullParams(Params):
    what: str = ""


class Pull(Acting):
    """Pulls, after reading."""

    name = "pull"
    example = "pull: {what: it}"
    Params = PullParams
    reads = frozenset({"http"})
    short = "what"
    undone_by = "nothing"

    def once(self, params: PullParams, resources: Resources) -> Once:
        return Once.CAS


class StillFiringParams(Params):
    for_: Duration = Field(0.0, alias="for")


class StillFiring(Allowing):
    """Still firing."""

    name = "still_firing"
    example = "still_firing: {for: 1m}"
    Params = StillFiringParams


class QuietParams(Params):
    match: Matchers


class Quiet(Allowing):
    """Watches."""

    name = "quiet"
    example = "quiet: {match: ['a=\"b\"']}"
    Params = QuietParams
    reads = frozenset({"http"})
    escapes: ClassVar[Mapping[str, str]] = {"match": "literal"}

    def watches(self, params: QuietParams) -> tuple[tuple[Matcher, ...], ...]:
        return (params.match,)


class WhenParams(Params):
    condition: str | bool
    text: str = ""


class When(Allowing):
    """A condition."""

    name = "when"
    example = "when: params.n > 2"
    Params = WhenParams
    escapes: ClassVar[Mapping[str, str]] = {"condition": "cel"}
    short = "condition"


class ClearedParams(Params):
    stays: Duration = 0.0


class Cleared(Check):
    """Cleared."""

    name = "cleared"
    example = "cleared: {stays: 2m}"
    Params = ClearedParams

    async def ask(self, params: ClearedParams, seen: Seen, tools: Tools) -> Verdict:
        return Verdict(self.name, Answer.PASS, "")


class NoParams(Params):
    pass


class Log(Notifier):
    """Says it."""

    name = "log"
    example = "log: {}"
    Params = NoParams

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        return ""


class Bell(Log):
    """Rings."""

    name = "bell"
    example = "bell: {}"
    contact = "door"


class Webhook(Log):
    """Posts."""

    name = "webhook"
    example = "webhook: {}"
    contact = "webhook"


PLUGINS = Plugins(
    actions={"pull": Pull(), "push": Push()},
    guards={"quiet": Quiet(), "still_firing": StillFiring(), "when": When()},
    checks={"cleared": Cleared()},
    notifiers={"bell": Bell(), "log": Log(), "webhook": Webhook()},
)

HOOK = """\
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000", idempotent: true}
---
"""

BOOK = """\
playbook: restart
mode: auto
params: {host: {type: string}}
target: "hosts/${params.host}"
steps:
  - push: {to: hook, path: "/restart/${params.host}"}
---
"""


def loaded(text: str, plugins: Plugins = PLUGINS) -> Loaded:
    """What one text comes to."""
    return load_files({"f.yaml": text}, plugins)


def bundle(text: str, plugins: Plugins = PLUGINS) -> Bundle:
    """The bundle of a text without faults."""
    found = loaded(text, plugins)
    assert [str(fault) for fault in found.faults] == []
    assert found.bundle is not None
    return found.bundle


def faults(text: str, plugins: Plugins = PLUGINS) -> list[str]:
    """The faults of a text, without the name of its file."""
    return [str(fault).removeprefix("f.yaml:") for fault in loaded(text, plugins).faults]


def playbook(text: str) -> Playbook:
    """The one playbook of a text; the endpoint `hook` is there."""
    (found,) = bundle(HOOK + text).playbooks.values()
    return found


def documents(text: str) -> tuple[Sequence[Document], list[str]]:
    """What reading alone makes of a text."""
    found = Faults()
    return read("f.yaml", text, found), [str(fault).removeprefix("f.yaml:") for fault in found.sorted()]


def values(text: str) -> list[Any]:
    """The plain values of a text without faults."""
    found, wrong = documents(text)
    assert wrong == []
    return [document.root.value for document in found]
