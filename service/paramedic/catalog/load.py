"""From texts to a bundle: the catalog's one way in. `app`, the rehearsal, the commands and `watch` call this.

    texts → documents → entries → endpoints, windows, people, policies → playbooks → services, plans, rules → bundle

Nothing is raised for what people wrote: all faults of all files come back together, and a bundle only without any.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import msgspec

from paramedic.catalog.communication import plans_of
from paramedic.catalog.crosscheck import unreachable
from paramedic.catalog.documents import read
from paramedic.catalog.entries import Item, gathered
from paramedic.catalog.faults import Faults, Located
from paramedic.catalog.files import NO_FOLDER, read_folders
from paramedic.catalog.people import approvers_of, check_team, people_of, policies_of
from paramedic.catalog.playbooks import playbooks_of
from paramedic.catalog.rules import depended_on, endpoints_of, rules_of, services_of, sources_of
from paramedic.catalog.windows import windows_of
from paramedic.core.bundle import Bundle, Rule
from paramedic.core.matching import RuleIndex
from paramedic.errors import Fault
from paramedic.plugin import Plugins, Resources

__all__ = ["Loaded", "bundle_body", "bundle_hash", "load", "load_body", "load_files", "load_folders"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading came to: a bundle or faults, never both; the texts it was made of, by file."""

    bundle: Bundle | None
    faults: tuple[Located, ...]
    files: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The texts as one value: what is stored under the bundle's hash."""
        return bundle_body(self.files)


def load(rules: Path, playbooks: Path, plugins: Plugins) -> Loaded:
    """Load the two folders of a service. Blocks while it reads.

    Playbooks may stand among the rules, so their folder may be missing; that is said only where something is wrong.
    """
    faults = Faults()
    files = read_folders([rules, playbooks] if playbooks.exists() else [rules], faults)
    loaded = _loaded(files, plugins, faults)
    if loaded.faults and not playbooks.exists():
        faults.add(str(playbooks), None, *NO_FOLDER)
        loaded = replace(loaded, faults=faults.sorted())
    return loaded


def load_folders(folders: Sequence[Path], plugins: Plugins) -> Loaded:
    """Load any folders and files together, as `paramedic check DIR…` does; files are named as their folders are."""
    faults = Faults()
    files = read_folders(folders, faults, as_given=True)
    return _loaded(files, plugins, faults)


def load_files(files: Mapping[str, str], plugins: Plugins) -> Loaded:
    """Load texts by their names."""
    return _loaded(files, plugins, Faults())


def load_body(body: bytes, plugins: Plugins) -> Bundle:
    """The bundle whose texts were stored as `body`. Raises `Fault` when it is none, or today's plug-ins refuse it."""
    try:
        files = msgspec.json.decode(body, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Fault("bundle", "the stored texts cannot be read") from error
    loaded = load_files(files, plugins)
    if loaded.bundle is None:
        raise loaded.faults[0]
    return loaded.bundle


def bundle_body(files: Mapping[str, str]) -> bytes:
    """The texts as one value, the same for the same texts."""
    return msgspec.json.encode(dict(sorted(files.items())))


def bundle_hash(files: Mapping[str, str]) -> str:
    """The address of the bundle that these texts make: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(bundle_body(files)).hexdigest()


def _loaded(files: Mapping[str, str], plugins: Plugins, faults: Faults) -> Loaded:
    documents = [document for name in sorted(files) for document in read(name, files[name], faults)]
    bundle = _built(gathered(documents, faults), files, plugins, faults)
    return Loaded(bundle, faults.sorted(), MappingProxyType(dict(sorted(files.items()))))


def _built(
    entries: Mapping[str, list[Item]], files: Mapping[str, str], plugins: Plugins, faults: Faults
) -> Bundle | None:
    """Everything out of entries, in the order of who names whom; what it comes to counts only without faults."""
    sources = sources_of(entries["sources"], faults)
    endpoints = endpoints_of(entries["endpoints"], faults)
    windows = windows_of(entries["windows"], faults)
    people = people_of(entries["people"], plugins.notifiers, endpoints, faults)
    policies = policies_of(entries["escalation"], frozenset(people), faults)
    resources = Resources(endpoints, windows, frozenset(people), approvers_of(people))
    playbooks, watched = playbooks_of(entries["playbook"], plugins, resources, faults)
    services = services_of(entries["services"], faults)
    plans = plans_of(entries["communication"], plugins.notifiers, faults)
    rules = rules_of(entries["rules"], playbooks, policies, plans, services, faults)
    check_team([*entries["rules"], *entries["playbook"]], people, faults)
    _check_reach(rules, entries["rules"], faults)
    if faults.found:
        return None
    return Bundle(
        hash=bundle_hash(files),
        rules=RuleIndex(rules),
        sources=MappingProxyType(sources),
        services=services,
        playbooks=MappingProxyType({name: book for name, book in playbooks.items() if book is not None}),
        people=MappingProxyType(people),
        policies=MappingProxyType(policies),
        windows=MappingProxyType(windows),
        endpoints=MappingProxyType(endpoints),
        watched=(*watched, *depended_on(services)),
        communication=MappingProxyType(plans),
    )


def _check_reach(rules: Sequence[Rule], items: Sequence[Item], faults: Faults) -> None:
    """Rules that can never match; not asked while some rule could not be read."""
    if len(rules) < len(items):
        return
    by_name = {item.name: item for item in items}
    for one in unreachable(rules):
        item = by_name[one.rule.name]
        if one.taken_by is None:
            what, right = "its matchers contradict each other", "remove one of them"
        else:
            what = f'rule "{one.taken_by.name}" ({one.taken_by.at}) takes every alert first'
            right = "write it before that rule, or remove it"
        faults.add(item.file, item.node.mark, f'rule "{one.rule.name}" can never match: {what}', right)
