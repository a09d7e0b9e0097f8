"""The simulated Alertmanager: knows what fires, and delivers it as bodies of the real format.

The stage tells it what begins and ends; `deliver` takes a body to intake's parser and the engine. It repeats what still
fires, as Alertmanager does, and tries a delivery that was not accepted again, a little later each time.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from paramedic.errors import Temporary
from paramedic.ports import Standing
from paramedic.rehearse.agenda import Agenda
from paramedic.rehearse.compare import fits
from paramedic.rehearse.loop import VirtualClock
from paramedic.rehearse.scenery import SilenceWorld

__all__ = ["SimulatedAlertmanager"]

_NEVER = "0001-01-01T00:00:00Z"
_PATIENCE = 30.0
_TICK = timedelta(milliseconds=1)

Identity = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class Known:
    """An alert as Alertmanager knows it; `sent` is the number of the delivery that last held it."""

    source: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    sent: int = 0


class SimulatedAlertmanager:
    """All sources of a rehearsal. `repeat` gives the seconds after which a source repeats; 0: it never does."""

    def __init__(
        self,
        clock: VirtualClock,
        agenda: Agenda,
        deliver: Callable[[str, bytes], Awaitable[None]],
        repeat: Callable[[str], float],
        silences: Sequence[SilenceWorld] = (),
    ) -> None:
        self._clock, self._agenda, self._deliver, self._repeat = clock, agenda, deliver, repeat
        self._known: dict[Identity, Known] = {}
        self._deliveries = 0
        self._silences = tuple(silences)
        for silence in self._silences:
            if silence.to is not None and silence.to > 0:
                agenda.after(silence.to, partial(self._heard_again, silence))

    def fire(
        self,
        source: str,
        labels: Iterable[Mapping[str, str]],
        annotations: Mapping[str, str],
        started: datetime | None = None,
    ) -> None:
        """These alerts fire: those that do not already, since now or since `started`. One delivery."""
        alerts = []
        for each in labels:
            identity = source, tuple(sorted(each.items()))
            known = self._known.get(identity)
            if known is None or known.ends_at is not None:
                begins = started or self._clock.now()
                if known is not None and known.ends_at is not None:
                    begins = max(begins, known.ends_at + _TICK)  # it ended before it could begin again
                known = self._known[identity] = Known(source, dict(each), dict(annotations), begins)
            alerts.append(known)
        self._send(alerts)

    def resolve(self, which: str | Mapping[str, str]) -> int:
        """What fires and fits ends now. One delivery a source; returns how many alerts ended."""
        ending = self._matching(which, [known for known in self._known.values() if known.ends_at is None])
        for known in ending:
            known.ends_at = max(self._clock.now(), known.starts_at + _TICK)
        self._send(ending)
        return len(ending)

    def repeat(self, which: str | Mapping[str, str]) -> int:
        """What fits is delivered once more, as it stands; returns how many alerts that were."""
        again = self._matching(which, self._known.values())
        self._send(again)
        return len(again)

    def standing(self, source: str, labels: Mapping[str, str]) -> Standing:
        """How this source sees the alert with exactly these labels, as its API would tell."""
        known = self._known.get((source, tuple(sorted(labels.items()))))
        if known is None or known.ends_at is not None:
            return Standing("absent")
        silence = self._silence(known)
        return Standing("active") if silence is None else Standing(silence.kind, (silence.by,))

    def _silence(self, known: Known) -> SilenceWorld | None:
        """What keeps an alert quiet at this moment."""
        now = self._clock.monotonic()
        there = (one for one in self._silences if one.from_ <= now and (one.to is None or now < one.to))
        return next((one for one in there if self._matching(one.alert, [known])), None)

    async def _heard_again(self, silence: SilenceWorld) -> None:
        """A silence has ended: what it kept quiet and still fires is delivered."""
        firing = [known for known in self._known.values() if known.ends_at is None]
        self._send(self._matching(silence.alert, firing))

    @staticmethod
    def _matching(which: str | Mapping[str, str], alerts: Iterable[Known]) -> list[Known]:
        wanted = {"alertname": which} if isinstance(which, str) else which
        return [known for known in alerts if fits(wanted, known.labels)]

    def _send(self, alerts: Sequence[Known]) -> None:
        alerts = [known for known in alerts if self._silence(known) is None]
        for source in dict.fromkeys(known.source for known in alerts):
            of_source = [known for known in alerts if known.source == source]
            self._deliveries += 1
            number, body = self._deliveries, _body(of_source)
            for known in of_source:
                known.sent = number
            self._agenda.after(0.0, partial(self.persist, source, body))
            every = self._repeat(source)
            if every and any(known.ends_at is None for known in of_source):
                self._agenda.after(every, partial(self._again, of_source, number))

    async def persist(self, source: str, body: bytes) -> None:
        """Deliver until it is accepted, as Alertmanager does after an answer of 5xx or none."""
        wait = 1.0
        while True:
            try:
                await self._deliver(source, body)
            except Temporary:
                await self._clock.sleep(wait)
                wait = min(_PATIENCE, wait * 2)
            else:
                return

    async def _again(self, alerts: Sequence[Known], number: int) -> None:
        """The repeat interval has passed: what still fires and was not delivered since goes out again."""
        self._send([known for known in alerts if known.ends_at is None and known.sent == number])


def _body(alerts: Sequence[Known]) -> bytes:
    """A body of version 4, as one group."""
    firing = any(known.ends_at is None for known in alerts)
    common = _common([known.labels for known in alerts])
    name = common.get("alertname", "")
    return json.dumps(
        {
            "receiver": "paramedic",
            "status": "firing" if firing else "resolved",
            "alerts": [_element(known) for known in alerts],
            "groupLabels": {"alertname": name} if name else {},
            "commonLabels": common,
            "commonAnnotations": _common([known.annotations for known in alerts]),
            "externalURL": "http://alertmanager.invalid:9093",
            "version": "4",
            "groupKey": f'{{}}:{{alertname="{name}"}}' if name else "{}:{}",
            "truncatedAlerts": 0,
        }
    ).encode()


def _element(known: Known) -> dict[str, object]:
    return {
        "status": "firing" if known.ends_at is None else "resolved",
        "labels": known.labels,
        "annotations": known.annotations,
        "startsAt": _stamp(known.starts_at),
        "endsAt": _NEVER if known.ends_at is None else _stamp(known.ends_at),
        "generatorURL": "http://prometheus.invalid/graph",
        "fingerprint": "0000000000000000",
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _common(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = parts
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}
