"""What `paramedic check` prints, and SARIF for whoever shows faults beside the code."""

from collections.abc import Iterable
from typing import Any

from paramedic.catalog.faults import Located
from paramedic.catalog.load import Loaded
from paramedic.core.bundle import Bundle

__all__ = ["fault_lines", "sarif", "summary"]


def fault_lines(loaded: Loaded) -> list[str]:
    """One line a fault: `file:line:col: what is wrong; what would be right`."""
    return [str(fault) for fault in loaded.faults]


def summary(loaded: Loaded) -> str:
    """The last line: how much there is, how much is wrong."""
    files = len(loaded.files)
    if loaded.bundle is not None:
        return f"{_many(files, 'file')}, {_contents(loaded.bundle)}: no faults; bundle {loaded.bundle.hash[:6]}"
    places = {fault.file for fault in loaded.faults}
    where = f" in {len(places)} of {_many(files, 'file')}" if places <= set(loaded.files) else ""
    return f"{_many(len(loaded.faults), 'fault')}{where}; a running service keeps its last good bundle"


def _contents(bundle: Bundle) -> str:
    parts = [_many(len(bundle.rules), "rule"), _many(len(bundle.playbooks), "playbook")]
    if bundle.people:
        parts.append(_many(len(bundle.people), "person", "people"))
    return ", ".join(parts)


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def sarif(faults: Iterable[Located], version: str) -> dict[str, Any]:
    """The faults as one run in SARIF 2.1.0."""
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "paramedic check",
                        "version": version,
                        "rules": [{"id": "catalog", "shortDescription": {"text": "rules and playbooks are right"}}],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(fault) for fault in faults],
            }
        ],
    }


def _result(fault: Located) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": fault.file}}
    if fault.line:
        place["region"] = {"startLine": fault.line, "startColumn": fault.column}
    text = fault.what + (f"; {fault.right}" if fault.right else "")
    return {
        "ruleId": "catalog",
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
