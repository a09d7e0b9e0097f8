"""The proxy in front that signs people in: which requests are its own, and whether our own pages have caused them.

`people` asks. What the proxy says of somebody is in one header, and is believed only straight from its addresses.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web

__all__ = ["Proxy", "from_our_page", "origin"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """The addresses that it has, and the header in which it says who somebody is."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    header: str

    def trusts(self, remote: str | None) -> bool:
        """Whether a request from this address came straight from it."""
        try:
            address = ip_address(remote or "")
        except ValueError:
            return False
        if not isinstance(address, IPv4Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


def origin(request: web.BaseRequest) -> str:
    """Where a request to the proxy came from: the proxy adds that as the last address."""
    last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return f"{ip_address(last)} through {request.remote}"
    except ValueError:
        return request.remote or ""


def from_our_page(request: web.BaseRequest) -> bool:
    """Whether no page elsewhere has made a browser send this, which is signed in at the proxy for it as well.

    Browsers say so by themselves; what is no browser says nothing.
    """
    site, page = request.headers.get("Sec-Fetch-Site"), request.headers.get(hdrs.ORIGIN)
    if site is not None:
        return site in ("same-origin", "none")
    return page is None or _host(page) in (request.host, request.headers.get("X-Forwarded-Host"))


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""
