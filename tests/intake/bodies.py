"""Bodies as Alertmanager sends them, and the parts to make bad ones from. Shared by the tests of intake."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

PAYLOADS = Path(__file__).parents[1] / "data" / "payloads"
"""Bodies that a real Alertmanager sent."""

STARTED = "2026-11-22T02:47:45.1706Z"
NEVER = "0001-01-01T00:00:00Z"


def element(**fields: Any) -> dict[str, Any]:
    """A good element, with these fields instead of its own; a field that is None is left out."""
    made: dict[str, Any] = {
        "status": "firing",
        "labels": {"alertname": "HighErrorRate", "pod": "checkout-0", "severity": "critical"},
        "annotations": {"summary": "error rate high on checkout-0"},
        "startsAt": STARTED,
        "endsAt": NEVER,
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": "de0095c972b12723",
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def labelled(**labels: str) -> dict[str, Any]:
    """A good element with these labels."""
    return element(labels=labels)


def outer(*elements: Any, **fields: Any) -> dict[str, Any]:
    """A body around these elements; a field that is None is left out."""
    made: dict[str, Any] = {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "paramedic",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(elements),
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def body(*elements: Any, **fields: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(outer(*elements, **fields)).encode()


def payload(name: str) -> bytes:
    """A body that a real Alertmanager sent."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def nested(depth: int) -> bytes:
    """A body with an element of so many lists in each other."""
    return body(element(extra="@")).replace(b'"@"', b"[" * depth + b"]" * depth)
