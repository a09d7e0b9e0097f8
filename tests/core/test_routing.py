"""From elements to incidents: keys, pinned episodes, candidates. Promise 2 in the large: who belongs where."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.bundle import Param, ServiceEntry
from paramedic.core.episodes import DOUBT
from paramedic.core.routing import EXEMPLARS, candidate_of, key_of, service_of
from paramedic.core.sharing import SHARDS
from paramedic.core.words import Phase, Severity
from tests.core.builders import HOUR, MINUTE, Given, book, bundle, firing, labelled, matcher, resolved, rule
from tests.core.story import Story

BY_TWO = rule(incident=("namespace", "job"))


def key(**labels: str) -> str:
    return key_of(BY_TWO, labelled(labels), {})


# -- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_the_source_and_the_named_labels() -> None:
    assert key(namespace="shop", job="api", pod="api-1") == 'main{namespace="shop",job="api"}'
    assert key(namespace="shop", job="api", pod="api-2") == 'main{namespace="shop",job="api"}'


def test_other_sources_have_other_keys() -> None:
    assert key_of(BY_TWO, firing(source="dr", namespace="shop"), {}).startswith("dr{")


def test_a_label_that_is_absent_adds_the_alerts_own_identity() -> None:
    """Alerts that lack what would tell them apart never merge."""
    one, other = firing(pod="a"), firing(pod="b")

    assert key_of(BY_TWO, one, {}) == f'main{{namespace="",job="api"}}#{one.identity}'
    assert key_of(BY_TWO, one, {}) != key_of(BY_TWO, other, {})


def test_a_rule_that_names_no_labels_has_an_incident_for_each_alert() -> None:
    alert = firing()

    assert key_of(rule(incident=()), alert, {}) == f"main{{}}#{alert.identity}"


def test_a_field_of_the_service_fills_an_absent_label() -> None:
    service = {"namespace": "shop", "replicas": 3, "nothing": None}

    assert key_of(BY_TWO, firing(), service) == 'main{namespace="shop",job="api"}'
    assert key_of(BY_TWO, firing(namespace="own"), service) == 'main{namespace="own",job="api"}'
    assert key_of(rule(incident=("replicas",)), firing(), service) == 'main{replicas="3"}'
    assert "#" in key_of(rule(incident=("nothing",)), firing(), service)


def test_the_first_service_that_matches_says_what_an_alert_is_about() -> None:
    world = bundle(
        services=(
            ServiceEntry((matcher("job", "=", "web"),), {"workload": "web"}),
            ServiceEntry((matcher("job", "=~", ".+"),), {"workload": "any"}),
        )
    )

    assert service_of({"job": "web"}, world) == {"workload": "web"}
    assert service_of({"job": "api"}, world) == {"workload": "any"}
    assert service_of({}, world) == {}


HOSTILE = st.text(st.sampled_from('ab",=\\{}#\n'), max_size=6)


@given(st.tuples(HOSTILE, HOSTILE, HOSTILE), st.tuples(HOSTILE, HOSTILE, HOSTILE))
@settings(max_examples=100, deadline=None)
def test_no_value_can_forge_another_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Equal keys only for equal labels, or for the very same alert."""
    alerts = [firing(namespace=a, job=b, pod=c) for a, b, c in (one, other)]
    complete = all(one[:2]) and all(other[:2])

    same = key_of(BY_TWO, alerts[0], {}) == key_of(BY_TWO, alerts[1], {})

    assert same is (one[:2] == other[:2] if complete else alerts[0].identity == alerts[1].identity)


def test_a_value_that_looks_like_the_next_label_is_still_a_value() -> None:
    assert key(namespace="x", job='y",job="z') != key(namespace='x",job="y', job="z")


def test_a_label_called_identity_is_a_label_like_any_other() -> None:
    alert = firing()

    forged = key_of(rule(incident=("identity",)), firing(identity=alert.identity), {})

    assert forged != key_of(rule(incident=()), alert, {})


def test_a_very_long_key_stays_bounded_and_its_own() -> None:
    long = ["x" * 5000 + end for end in "ab"]
    keys = {key(namespace=value, job="api") for value in long}

    assert len(keys) == 2
    assert all(len(one) < 650 for one in keys)


