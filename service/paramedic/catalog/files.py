"""Which files make the catalog, and their texts. `load` and the commands call this; nothing else here reads a disk.

A file is named as people would point at it: `rules/shop.yaml`. Left out are rehearsals (`NAME.test.yaml`), the rules
for Prometheus (`prometheus/`) and whatever begins with a dot (as the parts of a mounted ConfigMap do).
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from paramedic.catalog.documents import LARGEST
from paramedic.catalog.faults import Faults, Mark

__all__ = ["MOST_FILES", "NO_FOLDER", "Stamp", "read_folders", "stamp_of", "yaml_files"]

MOST_FILES = 2000
NO_FOLDER = ("there is no such folder", "make it, or name another one")

Stamp = tuple[tuple[str, int, int], ...]
"""Names, times of change (ns) and sizes of files: when two are equal, nothing has changed."""


def yaml_files(folder: Path, onerror: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """The catalog's files in `folder`, sorted; `folder` itself where it is a file. `onerror` hears of what is shut."""
    if folder.is_file():
        yield folder
        return
    for parent, folders, names in os.walk(folder, onerror=onerror):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "prometheus")
        for name in sorted(names):
            path = Path(parent, name)
            wanted = path.suffix in (".yaml", ".yml") and not name.startswith(".") and not path.stem.endswith(".test")
            if wanted and (path.is_file() or not path.exists()):  # a link that leads nowhere is worth a fault
                yield path


def read_folders(folders: Sequence[Path], faults: Faults, *, as_given: bool = False) -> dict[str, str]:
    """The texts by name. A name begins with the folder's own name, or with its path as given.

    What cannot be read is a fault, and the rest goes on.
    """
    texts: dict[str, str] = {}
    seen: set[Path] = set()

    def shut(error: OSError) -> None:
        faults.torn = True
        faults.add(str(error.filename), None, f"cannot be read: {error.strerror}", "make it readable")

    for folder in folders:
        if not folder.exists():
            faults.torn = True
            faults.add(str(folder), None, *NO_FOLDER)
            continue
        for path in yaml_files(folder, shut):
            if path.resolve() in seen:
                continue
            if len(texts) >= MOST_FILES:
                faults.add(str(folder), None, f"there are more than {MOST_FILES} files", "put more into one file")
                return texts
            seen.add(path.resolve())
            _read(path, str(path) if as_given else _name(folder, path), texts, faults)
    return texts


def _name(folder: Path, path: Path) -> str:
    return path.name if folder == path else f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"


def _read(path: Path, name: str, texts: dict[str, str], faults: Faults) -> None:
    try:
        size = path.stat().st_size
        if size > LARGEST * 4:
            raise OSError(errno.EFBIG, f"it has {size} bytes")
        texts[name] = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        faults.torn = True
        before = error.object[: error.start].decode(errors="replace")
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        faults.add(name, mark, "this is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        faults.torn = True
        faults.add(name, None, f"cannot be read: {error.strerror}", "make it readable, and smaller than a megabyte")


def stamp_of(folders: Sequence[Path]) -> Stamp:
    """What tells whether anything has changed. A file that vanishes meanwhile is simply not there."""
    found = []
    for folder in folders:
        for path in yaml_files(folder):
            try:
                state = path.stat()
            except OSError:
                continue
            found.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(found)
