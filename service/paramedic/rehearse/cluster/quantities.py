"""Amounts of cpu, memory and things, as Kubernetes writes them: `100m`, `256Gi`. Quotas and nodes count by them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from paramedic.cluster.port import Json
from paramedic.errors import Permanent

__all__ = ["amount", "asked_by", "say_amount"]

_WRITTEN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?", re.ASCII)
_UNITS: Final[Mapping[str, Decimal]] = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def amount(text: str | int) -> Decimal:
    """An amount as a number. Raises `Permanent` for what is none."""
    found = _WRITTEN.fullmatch(str(text))
    if found is None:
        raise Permanent(f"{str(text)[:40]!a} is not an amount; write for example 500, 100m or 2Gi")
    return Decimal(found[1]) * _UNITS.get(found[2] or "", Decimal(1))


def say_amount(number: Decimal) -> str:
    """A number as an amount."""
    whole = number.to_integral_value()
    return str(whole) if whole == number else f"{int(number * 1000)}m"


def asked_by(pod: Json) -> dict[str, Decimal]:
    """What a pod asks of its node and counts against a quota: `cpu`, `memory` (requests) and `pods`."""
    total = {"pods": Decimal(1)}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        for name, value in ((resources.get("limits") or {}) | (resources.get("requests") or {})).items():
            total[name] = total.get(name, Decimal(0)) + amount(value)
    return total
