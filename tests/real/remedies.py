"""Rules and playbooks of the tests with a real cluster, and the service that works by them with pagers and Slack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.control_plane import ControlPlane
from tests.real.services import Service, Services
from tests.vendors.pagerduty import KEY, PagerDuty
from tests.vendors.slack import CHANNEL, TOKEN, Slack
from tests.vendors.vendor import serving

__all__ = ["ROLL_BACK", "Playbooks", "Vendors", "remedying", "vendors"]

RULES = """\
people:
  - {name: sre-primary, pagerduty_key: PAGERDUTY_ROUTING_KEY}
escalation:
  - name: sre
    levels: [{after: 0s, page: [sre-primary]}]
communication:
  - name: engineering
    tell: [{audience: engineering, by: slack, to: "CHANNEL", every: change}]
rules:
  - name: on-a-workload
    match: ['alertname="HighErrorRate"']
    severity: P1
    incident: [namespace, workload]
    playbook: remedy
    with: {cluster: main, namespace: "${labels.namespace}", workload: "${labels.workload}"}
    escalation: sre
    communication: engineering
"""

PLAYBOOK = """\
playbook: remedy
mode: auto
defaults: none
params:
  cluster: {type: string}
  namespace: {type: string}
  workload: {type: string}
target: "${params.cluster}/${params.namespace}/${params.workload}"
"""

ROLL_BACK = """\
guards:
  - recent_change: {within: 1h}
steps:
  - roll_back: {}
    verify:
      - rollout: {within: 60s, every: 1s}
      - alert_cleared: {within: 60s, stays: 1s, every: 1s}
"""


@dataclass(frozen=True)
class Playbooks:
    """One rule for every alert, and its playbook: `remedy` is what stands in it beside its target."""

    remedy: str

    def write(self, rules: Path, playbooks: Path) -> None:
        """Put the files where a service looks for them."""
        rules.mkdir(exist_ok=True)
        playbooks.mkdir(exist_ok=True)
        (rules / "rules.yaml").write_text(RULES.replace("CHANNEL", CHANNEL))
        (playbooks / "remedy.yaml").write_text(PLAYBOOK + self.remedy)


@dataclass(frozen=True)
class Vendors:
    """Where pages and messages go."""

    pagerduty: PagerDuty
    slack: Slack

    @property
    def settings(self) -> dict[str, str]:
        """What tells a service of them."""
        return {
            "PAGERDUTY_EVENTS_URL": self.pagerduty.url,
            "PAGERDUTY_ROUTING_KEY": KEY,
            "SLACK_API_URL": f"{self.slack.url}/api",
            "SLACK_BOT_TOKEN": TOKEN,
        }


@asynccontextmanager
async def vendors() -> AsyncIterator[Vendors]:
    """Both, for the time of the block."""
    both = Vendors(PagerDuty(), Slack())
    async with serving(both.pagerduty), serving(both.slack):
        yield both


async def remedying(
    serve: Services, control_plane: ControlPlane, told: Vendors, remedy: str, *, kubeconfig: Path | None = None
) -> Service:
    """A service that treats workloads of the real cluster in this way."""
    settings = {"KUBECONFIG": str(kubeconfig or control_plane.kubeconfig), **told.settings}
    return await serve(Playbooks(remedy), **settings)
