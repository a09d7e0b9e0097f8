"""The rules and playbooks that the tests serve: the README's example with one thing changed for each test."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Catalog"]

RULES = """\
endpoints:
  - {{name: hook, url: "{hook}", idempotent: true}}
{more}
---
rules:
  - name: every-alert
    match: ['alertname=~".+"']
    incident: [{key}]
    storm: off
    playbook: call-the-hook
    with: {{id: "${{labels.{id}}}"}}
{terms}
"""

PLAYBOOK = """\
playbook: call-the-hook
mode: auto
defaults: none
params: {id: {type: string}}
target: "hook/${params.id}"
steps:
  - http: {endpoint: hook, method: POST, path: "/act?id=${params.id}", body: {id: "${params.id}"}}
"""


@dataclass(frozen=True)
class Catalog:
    """Every alert calls `hook` with its label `id`; `key` makes the incident. `more` and `terms` are further YAML."""

    hook: str
    key: str = "id"
    id: str = "id"
    more: str = ""
    terms: str = ""

    def write(self, rules: Path, playbooks: Path) -> None:
        """Put the files where a service looks for them."""
        rules.mkdir(exist_ok=True)
        playbooks.mkdir(exist_ok=True)
        text = RULES.format(hook=self.hook, more=self.more, key=self.key, id=self.id, terms=self.terms)
        (rules / "rules.yaml").write_text(text)
        (playbooks / "call-the-hook.yaml").write_text(PLAYBOOK)
