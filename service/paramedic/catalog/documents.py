"""One YAML text → its documents: plain values, each with the line and column of it and of its keys.

`load` reads every file through here, the rehearsal its own files; nothing else in the package touches YAML. The parser
is libyaml's; scalars mean what YAML 1.2's core schema says, so `on`, `off` and `no` are text and 1:30 is no number.
A text is bounded in size, depth and nodes, aliases counted as what they stand for; keys are text and stand once.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events as happen

from paramedic.catalog.faults import Faults, Mark
from paramedic.catalog.syntax import syntax_fault

__all__ = ["DEEPEST", "LARGEST", "MOST_ALIASED", "MOST_NODES", "Document", "Node", "plain_scalar", "read"]

LARGEST = 1024 * 1024  # characters a file
MOST_NODES = 200_000  # values a file
MOST_ALIASED = 10_000  # values a file that come from aliases
DEEPEST = 32  # a value inside a value inside a value…

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(slots=True)
class Node:
    """A value with its place. `raw` is a scalar as written; `keys` and `children` are those of a mapping or list."""

    value: Any
    mark: Mark
    raw: str
    keys: dict[str, Mark]
    children: dict[str | int, "Node"]
    size: int = 1

    def at(self, path: Sequence[str | int]) -> Mark:
        """Where the value at `path` stands; as far down the path as there is something."""
        node = self
        for step in path:
            child = node.children.get(step)
            if child is None:
                break
            node = child
        return node.mark

    def key_at(self, path: Sequence[str | int]) -> Mark:
        """Where the key stands that `path` ends in; the value where it ends in none."""
        node = self.child(path[:-1])
        if node is None or not path or not isinstance(path[-1], str):
            return self.at(path)
        return node.keys.get(path[-1], node.mark)

    def child(self, path: Sequence[str | int]) -> "Node | None":
        """The node at `path`, if there is one."""
        node: Node | None = self
        for step in path:
            node = node.children.get(step) if node is not None else None
        return node


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file."""

    file: str
    root: Node


class _Torn(Exception):
    """The text cannot be read any further: the place, what is wrong, what would be right."""

    def __init__(self, mark: Mark, what: str, right: str = "") -> None:
        super().__init__(what)
        self.mark, self.what, self.right = mark, what, right


def read(file: str, text: str, faults: Faults) -> list[Document]:
    """The documents of `text` that could be read, empty ones left out; what is wrong with it goes into `faults`."""
    found: list[Document] = []
    try:
        reader = _Reader(file, _checked(text.removeprefix("\ufeff")), faults)
        while (root := reader.document()) is not None:
            if root.value is not None:
                found.append(Document(file, root))
    except _Torn as torn:
        faults.torn = True
        faults.add(file, torn.mark, torn.what, torn.right)
    return found


def _checked(text: str) -> str:
    if len(text) > LARGEST:
        raise _Torn(Mark(1, 1), f"the file has {len(text)} characters", f"at most {LARGEST}; make several files")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Torn(_mark_of(text, error.start), "a character is half of a surrogate pair", "remove it") from error
    return text


def _mark_of(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, position - before.rfind("\n"))


