"""The stories of the demo: what happens to the shop, what people do, and how each incident has to end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from paramedic.console.models import IncidentDetail
from paramedic.demo.gauges import Gauges
from paramedic.demo.shop import Shop

__all__ = ["STORIES", "Ending", "Story"]


class Told(Protocol):
    """An entry of a timeline, as far as an ending is compared with it."""

    @property
    def kind(self) -> str:
        """The word in front."""
        ...

    @property
    def text(self) -> str:
        """The sentence."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """What has to have come of it: the incident's phase, how many levels were paged, by whom it was fixed.

    `told` are pieces of its timeline, in their order. `image` and `replicas` are those of the workload on the cluster.
    """

    phase: str
    levels: int
    told: tuple[str, ...]
    image: str
    replicas: int = 2
    fixed_by: str = ""
    acknowledged_by: str = ""

    def missing(self, detail: IncidentDetail, entries: Sequence[Told], stands: tuple[str, int]) -> str:
        """What is not as it has to be, in words; empty if all is."""
        wanted = {
            "phase": (self.phase, str(detail.phase)),
            "level": (self.levels, detail.paging.level),
            "fixed by": (self.fixed_by, detail.fixed_by),
            "acknowledged by": (self.acknowledged_by, detail.paging.acknowledged_by),
            "image": (self.image, stands[0]),
            "replicas": (self.replicas, stands[1]),
        }
        wrong = [f"{name} is {is_ or 'nobody'}, not {wants}" for name, (wants, is_) in wanted.items() if wants != is_]
        left = iter(entries)
        for piece in self.told:
            if not any(piece in f"{entry.kind} {entry.text}" for entry in left):
                return "; ".join([*wrong, f'"{piece}" was not told'])
        return "; ".join(wrong)


@dataclass(frozen=True, slots=True)
class Story:
    """One story. `key` is a part of its incident's key; `acknowledges` is who does so once the last level is paged."""

    title: str
    key: str
    workload: str
    begins: Callable[[Shop, Gauges], None]
    ending: Ending
    acknowledges: str = ""


def _bad_release(shop: Shop, gauges: Gauges) -> None:
    shop.release("api", "api:42")


def _crash(shop: Shop, gauges: Gauges) -> None:
    shop.crash("checkout")


def _rush(shop: Shop, gauges: Gauges) -> None:
    gauges.rush(1500.0)


def _bad_release_of_git(shop: Shop, gauges: Gauges) -> None:
    shop.keep_in_git("payments")
    shop.release("payments", "payments:18")


def _no_way_back(shop: Shop, gauges: Gauges) -> None:
    shop.migrate("search", "search:7")
    shop.release("search", "search:8")


STORIES = (
    Story(
        "A bad release is rolled back, and its page resolves itself",
        'job="api"',
        "api",
        _bad_release,
        Ending(
            "resolved",
            1,
            ("plan roll back", "page level 1", "apply", "check rollout", "check alert_cleared", "resolved fixed"),
            "api:41",
            3,
            fixed_by="paramedic",
        ),
    ),
    Story(
        "A crashed service is restarted: two alerts name its pods, and it is done once",
        'container="checkout"',
        "checkout",
        _crash,
        Ending(
            "resolved",
            1,
            ("target", "plan restart deployment/checkout.shop", "apply", "check rollout", "resolved fixed"),
            "checkout:17",
            fixed_by="paramedic",
        ),
    ),
    Story(
        "A backlog is worked off by more workers, which go again when it is over",
        'queue="orders"',
        "worker",
        _rush,
        Ending(
            "resolved",
            1,
            ("plan scale", "apply", "check alert_cleared", "resolved fixed", "run scale-out ended done"),
            "worker:5",
            fixed_by="paramedic",
        ),
    ),
    Story(
        "A guard refuses, and a person is asked",
        'job="payments"',
        "payments",
        _bad_release_of_git,
        Ending(
            "assessing",
            2,
            ("guards refused by owned", "page level 1", "page level 2", "acknowledged by alice"),
            "payments:18",
            acknowledged_by="alice",
        ),
        acknowledges="alice",
    ),
    Story(
        "A rollback does not help: it is taken back, once, and a person has it",
        'job="search"',
        "search",
        _no_way_back,
        Ending(
            "responding",
            2,
            ("plan roll back", "apply", "check rollout", "undo", "ended ineffective", "page level 2"),
            "search:8",
        ),
    ),
)
