"""Who owns which field of a simulated object: whoever set it last, and together what lies deeper than we look."""

from typing import Any

from paramedic.cluster.port import Json
from paramedic.rehearse.cluster.managers import signed

API: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "uid": "1", "labels": {"app": "api"}},
    "spec": {"replicas": 3, "template": {"spec": {"a": 1}}},
}


def changed(thing: Json, manager: str, subresource: str = "", **spec: Any) -> Json:
    """The object after this manager has set these fields of its spec."""
    after = {**thing, "metadata": dict(thing["metadata"]), "spec": {**thing["spec"], **spec}}
    after["metadata"]["managedFields"] = signed(thing, after, manager, subresource, f"at {manager}")
    return after


def owners(thing: Json) -> dict[str, Any]:
    return {one["manager"]: one["fieldsV1"] for one in thing["metadata"]["managedFields"]}


def created(by: str = "helm") -> Json:
    metadata = {**API["metadata"], "managedFields": signed(None, API, by, "", "at first")}
    return {**API, "metadata": metadata}


def test_whoever_creates_it_owns_all_that_was_said() -> None:
    assert owners(created()) == {
        "helm": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:replicas": {}, "f:template": {}},
        }
    }
    [entry] = created()["metadata"]["managedFields"]
    assert {key: value for key, value in entry.items() if key != "fieldsV1"} == {
        "manager": "helm",
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": "at first",
        "fieldsType": "FieldsV1",
    }


def test_a_plain_value_belongs_to_whoever_set_it_last() -> None:
    found = changed(created(), "alice", replicas=5)

    assert owners(found)["alice"] == {"f:spec": {"f:replicas": {}}}
    assert owners(found)["helm"]["f:spec"] == {"f:template": {}}
    times = {one["manager"]: one["time"] for one in found["metadata"]["managedFields"]}
    assert times == {"helm": "at first", "alice": "at alice"}


def test_what_lies_deeper_may_have_several() -> None:
    found = changed(created(), "alice", template={"spec": {"a": 2}})

    assert all("f:template" in fields["f:spec"] for fields in owners(found).values())


def test_who_has_nothing_left_is_no_longer_named() -> None:
    once = changed(created(), "alice", paused=True)
    twice = changed(once, "bob", paused=False)

    assert list(owners(twice)) == ["helm", "bob"]


def test_through_a_subresource_it_is_another_entry() -> None:
    found = changed(changed(created(), "hpa", replicas=4), "hpa", "scale", replicas=5)

    assert [(one["manager"], one.get("subresource", "")) for one in found["metadata"]["managedFields"]] == [
        ("helm", ""),
        ("hpa", "scale"),
    ]
    assert "time" not in found["metadata"]["managedFields"][-1]


def test_a_status_takes_nothing_of_anybody() -> None:
    before = created()
    after = {**before, "status": {"replicas": 3}}
    entries = signed(before, after, "kube-controller-manager", "status", "now")

    assert [one["fieldsV1"] for one in entries] == [*owners(before).values(), {"f:status": {}}]
    again = {**after, "metadata": {"managedFields": entries}}
    assert len(signed(before, again, "kube-controller-manager", "status", "later")) == 2


def test_a_field_that_is_taken_away_is_nobodys() -> None:
    before = changed(created(), "alice", paused=True)
    after = {**before, "metadata": dict(before["metadata"]), "spec": dict(API["spec"])}

    assert [one["manager"] for one in signed(before, after, "bob", "", "now")] == ["helm"]
