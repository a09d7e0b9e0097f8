"""The clusters of a rehearsal: made of its world, reached by each process through a port of its own. The stage owns it.

Reads are shared as in the service (`clients.kube.shared`), so that a rehearsal reads as often as the service would.
"""

from collections.abc import Callable, Sequence
from functools import partial

from paramedic.clients.kube.shared import Shared
from paramedic.errors import Fault, ParamedicError
from paramedic.rehearse.cluster import KubeFault, SimulatedKube, Speeds
from paramedic.rehearse.cluster.hands import lay_hand
from paramedic.rehearse.cluster.seeding import Objects, seeded
from paramedic.rehearse.cluster.spec import Following, Hand, KubeFails, Measured
from paramedic.rehearse.cluster.watching import Followers, holds
from paramedic.rehearse.loop import VirtualClock
from paramedic.rehearse.moments import say_moment
from paramedic.rehearse.scenery import World
from paramedic.rehearse.script import Fails

__all__ = ["StagedClusters", "StagedKube"]


class StagedKube:
    """The port of one process to all clusters."""

    def __init__(self, inner: SimulatedKube, clock: VirtualClock) -> None:
        self._inner = inner
        self.shared = Shared(inner, clock)

    def die(self) -> None:
        """The process is killed: nothing that it still asks for reaches anything."""
        self._inner.dead = True

    async def close(self) -> None:
        """End the reads under way."""
        await self.shared.close()


class StagedClusters:
    """All clusters of the world, with what goes wrong between them and the process."""

    def __init__(self, world: World, faults: Sequence[Fails], clock: VirtualClock) -> None:
        objects = Objects(
            deployments=world.deployments,
            stateful_sets=world.stateful_sets,
            daemon_sets=world.daemon_sets,
            pods=world.pods,
            autoscalers=world.autoscalers,
            disruption_budgets=world.disruption_budgets,
            services=world.services,
            quotas=world.quotas,
            namespaces=world.namespaces,
            nodes=world.nodes,
        )
        speeds = Speeds(starts=world.speeds.starts, ready=world.speeds.ready, stops=world.speeds.stops)
        self._world, self._clock = world, clock
        self.named = seeded(objects, clock, speeds=speeds)
        for cluster in self.named.values():
            cluster.allow(world.permissions)
        for fault in faults:
            if isinstance(fault, KubeFails) and fault.cluster in self.named:
                self.named[fault.cluster].fail(_fault(fault))

    def kube(self) -> StagedKube:
        """The port of one more process."""
        return StagedKube(SimulatedKube(self.named, self._clock), self._clock)

    def followers(
        self,
        fire: Callable[[Following], None],
        resolve: Callable[[Following], None],
        note: Callable[[str, float | None], None],
    ) -> Followers | None:
        """What follows the clusters: alerts that begin and end, metrics that change; None if nothing does."""
        followers = Followers(self.named, self._clock)
        for one in self._world.alerts:
            followers.add(one.while_, partial(fire, one), partial(resolve, one), delay=one.for_, stays=one.stays)
        measured = {name: one for name, one in self._world.metrics.items() if isinstance(one, Measured)}
        for name, metric in measured.items():
            note(name, metric.value if holds(self.named, metric.while_) else metric.otherwise)
            followers.add(metric.while_, partial(note, name, metric.value), partial(note, name, metric.otherwise))
        return followers if self._world.alerts or measured else None

    def lay_hand(self, hand: Hand, at: float) -> None:
        """Somebody else changes something. Raises `Fault` where that cannot be."""
        try:
            lay_hand(self.named, hand)
        except Fault:
            raise
        except ParamedicError as error:
            raise Fault(f"at {say_moment(at)}", f"the cluster refuses {hand.by}: {error}") from error


def _fault(fault: KubeFails) -> KubeFault:
    end = float("inf") if fault.to is None else fault.to
    return KubeFault(
        fault.fails,
        on=fault.on,
        start=fault.from_,
        end=end,
        times=fault.times,
        delay=fault.delay,
        dry_runs=fault.dry_runs,
    )
