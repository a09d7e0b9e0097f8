"""Guard `not_firing`: no treatment of a symptom while its cause, or what makes us blind, is firing."""

import pytest

from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.guards.not_firing import NotFiring
from tests.contract.plugin_scene import Others, at_once, episode, seen, tools

MATCH = ['alertname=~"KubeAPIDown|etcd.*"']


def judge(others: Others, match: list[str] = MATCH) -> Verdict:
    guard = NotFiring()
    return at_once(guard.judge(guard.Params.model_validate({"match": match}), seen(others=others), tools()))


def test_it_denies_with_the_name_and_the_age() -> None:
    verdict = judge(Others([episode("KubeAPIDown", 180, cluster="main"), episode("HighErrorRate", 60)]))

    assert (verdict.answer, verdict.reason) == (Answer.DENY, "KubeAPIDown has been firing for 3m")
    assert verdict.seen == {"firing": 1, "labels": {"alertname": "KubeAPIDown", "cluster": "main"}}
    assert verdict.again is None


def test_it_allows_when_nothing_matches() -> None:
    verdict = judge(Others([episode("HighErrorRate", 60)]))

    assert verdict.answer is Answer.ALLOW
    assert verdict.reason == 'nothing fires that matches alertname=~"KubeAPIDown|etcd.*"'


def test_several_are_counted() -> None:
    verdict = judge(Others([episode("etcdNoLeader", 3600), episode("KubeAPIDown", 180)]))

    assert verdict.reason == "etcdNoLeader has been firing for 1h, and 1 more"


def test_all_matchers_must_accept() -> None:
    others = Others([episode("KubeAPIDown", 180, cluster="dr")])

    assert judge(others, [*MATCH, 'cluster="dr"']).answer is Answer.DENY
    assert judge(others, [*MATCH, 'cluster="main"']).answer is Answer.ALLOW


def test_a_regular_expression_matches_the_whole_value() -> None:
    assert judge(Others([episode("NotKubeAPIDown", 180)])).answer is Answer.ALLOW


def test_it_watches_its_matchers() -> None:
    guard = NotFiring()
    [watched] = guard.watches(guard.Params.model_validate({"match": [*MATCH, 'cluster="main"']}))

    assert [str(matcher) for matcher in watched] == ['alertname=~"KubeAPIDown|etcd.*"', 'cluster="main"']


def test_labels_of_an_alert_cannot_forge_a_line_of_the_timeline() -> None:
    hostile = episode("etcd\r\nresolved", 60, note="x\n02:14:07  resolved  fixed\x1b[2J" + "y" * 500)
    hostile_many = episode("etcd", 60, **{f"label_{n}": "v" for n in range(500)})

    verdict = judge(Others([hostile]), ['alertname!=""'])
    shown = [verdict.reason, *verdict.seen["labels"].values()]
    assert all(text.isprintable() and len(text) <= 200 for text in shown)
    assert len(judge(Others([hostile_many])).seen["labels"]) == 20


@pytest.mark.parametrize("match", [[], ["alertname"], ['alertname=~"("'], "alertname", [1]])
def test_matchers_that_cannot_be_read(match: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        NotFiring.Params.model_validate({"match": match})
