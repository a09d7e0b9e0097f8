"""Memory resident of the service: idle, with a cluster, and with 100,000 open incidents of one alert, none treated."""

import tempfile
import time
from pathlib import Path

from bench.load import WEBHOOK, Load, drive, metric
from bench.machine import resident
from bench.processes import Running, cluster, serving

_ALERTS = 100_000
_BODY = 5
_PART = 10_000  # alerts at a time: the driver makes its bodies beforehand
_LONGEST = 240.0  # seconds


def main() -> None:
    """Print MiB of Python and of PostgreSQL before and after, and bytes of Python an incident."""
    with (
        tempfile.TemporaryDirectory(prefix="pb-") as name,
        serving(Path(name), "http://127.0.0.1:9", terms='mode: "off"', more=cluster(Path(name))) as service,
    ):
        _line("idle, with a cluster", resident(service.pid))
    with (
        tempfile.TemporaryDirectory(prefix="pb-") as name,
        serving(Path(name), "http://127.0.0.1:9", terms='mode: "off"') as service,
    ):
        idle = resident(service.pid)
        _line("idle", idle)
        began = time.monotonic()
        accepted = 0
        for part in range(_ALERTS // _PART):
            left = _LONGEST - (time.monotonic() - began)
            if left < 5:
                break
            load = Load("m", _PART // _BODY, alerts=_BODY, concurrency=8, seconds=left, first=part * _PART)
            accepted += drive(service.url + WEBHOOK, load)["ok"] * _BODY
        opened = _opened(service, accepted, began + _LONGEST + 60)
        full = resident(service.pid)
        _line(f"{opened} open incidents", full)
        each = (full[0] - idle[0]) * 1024 / max(1, opened)
        print(f"   {full[0] / idle[0]:.1f} times idle; {each:.1f} KiB of Python an open incident", flush=True)


def _opened(service: Running, accepted: int, deadline: float) -> int:
    """How many incidents are open, once every accepted alert has one. The gauge is renewed every few seconds."""
    while time.monotonic() < deadline:
        found = int(metric(service.url, "paramedic_incidents_open"))
        if found >= accepted:
            return found
        time.sleep(0.5)
    return int(metric(service.url, "paramedic_incidents_open"))


def _line(label: str, sizes: tuple[float, float]) -> None:
    print(f"   {label:24} Python {sizes[0]:6.0f} MiB   PostgreSQL {sizes[1]:6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