# -- incidents --------------------------------------------------------------------------------------------------------


def test_alerts_with_one_key_share_an_incident() -> None:
    story = Story()

    story.deliver(firing(pod="a"), firing(pod="b"))
    story.deliver(firing(pod="c"), firing(job="web"))

    assert [one.key for one in story.incidents.values()] == ['main{job="api"}', 'main{job="web"}']
    assert [one.firing.open for one in story.incidents.values()] == [3, 1]


def test_one_delivery_is_one_event_for_each_incident() -> None:
    story = Story()

    story.deliver(*[firing(pod=str(n)) for n in range(10)])

    assert [type(event).__name__ for event in story.events[1]] == ["Opened", "AlertsSeen"]


def test_an_incident_is_opened_with_what_is_known_of_it() -> None:
    story = Story()
    story.deliver(firing(namespace="shop", severity="critical"))

    incident = story.incident

    assert (incident.title, incident.severity, incident.rule, incident.bundle) == (
        "HighErrorRate shop/api",
        Severity.P1,
        "errors",
        "b1",
    )
    assert 0 <= incident.shard < SHARDS


@pytest.mark.parametrize(
    ("label", "severity"),
    [("critical", "P1"), ("page", "P1"), ("warning", "P2"), ("info", "P3"), ("odd", "P2"), ("", "P2")],
)
def test_the_severity_label_counts_where_the_rule_names_none(label: str, severity: str) -> None:
    story = Story()
    story.deliver(firing(severity=label))
    assert story.incident.severity == severity

    strict = Story(bundle(rules=(rule(severity=Severity.P0),)))
    strict.deliver(firing(severity=label))
    assert strict.incident.severity is Severity.P0


def test_an_alert_that_no_rule_wants_is_counted_and_nothing_else() -> None:
    story = Story()

    routing = story.deliver(firing(name="Unheard"))

    assert (routing.unmatched, routing.shares) == (1, {})
    assert [one.incident for one in routing.episodes] == [None]


def test_an_unwanted_alert_is_not_written_again_and_again() -> None:
    story = Story()
    story.deliver(firing(name="Unheard"))

    again = story.deliver(firing(name="Unheard"))

    assert (again.unmatched, again.episodes) == (1, [])


def test_a_rule_that_comes_later_takes_alerts_that_fire_already() -> None:
    story = Story()
    story.deliver(firing(name="Unheard"))
    story.bundle = bundle(rules=(rule(alertname="Unheard"),), hash_="b2")
    story.bundles["b2"] = story.bundle

    story.deliver(firing(name="Unheard"))

    assert (story.incident.bundle, story.incident.firing.open) == ("b2", 1)
    assert story.run.target == "main/api"


# -- pinning ----------------------------------------------------------------------------------------------------------


def change_rules(story: Story) -> None:
    story.bundle = bundle(rules=(rule("other", incident=("alertname",)),), hash_="b2")
    story.bundles["b2"] = story.bundle


def test_an_open_episode_stays_with_its_incident_when_rules_change() -> None:
    story = Story()
    story.deliver(firing())
    change_rules(story)

    story.deliver(firing(starts=30))
    story.deliver(resolved(ends=60))

    assert list(story.incidents) == [1]
    assert story.incidents[1].bundle == "b1"
    assert story.incidents[1].phase is Phase.RESOLVED


def test_a_new_episode_goes_where_the_rules_of_today_say() -> None:
    story = Story()
    story.deliver(firing(starts=0), firing(starts=0, pod="b"))
    story.deliver(resolved(ends=60))
    change_rules(story)

    story.deliver(firing(starts=61))

    assert [(one.id, one.rule, one.firing.open) for one in story.incidents.values()] == [
        (1, "errors", 1),
        (2, "other", 1),
    ]


def test_a_doubt_settled_elsewhere_does_not_keep_its_incident_open() -> None:
    """The alert fires anew, and by today's rules in another incident: the old one has nothing left to wait for."""
    story = Story()
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=60))
    story.deliver(firing(starts=0))
    assert story.incidents[1].firing.doubted == 1
    change_rules(story)

    story.deliver(firing(starts=61))

    assert story.incidents[1].firing.doubted == 0
    assert "doubt" not in story.incidents[1].timers
    assert story.incidents[2].firing.open == 1


