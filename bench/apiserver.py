"""A stand-in for an API server: `python -m bench.apiserver`. It answers reads of one Deployment and what belongs to it.

A process of its own, so that what it costs is not counted as ours. The objects are those of the simulated cluster, as
large as real ones; GET /asked says how many reads there were.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from paramedic.cluster.resources import DEPLOYMENTS, PODS, REPLICA_SETS, Resource
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.seeding import Objects, seeded
from paramedic.rehearse.cluster.spec import DeploymentWorld
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually

_PADDING = 6 * 1024
"""Bytes that real objects have beside: managedFields, and what `kubectl apply` keeps of the last time."""


def objects() -> dict[str, Any]:
    """Answers by path."""

    async def story(loop: VirtualLoop) -> SimulatedCluster:
        world = DeploymentWorld(name="api", namespace="shop", replicas=3, image="api:42")
        return seeded(Objects(deployments=[world]), VirtualClock(loop))["main"]

    cluster = virtually(story)

    def found(resource: Resource) -> list[Any]:
        kept = json.loads(json.dumps(cluster.site.storage.all(resource, "shop")))
        for each in kept:
            each["metadata"].setdefault("annotations", {})["kept"] = "x" * _PADDING
        return list(kept)

    def listed(resource: Resource) -> Any:
        return {"kind": f"{resource.kind}List", "apiVersion": resource.api, "metadata": {}, "items": found(resource)}

    shop = "/apis/apps/v1/namespaces/shop"
    empty = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}
    return {
        f"{shop}/deployments/api": found(DEPLOYMENTS)[0],
        f"{shop}/replicasets": listed(REPLICA_SETS),
        "/api/v1/namespaces/shop/pods": listed(PODS),
        "/api/v1/namespaces/shop/resourcequotas": empty,
        "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers": empty,
    }


async def main(answers: Mapping[str, bytes]) -> None:
    """Serve until the process is ended."""
    asked = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return writer.close()
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            asked += path != "/asked"
            body = str(asked).encode() if path == "/asked" else answers.get(path, b"{}")
            status = b"200 OK" if path == "/asked" or path in answers else b"404 Not Found"
            length = str(len(body)).encode()
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + length)
            writer.write(b"\r\n\r\n" + body)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main({path: json.dumps(body, separators=(",", ":")).encode() for path, body in objects().items()}))
