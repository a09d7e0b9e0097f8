"""What must not be kept or shown of what a cluster tells: passwords, tokens and keys in logs, events and templates.

It goes by names and shapes, so it hides too much rather than too little; it cannot know a secret that looks harmless.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["HIDDEN", "masked", "masked_tree", "shown"]

HIDDEN: Final = "(hidden)"

_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.S)
_NAMED: Final = re.compile(
    r"((?:passw(?:or)?d|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|authorization"
    r"|cookie|signature|dsn)[\w.\-]{0,40}\\?[\"']?\s{0,3}[:=]\s{0,3})"
    r"(\\?\"[^\"\n]{0,8192}\"?|'[^'\n]{0,8192}'?|[^\s,;&\"']{1,8192})",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\b(bearer|basic|negotiate)\s{1,3}[\w+/=.~\-]{16,8192}", re.IGNORECASE)
_USER: Final = re.compile(r"(://)[^\s/@\"']{1,512}@")
_SHAPES: Final = re.compile(
    r"\beyJ[\w\-]{8,512}+\.[\w\-]{8,8192}+(?:\.[\w\-]{0,1024})?"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bxox[a-z]-[\w\-]{8,512}|\bgh[a-z]_\w{20,512}|\bglpat-[\w\-]{16,512}|\bsk-[\w\-]{16,512}"
)


def masked(text: str) -> str:
    """The text with whatever looks like a secret replaced by `(hidden)`."""
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _SHAPES.sub(HIDDEN, text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def masked_tree(thing: Any, name: str = "") -> Any:
    """JSON as it may be shown, in its shape. What an environment or a header holds is hidden whatever it is called.

    `name` is the key that leads to it. Images are left: what runs is what people decide about.
    """
    if isinstance(thing, Mapping):
        valued = "name" in thing and isinstance(thing.get("value"), str)
        return {key: HIDDEN if valued and key == "value" else masked_tree(below, key) for key, below in thing.items()}
    if isinstance(thing, list):
        return [masked_tree(below, name) for below in thing]
    if not isinstance(thing, str) or name == "image":
        return thing
    return HIDDEN if masked(f"{name}: value") != f"{name}: value" else masked(thing)


def shown(raw: bytes) -> str:
    """Bytes that anybody may have written, as lines that can be shown: masked, nothing unprintable but line ends."""
    text = raw.decode(errors="replace").replace("\r\n", "\n").expandtabs(4)
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return masked(text)
