"""Over TLS: who the server is, and who we are by a certificate."""

import base64
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from paramedic.errors import Permanent
from tests.clients.kube.clusters import API, kubeconfig, opened, serving, taking
from tests.contract.kube.passing import PassingClock
from tests.vendors.tls import certificate, pem, private_key, server_context

CERTIFICATE = pem("CERTIFICATE", certificate())
ENCODED = base64.b64encode(CERTIFICATE.encode()).decode()


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ({"certificate-authority-data": ENCODED}, ""),
        ({"certificate-authority": "ca.crt"}, ""),
        ({"certificate-authority": "ca.crt", "tls-server-name": "localhost"}, ""),
        ({"insecure-skip-tls-verify": True}, ""),
        ({}, "certificate of the cluster is not trusted; nothing was sent"),
        ({"certificate-authority": "ca.crt", "tls-server-name": "elsewhere"}, "not trusted; nothing was sent"),
    ],
)
async def test_who_the_server_is_is_looked_at_unless_the_file_says_otherwise(
    tmp_path: Path, cluster: dict[str, Any], words: str
) -> None:
    (tmp_path / "ca.crt").write_text(CERTIFICATE)
    async with (
        serving(taking("secret"), server_context(tmp_path)) as server,
        await opened(kubeconfig(tmp_path, server.url, cluster=cluster)) as kube,
    ):
        if not words:
            await kube.get(API)
            await kube.patch(API, {"a": 1}, "merge")
            return
        with pytest.raises(Permanent, match=words):
            await kube.patch(API, {"a": 1}, "merge")

    assert server.asked == []


async def test_a_certificate_that_is_renewed_is_taken_up(tmp_path: Path) -> None:
    """Connections of before live on until the next time; new ones show the new certificate."""
    (tmp_path / "client.crt").write_text(CERTIFICATE)
    (tmp_path / "client.key").write_text(pem("RSA PRIVATE KEY", private_key()))
    user = {"client-certificate": "client.crt", "client-key": "client.key"}
    clock = PassingClock()
    async with serving(lambda asked: web.json_response({}), server_context(tmp_path)) as server:
        file = kubeconfig(tmp_path, server.url, user, cluster={"certificate-authority-data": ENCODED})
        async with await opened(file, clock) as kube:
            for round in range(4):
                (tmp_path / "client.crt").write_text(CERTIFICATE + "\n" * round)
                await kube.get(API)
                await kube.patch(API, {"a": 1}, "merge")
                await clock.sleep(61)

    assert len(server.asked) == 8
