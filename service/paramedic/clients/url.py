"""What may be asked of an endpoint: its address comes from the catalog, the path from a playbook, values from alerts.

The catalog checks addresses with `base_url`, plug-ins check paths with `path_fault`, and the HTTP client joins both
with `address`, so that no label can ever choose another host, leave its path or hide a control character.
"""

import re
from functools import lru_cache
from urllib.parse import unquote

from paramedic.errors import Fault

__all__ = ["LONGEST_PATH", "address", "base_url", "path_fault"]

LONGEST_PATH = 2048

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_BASE = re.compile(
    r"https?://(?:" + _LABEL + r"(?:\." + _LABEL + r")*|\[[0-9A-Fa-f:.]+\])"
    r"(?::([0-9]{1,5}))?((?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*)"
)
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_BETWEEN = re.compile(r"[/\\]")
_ODD = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]")


@lru_cache(maxsize=256)
def base_url(text: str) -> str:
    """The address of an endpoint without a slash at its end. Raises `Fault` when it is not one."""
    right = "for example https://hooks.example.org/restart"
    trimmed = text.rstrip("/")
    parts = _BASE.fullmatch(trimmed)
    if parts is None:
        if "@" in trimmed:
            raise Fault("url", "holds a user or a password", "name the setting that holds the token, as `token`")
        raise Fault("url", "is not http:// or https://, a host, and perhaps a port and a path", right)
    port, path = parts.groups()
    if port and not 0 < int(port) < 65536:
        raise Fault("url", f"port {port} does not exist", right)
    if path and (fault := _parts_fault(path)):
        raise Fault("url", fault, right)
    return trimmed


def path_fault(path: str) -> str:
    """What is wrong with a path and query, in words; empty when nothing is."""
    if len(path) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} characters"
    if not path.startswith("/"):
        return 'does not start with "/": the host comes from the endpoint'
    if _PATH.fullmatch(path) is None:
        odd = _ODD.search(path)
        return f"holds {odd.group()!a}: percent-encode it" if odd else "holds a % without two hexadecimal digits"
    if "%" in path and _CONTROL.search(path):
        return "holds an encoded control character: free text belongs into the body"
    return _parts_fault(path.partition("?")[0])


def _parts_fault(plain: str) -> str:
    if "//" in plain:
        return "has an empty part: an empty value never stands for everything"
    if "." not in plain and "%" not in plain:
        return ""
    # Some servers decode twice, or cut a part at ";": whatever one of them could take for a step up is refused.
    once = unquote(plain)
    for text in (plain, once, unquote(once)):
        if "." in text and any(part.partition(";")[0] in {".", ".."} for part in _BETWEEN.split(text)):
            return 'holds the part "." or ".."'
    return ""


def address(base: str, path: str) -> str:
    """The whole address: `path` below `base`, or `base` itself where it is empty.

    Raises `Fault` when either is not what it should be.
    """
    fault = path_fault(path) if path else ""
    if fault:
        raise Fault("path", fault)
    return base_url(base) + path