def test_a_later_incident_of_an_alert_links_the_one_before() -> None:
    story = Story()
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=60))
    story.wait(HOUR)

    story.deliver(firing(starts=HOUR))

    assert (story.incident.id, story.incident.previous) == (2, 1)
    assert story.said("before it: INC-1")


def test_a_late_resolved_of_a_closed_incident_opens_nothing() -> None:
    story = Story()
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=60))
    story.wait(HOUR)

    routing = story.deliver(resolved(ends=70))

    assert routing.shares == {}
    assert not story.incidents[1].open


def test_an_echo_of_a_closed_incident_waits_for_its_answer() -> None:
    """It pages nobody until the doubt is over; then somebody looks, and nothing is treated."""
    story = Story()
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=60))
    story.wait(20 * MINUTE)

    story.deliver(firing(starts=0))
    assert (story.incident.id, story.incident.firing.doubted) == (2, 1)
    before = len(story.paged())
    story.wait(DOUBT.total_seconds() - 1)
    assert len(story.paged()) == before
    story.wait(5)

    assert story.incident.firing.open == 1
    assert len(story.paged()) == before + 1
    assert (story.incident.run, story.incident.past) == (None, ())


# -- candidates -------------------------------------------------------------------------------------------------------


def test_a_candidate_has_its_parameters_and_its_target() -> None:
    candidate = candidate_of(rule(), firing(), bundle())

    assert (candidate.playbook, candidate.params, candidate.target) == ("restart", {"workload": "api"}, "main/api")
    assert candidate.fault == ""


@pytest.mark.parametrize(
    ("changes", "labels", "fault"),
    [
        ({"playbook": "restrat"}, {}, 'rule errors: names the playbook "restrat", which does not exist'),
        ({"with_": {"workload": Given("${labels.pod}")}}, {}, "${labels.pod}: has no value"),
        ({"with_": {}}, {}, "playbook restart, parameter workload: is missing"),
        (
            {"with_": {"workload": Given("a\nb")}},
            {},
            "playbook restart: its target is empty, too long or not printable",
        ),
        ({"with_": {"workload": Given("x" * 600)}}, {}, "its target is empty, too long or not printable"),
        ({}, {"job": "a\u202eb"}, "its target is empty, too long or not printable"),
        ({}, {"job": "\x1b[2J" + "x" * 600}, "its target is empty, too long or not printable"),
    ],
)
def test_what_cannot_be_rendered_is_a_fault_and_never_an_exception(
    changes: dict[str, Any], labels: dict[str, str], fault: str
) -> None:
    candidate = candidate_of(rule(**changes), labelled(labels), bundle())

    assert fault in candidate.fault
    assert (candidate.target, candidate.params) == ("", {})
    assert candidate.fault.isprintable()


def test_a_faulty_candidate_is_refused_and_paged_with_its_fault() -> None:
    """Promise 8: what is not treated is on the timeline, with its reason."""
    story = Story(bundle(rules=(rule(with_={"workload": Given("${labels.pod}")}),)))

    story.deliver(firing())

    assert story.texts("refused") == ["restart: ${labels.pod}: has no value"]
    assert story.paged() == [(1, "alice")]
    assert story.incident.run is None


def test_alerts_about_one_target_ask_for_one_treatment() -> None:
    """Promise 2: a run is unique by incident, playbook, target and recurrence."""
    routing = Story().deliver(*[firing(pod=str(n)) for n in range(50)])

    assert len(routing.shares[1].candidates) == 1


def test_the_alert_of_each_treatment_is_among_the_exemplars() -> None:
    """However many others came first."""
    each = rule(incident=("alertname",), with_={"workload": Given("${labels.pod}")})
    story = Story(bundle(book(params={"workload": Param("workload", "string")}), rules=(each,)))
    story.deliver(*[firing(pod=f"old-{n}") for n in range(30)])
    story.deliver(*[resolved(ends=5, pod=f"old-{n}") for n in range(30)], firing(pod="new"))

    kept = story.incident.firing.exemplars

    assert len(kept) == EXEMPLARS
    assert "new" in {one.labels["pod"] for one in kept}
