"""Messages in a rehearsal: nobody has credentials there, what would have been said counts as told, and is expected."""

from typing import Any

import pytest

from paramedic.rehearse.compare import compare
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import rehearse
from paramedic.rehearse.witness import Happened
from tests.rehearse.staged import RULES, WORLD, played, plugins, scripted

PLAN = """\
communication:
  - name: outage
    tell:
      - {audience: engineering, by: slack, to: C0123456789}
      - {audience: bosses, by: log, every: 15m, when: "incident.severity in ['P0', 'P1']"}
      - {audience: customers, by: slack, to: C0999999999, when: "incident.severity == 'P0'"}
"""
TOLD = RULES.replace("    severity: P1\n", "    severity: P1\n    communication: outage\n") + f"---\n{PLAN}"


def messages(**written: Any) -> list[Happened]:
    return [one for one in played(scripted(**written), TOLD)[1].happened if one.kind == "message"]


def findings(**written: Any) -> list[str]:
    script = scripted(**written)
    return [finding.happened for finding in compare(script, played(script, TOLD)[1].happened)]


def test_what_each_audience_was_told_is_seen() -> None:
    seen = messages()
    first = next(one for one in seen if one.facts["audience"] == "engineering")

    assert {one.facts["audience"] for one in seen} == {"engineering", "bosses"}
    assert (first.facts["by"], first.facts["to"]) == ("slack", "C0123456789")
    assert first.facts["text"].splitlines()[0] == "P1 · ServiceDown api · responding"
    assert first.text.startswith('message to engineering by slack: "P1 · ServiceDown api · responding / Done: POST ')


def test_the_first_message_comes_after_the_page() -> None:
    """Promise 7."""
    happened = played(scripted(), TOLD)[1].happened
    kinds = [one.kind for one in happened if one.kind in ("page", "message")]

    assert kinds[0] == "page"
    assert kinds.count("message") > 2


def test_the_timeline_says_once_that_nobody_is_reached() -> None:
    happened = played(scripted(), TOLD)[1].happened
    entries = [one.facts for one in happened if one.kind == "entry" and one.facts["kind"] == "message"]

    assert [(one["text"], one["note"]) for one in entries] == [
        ("engineering: nobody is reached: SLACK_BOT_TOKEN is not set", "slack (dry)"),
        ("bosses: nobody is reached", "log (dry)"),
    ]


def test_a_page_of_a_notifier_without_credentials_counts_as_sent_and_the_timeline_says_so_once() -> None:
    text = TOLD.replace("notifier: webhook, webhook: bell}", "pagerduty_key: PAGERDUTY_SRE_KEY}")
    happened = played(scripted(world={"endpoints": {"hook": {}}}), text)[1].happened
    pages = [one for one in happened if one.kind == "page"]
    notes = [one.facts for one in happened if one.kind == "entry" and one.facts["note"] == "pagerduty (dry)"]

    assert (pages[0].facts["to"], pages[0].facts["notifier"]) == ("alice", "pagerduty")
    assert [note["text"] for note in notes] == ["level 1 alice reached nobody: PAGERDUTY_ROUTING_KEY is not set"]


@pytest.mark.parametrize(
    "expected",
    [
        {"by": "5s", "message": {"audience": "engineering", "by": "slack", "text": "responding"}},
        {"by": "2m", "message": {"audience": "engineering", "text": "Fixed by paramedic in 30s"}},
        {"by": "2m", "message": {"to": "C0123456789", "text": "resolved: fixed by paramedic"}},
        {"by": "2m", "message": {"audience": "bosses", "text": "next update"}},
        {"times": 0, "message": {"audience": "customers"}},
        {"message": {"of": "ServiceDown *", "by": "log"}},
    ],
)
def test_a_message_can_be_expected(expected: dict[str, Any]) -> None:
    assert findings(then=[expected]) == []


def test_a_message_that_did_not_come_is_shown_beside_the_nearest() -> None:
    (found,) = findings(then=[{"by": "2m", "message": {"audience": "engineering", "text": "all is lost"}}])

    assert 'message to engineering by slack: "P1' in found


def test_a_message_can_be_forbidden() -> None:
    assert findings(never=[{"message": {"audience": "customers"}}]) == []
    assert len(findings(never=[{"message": {"audience": "bosses"}}])) == 1


def test_a_process_that_dies_between_does_not_tell_twice() -> None:
    """A dry message may be told twice by the witness's count, but its root is one and its end is told."""
    for commit in (2, 5, 6, 8):
        seen = messages(faults=[{"commit": commit, "crash": "after", "down": "2s"}], clock={"until": "5m"})
        mine = [one.facts["text"] for one in seen if one.facts["audience"] == "engineering"]
        assert any("· resolved" in text for text in mine), commit
        assert len(mine) <= 8, commit


def test_a_notifier_that_fails_is_tried_again() -> None:
    faults = [{"notifier": "slack", "fails": "unknown", "to": "1m"}]
    seen = [one for one in messages(faults=faults, clock={"until": "5m"}) if one.facts["by"] == "slack"]

    assert min(one.at for one in seen) >= 60


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("{audience: enginering}", 'unknown audience "enginering"; did you mean "engineering"?'),
        ("{by: slak}", 'unknown notifier "slak"; did you mean "slack"?'),
        ("{level: 1}", "level"),
    ],
)
def test_a_misspelt_name_is_a_fault(message: str, fault: str) -> None:
    when = "when: [{at: 0s, alert: {alertname: ServiceDown, job: api}}]"
    text = f"{TOLD}---\nrehearsal: x\n{when}\nthen: [message: {message}]\n"
    file = read_rehearsals("x.test.yaml", text, plugins(), lambda: pytest.fail("brings its own rules"))

    assert fault in "\n".join(str(one) for one in file.faults)


def test_a_rehearsal_file_says_it_like_this() -> None:
    text = f"""{TOLD}---
rehearsal: Engineering is told
world:
  endpoints:
    hook: {{effects: [{{on: "POST /restart*", resolves: ServiceDown, after: 30s}}]}}
    bell: {{}}
when: [{{at: 0s, alert: {{alertname: ServiceDown, job: api}}}}]
then:
  - {{by: 5s, message: {{audience: engineering, by: slack, text: "responding"}}}}
  - {{by: 1m, message: {{audience: engineering, text: "Fixed by paramedic"}}}}
never:
  - {{message: {{audience: customers}}}}
"""
    file = read_rehearsals("x.test.yaml", text, plugins(), lambda: pytest.fail("brings its own rules"))
    assert not file.faults
    (rehearsal,) = file.rehearsals

    assert rehearse(rehearsal, plugins(), lambda: 0.0).ok


def test_the_small_world_of_the_other_tests_tells_nobody() -> None:
    assert [one for one in played(scripted(world=WORLD))[1].happened if one.kind == "message"] == []
