"""Who may act: teams of rules and playbooks, and whose approval counts for what. Pure; `acts` asks before each act.

The role that an act needs has been looked at when the person was let in; this is what depends on the incident.
"""

from collections.abc import Iterator

from paramedic.core.bundle import Bundle
from paramedic.core.events import Acted
from paramedic.core.model import Approval, Ask, Incident, Run

__all__ = ["ADMIN", "APPROVERS", "ROLES", "counts", "forbidden", "missing", "wanted"]

ADMIN = "admin"
"""The role that has all rights, and acts for every team. Where names are asked for, it counts only if it is named."""

ROLES = ("viewer", "operator", "approver", ADMIN, "ci")

APPROVERS = frozenset(("approver", ADMIN))
"""The roles that may approve."""

_FOR_ALL = frozenset(("ack", "note"))
"""Whoever is paged says that they are there, and says what they see, whatever team they are of."""


def forbidden(incident: Incident, event: Acted, bundle: Bundle) -> str:
    """Why this person may not do this here; empty if they may."""
    groups = _groups(event, bundle)
    team = _team(incident, event, bundle)
    if team and event.what not in _FOR_ALL and team not in groups and ADMIN not in groups:
        return f"this is for the team {team}, and {event.who} is not of it"
    run = incident.run
    if event.what != "approve" or run is None:
        return ""
    if event.who == incident.opened_by:
        return f"{event.who} has asked for this, and somebody else has to approve it"
    book = bundle.playbooks.get(run.playbook)
    if book is not None and event.who == book.changed_by:
        return f"{event.who} has changed {run.playbook} last, and somebody else has to approve it"
    if run.asks and not counts(run.asks, event, bundle):
        return f"it waits for {wanted(run)}, and {event.who} is none of them"
    return ""


def _team(incident: Incident, event: Acted, bundle: Bundle) -> str:
    """The team that this is for. Of a run, the playbook says it, and its rule where the playbook names none."""
    run = incident.run
    if event.run is None or run is None:
        named = bundle.rules.named(incident.rule)
        return named.team if named is not None else ""
    book, named = bundle.playbooks.get(run.playbook), bundle.rules.named(run.rule)
    return (book.team if book is not None else "") or (named.team if named is not None else "")


def _groups(event: Acted, bundle: Bundle) -> frozenset[str]:
    """The roles and teams of whoever acts: as they were at that moment, else as the bundle of the incident has them."""
    person = bundle.people.get(event.who)
    if event.groups or person is None:
        return frozenset(event.groups)
    return frozenset((*person.roles, *person.teams))


def counts(asks: tuple[Ask, ...], event: Acted, bundle: Bundle) -> tuple[int, ...]:
    """The asks, by position, for which this person's yes counts. Where names are asked for, it is people's that do."""
    names = _groups(event, bundle) | {event.who}
    known = event.who in bundle.people
    return tuple(n for n, ask in enumerate(asks) if not ask.among or (known and not names.isdisjoint(ask.among)))


def missing(asks: tuple[Ask, ...], approvals: tuple[Approval, ...]) -> Iterator[tuple[int, Ask, int]]:
    """The asks that are not met yet: position, ask, and how many approvals it still wants."""
    for n, ask in enumerate(asks):
        left = ask.of - len({one.who for one in approvals if n in one.counts})
        if left > 0:
            yield n, ask, left


def wanted(run: Run) -> str:
    """What the run still wants of people, in words."""
    return " and ".join(_words(ask, left) for _, ask, left in missing(run.asks, run.approvals)) or "no approval"


def _words(ask: Ask, left: int) -> str:
    more = "more " if left < ask.of else ""
    many = f"{left} {more}approvals" if left > 1 else f"one {more}approval" if more else "an approval"
    return f"{many} by {' or '.join(ask.among)}" if ask.among else many
