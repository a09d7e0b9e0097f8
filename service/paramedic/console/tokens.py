"""The tokens of people: lines `NAME SHA256` or `NAME SHA256 UNTIL` of PARAMEDIC_TOKENS_FILE. Only hashes are known.

`people` asks for each request whose token it is. The file is read again whenever it changes: a line that is gone counts
no more from the next request on, and two lines of one person both count while one token takes over from the other.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paramedic.clock import Clock

__all__ = ["Tokens"]

_log = logging.getLogger(__name__)

_LINE = re.compile(r"(?P<name>[^\s#]{1,64})\s+(?P<digest>[0-9a-fA-F]{64})(?:\s+(?P<until>[0-9T:.+Z-]{10,40}))?")


@dataclass(frozen=True, slots=True)
class _Token:
    """One line. A token without an end counts until its line is removed."""

    name: str
    digest: str
    until: datetime | None


class Tokens:
    """The tokens of people, read again whenever their file changes. No file: nobody has a token."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[_Token, ...] = ()

    def name_of(self, token: str) -> str | None:
        """Whose token this is. The time it takes does not depend on which one it is, or on how much of it is right."""
        self._refresh()
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
        found, now = None, self._clock.now()
        for one in self._known:
            if hmac.compare_digest(one.digest, digest) and (one.until is None or now < one.until):
                found = one.name
        return found

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._known = tuple(_read(self._path.read_text(encoding="utf-8").splitlines(), self._path))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            if self._known or self._stamp is None:
                _log.error("PARAMEDIC_TOKENS_FILE %s cannot be read, so nobody is known: %s", self._path, error)
            self._known, self._stamp = (), (0, 0, 0)


def _read(lines: Iterable[str], path: Path) -> Iterable[_Token]:
    """The token of each line; a line that is wrong is logged by number, never by content."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        try:
            until = _until(found["until"]) if found is not None else None
        except ValueError:
            found = until = None
        if found is None:
            _log.error("%s:%d: not a line NAME SHA256 and ignored; paramedic token NAME makes one", path, number)
        else:
            yield _Token(found["name"], found["digest"].lower(), until)


def _until(text: str | None) -> datetime | None:
    """The moment that a line names; a day alone is its beginning, and what names no zone is UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
