"""The last step before a program runs: the account it gets, and that it never outlives whoever wanted it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paramedic.store.embedded import launch
from paramedic.store.embedded.account import LAUNCHER
from tests.store.embedded.parts import linux, root, runs, until

SAME = "same:0:0"

PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], str(__import__("os").getpid()), sys.argv[2], "/", "/bin/sh",
                  "-c", sys.argv[3]], start_new_session=True)
sys.stdin.read()
"""


def launched(
    account: str, folder: str, *words: str, parent: int | None = None, groups: list[int] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(LAUNCHER), str(parent or os.getpid()), account, folder, *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        extra_groups=groups,
    )


def namespaces_work() -> bool:
    return launched("namespace:1:1", "/", "/bin/sh", "-c", "exit 0").returncode == 0


def test_it_becomes_the_program_in_the_folder(tmp_path: Path) -> None:
    done = launched(SAME, str(tmp_path), "/bin/sh", "-c", 'pwd; echo "$0 $1"; exit 9', "an argument", "and 'another'")
    assert (done.returncode, done.stderr) == (9, "")
    assert done.stdout == f"{tmp_path}\nan argument and 'another'\n"


@pytest.mark.parametrize(
    ("folder", "program", "code", "said"),
    [
        ("/nowhere", "/bin/sh", launch.NO_FOLDER, "cannot enter /nowhere: No such file or directory\n"),
        ("/", "/bin/nothing", launch.NO_PROGRAM, "cannot run /bin/nothing: No such file or directory\n"),
    ],
)
def test_what_is_in_the_way_is_one_line(folder: str, program: str, code: int, said: str) -> None:
    done = launched(SAME, folder, program)
    assert (done.returncode, done.stderr, done.stdout) == (code, said, "")


@linux
def test_a_parent_that_is_gone_already_needs_no_program() -> None:
    done = launched(SAME, "/", "/bin/echo", "too late", parent=2147483646)
    assert (done.returncode, done.stdout) == (launch.NO_PARENT, "")


@linux
def test_no_signal_that_python_ignores_stays_ignored() -> None:
    """Exactly what this process ignores, less what Python does: nohup's SIGHUP is inherited and not ours to judge."""
    done = launched(SAME, "/", "/bin/grep", "SigIgn", "/proc/self/status")
    ours = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("SigIgn"))
    pythons = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    assert int(done.stdout.split()[1], 16) == int(ours.split()[1], 16) & ~pythons


@linux
def test_in_a_namespace_it_has_another_number_and_the_files_stay_ours(tmp_path: Path) -> None:
    if not namespaces_work():
        pytest.skip("this machine refuses user namespaces; where it allows them this shows that they are used rightly")
    tmp_path.chmod(0o700)
    done = launched("namespace:1:1", str(tmp_path), "/bin/sh", "-c", "id -u; id -g; touch mine; ls -ln mine | cut -c1")
    assert done.stdout == "1\n1\n-\n"
    assert (tmp_path / "mine").stat().st_uid == os.geteuid()


@root
def test_as_another_user_it_has_nothing_left_of_root() -> None:
    done = launched(
        "user:1:2", "/", "/bin/sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status", groups=[0, 3]
    )
    assert done.stdout == "1\n2\n2\nCapEff:\t0000000000000000\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_an_ordinary_user_cannot_become_another() -> None:
    done = launched("user:1:1", "/", "/bin/echo")
    assert (done.returncode, done.stdout) == (launch.NO_ACCOUNT, "")
    assert done.stderr.startswith("cannot become the account user:1:1: ")


@linux
@pytest.mark.parametrize("account", [SAME, "namespace:1:1", pytest.param("user:1:1", marks=root)])
async def test_it_is_interrupted_when_its_parent_is_killed(account: str) -> None:
    """The kernel forgets the wish with every change of account, so each of them is tried."""
    if account.startswith("namespace") and not namespaces_work():
        pytest.skip("this machine refuses user namespaces; where it allows them the wish is tried in one")
    script = "trap 'echo interrupted; kill $!; exit' INT; sleep 60 & echo $$; wait"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(LAUNCHER), account, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        assert parent.stdout.readline() == b"interrupted\n"
    await until(lambda: not runs(pid), "the child ends")
