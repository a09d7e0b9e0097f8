"""What each refusal of a cluster becomes: one of the four failures, in words that name what to do about it.

The bodies are those of a real API server, version 1.34.
"""

import json
from typing import Any

import pytest

from paramedic.clients.kube.errors import Call, failure
from paramedic.cluster.resources import DEPLOYMENTS, NODES, PODS, Place
from paramedic.errors import Changed, Missing, ParamedicError, Permanent, Temporary, UnknownOutcome

API = Place("main", DEPLOYMENTS, "shop", "api")
POD = Place("main", PODS, "shop", "api-1")
READ = Call("get", API)
WRITE = Call("patch", API, changes=True, compares=True)
MERGE = Call("patch", API, changes=True)
DRY = Call("patch", API, compares=True)
EVICT = Call("create", POD, "eviction", changes=True)


def said(call: Call, status: int, message: str = "", reason: str = "", headers: Any = None, **details: Any) -> Any:
    body = {"kind": "Status", "message": message, "reason": reason, "code": status, "details": details}
    return failure(call, status, headers or {}, json.dumps(body).encode())


def kinds(*errors: ParamedicError) -> list[type[ParamedicError]]:
    return [type(one) for one in errors]


def test_an_object_that_is_not_there_and_a_kind_that_is_not() -> None:
    missing = said(READ, 404, 'deployments.apps "api" not found', "NotFound", name="api", kind="deployments")
    namespace = said(MERGE, 404, 'namespaces "shop" not found', "NotFound", name="shop", kind="namespaces")
    group = failure(READ, 404, {}, b"404 page not found\n")
    resource = said(READ, 404, "the server could not find the requested resource", "NotFound")
    sub = said(Call("get", API, "scale"), 404, "the server could not find the requested resource", "NotFound")

    assert kinds(missing, namespace, group, resource, sub) == [Missing, Missing, Permanent, Permanent, Permanent]
    assert str(missing) == 'main: get deployment api in shop: deployments.apps "api" not found'
    assert str(group) == "the cluster main has no deployments of apps/v1"
    assert str(sub) == "the cluster main has no deployments/scale of apps/v1"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (WRITE, "patch deployments.apps in shop"),
        (EVICT, "create pods/eviction in shop"),
        (Call("list", Place("main", NODES)), "list nodes in all namespaces"),
        (Call("patch", API, "scale", changes=True), "patch deployments.apps/scale in shop"),
    ],
)
def test_a_permission_that_lacks_is_named(call: Call, words: str) -> None:
    user = "system:serviceaccount:ops:paramedic"
    error = said(call, 403, f'x is forbidden: User "{user}" cannot do resource "y" in API group "z"', "Forbidden")

    assert kinds(error) == [Permanent]
    assert str(error) == f"{words} is not allowed for {user} (cluster main)"


def test_other_refusals_come_in_their_own_words() -> None:
    quota = said(MERGE, 403, 'pods "x" is forbidden: exceeded quota: q, requested: pods=1', "Forbidden")
    hook = said(MERGE, 403, 'admission webhook "policy" denied the request: no', "Forbidden")

    assert kinds(quota, hook) == [Permanent, Permanent]
    assert "exceeded quota: q" in str(quota)
    assert "denied the request" in str(hook)


def test_conflicts_mean_that_it_has_changed() -> None:
    modified = said(MERGE, 409, "the object has been modified", "Conflict", name="api")
    exists = said(Call("create", API, changes=True), 409, "already exists", "AlreadyExists", name="api")

    assert kinds(modified, exists) == [Changed, Changed]


def test_a_failed_comparison_and_what_is_not_valid() -> None:
    """A server gives a failed `test` no words at all; what is not valid has causes."""
    words = "the server rejected our request due to an error in our request"
    compared = said(WRITE, 422, words, "Invalid")
    rehearsed = said(DRY, 422, words, "Invalid")
    merged = said(MERGE, 422, words, "Invalid")
    cause = {"reason": "FieldValueInvalid", "message": "must be greater than or equal to 0", "field": "spec.replicas"}
    invalid = said(WRITE, 422, "Deployment.apps is invalid", "Invalid", causes=[cause, cause])

    assert kinds(compared, rehearsed, merged, invalid) == [Changed, Changed, Permanent, Permanent]
    assert str(invalid).endswith("not valid: spec.replicas: must be greater than or equal to 0")
    assert words in str(merged)


def test_a_cause_that_quotes_the_whole_object_is_cut_to_its_point() -> None:
    point = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    cause = {"field": "patch", "message": f'Invalid value: "{"x" * 5000}": {point}'}
    error = said(MERGE, 422, "invalid", "Invalid", causes=[cause])

    assert str(error).endswith(point)
    assert len(str(error)) < 300


def test_too_many_requests_wait_as_long_as_they_are_told() -> None:
    plain = said(READ, 429, "too many", "TooManyRequests")
    header = said(WRITE, 429, "too many", headers={"Retry-After": "7"})
    detail = said(WRITE, 429, "too many", retryAfterSeconds=4)
    long = said(WRITE, 429, "too many", retryAfterSeconds=4000)
    causes = [{"reason": "DisruptionBudget", "message": "The disruption budget api needs 2 healthy pods and has 2"}]
    budget = said(EVICT, 429, "Cannot evict pod as it would violate the pod's disruption budget.", causes=causes)

    assert kinds(plain, header, detail, long, budget) == [Temporary] * 5
    assert [one.delay for one in (plain, header, detail, long)] == [1.0, 7.0, 4.0, 60.0]
    assert str(budget).startswith("main: evict pod api-1 in shop: not done: Cannot evict pod")
    assert "The disruption budget api needs 2 healthy pods and has 2" in str(budget)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server_leaves_a_write_unknown_and_a_read_to_be_tried_again(status: int) -> None:
    read, dry, write = (said(call, status, "etcdserver: request timed out") for call in (READ, DRY, WRITE))

    assert kinds(read, dry, write) == [Temporary, Temporary, UnknownOutcome]
    assert "etcdserver: request timed out; it may have been done all the same" in str(write)


def test_what_is_said_before_anything_was_written_is_no_doubt() -> None:
    hook = said(WRITE, 500, 'Internal error occurred: failed calling webhook "policy": connection refused')
    busy = said(WRITE, 503, "the server is shutting down", headers={"Retry-After": "3"})
    budgets = said(EVICT, 500, "This pod has more than one PodDisruptionBudget, which the eviction subresource ...")

    assert kinds(hook, busy, budgets) == [Temporary, Temporary, Permanent]
    assert busy.delay == 3.0


def test_the_rest() -> None:
    token = said(READ, 401, "Unauthorized", "Unauthorized")
    gone = said(Call("list", API), 410, "the provided continue parameter is too old", "Expired")
    bad = said(READ, 400, "unable to parse requirement", "BadRequest")
    redirect = failure(WRITE, 302, {}, b"")

    assert kinds(token, gone, bad, redirect) == [Permanent, Temporary, Permanent, Permanent]
    assert str(token) == "the cluster main does not accept our credentials: Unauthorized"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>\x00oops\n</html>", b'{"details": null}', b"\xff\xfe", b'{"details": 5}']
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
def test_whatever_the_body_is_there_is_one_printable_line(status: int, body: bytes) -> None:
    error = failure(WRITE, status, {}, body)

    assert isinstance(error, ParamedicError)
    assert str(error).isprintable()
    assert len(str(error)) < 500
