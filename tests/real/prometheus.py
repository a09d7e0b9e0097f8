"""A real Prometheus as a process of its own, and something for it to scrape: a page of metrics that the test writes."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.real.processes import Processes, free_port

__all__ = ["Exposed", "Prometheus", "binary", "prometheus"]

CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: shop, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


def binary() -> str:
    """Prometheus' program: on PATH, or where tests/real/install puts it. Skips the test when there is none."""
    brought = Path(os.environ.get("REAL") or Path.home() / ".cache" / "paramedic" / "real") / "bin"
    found = shutil.which("prometheus") or shutil.which("prometheus", path=str(brought))
    return found or pytest.skip("no Prometheus here; tests/real/install brings it")


@dataclass
class Exposed:
    """What is there to be scraped: values by name and labels. While it is `down`, scraping it fails."""

    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    down: bool = False

    def set(self, name: str, value: float, **labels: str) -> None:
        """Give a series this value from the next scrape on."""
        self.values[name, tuple(sorted(labels.items()))] = value

    async def page(self, _request: web.Request) -> web.Response:
        if self.down:
            raise web.HTTPServiceUnavailable
        lines = [f"{name}{{{_written(dict(labels))}}} {value}" for (name, labels), value in self.values.items()]
        return web.Response(text="".join(f"{line}\n" for line in lines))


@dataclass
class Prometheus:
    """A running one, and what it scrapes."""

    url: str
    exposed: Exposed


@asynccontextmanager
async def prometheus(processes: Processes, http: aiohttp.ClientSession) -> AsyncIterator[Prometheus]:
    """Start both; back when it answers."""
    exposed = Exposed()
    app = web.Application()
    app.router.add_get("/metrics", exposed.page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        port = free_port()
        config = processes.folder / "prometheus.yml"
        config.write_text(CONFIG.format(port=runner.addresses[0][1]))
        data = processes.folder / "prometheus"
        command = [binary(), f"--config.file={config}", f"--storage.tsdb.path={data}"]
        process = processes.new("prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}"])
        process.start()
        url = f"http://127.0.0.1:{port}"

        async def ready() -> bool:
            try:
                async with http.get(f"{url}/-/ready") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await process.said(ready, "the readiness")
        yield Prometheus(url, exposed)
    finally:
        await runner.cleanup()


def _written(labels: Mapping[str, str]) -> str:
    """Labels in the text format, with its own rules of escaping."""
    table = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{name}="{value.translate(table)}"' for name, value in labels.items())
