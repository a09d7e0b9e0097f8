"""People, pagers and rotas, and the policies that page them. `load` calls this before playbooks and rules."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import create_model

from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import PersonEntry, PolicyEntry, RotaEntry, Text
from paramedic.catalog.rota import rota_of
from paramedic.catalog.wording import Path, validated
from paramedic.core.bundle import AckTerms, Endpoint, Level, Person, Policy
from paramedic.core.entitled import APPROVERS, ROLES
from paramedic.plugin import Notifier

__all__ = ["approvers_of", "check_team", "people_of", "person_model", "policies_of"]

_ABOUT = frozenset(("name", "notifier", "roles", "teams"))


def person_model(notifiers: Mapping[str, Notifier]) -> type[PersonEntry]:
    """The shape of a person with the contacts that these notifiers need."""
    contacts = {each.contact for each in notifiers.values() if each.contact} - set(PersonEntry.model_fields)
    return _person_with(tuple(sorted(contacts)))


@lru_cache(maxsize=4)  # making it takes as long as reading a small catalog; contacts are the plug-ins', always the same
def _person_with(contacts: tuple[str, ...]) -> type[PersonEntry]:
    fields: dict[str, Any] = dict.fromkeys(contacts, (Text | None, None))
    return create_model("PersonEntry", __base__=PersonEntry, **fields)


def people_of(
    items: Iterable[Item], notifiers: Mapping[str, Notifier], endpoints: Mapping[str, Endpoint], faults: Faults
) -> dict[str, Person]:
    """Everybody who can be paged, by name. An entry with a fault stands in for itself, so that nobody is told that it
    does not exist.
    """
    items = list(items)
    model = person_model(notifiers)
    rotas = [item for item in items if isinstance(item.node.value, dict) and "rota" in item.node.value]
    persons = [item for item in items if item not in rotas]
    names = frozenset(item.name for item in persons if item.name)
    found: dict[str, Person] = {}
    for item in persons:
        entry = validated(item.file, item.node, model, faults, "person")
        found[item.name] = Person(item.name)
        if entry is not None:
            found[entry.name] = _person(item, entry, notifiers, endpoints, faults)
    for item in rotas:
        rota = validated(item.file, item.node, RotaEntry, faults, "rota")
        turns = rota_of(item, rota, names, faults) if rota is not None else None
        found[item.name] = Person(item.name, rota=turns)
    return found


def _person(
    item: Item,
    entry: PersonEntry,
    notifiers: Mapping[str, Notifier],
    endpoints: Mapping[str, Endpoint],
    faults: Faults,
) -> Person:
    contacts = {key: value for key, value in entry.model_dump().items() if key not in _ABOUT and value is not None}
    by = {each.contact: name for name, each in notifiers.items() if each.contact}
    if entry.notifier is None:
        paged_by = next((by[key] for key in item.node.value if key in by), "log")
    else:
        paged_by = entry.notifier
        _check_notifier(item, paged_by, contacts, notifiers, faults)
    _check_webhook(item, contacts, endpoints, faults)
    _check_teams(item, entry, faults)
    return Person(entry.name, paged_by, contacts, tuple(entry.roles), tuple(entry.teams))


def approvers_of(people: Mapping[str, Person]) -> dict[str, frozenset[str]]:
    """Who may approve, by each name that means them: of a person, a role or a team."""
    found: dict[str, set[str]] = {}
    for person in people.values():
        if not APPROVERS.isdisjoint(person.roles):
            for name in (person.name, *person.roles, *person.teams):
                found.setdefault(name, set()).add(person.name)
    return {name: frozenset(persons) for name, persons in found.items()}


def _check_notifier(
    item: Item, name: str, contacts: Mapping[str, str], notifiers: Mapping[str, Notifier], faults: Faults
) -> None:
    mark = item.node.at(["notifier"])
    if name not in notifiers:
        faults.add(item.file, mark, f"unknown notifier {quoted(name)}", did_you_mean(name, notifiers))
    elif notifiers[name].needs_contact and notifiers[name].contact and notifiers[name].contact not in contacts:
        contact = notifiers[name].contact
        faults.add(item.file, mark, f'the notifier "{name}" needs a contact', f"add {contact}:")


def _check_webhook(item: Item, contacts: Mapping[str, str], endpoints: Mapping[str, Endpoint], faults: Faults) -> None:
    """The contact `webhook` names an endpoint, so that its address and token stand in one place."""
    name = contacts.get("webhook")
    if name is not None and name not in endpoints and not faults.torn:
        right = did_you_mean(name, endpoints)
        faults.add(item.file, item.node.at(["webhook"]), f"there is no endpoint {quoted(name)}", right)


def _check_teams(item: Item, entry: PersonEntry, faults: Faults) -> None:
    """A team named like a role would make its people count for what the role is asked for."""
    for n, team in enumerate(entry.teams):
        if team in ROLES:
            what = f'a team cannot have the name of a role, and "{team}" is one'
            faults.add(item.file, item.node.at(["teams", n]), what, "give the team a name of its own")


def check_team(items: Iterable[Item], people: Mapping[str, Person], faults: Faults) -> None:
    """The `team` of each rule or playbook has somebody in it."""
    teams = frozenset(team for person in people.values() for team in person.teams)
    for item in items:
        team = item.node.value.get("team") if isinstance(item.node.value, dict) else None
        if isinstance(team, str) and team not in teams and not faults.torn:
            what = f"nobody is of the team {quoted(team)}, so nobody could act"
            faults.add(item.file, item.node.at(["team"]), what, did_you_mean(team, teams))


def policies_of(items: Iterable[Item], people: frozenset[str], faults: Faults) -> dict[str, Policy]:
    """The escalation policies by name. `people` are the names that may be paged."""
    found: dict[str, Policy] = {}
    for item in items:
        entry = validated(item.file, item.node, PolicyEntry, faults, "policy")
        found[item.name] = Policy(item.name, ())
        if entry is None:
            continue
        for n, level in enumerate(entry.levels):
            for key, names in (("page", level.page), ("second", level.second)):
                for position, name in enumerate(names):
                    _check_person(item, ("levels", n, key, position), name, people, faults)
            if n and level.after <= entry.levels[n - 1].after:
                mark = item.node.at(["levels", n, "after"])
                faults.add(item.file, mark, f"level {n + 1} is not after level {n}", "give it a longer `after`")
        levels = tuple(Level(level.after, tuple(level.page), tuple(level.second)) for level in entry.levels)
        ack = AckTerms(entry.ack.for_, entry.ack.remind)
        found[entry.name] = Policy(entry.name, levels, entry.respond, entry.climbs, ack, item.at)
    return found


def _check_person(item: Item, path: Path, name: str, people: frozenset[str], faults: Faults) -> None:
    if name not in people and not faults.torn:
        right = did_you_mean(name, people)
        faults.add(item.file, item.node.at(path), f"there is nobody called {quoted(name)} to page", right)
