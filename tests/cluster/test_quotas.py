"""Amounts as Kubernetes writes them, and what one more pod counts against a quota."""

from decimal import Decimal
from typing import Any

import pytest

from paramedic.cluster.port import Json
from paramedic.cluster.quotas import amount, no_headroom, say_amount
from paramedic.errors import Refused


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        (7, "7"),
        ("1.5", "1.5"),
        ("250m", "0.25"),
        ("5u", "0.000005"),
        ("2k", "2000"),
        ("1G", "1000000000"),
        ("1Ki", "1024"),
        ("2Gi", str(2 * 1024**3)),
        ("1Ei", str(1024**6)),
    ],
)
def test_an_amount(text: object, number: str) -> None:
    assert amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "many", "-1", "1e3", "1 Gi", "Gi", "٣", "1" * 40, None])
def test_what_is_none_is_refused(text: object) -> None:
    with pytest.raises(Refused, match="is not an amount"):
        amount(text)


@pytest.mark.parametrize(
    ("text", "said"), [("250m", "250m"), ("3", "3"), ("2Gi", "2Gi"), ("1536Mi", "1536Mi"), ("1G", "1000000000")]
)
def test_an_amount_is_said_as_people_write_it(text: str, said: str) -> None:
    assert say_amount(amount(text)) == said


def workload(*containers: Json, init: tuple[Json, ...] = (), **spec: Any) -> Json:
    template = {"spec": {"containers": list(containers), "initContainers": list(init)}}
    return {"spec": {"template": template, **spec}}


def asks(**requests: str) -> Json:
    return {"resources": {"requests": requests}}


def room(thing: Json, more: int = 1, **left: str) -> str:
    hard = {name.replace("_", "."): value for name, value in left.items()}
    return no_headroom(thing, more, [{"metadata": {"name": "q"}, "status": {"hard": hard, "used": {}}}])


@pytest.mark.parametrize(("cpu", "fits"), [("300m", True), ("299m", False)])
def test_containers_count_together_and_those_that_begin_only_if_they_ask_for_more(cpu: str, fits: bool) -> None:
    together = workload(asks(cpu="100m"), asks(cpu="200m"), init=(asks(cpu="50m"),))
    beginning = workload(asks(cpu="100m"), init=(asks(cpu="300m"),))

    for thing in (together, beginning):
        assert (room(thing, requests_cpu=cpu) == "") is fits


def test_a_limit_without_a_request_is_the_request() -> None:
    thing = workload({"resources": {"limits": {"memory": "1Gi"}}})

    assert room(thing, requests_memory="1Gi", limits_memory="1Gi") == ""
    assert "512Mi of requests.memory left" in room(thing, requests_memory="512Mi")


def test_volumes_of_a_stateful_set_count() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}
    thing = workload(volumeClaimTemplates=[claim, claim])

    assert room(thing, persistentvolumeclaims="2", requests_storage="20Gi") == ""
    assert "would need 4" in room(thing, 2, persistentvolumeclaims="3")
    assert "20Gi" in room(thing, requests_storage="19Gi")


def test_before_a_quota_has_been_counted_its_own_word_holds() -> None:
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}

    assert no_headroom(workload(), 1, [quota]) == "the quota q has 0 of pods left, and 1 more pod would need 1"
