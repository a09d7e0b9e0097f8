"""Action `http`: one request to an endpoint of the catalog. The engine plans it inline, then applies it in a slot."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import AfterValidator, Field, JsonValue

from paramedic.clients.answers import excerpt, raise_unless_done
from paramedic.clients.request import (
    check_headers,
    check_path,
    check_reference,
    encode_body,
    endpoint_of,
    sound_path,
)
from paramedic.core.model import Change
from paramedic.core.text import one_line
from paramedic.core.words import Once
from paramedic.durations import Duration
from paramedic.errors import Temporary, UnknownOutcome
from paramedic.plugin import Action, Applied, Exhibit, Params, Resources, Seen, Tools

__all__ = ["HttpAction"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Path = Annotated[str, AfterValidator(check_path)]
Headers = Annotated[dict[str, str], AfterValidator(check_headers)]
Status = Annotated[int, Field(ge=200, le=599)]


class UndoParams(Params):
    """The request that takes the first one back; it goes to the same endpoint with the same headers."""

    method: Method = Field("POST", description="the method")
    path: Path = Field(description="path and query below the endpoint's address; begins with /")
    body: JsonValue = Field(None, description="sent as JSON; text is sent as it is")


class HttpParams(Params):
    """What `http` may be told."""

    endpoint: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="a name out of `endpoints`")
    method: Method = Field("POST", description="the method; a GET counts as collecting, not as a change")
    path: Path = Field(description="path and query below the endpoint's address; begins with /")
    body: JsonValue = Field(None, description="sent as JSON; text is sent as it is")
    headers: Headers = Field({}, max_length=20, description="further headers, printable ASCII")
    timeout: Duration = Field(0.0, le=300, description="how long the answer may take; 0: as the endpoint says")
    expect: tuple[Status, ...] = Field((), max_length=20, description="statuses that mean done; none: 200 to 299")
    undo: UndoParams | None = Field(None, description="the request that takes this one back")


class HttpAction(Action):
    """Sends one request to an endpoint and takes its status for the outcome.

    The request carries `Idempotency-Key`, the step's key. An endpoint that declares `idempotent: true` promises to
    do nothing twice under one key: a lost answer is asked for again. For every other endpoint a lost answer, or a
    5xx that does not say when to come back, is an outcome that nobody knows: a person decides.
    Redirects are not followed. Values in the path are percent-encoded; free text belongs into the body.
    """

    name = "http"
    example = """\
http: {endpoint: hook, method: POST, path: "/hosts/${params.host}/restart", timeout: 20s,
       body: {reason: "${alert.labels.alertname}"}, undo: {path: "/hosts/${params.host}/stop"}}
"""
    Params = HttpParams
    writes = frozenset({"http"})
    escapes: ClassVar[Mapping[str, str]] = {"endpoint": "literal", "path": "url", "undo.path": "url"}
    undone_by = "the request in `undo`; without one it is not taken back"

    def refers(self, params: HttpParams, resources: Resources) -> None:
        """The endpoint must be declared."""
        check_reference(params.endpoint, resources.endpoints)

    def mutates(self, params: HttpParams) -> bool:
        """Whether it is anything but a GET."""
        return params.method != "GET"

    def once(self, params: HttpParams, resources: Resources) -> Once:
        """`key` where the endpoint knows our key, or nothing is changed; else `none`."""
        endpoint = resources.endpoints.get(params.endpoint)
        harmless = params.method == "GET" or (endpoint is not None and endpoint.idempotent)
        return Once.KEY if harmless else Once.NONE

    def takes(self, params: HttpParams, resources: Resources) -> float:
        """The step's own timeout, else the endpoint's."""
        endpoint = resources.endpoints.get(params.endpoint)
        return params.timeout or (endpoint.timeout if endpoint is not None else self.timeout)

    async def plan(self, params: HttpParams, seen: Seen, tools: Tools) -> Change:
        """The request as it would be sent. Raises `Permanent` when an alert made it into something unsendable."""
        write = _request(params, params)
        undo = _request(params, params.undo) if params.undo is not None else None
        sealed = msgspec.json.encode({"write": write, "undo": undo}, order="deterministic")
        return Change(
            summary=one_line(f"{params.method} {params.endpoint}{params.path}", 200),
            write=write,
            undo=undo,
            digest=hashlib.sha256(sealed).hexdigest(),
        )

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Send it, once."""
        endpoint = endpoint_of(write["endpoint"], seen.endpoints)
        method = write["method"]
        body, kind = encode_body(write.get("body"))
        headers = {"Idempotency-Key": key, **write.get("headers", {})}
        if kind and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = kind
        repeatable = endpoint.idempotent or method == "GET"
        timeout = write.get("timeout") or endpoint.timeout
        try:
            reply = await tools.http.request(
                endpoint, method, write["path"], headers=headers, body=body, timeout=timeout
            )
        except UnknownOutcome as error:
            if repeatable:
                raise Temporary(str(error)) from error
            raise
        asked = f"{method} to {endpoint.name}"
        raise_unless_done(reply, asked=asked, expect=write.get("expect", ()), repeatable=repeatable)
        said = excerpt(reply.body)
        whole = (Exhibit("answer", reply.body),) if len(said) < len(reply.body) else ()
        return Applied(f"{asked} answered {reply.status}", {"status": reply.status, "answer": said}, whole)

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """Cannot be known: HTTP has no question for "did you get this key". Who knows our key is simply asked again."""
        return None


def _request(params: HttpParams, of: HttpParams | UndoParams) -> dict[str, Any]:
    encode_body(of.body)
    write: dict[str, Any] = {"endpoint": params.endpoint, "method": of.method, "path": sound_path(of.path)}
    if of.body is not None:
        write["body"] = of.body
    if params.headers:
        write["headers"] = dict(params.headers)
    if params.timeout:
        write["timeout"] = params.timeout
    if params.expect:
        write["expect"] = list(params.expect)
    return write
