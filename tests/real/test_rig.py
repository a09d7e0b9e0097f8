"""The rig of bench/rig drives a service with 2,000 alerts: each is executed, and each once (promises 1 and 2)."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.real.catalogs import Catalog
from tests.real.processes import ROOT, until
from tests.real.services import Services
from tests.real.sinks import Sink

COUNT = 2000
RIG = ROOT / "bench" / "rig"


async def rig(script: str, *arguments: str, **environment: str) -> Any:
    """What a script of the rig measured: one line of JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(RIG / script),
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(200.0):
            out, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaint.decode()
    return json.loads(out)


async def test_two_thousand_alerts_are_executed_each_once(serve: Services, sink: Sink, tmp_path: Path) -> None:
    service = await serve(Catalog(sink.url, key="aid", id="aid"))
    log = tmp_path / "sent"

    sent = await rig(
        "drive.py",
        *("--url", f"{service.url}/api/v1/alertmanager", "--run", "A", "--count", str(COUNT)),
        *("--alerts", "1", "--concurrency", "32", "--out", str(log)),
    )

    async def drained() -> bool:
        return int(json.loads(await sink.text("/stats"))["distinct"]) >= COUNT

    await until(drained, f"{COUNT} executed alerts", deadline=120.0)
    found = await rig("report.py", str(log), "-", SINK_PORT=str(sink.port))
    print(json.dumps({"sent": sent, "found": found}, indent=2))

    assert sent["status"] == {"200": COUNT}
    assert (found["accepted"], found["executed_distinct"]) == (COUNT, COUNT)
    assert (found["dups"], found["accepted_not_executed"], found["unacked_but_executed"]) == (0, 0, 0)
