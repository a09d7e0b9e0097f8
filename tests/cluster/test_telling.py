"""Cluster objects as evidence: bounded whatever they hold, and told in an order that helps."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from paramedic.cluster.port import Json
from paramedic.cluster.telling import cut_after, cut_before, events_text, logs_of, pods_text
from tests.contract.fake_kube import pod

TEXTS = st.text(max_size=1500)


@given(TEXTS, st.integers(200, 1000))
def test_a_cut_text_keeps_its_bounds_and_says_what_is_missing(text: str, most: int) -> None:
    fits = len(text.encode(errors="replace")) <= most
    for cut in (cut_before(text, most), cut_after(text, most)):
        assert len(cut.encode(errors="replace")) <= most
        assert (cut == text) if fits else ("are left out)" in cut)


def test_of_lines_whole_ones_are_kept() -> None:
    text = "\n".join(f"line {n}" for n in range(100))

    assert cut_before(text, 300).splitlines()[1:] == [f"line {n}" for n in range(75, 100)]
    assert cut_after(text, 300).splitlines()[:-1] == [f"line {n}" for n in range(26)]


@given(st.dictionaries(st.sampled_from(["reason", "message", "type", "count", "lastTimestamp"]), st.none() | st.text()))
def test_an_event_of_any_content_is_one_line(fields: dict[str, Any]) -> None:
    fields = {key: value for key, value in fields.items() if key != "count"}

    assert len(events_text([{"metadata": {}, **fields}]).splitlines()) <= 1


def test_events_come_in_order_whatever_api_wrote_them() -> None:
    def event(**fields: Any) -> Json:
        return {"metadata": {"creationTimestamp": "2026-05-12T09:00:00Z"}, "involvedObject": {}, **fields}

    told = events_text(
        [
            event(reason="C", series={"lastObservedTime": "2026-05-12T09:20:00.000000Z", "count": 3}, eventTime=None),
            event(reason="B", eventTime="2026-05-12T09:10:00.000000Z"),
            event(reason="A"),
        ]
    )

    assert [line.split()[1] for line in told.splitlines()] == ["A", "B", "C"]
    assert "3 times" in told
    assert events_text([]) == "no events"


def test_many_pods_are_cut_to_those_that_tell_the_most() -> None:
    told = pods_text([pod(f"api-{n}", ready=n != 7) for n in range(150)])

    assert told.startswith("api-7  not ready")
    assert told.endswith("and 50 more lines")
    assert pods_text([]) == "no pods"


def test_a_pod_without_a_status_is_told_as_well() -> None:
    bare = {"metadata": {"name": "api-1"}, "spec": {}}

    assert pods_text([bare]).startswith("api-1  not ready  0 of 0 containers ready")
    assert logs_of([bare], 5) == []


def test_containers_that_begin_a_pod_are_read_only_while_they_fail() -> None:
    done, failed = ({"terminated": {"exitCode": code}} for code in (0, 1))
    one = pod("api-1", ready=False)
    one["status"]["initContainerStatuses"] = [
        {"name": "migrate", "state": done, "restartCount": 0},
        {"name": "warm", "state": failed, "restartCount": 2},
    ]

    assert [str(log) for log in logs_of([one], 5)] == [
        "api-1/warm before its last restart",
        "api-1/warm",
        "api-1/api",
    ]
