"""Whether a namespace's quotas have room for more pods of a workload, in the API's own amounts. `scale` asks.

A quota that is full would not fail the write: the workload would ask for pods that are never made.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.core.text import one_line
from paramedic.errors import Refused

__all__ = ["amount", "no_headroom", "say_amount"]

_WRITTEN: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,9})?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?", re.ASCII)
_SMALL: Final = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_LARGE: Final = "kMGTPE"
_BINARY: Final = "KMGTPE"
_SAME: Final[Mapping[str, str]] = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def no_headroom(workload: Json, more: int, quotas: Iterable[Json]) -> str:
    """Why the quotas leave no room for so many more pods of this workload; empty if they do.

    Quotas of some pods only (`scopes`) are left out. Raises `Refused` for an amount that cannot be read.
    """
    needed = {name: each * more for name, each in _of_one_pod(workload).items()}
    for quota in quotas:
        spec, status = quota.get("spec") or {}, quota.get("status") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue
        used = status.get("used") or {}
        for name, hard in (status.get("hard") or spec.get("hard") or {}).items():
            wanted = needed.get(_SAME.get(name, name))
            if wanted and wanted > (left := amount(hard) - amount(used.get(name, 0))):
                pods = f"{more} more pod{'' if more == 1 else 's'}"
                quota_name = one_line(str(quota["metadata"]["name"]), 80)
                room = f"{say_amount(max(left, Decimal(0)))} of {one_line(str(name), 60)} left"
                return f"the quota {quota_name} has {room}, and {pods} would need {say_amount(wanted)}"
    return ""


def amount(text: object) -> Decimal:
    """An amount such as `500`, `100m` or `2Gi` as a number. Raises `Refused` for what is none."""
    found = _WRITTEN.fullmatch(str(text))
    if found is None:
        raise Refused(f"{one_line(str(text), 40)!a} is not an amount, so that nobody can say what room there is")
    unit = found[2] or ""
    if unit in _SMALL:
        return Decimal(found[1]) * _SMALL[unit]
    if unit.endswith("i"):
        return Decimal(found[1]) * Decimal(1024) ** (_BINARY.index(unit[0]) + 1)
    return Decimal(found[1]) * (Decimal(1000) ** (_LARGE.index(unit) + 1) if unit else 1)


def say_amount(number: Decimal) -> str:
    """A number as an amount that people read."""
    if number != number.to_integral_value():
        return f"{int(number * 1000)}m"
    for power, unit in ((3, "Gi"), (2, "Mi")):
        if number >= 1024**power and number % 1024**power == 0:
            return f"{int(number / 1024**power)}{unit}"
    return str(int(number))


def _of_one_pod(workload: Json) -> dict[str, Decimal]:
    """What one more pod counts against quotas: itself, what its containers request, and its volumes."""
    spec = workload["spec"]["template"].get("spec") or {}
    running = [_asked(one) for one in spec.get("containers") or ()]
    starting = [_asked(one) for one in spec.get("initContainers") or ()]
    names = {name for one in (*running, *starting) for name in one}
    total = {
        name: max(
            sum((one.get(name, Decimal(0)) for one in running), Decimal(0)),
            *(one.get(name, Decimal(0)) for one in starting),
            Decimal(0),
        )
        for name in names
    }
    total["pods"] = Decimal(1)
    claims = workload["spec"].get("volumeClaimTemplates") or ()
    if claims:
        total["persistentvolumeclaims"] = Decimal(len(claims))
        total["requests.storage"] = sum((_storage(one) for one in claims), Decimal(0))
    return total


def _asked(container: Mapping[str, Any]) -> dict[str, Decimal]:
    """A container's requests and limits as quotas name them; what has a limit and no request requests the limit."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    requests = {**limits, **(resources.get("requests") or {})}
    return {f"requests.{name}": amount(value) for name, value in requests.items()} | {
        f"limits.{name}": amount(value) for name, value in limits.items()
    }


def _storage(claim: Mapping[str, Any]) -> Decimal:
    resources = (claim.get("spec") or {}).get("resources") or {}
    return amount((resources.get("requests") or {}).get("storage", 0))
