"""A certificate for loopback, made here and trusted by nobody but the test that asks for it.

It is self-signed, X.509 v3, RSA; built with nothing but arithmetic and DER, because the standard library makes none.
The primes are fixed, since finding new ones would take a second: the key protects nothing.
"""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

P = int(
    "fe47b5dc5a45c79240e1ec1ea69e9f76c182cae95d4b939ed348f7118cb4a0d8eee51e60933441eff565fd91874f3e79de3ce260c6c1d18278"
    "1004e8b0106a19fc1da5ce02235c1de95a78b3370a7ac1e4a305fd630529de1e73ce7b298c0798af105598608b62402a87005204e72436aedf"
    "7e9f6a6475e39cbc3acff6be7c4f",
    16,
)
Q = int(
    "d9f2888bf8691244577dbe55ce05a74a865cab9557fc43f7aa7e299f099f2953c1824749e257620d70872e81446e4b26908fdbaf4dafc9bd83"
    "1b2e3be1b0da1981c12d0b45046c3da4a053f7d5f0d2675551ca57706e642a0e34165b25dce6b88b8bdfb544f3cb6df12ae291fc64bcb79744"
    "be590ea20e8eb99783a3e42e2cdb",
    16,
)
N, E = P * Q, 65537
D = pow(E, -1, (P - 1) * (Q - 1))

_RSA = "2a864886f70d010101"
_SHA256_WITH_RSA = "2a864886f70d01010b"
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def der(tag: int, *parts: bytes) -> bytes:
    """One value: its tag, its length, its content."""
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + content


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def algorithm(oid: str) -> bytes:
    return sequence(der(0x06, bytes.fromhex(oid)), der(0x05))


def certificate() -> bytes:
    """A certificate for localhost and 127.0.0.1, the same each time, valid until the end of 2049."""
    name = sequence(der(0x31, sequence(der(0x06, bytes.fromhex("550403")), der(0x0C, b"127.0.0.1"))))
    validity = sequence(der(0x17, b"200101000000Z"), der(0x17, b"491231235959Z"))
    public = der(0x03, b"\0", sequence(integer(N), integer(E)))
    names = sequence(der(0x82, b"localhost"), der(0x87, bytes([127, 0, 0, 1])))
    authority = sequence(der(0x01, b"\xff"))
    extensions = sequence(
        sequence(der(0x06, bytes.fromhex("551d11")), der(0x04, names)),
        sequence(der(0x06, bytes.fromhex("551d13")), der(0x01, b"\xff"), der(0x04, authority)),
    )
    body = sequence(
        der(0xA0, integer(2)),
        integer(1),
        algorithm(_SHA256_WITH_RSA),
        name,
        validity,
        name,
        sequence(algorithm(_RSA), public),
        der(0xA3, extensions),
    )
    return sequence(body, algorithm(_SHA256_WITH_RSA), der(0x03, b"\0", signature(body)))


def signature(body: bytes) -> bytes:
    """PKCS#1 v1.5 over SHA-256."""
    size = (N.bit_length() + 7) // 8
    digest = _SHA256_PREFIX + hashlib.sha256(body).digest()
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    return pow(int.from_bytes(padded, "big"), D, N).to_bytes(size, "big")


def private_key() -> bytes:
    parts = (0, N, E, D, P, Q, D % (P - 1), D % (Q - 1), pow(Q, -1, P))
    return sequence(*(integer(part) for part in parts))


def pem(kind: str, content: bytes) -> str:
    lines = base64.encodebytes(content).decode().replace("\n", "")
    wrapped = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN {kind}-----\n{wrapped}\n-----END {kind}-----\n"


def server_context(folder: Path) -> ssl.SSLContext:
    """What a server shows itself with. `folder` is where its files may stand."""
    chain = folder / "loopback.pem"
    chain.write_text(pem("CERTIFICATE", certificate()) + pem("RSA PRIVATE KEY", private_key()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


@contextmanager
def trusted() -> Iterator[None]:
    """For the time of the block aiohttp trusts this certificate, and no other."""
    trusting = ssl.create_default_context(cadata=pem("CERTIFICATE", certificate()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
        yield
