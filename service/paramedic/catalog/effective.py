"""`paramedic check --effective`: everything of all files as one, in the order that counts, with what was left unsaid.

What comes out is YAML that the catalog reads again to the same effect; comments say which file each entry came from.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import yaml

from paramedic.catalog.defaults import Default, binds, defaults_for
from paramedic.catalog.documents import plain_scalar, read
from paramedic.catalog.entries import NOUNS, Item, gathered
from paramedic.catalog.faults import Faults
from paramedic.catalog.load import Loaded
from paramedic.catalog.models import PlaybookEntry
from paramedic.core.bundle import Playbook
from paramedic.plugin import Plugins

__all__ = ["effective"]

_REMARKS: Mapping[str, str] = {
    "sources": "what Alertmanagers there are; any other is the source default",
    "rules": "asked in this order; the first that matches counts",
    "services": "asked in this order; the first that matches counts",
}


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _Dumper(yaml.SafeDumper):
    """Writes text so that YAML 1.2, too, reads it as text, and writes everything out."""

    yaml_representers: ClassVar[dict[Any, Any]] = {**yaml.SafeDumper.yaml_representers, str: _text}

    def ignore_aliases(self, data: Any) -> bool:
        """No value is written as an alias of another."""
        return True


def effective(loaded: Loaded, plugins: Plugins) -> str:
    """The merged catalog as YAML. Only for texts without faults."""
    faults = Faults()
    documents = [document for name, text in loaded.files.items() for document in read(name, text, faults)]
    entries = gathered(documents, faults)
    books = loaded.bundle.playbooks if loaded.bundle is not None else {}
    parts = [_sheet(entries)] + [_playbook(item, books.get(item.name), plugins) for item in entries["playbook"]]
    return "---\n".join(part for part in parts if part)


def _sheet(entries: Mapping[str, list[Item]]) -> str:
    return "".join(line for key in NOUNS if entries[key] for line in _list(key, entries[key]))


def _list(key: str, items: list[Item]) -> Iterator[str]:
    remark = f"  # {_REMARKS[key]}" if key in _REMARKS else ""
    yield f"{key}:{remark}\n"
    for item in items:
        yield f"  # {item.at}\n"
        yield from ("  " + line for line in _yaml([item.node.value]).splitlines(keepends=True))


def _playbook(item: Item, playbook: Playbook | None, plugins: Plugins) -> str:
    said: dict[str, Any] = dict(item.node.value)
    unsaid: list[str] = []
    if "mode" not in said:
        said["mode"] = "shadow"
        unsaid.append("no mode is named, so it begins in shadow")
    guards = said.get("guards") or []
    binding = said.get("defaults") != "none" and playbook is not None and binds(playbook.steps, plugins)
    defaults = defaults_for({kind for guard in guards for kind in guard}, plugins, binding=binding)
    if defaults:
        said["guards"] = [*({default.kind: dict(default.params)} for default in defaults), *guards]
        unsaid += [_remark(default) for default in defaults]
    order = list(PlaybookEntry.model_fields)
    said = dict(sorted(said.items(), key=lambda pair: order.index(pair[0])))
    head = [f"# {item.at}\n", *(f"# {remark}\n" for remark in unsaid)]
    return "".join(head) + _yaml(said)


def _remark(default: Default) -> str:
    """`budget {max: 5, per: 1h} keeps …`: by default, and why."""
    given = ", ".join(f"{name}: {value}" for name, value in default.params.items())
    return f"{default.kind} {f'{{{given}}} by default: ' if given else ''}{default.why}"


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
