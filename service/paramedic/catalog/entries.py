"""Documents become entries by kind: a rule, a person, a playbook… `load` gathers them; a module for each kind reads on.

Which keys a file may hold, and that names are unique, is decided here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from paramedic.catalog.documents import Document, Node
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.errors import Fault

__all__ = ["NOUNS", "Item", "gathered"]

T = TypeVar("T")

NOUNS: Mapping[str, str] = {
    "sources": "source",
    "rules": "rule",
    "services": "service",
    "people": "person",
    "escalation": "policy",
    "communication": "plan",
    "windows": "window",
    "endpoints": "endpoint",
}
"""The keys of a file of rules, and what one entry of each is called. A document with `playbook` is a playbook."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry as written, with its file. `name` is empty where it has none that is text."""

    file: str
    node: Node
    name: str

    @property
    def at(self) -> str:
        """Its file and line, as people are shown it."""
        return f"{self.file}:{self.node.mark.line}"

    def parsed(self, key: str, parse: Callable[[str], T], faults: Faults, otherwise: str = "") -> T | None:
        """The text at `key` (or `otherwise`) through `parse`; None after adding its fault."""
        child = self.node.child([key])
        try:
            return parse(str(child.value) if child is not None else otherwise)
        except Fault as fault:
            faults.add(self.file, self.node.at([key]), f"{key}: {fault.what}", fault.right)
            return None


def gathered(documents: Iterable[Document], faults: Faults) -> Mapping[str, list[Item]]:
    """All entries by their key (`rules`, …; `playbook`), in the order in which they are written."""
    found: dict[str, list[Item]] = {key: [] for key in (*NOUNS, "playbook")}
    for document in documents:
        if not isinstance(document.root.value, dict):
            what = "a file holds keys, such as rules: or playbook:"
            faults.add(document.file, document.root.mark, what, f"keys: {', '.join(NOUNS)}, playbook")
        elif "playbook" in document.root.value:
            found["playbook"].append(Item(document.file, document.root, _name(document.root, "playbook")))
        else:
            _sheet(document, found, faults)
    for key, noun in {**NOUNS, "playbook": "playbook"}.items():
        found[key] = _unique(found[key], noun, faults)
    return found


def _sheet(document: Document, found: Mapping[str, list[Item]], faults: Faults) -> None:
    """The entries of a document that is no playbook."""
    for key, node in document.root.children.items():
        if key not in NOUNS:
            at = document.root.key_at([key])
            faults.add(document.file, at, f"unknown key {quoted(key)}", _meant(str(key), document.root.value))
        elif not isinstance(node.value, list):
            if node.value is not None:
                faults.add(document.file, node.mark, f"{key} must be a list", f"begin each {NOUNS[str(key)]} with -")
        else:
            found[str(key)].extend(Item(document.file, entry, _name(entry, "name")) for entry in node.children.values())


def _meant(key: str, others: Mapping[str, Any]) -> str:
    if key == "rehearsal":
        return "a rehearsal stands in a file NAME.test.yaml"
    if {"target", "steps"} & set(others):
        return did_you_mean(key, ["playbook"], 'a playbook begins with "playbook: NAME"')
    return did_you_mean(key, [*NOUNS, "playbook"], f"keys: {', '.join(NOUNS)}, playbook")


def _name(node: Node, key: str) -> str:
    name = node.value.get(key) if isinstance(node.value, dict) else None
    return name if isinstance(name, str) else ""


def _unique(items: list[Item], noun: str, faults: Faults) -> list[Item]:
    """The items without those that take a name a second time."""
    kept: dict[str, Item] = {}
    unique: list[Item] = []
    for item in items:
        first = kept.setdefault(item.name, item) if item.name else item
        if first is item:
            unique.append(item)
            continue
        key = "playbook" if noun == "playbook" else "name"
        what = f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} {quoted(item.name)} is there already, at {first.at}"
        faults.add(item.file, item.node.at([key]), what, "choose another name")
    return unique
