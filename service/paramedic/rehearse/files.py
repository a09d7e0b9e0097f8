"""Rehearsal files: which there are, and one text → its rehearsals and the bundle they are about. `run` calls this.

A file holds rehearsals as documents. Documents that are none (rules, people, a playbook…) make the bundle for all of
them; without any it is the bundle of the folders beside the file. Every fault is told with its place, as by `check`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paramedic.catalog.documents import Document, Node, read
from paramedic.catalog.faults import Faults, Located
from paramedic.catalog.load import Loaded, load_files
from paramedic.catalog.wording import validated
from paramedic.core.bundle import Bundle
from paramedic.errors import Fault
from paramedic.plugin import Plugins
from paramedic.rehearse.expectations import Expected, Forbidden, Part
from paramedic.rehearse.names import check_names
from paramedic.rehearse.script import FAULTS, HAPPENINGS, Outline, Script

__all__ = ["Rehearsal", "RehearsalFile", "find_files", "read_rehearsals", "rehearsal_schema"]

_ENDINGS = (".test.yaml", ".test.yml")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One rehearsal: what it says, the bundle it is about, where it stands, and its expectations' lines by section."""

    script: Script
    bundle: Bundle
    file: str
    line: int
    lines: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class RehearsalFile:
    """A file: its rehearsals, or what is wrong with it or with the rules that it is about."""

    rehearsals: tuple[Rehearsal, ...]
    faults: tuple[Located, ...]


def find_files(named: Iterable[Path]) -> list[Path]:
    """The rehearsal files among files and folders, sorted, each once. Raises `Fault` for what does not exist."""
    found: dict[Path, None] = {}
    for path in named:
        if path.is_dir():
            parts = sorted(one for one in path.rglob("*") if one.name.endswith(_ENDINGS) and one.is_file())
            found.update((one, None) for one in parts if not _hidden(one.relative_to(path)))
        elif path.exists():
            found[path] = None
        else:
            raise Fault(str(path), "there is no such file or folder", "name a file NAME.test.yaml, or a folder of them")
    return list(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_rehearsals(name: str, text: str, plugins: Plugins, beside: Callable[[], Loaded]) -> RehearsalFile:
    """The rehearsals in `text`. `beside` loads the folders that a file without rules of its own is about."""
    faults = Faults()
    documents = read(name, text, faults)
    plays = [document for document in documents if _is_rehearsal(document)]
    if faults.found or not plays:
        if not faults.found:
            faults.add(name, None, "there is no rehearsal in it", 'begin one with "rehearsal: what it shows"')
        return RehearsalFile((), faults.sorted())
    loaded = load_files({name: _without(text, plays)}, plugins) if len(plays) < len(documents) else beside()
    found = []
    for play in plays:
        script = _script(play, faults)
        if script is not None and loaded.bundle is not None:
            check_names(script, play, loaded.bundle, plugins, faults)
            lines = {key: _lines(play.root.child([key])) for key in ("then", "never")}
            found.append(Rehearsal(script, loaded.bundle, name, play.root.mark.line, lines))
    wrong = (*loaded.faults, *faults.sorted())
    return RehearsalFile(() if wrong else tuple(found), wrong)


def _is_rehearsal(document: Document) -> bool:
    return isinstance(document.root.value, dict) and "rehearsal" in document.root.value


def _without(text: str, plays: Sequence[Document]) -> str:
    """The text with the rehearsals' lines empty, so that what is left stands where it stood."""
    lines = text.split("\n")
    for play in plays:
        first = play.root.mark.line - 1
        last = next((n for n in range(first + 1, len(lines)) if _ends(lines[n])), len(lines))
        lines[first:last] = ["---" if _ends(line) else "" for line in lines[first:last]]
    return "\n".join(lines)


def _ends(line: str) -> bool:
    """Whether a line ends a document: nothing inside one can begin like that."""
    return line[:3] in ("---", "...") and line[3:4] in ("", " ", "\t", "\r")


def _script(document: Document, faults: Faults) -> Script | None:
    before = len(faults.found)
    outline = validated(document.file, document.root, Outline, faults, "rehearsal")
    read_by: dict[str, Callable[[Node], type[Part] | None]] = {
        "when": _chosen(HAPPENINGS, "happens", document.file, faults),
        "faults": _chosen(FAULTS, "fails", document.file, faults),
        "then": lambda _: Expected,
        "never": lambda _: Forbidden,
    }
    items: dict[str, tuple[Any, ...]] = {}
    for key, model_of in read_by.items():
        node = document.root.child([key])
        parts = [_item(one, model_of, document.file, faults) for one in _items(node)]
        items[key] = tuple(part for part in parts if part is not None)
    if outline is None or len(faults.found) > before:
        return None
    return Script(rehearsal=outline.rehearsal, world=outline.world, clock=outline.clock, **items)


def _items(node: Node | None) -> list[Node]:
    return list(node.children.values()) if node is not None and isinstance(node.value, list) else []


def _lines(node: Node | None) -> tuple[int, ...]:
    return tuple(one.mark.line for one in _items(node))


def _item(node: Node, model_of: Callable[[Node], type[Part] | None], file: str, faults: Faults) -> Part | None:
    model = model_of(node)
    return validated(file, node, model, faults, "item") if model is not None else None


def _chosen(
    models: Mapping[str, type[Part]], what: str, file: str, faults: Faults
) -> Callable[[Node], type[Part] | None]:
    """What an item is, by the one key that says so; a fault where none does."""

    def choose(node: Node) -> type[Part] | None:
        for key, model in models.items():
            if key in node.children:
                return model
        faults.add(file, node.mark, f"this names nothing that {what}", f"one of {', '.join(models)}")
        return None

    return choose


def rehearsal_schema() -> dict[str, Any]:
    """The JSON Schema of one rehearsal, for editors."""
    schema = Script.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Rehearsal"}
