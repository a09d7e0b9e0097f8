"""Communication plans: who is told what happens, and how often. `load` calls this before rules, which name them."""

from collections.abc import Iterable, Mapping

from paramedic.catalog.cel import compile_condition
from paramedic.catalog.entries import Item
from paramedic.catalog.faults import Faults, did_you_mean, quoted
from paramedic.catalog.models import CommunicationEntry, TellEntry
from paramedic.catalog.shapes import incident_shape
from paramedic.catalog.wording import Path, validated
from paramedic.core.bundle import Communication, Condition, Tell
from paramedic.errors import Fault
from paramedic.plugin import Notifier

__all__ = ["plans_of"]


def plans_of(items: Iterable[Item], notifiers: Mapping[str, Notifier], faults: Faults) -> dict[str, Communication]:
    """The plans by name. One with a fault stands in for itself, so that nobody is told that it does not exist."""
    found: dict[str, Communication] = {}
    for item in items:
        entry = validated(item.file, item.node, CommunicationEntry, faults, "plan")
        found[item.name] = Communication(item.name, ())
        if entry is not None:
            tell = tuple(_tell(item, ("tell", n), one, notifiers, faults) for n, one in enumerate(entry.tell))
            _check_audiences(item, entry, faults)
            found[entry.name] = Communication(entry.name, tell, item.at)
    return found


def _tell(item: Item, path: Path, entry: TellEntry, notifiers: Mapping[str, Notifier], faults: Faults) -> Tell:
    to = entry.to or ""
    notifier = notifiers.get(entry.by)
    able = [name for name, each in notifiers.items() if each.messages]
    if notifier is None:
        mark = item.node.at([*path, "by"])
        faults.add(item.file, mark, f"unknown notifier {quoted(entry.by)}", did_you_mean(entry.by, able))
    elif not notifier.messages:
        what = f'the notifier "{entry.by}" pages people; it cannot post messages'
        faults.add(item.file, item.node.at([*path, "by"]), what, f"those that can: {', '.join(able)}")
    else:
        what, right = notifier.address_fault(to)
        if what:
            mark = item.node.at([*path, "to"] if entry.to is not None else path)
            faults.add(item.file, mark, what, right)
    return Tell(entry.audience, entry.by, to, entry.every, _condition(item, path, entry, faults))


def _condition(item: Item, path: Path, entry: TellEntry, faults: Faults) -> Condition | None:
    if entry.when is None:
        return None
    try:
        return compile_condition(entry.when, incident_shape())
    except Fault as fault:
        faults.add(item.file, item.node.at([*path, "when"]), fault.what, fault.right)
        return None


def _check_audiences(item: Item, entry: CommunicationEntry, faults: Faults) -> None:
    """What an audience was told is remembered under its name, so it is told in one place."""
    known: set[str] = set()
    for n, one in enumerate(entry.tell):
        if one.audience in known:
            mark = item.node.at(["tell", n, "audience"])
            faults.add(item.file, mark, f"the audience {quoted(one.audience)} is told already", "name it differently")
        known.add(one.audience)
