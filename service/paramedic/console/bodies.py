"""The shapes of everything the console takes: bodies of acts, and what stands behind a question mark. Pydantic models.

`api`, `acts` and `pages` read requests with them; `openapi` describes them. Unknown names are errors, so that a
misspelt one is never silently without effect.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from paramedic.core.text import one_line
from paramedic.core.words import Mode, Phase, Severity
from paramedic.durations import Duration

__all__ = [
    "Approving",
    "ExplainQuery",
    "Explaining",
    "Linking",
    "ListQuery",
    "Nothing",
    "Noting",
    "Opening",
    "Reason",
    "Reporting",
    "RunQuery",
    "Snoozing",
    "Switching",
    "TimelineQuery",
]


def _sentence(text: str) -> str:
    return one_line(text, 2000)


def _something(text: str) -> str:
    if not text:
        raise PydanticCustomError("empty", "is empty; write what the timeline should say")
    return text


Sentence = Annotated[str, Field(max_length=4000), AfterValidator(_sentence)]
"""A person's words: one line, nothing unprintable."""


class Body(BaseModel):
    """Base of the bodies."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Nothing(Body):
    """No body, or `{}`."""


class Reason(Body):
    """Why, for the timeline; may be left out."""

    text: Sentence = ""


class Approving(Body):
    """The digest of the plan that was looked at; if the run plans something else by now, nothing is approved."""

    plan: Annotated[str, Field(max_length=128)] = ""


class Linking(Body):
    """The other incident, such as INC-12."""

    to: Annotated[str, Field(max_length=40, examples=["INC-12"])]


class Opening(Body):
    """What it is about, in words and as the labels of an alert: rules choose by those, as for any alert."""

    title: Annotated[Sentence, AfterValidator(_something)]
    labels: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(min_length=1, max_length=1000)]],
        Field(max_length=40, examples=[{"alertname": "ServiceDown", "job": "api"}]),
    ] = {}


class Noting(Body):
    """A note for the timeline."""

    text: Annotated[Sentence, AfterValidator(_something)]


class Snoozing(Body):
    """For how long the climb stops: `30m`, `2h`; at most a week."""

    for_: Annotated[Duration, Field(alias="for", gt=0, le=7 * 86400, strict=False)]


class Switching(Body):
    """The mode that all of the service may act in at most, for how long (nothing: until it is changed), and why."""

    mode: Annotated[Mode, Field(strict=False)]
    for_: Annotated[Duration | None, Field(alias="for", gt=0, strict=False)] = None
    reason: Sentence = ""


def _label(text: str) -> str:
    if not one_line(text):
        raise PydanticCustomError("empty", "is empty; write for example api:42")
    return one_line(text, 200)


def _address(text: str) -> str:
    if text and not (text.startswith(("https://", "http://")) and text.isprintable() and " " not in text):
        raise PydanticCustomError("address", "is not an address; write it as https://...")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise PydanticCustomError("address", "holds a user or a password; a link that is kept must not")
    return text


class Reporting(Body):
    """What was deployed: a workload by cluster, namespace and KIND/NAME, or a service by the name that playbooks use.

    With a service, `cluster` and `namespace` say where it runs, if not everywhere. Without `at` it has just happened.
    """

    service: Annotated[str, Field(max_length=200), AfterValidator(lambda text: one_line(text, 200))] = ""
    workload: Annotated[str, Field(max_length=300, examples=["deployment/api"])] = ""
    namespace: Annotated[str, Field(max_length=63)] = ""
    cluster: Annotated[str, Field(max_length=100)] = ""
    version: Annotated[str, Field(max_length=200, examples=["api:42"]), AfterValidator(_label)]
    url: Annotated[str, Field(max_length=1000), AfterValidator(_address)] = ""
    at: AwareDatetime | None = None


class Explaining(BaseModel):
    """A body as Alertmanager sends it: version 4, with its `alerts`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    version: Literal["4"]
    alerts: list[dict[str, Any]]


class Query(BaseModel):
    """Base of what may stand behind the question mark."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListQuery(Query):
    """Which incidents."""

    phase: Phase | None = None
    severity: Severity | None = None
    since: str = Field("", max_length=40, description="opened since: a time in ISO 8601, or how long ago: 24h")
    q: Annotated[str, AfterValidator(_sentence)] = Field("", max_length=200, description="words of title, key, rule")
    open: bool | None = Field(None, description="only open ones, or only past ones")
    cursor: str = Field("", max_length=200, description="`cursor` of the answer before")
    limit: int = Field(50, ge=1, le=200)


class TimelineQuery(Query):
    """Which entries."""

    after: int = Field(
        0, ge=-(10**9), le=10**9, description="entries above this number; negative: so many from the end"
    )
    limit: int = Field(1000, ge=1, le=5000)


class ExplainQuery(Query):
    """From whom the alerts would come."""

    source: str = Field("default", min_length=1, max_length=100, description="the source that they would come from")


class RunQuery(Query):
    """Which active runs."""

    waiting: Literal["", "approval"] = Field("", description="`approval`: those that wait for one")
    limit: int = Field(50, ge=1, le=200)
