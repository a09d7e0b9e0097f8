"""What guards that read know of each other's runs, and of a playbook's surroundings, in whole stories."""

import pytest

from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse
from tests.rehearse.staged import bundle, plugins

RULES = """
people: [{name: alice}]
escalation:
  - {name: sre, levels: [{after: 0m, page: [alice]}]}
endpoints:
  - {name: hook, url: "http://127.0.0.1:9000", idempotent: true}
rules:
  - {name: down, match: ['alertname="Down"'], incident: [job], playbook: treat, with: {job: "${labels.job}"},
     escalation: sre}
---
playbook: treat
mode: auto
defaults: none
params: {job: {type: string}}
target: "main/shop/deployment/${params.job}"
guards: [GUARD]
steps:
  - restart: {}
    verify: [rollout: {within: 10m}]
---
"""

ONE_AFTER_THE_OTHER = """
rehearsal: The second workload of a small namespace waits until the first has been treated
world:
  deployments:
    - {name: api, namespace: shop, replicas: 2, image: "api:1"}
    - {name: web, namespace: shop, replicas: 2, image: "web:1"}
when:
  - {at: 0s, alert: {alertname: Down, job: api}}
  - {at: 5s, alert: {alertname: Down, job: web}}
then:
  - {by: 2s, step: {restart: deployment/api.shop}}
  - {after: 5s, by: 6s, guard: {blast_radius: deny, reason: "also of shop/deployment/api"}}
  - {after: 15s, by: 2m, step: {restart: deployment/web.shop}}
clock: {until: 3m}
"""

ELSEWHERE = """
rehearsal: What is treated in another namespace is no reason to wait
world:
  deployments:
    - {name: api, namespace: shop, replicas: 2, image: "api:1"}
    - {name: web, namespace: shop, replicas: 2, image: "web:1"}
  disruption_budgets: [{name: web, namespace: shop, selects: {app: web}, available: 2}]
when:
  - {at: 0s, alert: {alertname: Down, job: web}}
  - {at: 5s, alert: {alertname: Down, job: api}}
then:
  - {by: 2s, guard: {blast_radius: deny, reason: "budget web lets no pod go: 2 pods are healthy, 2 must be"}}
  - {after: 5s, by: 7s, step: {restart: deployment/api.shop}}
never:
  - {step: {restart: deployment/web.shop}}
"""


@pytest.mark.parametrize("story", [ONE_AFTER_THE_OTHER, ELSEWHERE], ids=["in treatment", "budget"])
def test_how_far_a_treatment_reaches_is_bounded_by_what_is_under_way(story: str) -> None:
    rules = RULES.replace("GUARD", "blast_radius: {max_percent: 40}")
    file = read_rehearsals("a.test.yaml", rules + story, plugins(), lambda: pytest.fail("has its own rules"))
    assert not file.faults, [str(one) for one in file.faults]
    result = rehearse(file.rehearsals[0], plugins(), lambda: 0.0)
    assert result.ok, (result.error, result.findings)


def test_what_reads_a_cluster_beside_its_target_makes_no_target_of_it() -> None:
    """A playbook that calls an endpoint may depend on a workload; its target stays what it is."""
    text = RULES.replace("main/shop/deployment/", "hook/").replace(
        "restart: {}\n    verify: [rollout: {within: 10m}]", 'http: {endpoint: hook, method: POST, path: "/x"}'
    )
    beside = bundle(text.replace("GUARD", "dependency: {workloads: [main/shop/statefulset/db]}"))
    about = bundle(text.replace("GUARD", "owned: {}"))

    assert not beside.playbooks["treat"].on_cluster
    assert not beside.playbooks["treat"].guards[1].inline
    assert about.playbooks["treat"].on_cluster
