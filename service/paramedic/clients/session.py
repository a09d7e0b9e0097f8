"""Sessions of aiohttp that do nothing behind our back. The clients that speak HTTP are built on them.

A request is sent once, no redirect is followed, no proxy or cookie of the machine is used, and no wait is without end.
"""

from functools import lru_cache

import aiohttp

from paramedic.core.text import one_line

__all__ = ["Lost", "bounds", "open_session", "why"]

_HEADERS = {"User-Agent": "paramedic", "Accept-Encoding": "identity"}


class Lost(Exception):
    """The connection broke after it stood. Not one of aiohttp's own, because those make it send again by itself."""


def open_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """A session over this connector. Make it inside the event loop that it serves, and close it."""
    return aiohttp.ClientSession(
        connector=connector,
        headers=_HEADERS,
        skip_auto_headers=("Content-Type",),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        middlewares=(_only_once,),
    )


@lru_cache(maxsize=256)
def bounds(timeout: float) -> aiohttp.ClientTimeout:
    """The deadline of a whole request (s). A connection has half of it, so that running out of the whole always means
    that the request may have left.
    """
    # The threshold keeps aiohttp from rounding up to whole seconds; its 0 would mean for ever.
    total = max(timeout, 0.001)
    return aiohttp.ClientTimeout(total=total, connect=total / 2, ceil_threshold=2 * total)


def why(error: Exception) -> str:
    """What went wrong, in the words of whoever noticed it, on one line."""
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came back is not HTTP"
    said = error.strerror if isinstance(error, aiohttp.ClientConnectorError) else str(error)
    return one_line(said or type(error).__name__, 200)


async def _only_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp repeats PUT, DELETE and GET when a kept connection breaks; whether to repeat is not its decision."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Lost(str(error) or type(error).__name__) from error
