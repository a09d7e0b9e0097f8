"""Which template to go back to: by what it is and never by its number, and never to our own restart."""

from copy import deepcopy
from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.revisions import (
    earlier,
    fingerprint,
    images,
    normal,
    plain,
    revisions_of,
    selector_of,
)
from paramedic.errors import Refused
from tests.cluster.objects import (
    controller_revision,
    deployment,
    metadata,
    owned_by,
    replica_set,
    stateful_set,
    template,
)

EIGHT, NINE, TEN = "2026-05-12T08:00:00Z", "2026-05-12T09:00:00Z", "2026-05-12T10:00:00Z"
OLD, BAD = template("api:41"), template("api:42")


def having(pod_template: Json, **spec: Any) -> Json:
    found = deployment(**spec)
    found["spec"]["template"] = pod_template
    return found


def back_from(present: Json, *sets: Json) -> str:
    found = having(present)
    return earlier(found, revisions_of(found, sets)).name


def test_the_one_before() -> None:
    assert back_from(BAD, replica_set(1, OLD, EIGHT), replica_set(2, BAD, NINE)) == "api-1"


def test_the_newest_of_several_before() -> None:
    older = [replica_set(n, template(f"api:{n}"), EIGHT) for n in (9, 10, 11)]

    assert back_from(template("api:99"), *older, replica_set(12, template("api:99"), NINE)) == "api-11"


def test_after_a_restart_it_is_not_the_release_that_was_restarted() -> None:
    """kubectl's `undo` takes the second newest revision, which is the same bad image without the restart."""
    restarted = template("api:42", restarted="2026-05-12T09:10:00Z")
    sets = [replica_set(1, OLD, EIGHT), replica_set(2, BAD, NINE), replica_set(3, restarted, TEN)]

    assert back_from(restarted, *sets) == "api-1"


@pytest.mark.parametrize(
    "key",
    [
        "kubectl.kubernetes.io/restartedAt",
        "example.org/restarted-at",
        "restartAt",
        "reloader.stakater.com/last-reloaded-from",
    ],
)
def test_whatever_restarts_is_no_change(key: str) -> None:
    assert fingerprint(template("api:42", **{key: "now"})) == fingerprint(BAD)


@pytest.mark.parametrize("key", ["checksum/config", "prometheus.io/port", "restartedAt/by", "started-at"])
def test_other_annotations_are(key: str) -> None:
    assert fingerprint(template("api:42", **{key: "now"})) != fingerprint(BAD)


def test_what_controllers_add_is_no_change() -> None:
    added = deepcopy(BAD)
    added["metadata"]["labels"] |= {"pod-template-hash": "abc", "controller-revision-hash": "abc"}
    added["metadata"] |= {"creationTimestamp": None, "annotations": {}}
    added["$patch"] = "replace"

    assert plain(added) == plain(BAD) | {"metadata": plain(BAD)["metadata"] | {"annotations": {}}}
    assert normal(added) == normal(BAD) == BAD
    assert fingerprint(added) == fingerprint(BAD)


def test_fields_that_nobody_here_knows_are_kept() -> None:
    """Typed clients lose them, and would write back less than there was."""
    new = deepcopy(BAD)
    new["spec"]["containers"][0]["fieldOfNextYear"] = {"a": [1]}
    new["spec"]["anotherOne"] = True

    assert plain(new) == new
    assert fingerprint(new) != fingerprint(BAD)


def test_the_order_of_keys_does_not_matter_and_that_of_containers_does() -> None:
    two = {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}}
    turned = {"spec": {"containers": list(reversed(two["spec"]["containers"]))}, "metadata": {}}

    assert fingerprint(dict(reversed(two.items()))) == fingerprint(two)
    assert fingerprint(turned) != fingerprint(two)


def test_a_template_that_was_gone_back_to_is_not_left_again() -> None:
    """Undoing twice toggles: what a person rolled back by hand must not be rolled back once more."""
    sets = [replica_set(1, template("api:40"), EIGHT), replica_set(3, OLD, EIGHT), replica_set(2, BAD, NINE)]

    with pytest.raises(Refused, match=r"rolled back already: api:41, which it has now, is older than api:42 of api-2"):
        back_from(OLD, *sets)


def test_a_restart_of_what_was_gone_back_to_changes_nothing_about_that() -> None:
    restarted = template("api:41", restarted="x")
    sets = [replica_set(3, OLD, EIGHT), replica_set(2, BAD, NINE), replica_set(4, restarted, TEN)]

    with pytest.raises(Refused, match="rolled back already"):
        back_from(restarted, *sets)


def test_a_new_release_after_going_back_can_be_left() -> None:
    newest = template("api:43")
    sets = [replica_set(3, OLD, EIGHT), replica_set(2, BAD, NINE), replica_set(4, newest, TEN)]

    assert back_from(newest, *sets) == "api-3"


