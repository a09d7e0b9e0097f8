"""What a server says, as one line for a person; and nothing of what came with an alert as a line of its own."""

import logging
from pathlib import Path

import pytest

from paramedic.errors import ParamedicError, Permanent, Temporary
from paramedic.store.embedded.report import ServerLog, explained

FOLDER = Path("/data")
READY = "LOG:  database system is ready to accept connections"


def why(*lines: str, status: int = 1) -> ParamedicError:
    return explained("PostgreSQL ended", lines, FOLDER, status)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ['initdb: error: could not write file "/data/postgres.new/PG_VERSION": No space left on device'],
            "PostgreSQL ended: the disk that holds /data is full; make room, then start again (could not write file"
            ' "/data/postgres.new/PG_VERSION": No space left on device)',
        ),
        (
            [
                READY,
                'PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device',
                "LOG:  shutting down",
            ],
            "PostgreSQL ended: the disk that holds /data is full; make room, then start again (could not write to file"
            ' "pg_wal/xlogtemp.7": No space left on device)',
        ),
        (
            [READY, "PANIC:  could not fsync file", "LOG:  client backend (PID 7) was terminated by signal 6: Aborted"],
            "PostgreSQL ended: could not fsync file",
        ),
        (
            ["LOG:  client backend (PID 7) was terminated by signal 9: Killed", "LOG:  shutting down"],
            "PostgreSQL ended: client backend (PID 7) was terminated by signal 9: Killed",
        ),
        (
            ["FATAL:  first", "FATAL:  could not open file", "LOG:  database system is shut down"],
            "PostgreSQL ended: could not open file",
        ),
        (
            [
                '2026-01-02 03:04:05.678 UTC [7] FATAL:  could not extend file "base/1/2691": No space left on device',
                "2026-01-02 03:04:05.678 UTC [7] HINT:  Check free disk space.",
                "2026-01-02 03:04:05.678 UTC [7] PANIC:  cannot abort transaction 1, it was already committed",
                "Aborted",
                "child process exited with exit code 134",
                'initdb: removing data directory "/data/postgres.new"',
            ],
            "PostgreSQL ended: the disk that holds /data is full; make room, then start again (could not extend file"
            ' "base/1/2691": No space left on device)',
        ),
        (["cannot run postgres: Permission denied"], "PostgreSQL ended: cannot run postgres: Permission denied"),
        ([], "PostgreSQL ended: it said nothing"),
        (
            ["initdb: error: could not look up effective user ID 4711: user does not exist"],
            "PostgreSQL ended: could not look up effective user ID 4711: user does not exist; give the user a name in"
            " /etc/passwd, or set PARAMEDIC_DATABASE_URL",
        ),
    ],
)
def test_the_gravest_line_is_the_reason(lines: list[str], expected: str) -> None:
    reason = why(*lines)
    assert isinstance(reason, Permanent)
    assert str(reason) == expected


def test_a_signal_from_outside_says_more_than_the_log() -> None:
    assert (
        str(why(READY, "FATAL:  password authentication failed", status=-9)) == "PostgreSQL ended: killed by signal 9"
    )


def test_a_server_whose_processes_still_end_is_worth_another_try() -> None:
    reason = why("FATAL:  pre-existing shared memory block (key 5432001, ID 7) is still in use")
    assert isinstance(reason, Temporary)
    assert 0 < reason.delay < 1


def test_lines_become_log_records_of_their_weight(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = ServerLog()
    for line in (READY, "WARNING:  odd", "ERROR:  a statement's own affair", "FATAL:  bad", "PANIC:  worse", "noise"):
        log.take(line.encode())
    assert [record.levelno for record in caplog.records] == [
        logging.DEBUG,
        logging.WARNING,
        logging.DEBUG,
        logging.ERROR,
        logging.CRITICAL,
        logging.DEBUG,
    ]
    assert caplog.records[1].getMessage() == "PostgreSQL: WARNING:  odd"


def test_a_connection_that_ends_because_the_server_was_told_to_stop_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    ServerLog().take(b"FATAL:  terminating connection due to administrator command")
    assert caplog.records[0].levelno == logging.DEBUG


def test_a_line_stays_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """A server's message can hold values of an alert: no escape sequence and no line break of theirs gets through."""
    caplog.set_level(logging.DEBUG)
    text = ServerLog().take("ERROR:  key (a)=(\x1b[31mred\r\u2028FATAL: forged\x85) \xff".encode() + b"\xff\n")
    assert text == "ERROR:  key (a)=( [31mred  FATAL: forged ) \xff\ufffd"
    assert caplog.records[0].levelno == logging.DEBUG


def test_only_the_last_lines_are_kept() -> None:
    log = ServerLog()
    for number in range(1000):
        log.take(f"LOG:  {number}".encode())
    assert len(log.lines) == 50
    assert log.lines[-1] == "LOG:  999"
