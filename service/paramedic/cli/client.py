"""How a command reaches the running service: the private socket in PARAMEDIC_DATA, or PARAMEDIC_URL with a token.

Standard library only, so that a command starts fast. Refusals of the service become the errors that `main` prints.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from paramedic.console.door import connect
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.settings import Settings, read_settings

if TYPE_CHECKING:
    from http.client import HTTPConnection

__all__ = ["Client", "client_of"]

TIMEOUT = 15.0  # seconds for the connection, and for each read
LARGEST = 256 * 1024 * 1024  # bytes of an answer


class Client:
    """Asks the service. Raises `Fault` for a wrong request, `Permanent` for a refusal, `Temporary` for no answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._where = settings.url or f"the service in {settings.data}"

    def get(self, *path: str, **query: object) -> Any:
        """The JSON at /api/v1/`path`, with what is given of `query`."""
        return json.loads(self._ask("GET", _address(path, query), None))

    def text(self, *path: str) -> str:
        """The text at /api/v1/`path`."""
        return self._ask("GET", _address(path, {}), None).decode(errors="replace")

    def post(self, *path: str, **body: object) -> Any:
        """What an act answers; of `body`, what is not None."""
        return json.loads(self._ask("POST", _address(path, {}), body))

    def send(self, *path: str, body: bytes, **query: object) -> Any:
        """What is answered to `body` as it is."""
        return json.loads(self._ask("POST", _address(path, query), body))

    def put(self, *path: str, **body: object) -> Any:
        """As `post`, to set something."""
        return json.loads(self._ask("PUT", _address(path, {}), body))

    def _ask(
        self, method: Literal["GET", "POST", "PUT"], address: str, body: Mapping[str, object] | bytes | None
    ) -> bytes:
        from http.client import HTTPException

        connection = self._connection()
        headers = {"Accept": "application/json", "Connection": "close", "User-Agent": "paramedic-cli"}
        if self._settings.url and self._settings.token:
            headers["Authorization"] = f"Bearer {self._settings.token}"
        given = body if isinstance(body, bytes) else None
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        elif body is not None:
            given = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, urlsplit(self._settings.url).path.rstrip("/") + address, given, headers)
            answer = connection.getresponse()
            content = answer.read(LARGEST)
        except (OSError, HTTPException) as error:
            said = str(error) or type(error).__name__
            raise Temporary(f"{self._where} does not answer: {said}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise _refused(answer.status, content, self._where)
        return content

    def _connection(self) -> "HTTPConnection":
        import ssl
        from http.client import HTTPConnection, HTTPSConnection

        if not self._settings.url:
            connection = HTTPConnection("localhost", timeout=TIMEOUT)
            connection.sock = connect(self._settings.data, timeout=TIMEOUT)
            return connection
        try:
            parts = urlsplit(self._settings.url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _no_address() from error
        if parts.scheme not in ("http", "https") or not host:
            raise _no_address()
        if parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=TIMEOUT)


def client_of(environment: Mapping[str, str]) -> Client:
    """The client that these settings mean."""
    return Client(read_settings(environment))


def _no_address() -> Fault:
    return Fault("PARAMEDIC_URL", "is not the address of a service", "for example http://127.0.0.1:8080")


def _address(path: tuple[str, ...], query: Mapping[str, object]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    address = "/".join(["/api/v1", *(quote(part, safe="") for part in path)])
    return f"{address}?{urlencode(given)}" if given else address


def _refused(status: int, content: bytes, where: str) -> Fault | Permanent | Temporary:
    try:
        said = json.loads(content)
        error, right = str(said["error"]), str(said.get("right", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Permanent(f"{where} answered {status}; is it Paramedic?")
    if status == 400:
        about, _, what = error.partition(": ")
        return Fault(about, what, right)
    whole = f"{error}; {right}" if right else error
    return Temporary(whole) if status == 503 else Permanent(whole)
