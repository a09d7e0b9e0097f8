"""The process in which broken copies of the service are tried: one child for each, all from a parent that is warm.

`breaking` starts it, and hands it a list of (folder, first seed, seeds, promise) as JSON; each line of its output is
what the child found, or null. The parent loads what all of them need and nothing of the service.
"""

import json
import os
import sys
from typing import Any


def warm() -> None:
    """Load the libraries that the service uses, so that each child need not."""
    import aiohttp  # noqa: F401
    import cel  # noqa: F401
    import jinja2  # noqa: F401
    import msgspec  # noqa: F401
    import pydantic  # noqa: F401
    import re2  # noqa: F401
    import yaml  # noqa: F401


def search(folder: str, first: int, seeds: int, promise: int) -> tuple[int, int, str] | None:
    """The first seed at which the service in `folder` breaks this promise."""
    sys.path.insert(0, folder)
    import paramedic

    assert str(paramedic.__file__).startswith(folder), paramedic.__file__
    from tests.simulation.judge import judge
    from tests.simulation.scenario import scenario

    for seed in range(first, first + seeds):
        verdict = judge(scenario(seed))
        if verdict.promise == promise:
            return seed, verdict.promise, verdict.seen
    return None


def in_a_child(work: list[Any]) -> bytes:
    """What the search came to, as a line of JSON, from a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = json.dumps(search(*work)).encode() + b"\n"
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}".encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


if __name__ == "__main__":
    warm()
    for each in json.load(sys.stdin):
        sys.stdout.write(in_a_child(each).decode())
        sys.stdout.flush()
