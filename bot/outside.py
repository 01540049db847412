"""Fetching a file from a platform: a fixed host, a public address that is the one used, no redirect, no more bytes than allowed (R35).

Addresses are made of a host from the settings and an id that was checked; nothing a resident writes is ever an address of ours to call.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx


class NotFetched(Exception):
    """`problem` is one word of ours; `again`: another try may succeed."""

    def __init__(self, problem: str, *, again: bool) -> None:
        super().__init__(problem)
        self.problem, self.again = problem, again


async def fetch(url: str, *, most: int, headers: Mapping[str, str] | None = None, seconds: float = 20.0) -> bytes:
    """The body of a plain 200 with at most `most` bytes. Raises `NotFetched`."""
    try:
        async with asyncio.timeout(seconds):
            return await _fetch(url, most, dict(headers or {}))
    except (TimeoutError, httpx.HTTPError, OSError) as error:
        raise NotFetched("not_connected", again=True) from error
    except httpx.InvalidURL as error:
        raise NotFetched("address", again=False) from error


async def _fetch(url: str, most: int, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in ("http", "https"):
        raise NotFetched("address", again=False)
    address = await public_address(host, port)
    at = httpx.URL(url).copy_with(host=address)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as http:
        request = http.build_request("GET", at, headers={**headers, "host": parts.netloc.rpartition("@")[2]}, extensions={"sni_hostname": host})
        answer = await http.send(request, stream=True)
        try:
            return await _body(answer, most)
        finally:
            await answer.aclose()


async def _body(answer: httpx.Response, most: int) -> bytes:
    if answer.status_code != 200:
        raise NotFetched("gone" if answer.status_code in (404, 410) else f"status_{answer.status_code}", again=answer.status_code not in (404, 410))
    found = bytearray()
    async for piece in answer.aiter_raw():
        found += piece
        if len(found) > most:
            raise NotFetched("too_large", again=False)
    return bytes(found)


async def public_address(host: str, port: int) -> str:
    """The address of this host now, if it is a public one; loopback only where it is written as such. Raises `NotFetched`."""
    if host in ("127.0.0.1", "::1"):
        return host
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in addresses):
        raise NotFetched("inner_address", again=False)
    return addresses[0]
