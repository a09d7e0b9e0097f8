"""HorizontalPodAutoscalers: every 15 s they bring their target's replicas between min and max. The cluster calls it.

Source: pkg/controller/podautoscaler/horizontal.go. What the metrics ask for is a series of the world (`wants`); without
one it is what the target has. The highest that was asked for in the last five minutes counts, as on a real cluster.
"""

from collections.abc import Sequence
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import HPAS
from paramedic.errors import Changed, Missing, Permanent
from paramedic.rehearse.cluster.replica_sets import CONTROLLER
from paramedic.rehearse.cluster.site import Site, condition

__all__ = ["Autoscalers"]

_STABLE: Final = 300.0
"""Seconds that a smaller wish must hold before anything is scaled down."""

_BELOW: Final = "Current number of replicas below Spec.MinReplicas"
_ABOVE: Final = "Current number of replicas above Spec.MaxReplicas"
_METRIC: Final = "cpu resource utilization (percentage of request)"


class Autoscalers:
    """The controller of HorizontalPodAutoscalers."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def reconcile(self, found: Json) -> None:
        """One look at the target."""
        target = found["spec"]["scaleTargetRef"]
        namespace = found["metadata"]["namespace"]
        resource = next((one for one in self._site.storage.resources() if one.kind == target["kind"]), None)
        try:
            if resource is None:
                raise Permanent(f"no matches for kind {target['kind']}")
            scale = self._site.server.get(resource, namespace, target["name"], "scale")
        except (Missing, Permanent) as error:
            self._store(found, 0, 0, [("AbleToScale", "False", "FailedGetScale", str(error))], scaled=False)
            return
        current = scale["spec"].get("replicas", 0)
        if not current:
            said = "scaling is disabled since the replica count of the target is zero"
            self._store(found, 0, 0, [_able(), ("ScalingActive", "False", "ScalingDisabled", said)], scaled=False)
            return
        desired, why = self._desired(found, current)
        if desired != current:
            patch = {"spec": {"replicas": desired}}
            try:
                self._site.server.patch(
                    resource, namespace, target["name"], patch, "merge", CONTROLLER, subresource="scale"
                )
            except Changed:
                return
            said = f"New size: {desired}; reason: {why}"
            self._site.tell(found, "SuccessfulRescale", said, "horizontal-pod-autoscaler")
        active = ("ScalingActive", "True", "ValidMetricFound", f"the HPA was able to compute {_METRIC}")
        now = scale["status"]["replicas"]
        self._store(found, now, desired, [_able(), active, self._limited(found)], scaled=desired != current)
        self._look_again(found)

    def _desired(self, found: Json, current: int) -> tuple[int, str]:
        least, most = found["spec"]["minReplicas"], found["spec"]["maxReplicas"]
        if current > most:
            return most, _ABOVE
        if current < least:
            return least, _BELOW
        wish = self._wish(found)
        wanted = current if wish is None else max(least, min(most, wish))
        return wanted, f"{_METRIC} {'above' if wanted > current else 'below'} target"

    def _wish(self, found: Json) -> int | None:
        """The highest wish of the last five minutes."""
        series, now = self._series(found), self._site.clockwork.time
        before = [value for moment, value in series if moment <= now - _STABLE][-1:]
        lately = [value for moment, value in series if now - _STABLE < moment <= now]
        return max([*before, *lately], default=None)

    def _series(self, found: Json) -> Sequence[tuple[float, int]]:
        metadata = found["metadata"]
        return sorted(self._site.wants.get((metadata["namespace"], metadata["name"]), ()))

    def _look_again(self, found: Json) -> None:
        """Look when a wish comes, and when one is old enough."""
        now = self._site.clockwork.time
        due = [moment + late for moment, _ in self._series(found) for late in (0.0, _STABLE) if moment + late > now]
        if due:
            self._site.again(HPAS, found, min(due) - now)

    def _limited(self, found: Json) -> tuple[str, str, str, str]:
        wish, least, most = self._wish(found), found["spec"]["minReplicas"], found["spec"]["maxReplicas"]
        if wish is not None and wish < least:
            return "ScalingLimited", "True", "TooFewReplicas", "the desired replica count is less than the minimum"
        if wish is not None and wish > most:
            return "ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum"
        return "ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"

    def _store(
        self, found: Json, current: int, desired: int, told: Sequence[tuple[str, str, str, str]], *, scaled: bool
    ) -> None:
        now, before = self._site.clockwork.stamp(), found.get("status") or {}
        conditions = []
        for name, holds, reason, message in told:
            was = condition(found, name)
            since = was["lastTransitionTime"] if was is not None and was["status"] == holds else now
            one = {"type": name, "status": holds, "reason": reason, "message": message}
            conditions.append({**one, "lastTransitionTime": since})
        status: dict[str, Any] = {"currentMetrics": None, "desiredReplicas": desired, "conditions": conditions}
        if current:
            status["currentReplicas"] = current
        last = now if scaled else before.get("lastScaleTime")
        if last:
            status["lastScaleTime"] = last
        self._site.server.set_status(HPAS, found, status)


def _able() -> tuple[str, str, str, str]:
    return "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"