class _Reader:
    """libyaml's events, folded into nodes. The recursion is ours and bounded, so that no nesting can exhaust it."""

    def __init__(self, file: str, text: str, faults: Faults) -> None:
        self._file = file
        self._text = text
        self._faults = faults
        self._events = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self._nodes = 0
        self._aliased = 0
        self._anchors: dict[str, Node | None] = {}
        self._last = Mark(1, 1)

    def _wrong(self, mark: Mark, what: str, right: str) -> None:
        """Something is wrong that reading can go on after."""
        self._faults.spoil(self._file, mark, what, right)

    def _next(self) -> Any:
        try:
            event = next(self._events, None)
        except yaml.YAMLError as error:
            line, column, what, right = syntax_fault(error, self._text, self._last)
            raise _Torn(Mark(line, column), what, right) from error
        if event is not None and event.start_mark is not None:
            self._last = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        return event

    def document(self) -> Node | None:
        """The next document; None at the end."""
        event = self._next()
        while event is not None and not isinstance(event, happen.DocumentStartEvent):
            event = self._next()
        if event is None:
            return None
        self._anchors = {}
        return self._node(self._next(), 1)

    def _node(self, event: Any, depth: int) -> Node:
        mark = self._last
        if isinstance(event, happen.AliasEvent):
            return self._alias(str(event.anchor), mark)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _Torn(mark, f"the file has more than {MOST_NODES} values", "make several files")
        if depth > DEEPEST:
            raise _Torn(mark, f"this is nested more than {DEEPEST} deep", "say it with fewer levels")
        if event.tag is not None and event.tag != "!":
            self._wrong(mark, f"the tag {_tag(event.tag)} means nothing here", "write the value without a tag")
        if event.anchor:
            self._anchors[event.anchor] = None  # open: it cannot stand inside itself
        node = self._filled(event, mark, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _filled(self, event: Any, mark: Mark, depth: int) -> Node:
        if isinstance(event, happen.MappingStartEvent):
            return self._mapping(mark, depth)
        if isinstance(event, happen.SequenceStartEvent):
            return self._sequence(mark, depth)
        plain = event.implicit[0] and not event.style
        return Node(self._scalar(event.value, mark) if plain else event.value, mark, event.value, {}, {})

    def _alias(self, anchor: str, mark: Mark) -> Node:
        if anchor not in self._anchors:
            raise _Torn(mark, f"there is no anchor &{anchor} before this", f"write &{anchor} at what it stands for")
        node = self._anchors[anchor]
        if node is None:
            raise _Torn(mark, f"the anchor &{anchor} contains itself", "write the value out")
        self._aliased += node.size
        if self._aliased > MOST_ALIASED:
            what = f"the aliases of this file stand for more than {MOST_ALIASED} values"
            raise _Torn(mark, what, "write the values out, or use fewer of them")
        return node

    def _mapping(self, mark: Mark, depth: int) -> Node:
        node = Node({}, mark, "", {}, {})
        while not isinstance(event := self._next(), happen.MappingEndEvent):
            at = self._last
            key = self._key(event, at, depth)
            child = self._node(self._next(), depth + 1)
            node.size += child.size
            if key in node.keys:
                what = f'the key "{key}" stands twice; the first is in line {node.keys[key].line}'
                self._wrong(at, what, "keep one of them")
                continue
            node.keys[key] = at
            node.children[key] = child
            node.value[key] = child.value
        return node

    def _key(self, event: Any, mark: Mark, depth: int) -> str:
        key = self._node(event, depth + 1)
        if key.value == "<<":
            self._wrong(mark, 'the key "<<" merges nothing here', "write the keys out")
        if isinstance(key.value, str):
            return key.value
        if key.children or not key.raw:
            self._wrong(mark, "a key must be text", 'write "key: value"')
            return f"?{mark.line}:{mark.column}"
        self._wrong(mark, f"a key must be text, and {key.raw} is not", f'quote it: "{key.raw}"')
        return key.raw

    def _sequence(self, mark: Mark, depth: int) -> Node:
        node = Node([], mark, "", {}, {})
        while not isinstance(event := self._next(), happen.SequenceEndEvent):
            child = self._node(event, depth + 1)
            node.children[len(node.value)] = child
            node.value.append(child.value)
            node.size += child.size
        return node

    def _scalar(self, text: str, mark: Mark) -> Any:
        value = plain_scalar(text)
        if isinstance(value, int | float) and not -(2**63) <= value < 2**63:
            self._wrong(mark, f"{text[:30]} is not a number that anything here can use", "quote it if it is a name")
            return text
        return value


def plain_scalar(text: str) -> Any:
    """What a plain scalar means in YAML 1.2's core schema; a number that is too large, or none, is infinite."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.inf if _NO_NUMBER.fullmatch(text) else text


def _integer(text: str) -> int | float:
    if len(text) > 30:
        return math.inf
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _tag(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml.org,2002:") else tag[:40]
