"""What happens to a body on its way: alerts left out of it, or its end cut off."""

import json

__all__ = ["torn", "without_the_last"]


def without_the_last(body: bytes) -> bytes:
    """The body with half of its alerts, saying how many were left out, as Alertmanager's `max_alerts` does."""
    told = json.loads(body)
    alerts = told["alerts"]
    kept = alerts[: (len(alerts) + 1) // 2]
    return json.dumps({**told, "alerts": kept, "truncatedAlerts": len(alerts) - len(kept)}).encode()


def torn(body: bytes) -> bytes:
    """The first half of the body: no JSON at all."""
    return body[: len(body) // 2]
