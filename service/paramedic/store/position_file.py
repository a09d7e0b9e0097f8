"""The small file in PARAMEDIC_DATA that says how far the database had come: replaced whole, and durable when we say so.

`app` makes one for the engine's `Highest`. It is written every few seconds, in a thread: a disk may take its time.
"""

import asyncio
import os
from pathlib import Path

import msgspec

from paramedic.core.positions import Position
from paramedic.errors import Fault

__all__ = ["PositionFile"]

_NAME = "position.json"


class PositionFile:
    """The file in the folder `data`."""

    def __init__(self, data: Path) -> None:
        self._path = data / _NAME

    async def read(self) -> Position | None:
        """What was remembered; None if nothing was. Raises `Fault` when nobody can say."""
        return await asyncio.to_thread(self._read)

    async def write(self, position: Position) -> None:
        """Remember it from now on. Raises `OSError`; the file is then as it was before."""
        await asyncio.to_thread(self._write, position)

    def _read(self) -> Position | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Position)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise Fault(
                str(self._path), f"cannot be read, and says how far the database was: {error}", "restore it"
            ) from error

    def _write(self, position: Position) -> None:
        unfinished = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(position) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
