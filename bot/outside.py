"""Calls to the outside: a host of ours to name, a public address that is the one used, no redirect (R35).

Addresses are made of a host from the settings and an id that was checked; nothing a resident writes is ever an address of ours to call. A name is
looked up once, and the connection goes to the very address that was looked at: one that changes its mind in between gets nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotFetched(Exception):
    """`problem` is one word of ours; `again`: another try may succeed."""

    def __init__(self, problem: str, *, again: bool) -> None:
        super().__init__(problem)
        self.problem, self.again = problem, again


class InnerAddress(httpx.ConnectError):
    """The host lies inside, and nobody said that it may be called."""


class Checked(httpx.AsyncBaseTransport):
    """How every client of ours goes out. `inner`: hosts that may lie inside."""

    def __init__(self, inner: frozenset[str] = frozenset()) -> None:
        self._inner = inner
        self._plain = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `InnerAddress`."""
        url = request.url
        try:
            address = await public_address(url.host, url.port or (443 if url.scheme == "https" else 80), self._inner)
        except OSError as error:
            raise httpx.ConnectError("not found", request=request) from error
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)  # the Host header keeps the name
        return await self._plain.handle_async_request(request)

    async def aclose(self) -> None:
        await self._plain.aclose()


def written_as_loopback(url: str) -> frozenset[str]:
    """The host of an address in our settings where it is this very machine, by that name: then it is meant."""
    return _LOOPBACK & {urlsplit(url).hostname or ""}


async def fetch(url: str, *, most: int, headers: Mapping[str, str] | None = None, seconds: float = 20.0) -> bytes:
    """The body of a plain 200 with at most `most` bytes. Raises `NotFetched`."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise NotFetched("address", again=False)
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(transport=Checked(written_as_loopback(url)), follow_redirects=False) as http,
            http.stream("GET", url, headers=dict(headers or {})) as answer,
        ):
            return await _body(answer, most)
    except InnerAddress as error:
        raise NotFetched("inner_address", again=False) from error
    except (TimeoutError, httpx.HTTPError, OSError) as error:
        raise NotFetched("not_connected", again=True) from error
    except httpx.InvalidURL as error:
        raise NotFetched("address", again=False) from error


async def _body(answer: httpx.Response, most: int) -> bytes:
    if answer.status_code != 200:
        raise NotFetched("gone" if answer.status_code in (404, 410) else f"status_{answer.status_code}", again=answer.status_code not in (404, 410))
    found = bytearray()
    async for piece in answer.aiter_raw():
        found += piece
        if len(found) > most:
            raise NotFetched("too_large", again=False)
    return bytes(found)


async def public_address(host: str, port: int, inner: frozenset[str] = frozenset()) -> str:
    """The address of this host now, where all it has are public or it is one of `inner`. Raises `InnerAddress`, `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if host not in inner and not all(_is_public(address) for address in addresses):
        raise InnerAddress(f"{host} lies inside")
    return addresses[0]


def _is_public(address: str) -> bool:
    """Also no address of IPv4 in the clothes of IPv6 (6to4, NAT64), by which a gateway would lead inside."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and (found.sixtofour or found in _NAT64):
        return False
    return found.is_global and not found.is_multicast
