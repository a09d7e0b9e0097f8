"""Playbook documents → `core.bundle.Playbook`: parameters, target, guards, steps and their verification."""

from collections.abc import Iterable, Mapping
from typing import Any

from paramedic.catalog.cel import CelCondition, compile_condition
from paramedic.catalog.defaults import Default, binds, defaults_for
from paramedic.catalog.documents import Node
from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import CheckTerms, ParamEntry, PlaybookEntry, StepEntry
from paramedic.catalog.plugged import Surroundings, part, plugged, without
from paramedic.catalog.shapes import playbook_shape, target_shape
from paramedic.catalog.templates import Constant, TemplateFault, compile_tree
from paramedic.catalog.wording import validated
from paramedic.core.bundle import CheckSpec, GuardSpec, Param, Playbook, Recurrence, StepSpec, Template
from paramedic.core.matching import Matcher
from paramedic.core.words import Mode
from paramedic.errors import Fault
from paramedic.matchers import Regex
from paramedic.plugin import Plugin, Plugins, Resources

__all__ = ["PlaybookReader", "playbooks_of"]

CLUSTER = "kube"
_BESIDE_ACTION = frozenset(StepEntry.model_fields)
_BESIDE_CHECK = frozenset(CheckTerms.model_fields)
_FITS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def playbooks_of(
    items: Iterable[Item], plugins: Plugins, resources: Resources, faults: Faults
) -> tuple[dict[str, Playbook | None], tuple[tuple[Matcher, ...], ...]]:
    """The playbooks by name, None for those with a fault; and all that some guard of theirs watches for."""
    items = list(items)
    names = frozenset(item.name for item in items)
    found: dict[str, Playbook | None] = {}
    watched: dict[tuple[Matcher, ...], None] = {}
    for item in items:
        reader = PlaybookReader(item, plugins, resources, faults, names)
        found[item.name] = reader.playbook()
        watched.update(dict.fromkeys(reader.watched))
    return found, tuple(watched)


