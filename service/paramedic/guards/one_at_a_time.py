"""Guard `one_at_a_time`: one run at a time in what fails together, whatever its targets: a database cluster, a zone."""

from pydantic import Field

from paramedic.core.model import Claim, Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Params, Seen, Tools, claim_scope

__all__ = ["OneAtATime"]


class OneAtATimeParams(Params):
    """What `one_at_a_time` may be told."""

    domain: str = Field(
        max_length=1000, description='what fails together, by name: "postgres/${params.cluster}", "zone/${params.zone}"'
    )


class OneAtATime(Guard):
    """Allows, and lets one run at a time into the failure domain: the next one waits for its turn, then acts.

    All playbooks that name the same domain share it. A run is in it from its first write until it has ended, so also
    while it verifies. Who waits is let in by severity, then by age. A name with an empty part is unknown.
    """

    name = "one_at_a_time"
    example = 'one_at_a_time: {domain: "postgres/${params.cluster}"}'
    Params = OneAtATimeParams

    async def judge(self, params: OneAtATimeParams, seen: Seen, tools: Tools) -> Verdict:
        """Claim the domain; who is in it now is only told."""
        named = one_line(params.domain, 120)
        if not all(part.strip() for part in params.domain.split("/")):
            return Verdict(self.name, Answer.UNKNOWN, f'"{named}" names no failure domain', {"domain": named})
        scope = claim_scope("domain", params.domain)
        holder = seen.uses.holder(scope)
        evidence = {"scope": scope, **({"by": holder} if holder else {})}
        reason = f"{holder} acts in {named}, so this waits for its turn" if holder else f"nobody else acts in {named}"
        return Verdict(self.name, Answer.ALLOW, reason, evidence, claims=(Claim(scope),))
