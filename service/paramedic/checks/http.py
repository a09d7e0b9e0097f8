"""Check `http`: does an address answer as it should? Asked in a reading slot, as often as the playbook says."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from paramedic.clients.answers import LARGEST_ANSWER, excerpt
from paramedic.clients.request import check_path, check_reference, endpoint_of, sound_path
from paramedic.core.model import Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Check, Params, Reply, Resources, Seen, Tools

__all__ = ["HttpCheck"]


class HttpCheckParams(Params):
    """What `http` may be told."""

    endpoint: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="a name out of `endpoints`")
    path: Annotated[str, AfterValidator(check_path)] = Field(
        description="path and query below the endpoint's address; begins with /"
    )
    status: int = Field(200, ge=100, le=599, description="the status that passes")
    contains: str = Field("", max_length=1024, description="text that the answer must hold, letter by letter")


class HttpCheck(Check):
    """Passes if a GET is answered with the status wanted, and with the text wanted, if any.

    Another answer fails. No answer at all is unknown: it says nothing about the target, only about the way there.
    """

    name = "http"
    example = 'http: {endpoint: shop, path: "/healthz?host=${params.host}", contains: \'"ok"\'}'
    Params = HttpCheckParams
    reads = frozenset({"http"})
    escapes: ClassVar[Mapping[str, str]] = {"endpoint": "literal", "path": "url"}

    def refers(self, params: HttpCheckParams, resources: Resources) -> None:
        """The endpoint must be declared."""
        check_reference(params.endpoint, resources.endpoints)

    async def ask(self, params: HttpCheckParams, seen: Seen, tools: Tools) -> Verdict:
        """Send one GET."""
        try:
            endpoint = endpoint_of(params.endpoint, seen.endpoints)
            path = sound_path(params.path)
            reply = await tools.http.request(endpoint, "GET", path, timeout=endpoint.timeout)
        except (Temporary, Permanent, UnknownOutcome) as error:
            return Verdict(self.name, Answer.UNKNOWN, one_line(str(error)))
        return self._weighed(params, reply)

    def _weighed(self, params: HttpCheckParams, reply: Reply) -> Verdict:
        said = excerpt(reply.body)
        evidence = {"status": reply.status, "answer": said}
        answered = f"{params.endpoint} answered {reply.status}"
        if reply.status != params.status:
            reason = f"{answered}, {params.status} is wanted" + (f": {said}" if said else "")
            return Verdict(self.name, Answer.FAIL, one_line(reason), evidence)
        wanted = one_line(params.contains, 60)
        if params.contains.encode("utf-8", "surrogatepass") not in reply.body:
            if len(reply.body) >= LARGEST_ANSWER:
                reason = f'{answered}, without "{wanted}" in the part that was read'
                return Verdict(self.name, Answer.UNKNOWN, reason, evidence)
            return Verdict(self.name, Answer.FAIL, f'{answered}, without "{wanted}"', evidence)
        return Verdict(self.name, Answer.PASS, answered + (f', with "{wanted}"' if wanted else ""), evidence)