class PlaybookReader:
    """Reads one playbook. `watched` fills as guards are read."""

    def __init__(
        self, item: Item, plugins: Plugins, resources: Resources, faults: Faults, names: frozenset[str]
    ) -> None:
        self._item, self._plugins, self._resources, self._faults, self._names = item, plugins, resources, faults, names
        self._around = Surroundings(item.file, {}, resources, faults)
        self.watched: list[tuple[Matcher, ...]] = []

    def playbook(self) -> Playbook | None:
        """The playbook, or None after adding all that is wrong with it."""
        before = len(self._faults.found)
        entry = validated(self._item.file, self._item.node, PlaybookEntry, self._faults, "playbook")
        if entry is None:
            return None
        params = {name: self._param(name, param) for name, param in entry.params.items()}
        self._around = Surroundings(self._item.file, playbook_shape(params), self._resources, self._faults)
        target = self._target(entry, params)
        steps = self._steps()
        guards = self._guards(binding=entry.defaults != "none" and binds(steps, self._plugins))
        self._check_superseded(entry)
        on_cluster = any(part.on_target and CLUSTER in part.reads | part.writes for part in self._parts(guards, steps))
        if target is None or len(self._faults.found) > before:
            return None
        return Playbook(
            name=entry.playbook,
            description=entry.description,
            params=params,
            target=target,
            mode=Mode(entry.mode),
            guards=guards,
            steps=steps,
            on_failure=entry.on_failure,
            recurrence=Recurrence(entry.recurrence.max, entry.recurrence.within),
            supersedes=tuple(entry.supersedes),
            approval=entry.approval,
            on_cluster=on_cluster,
            at=self._item.at,
            team=entry.team or "",
            changed_by=entry.changed_by or "",
        )

    def _parts(self, guards: Iterable[GuardSpec], steps: Iterable[StepSpec]) -> Iterable[Plugin]:
        """The plug-ins behind what the playbook does."""
        yield from (self._plugins.guards[guard.kind] for guard in guards)
        for step in steps:
            yield self._plugins.actions[step.kind]
            yield from (self._plugins.checks[check.kind] for check in step.verify)

    def _wrong(self, path: list[str | int], what: str, right: str = "") -> None:
        self._faults.add(self._item.file, self._item.node.at(path), what, right)

    def _param(self, name: str, entry: ParamEntry) -> Param:
        regex = None
        if entry.pattern is not None:
            try:
                regex = Regex(entry.pattern)
            except Fault as fault:
                what = f"pattern {quoted(entry.pattern)} is not a regular expression: {fault.what}"
                self._wrong(["params", name, "pattern"], what, fault.right)
            if entry.type != "string":
                self._wrong(["params", name, "pattern"], f"a pattern is for text, and {name} is of type {entry.type}")
        if "default" in entry.model_fields_set:
            self._check_default(name, entry, regex)
        required = "default" not in entry.model_fields_set
        return Param(name, entry.type, entry.pattern or "", regex, entry.default, required)

    def _check_default(self, name: str, entry: ParamEntry, regex: Regex | None) -> None:
        path: list[str | int] = ["params", name, "default"]
        value = entry.default
        if not isinstance(value, _FITS[entry.type]) or (isinstance(value, bool) and entry.type != "boolean"):
            self._wrong(path, f"the default of {name} is not of its type", f"give a value of type {entry.type}")
        elif regex is not None and isinstance(value, str) and regex.search(value) is None:
            self._wrong(path, f"the default {quoted(value)} does not fit the pattern {quoted(regex.text)}")

    def _target(self, entry: PlaybookEntry, params: Mapping[str, Param]) -> Template | None:
        try:
            return compile_tree(entry.target, target_shape(params), {})
        except TemplateFault as fault:
            self._wrong(["target"], fault.what, fault.right)
            return None

    def _nodes(self, key: str) -> list[Node]:
        node = self._item.node.child([key])
        return list(node.children.values()) if node is not None else []

    def _guards(self, *, binding: bool) -> tuple[GuardSpec, ...]:
        """The guards as written, after those that go without saying."""
        specs = [spec for node in self._nodes("guards") if (spec := self._guard(node)) is not None]
        defaults = defaults_for({spec.kind for spec in specs}, self._plugins, binding=binding)
        return (*map(self._default, defaults), *specs)

    def _default(self, default: Default) -> GuardSpec:
        guard, params = self._plugins.guards[default.kind], dict(default.params)
        self.watched.extend(guard.watches(guard.Params.model_validate(params)))
        return GuardSpec(guard.name, Constant(params), not guard.reads, self._item.at, guard.asked)

    def _guard(self, node: Node) -> GuardSpec | None:
        named = part(self._around, node, self._plugins.guards, "guard")
        use = plugged(self._around, self._plugins.guards[named[0]], named[1]) if named is not None else None
        if use is None:
            return None
        self.watched.extend(use.plugin.watches(use.params))
        return GuardSpec(use.plugin.name, use.template, not use.plugin.reads, use.at, use.plugin.asked)

    def _steps(self) -> tuple[StepSpec, ...]:
        specs = [self._step(node) for node in self._nodes("steps")]
        return tuple(spec for spec in specs if spec is not None)

    def _step(self, node: Node) -> StepSpec | None:
        file = self._item.file
        if not isinstance(node.value, dict):
            self._faults.add(file, node.mark, "a step is one action with its parameters", "write for example http: {…}")
            return None
        for key in self._strange(node):
            right = did_you_mean(key, [*self._plugins.actions, *_BESIDE_ACTION])
            self._faults.add(file, node.key_at([key]), f"unknown action {quoted(key)}", right)
        actions = [key for key in node.value if key in self._plugins.actions]
        if len(actions) != 1:
            if not self._strange(node):
                what = f"a step is one action, and this has {len(actions) or 'none'}"
                self._faults.add(file, node.mark, what, f"actions: {', '.join(self._plugins.actions)}")
            return None
        beside = validated(file, without(node, frozenset(node.value) - _BESIDE_ACTION), StepEntry, self._faults, "step")
        use = plugged(self._around, self._plugins.actions[actions[0]], node.children[actions[0]])
        verify = [check for each in self._verify_nodes(node) if (check := self._check(each)) is not None]
        when = self._when(node, beside)
        if use is None or beside is None:
            return None
        action, params = use.plugin, use.params
        return StepSpec(
            kind=action.name,
            params=use.template,
            inline=not action.reads,
            mutates=action.mutates(params),
            once=action.once(params, self._resources),
            timeout=action.takes(params, self._resources),
            when=when,
            verify=tuple(verify),
            on_failure=beside.on_failure,
            at=f"{file}:{node.mark.line}",
        )

    def _strange(self, node: Node) -> list[str]:
        return [key for key in node.value if key not in self._plugins.actions and key not in _BESIDE_ACTION]

    @staticmethod
    def _verify_nodes(node: Node) -> Iterable[Node]:
        verify = node.child(["verify"])
        return verify.children.values() if verify is not None and isinstance(verify.value, list) else ()

    def _when(self, node: Node, beside: StepEntry | None) -> CelCondition | None:
        if beside is None or beside.when is None:
            return None
        try:
            return compile_condition(beside.when, self._around.shape)
        except Fault as fault:
            self._faults.add(self._item.file, node.at(["when"]), fault.what, fault.right)
            return None

    def _check(self, node: Node) -> CheckSpec | None:
        named = part(self._around, node, self._plugins.checks, "check")
        if named is None:
            return None
        check, params = self._plugins.checks[named[0]], named[1]
        given: Any = params.value if isinstance(params.value, dict) else {}
        own = without(params, frozenset(given) - _BESIDE_CHECK) if given else Node({}, params.mark, "", {}, {})
        terms = validated(self._item.file, own, CheckTerms, self._faults, check.name)
        use = plugged(self._around, check, without(params, _BESIDE_CHECK))
        if terms is None or use is None:
            return None
        if terms.every > terms.within:
            what = "the check would be asked only after its time is over"
            self._faults.add(self._item.file, own.at(["every"]), what, "`every` is at most `within`")
        return CheckSpec(check.name, use.template, not check.reads, terms.within, terms.every, use.at)

    def _check_superseded(self, entry: PlaybookEntry) -> None:
        for n, name in enumerate(entry.supersedes):
            if name not in self._names and not self._faults.torn:
                right = did_you_mean(name, self._names)
                self._wrong(["supersedes", n], f"there is no playbook {quoted(name)}", right)