def test_releases_of_the_same_second_are_told_apart_by_their_numbers() -> None:
    assert back_from(BAD, replica_set(1, OLD, NINE), replica_set(2, BAD, NINE)) == "api-1"


def test_one_that_was_gone_back_to_within_its_second_is_not_left_for_the_newer_one() -> None:
    with pytest.raises(Refused, match="no older revision"):
        back_from(OLD, replica_set(1, OLD, NINE), replica_set(2, BAD, NINE))


def test_a_template_that_its_controller_has_not_seen_yet_is_the_newest() -> None:
    assert back_from(template("api:43"), replica_set(1, OLD, EIGHT), replica_set(2, BAD, NINE)) == "api-2"


@pytest.mark.parametrize(
    "sets",
    [
        [],
        [replica_set(1, BAD, EIGHT)],
        [replica_set(1, BAD, EIGHT), replica_set(2, template("api:42", restarted="x"), NINE)],
    ],
)
def test_nothing_to_go_back_to(sets: list[Json]) -> None:
    with pytest.raises(Refused, match="no older revision"):
        back_from(BAD, *sets)


def test_a_workload_that_keeps_no_revisions() -> None:
    found = having(BAD, revisionHistoryLimit=0)

    with pytest.raises(Refused, match="revisionHistoryLimit is 0"):
        earlier(found, revisions_of(found, [replica_set(2, BAD, NINE)]))


def test_only_its_own_revisions_count() -> None:
    """Another Deployment whose selector overlaps, and one of the same name that is gone."""
    strangers = [replica_set(9, template("evil:1"), EIGHT, uid="deployment-other")]
    strangers += [metadata(replica_set(8, template("evil:2"), EIGHT), ownerReferences=None)]
    uncontrolled = [reference | {"controller": False} for reference in owned_by("deployment-api")]
    strangers += [metadata(replica_set(7, template("evil:3"), EIGHT), ownerReferences=uncontrolled)]

    assert revisions_of(deployment(), strangers) == ()


def test_revisions_of_a_stateful_set() -> None:
    owner = stateful_set()
    owner["spec"]["template"] = BAD
    found = revisions_of(
        owner,
        [controller_revision("api-a", 1, OLD, EIGHT, owner), controller_revision("api-b", 2, BAD, NINE, owner)],
    )

    assert [(one.name, one.number) for one in found] == [("api-b", 2), ("api-a", 1)]
    assert earlier(owner, found).name == "api-a"
    assert plain(earlier(owner, found).template) == OLD


@pytest.mark.parametrize("number", ["", "-1", "1e9", "9" * 40, "\u0663", None])
def test_a_number_that_was_tampered_with_counts_as_the_oldest(number: str | None) -> None:
    one = replica_set(1, OLD, EIGHT)
    one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = number

    assert [each.number for each in revisions_of(deployment(), [one])] == [0]


@pytest.mark.parametrize(
    ("image", "short"),
    [
        ("api:42", "api:42"),
        ("registry.example:5000/shop/api:42", "api:42"),
        ("api", "api"),
        ("registry.example/x/api:42@sha256:" + "ab" * 32, "api:42"),
        ("registry.example/x/api@sha256:" + "ab" * 32, "api@sha256:abababababab"),
        ("api:\x1b[31m42", "api: [31m42"),
    ],
)
def test_images_as_people_call_them(image: str, short: str) -> None:
    assert images({"spec": {"containers": [{"image": image}]}}) == short


def test_images_of_several_containers_and_of_none() -> None:
    assert images({"spec": {"containers": [{"image": "a:1"}, {"image": "b:2"}]}}) == "a:1, b:2"
    assert images({}) == "no image"


def test_the_selector_as_the_api_takes_it() -> None:
    found = deployment()
    found["spec"]["selector"] = {
        "matchLabels": {"app": "api", "tier": "web"},
        "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "NotIn", "values": ["x"]},
            {"key": "up", "operator": "Exists"},
            {"key": "down", "operator": "DoesNotExist"},
        ],
    }

    assert selector_of(found) == "app=api,tier=web,env in (a,b),old notin (x),up,!down"


@pytest.mark.parametrize("selector", [{}, {"matchLabels": {}}, None, {"matchExpressions": []}])
def test_a_selector_that_chooses_everything_chooses_nothing(selector: Json | None) -> None:
    found = deployment()
    found["spec"]["selector"] = selector

    with pytest.raises(Refused, match=r"spec\.selector: it is empty"):
        selector_of(found)


def test_a_selector_of_next_year_is_refused() -> None:
    found = deployment()
    found["spec"]["selector"] = {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}

    with pytest.raises(Refused, match=r'spec\.selector: the operator "Gt" is not known'):
        selector_of(found)
