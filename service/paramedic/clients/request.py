"""What a playbook may say about a request: the endpoint's name, the path, the headers, the body.

Called by the plug-ins that send requests: when their parameters are checked (with `${...}` still in them), when a
request is planned (nothing may be left in it), and when it is sent.
"""

import re
from collections.abc import Mapping

import msgspec

from paramedic.clients.url import path_fault
from paramedic.core.bundle import Endpoint
from paramedic.errors import Fault, Permanent

__all__ = ["LARGEST", "check_headers", "check_path", "check_reference", "encode_body", "endpoint_of", "sound_path"]

LARGEST = 64 * 1024
"""Bytes of a request's body."""

_EXPRESSION = re.compile(r"""\$\{(?:[^{}"']|"[^"]*"|'[^']*'|\{[^{}]*\})*\}""")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_OURS = frozenset({"authorization", "content-length", "host", "idempotency-key"})
_WIRE = frozenset(
    {"accept-encoding", "connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)


def check_path(path: str) -> str:
    """The path, if it can become a sound one once its expressions have values. Raises `ValueError` if not."""
    fault = path_fault(_EXPRESSION.sub("x", path) if "${" in path else path)
    if fault:
        raise ValueError(fault)
    return path


def sound_path(path: str) -> str:
    """The path, if it is sound as it is. Raises `Permanent` if not: what an alert filled in does not get better."""
    fault = path_fault(path)
    if fault:
        raise Permanent(f"the path {fault}")
    return path


def check_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, if a playbook may set them. Raises `ValueError` if not."""
    for name, value in headers.items():
        if _HEADER.fullmatch(name) is None:
            raise ValueError(f"{name[:64]!a} is not the name of a header")
        lower = name.lower()
        if lower in _OURS:
            raise ValueError(f"{name} is set for you: the token comes from the endpoint, the key from the step")
        if lower in _WIRE or lower.startswith("proxy-"):
            raise ValueError(f"{name} is about the connection, which is not a playbook's")
        if len(value) > 1024 or not value.isascii() or not value.isprintable():
            raise ValueError(f"the value of {name} is not printable ASCII of at most 1024 characters")
    return headers


def encode_body(body: object) -> tuple[bytes | None, str]:
    """The bytes of a body and their content type: text as it is, anything else as JSON, None as no body.

    Raises `Permanent` when it cannot be written, or is larger than 64 KiB.
    """
    if body is None:
        return None, ""
    try:
        encoded = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    except (ValueError, OverflowError, TypeError, msgspec.MsgspecError) as error:
        raise Permanent("the body cannot be written as UTF-8 or JSON") from error
    if len(encoded) > LARGEST:
        raise Permanent(f"the body has {len(encoded)} bytes, {LARGEST} is the most")
    return encoded, "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"


def check_reference(name: str, endpoints: Mapping[str, Endpoint]) -> None:
    """Raise `Fault` unless there is such an endpoint."""
    if name not in endpoints:
        known = ", ".join(sorted(endpoints)) or "none is declared"
        raise Fault("endpoint", f'there is no endpoint "{name}"', f"endpoints: {known}")


def endpoint_of(name: str, endpoints: Mapping[str, Endpoint]) -> Endpoint:
    """The endpoint of this name. Raises `Permanent` when the bundle has none."""
    endpoint = endpoints.get(name)
    if endpoint is None:
        raise Permanent(f"there is no endpoint {name}")
    return endpoint
