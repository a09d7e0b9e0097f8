"""What a plug-in may know without reading a port: its moment, incident and run, what others use, what is declared.

The engine and the rehearsal fill `Seen`; the catalog fills `Resources`. `plugin` hands them on: import them from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from paramedic.core.bundle import Endpoint, Window
from paramedic.core.matching import Matcher
from paramedic.core.model import Episode, Exemplar, Firing, Past, Run
from paramedic.core.words import Mode, Severity

__all__ = ["FiringNow", "Resources", "Seen", "Uses"]


class Uses(Protocol):
    """What other runs have used and hold, for guards that look before they claim.

    What the asking run itself has used is left out: it never stands in its own way.
    """

    def holder(self, scope: str) -> str | None:
        """Who holds an exclusive scope: a run's id such as INC-12.1, or nobody."""
        ...

    def since(self, scope: str, moment: datetime) -> Sequence[datetime]:
        """When the scope was used, at `moment` or later, oldest first."""
        ...

    def holding(self, prefix: str) -> Sequence[str]:
        """The exclusive scopes under a prefix such as `target/main/shop/` that others hold, in order, at most 100."""
        ...


class FiringNow(Protocol):
    """The open episodes that some guard of the bundle watches for."""

    def matching(self, matchers: Sequence[Matcher]) -> Sequence[Episode]:
        """Open episodes that all matchers accept, at most 20, oldest first."""
        ...


class Seen(msgspec.Struct, frozen=True):
    """What a plug-in may know of the world without reading: the moment, its incident, its run, what is in use.

    `past` are the incident's earlier runs, oldest first. `modes()` are those of the places that name one: `global`,
    `rule`, `playbook`, and `target` once a plan has read it. `source` is where the alert came from. `needs()` is
    what the steps of the playbook want to be permitted on clusters, `depends_on()` what the alert's service depends on
    by the service map: all three are looked up when somebody asks. `database` is how long ago (s) the database
    answered this process; None where that is not known.
    """

    now: datetime
    incident: str
    severity: Severity
    firing: Firing
    run: Run
    target: str
    uses: Uses
    others: FiringNow
    windows: Mapping[str, Window]
    endpoints: Mapping[str, Endpoint]
    alert: Exemplar | None = None
    past: tuple[Past, ...] = ()
    modes: Callable[[], Mapping[str, Mode]] = dict
    source: str = ""
    needs: Callable[[], tuple[str, ...]] = tuple
    depends_on: Callable[[], tuple[str, ...]] = tuple
    database: float | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What the catalog knows when it checks a plug-in's parameters: names that they may refer to.

    `approvers` are who may approve, by each name that means them: their own, their roles' and their teams'.
    """

    endpoints: Mapping[str, Endpoint]
    windows: Mapping[str, Window]
    people: frozenset[str] = frozenset()
    approvers: Mapping[str, frozenset[str]] = field(default_factory=dict)
