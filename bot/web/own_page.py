"""Whether a POST comes from a page of ours (R29), and where from.

Browsers of today say it themselves (Sec-Fetch-Site). Older ones send Origin, but our Referrer-Policy turns it into `null` for plain forms: there the
form's own proof decides, which only a page that knew the visitor's cookie can carry.
"""

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request


def proof_of(secret: str) -> str:
    """The hidden field of every form of this visitor."""
    return hmac.digest(secret.encode(), b"form", "sha256").hex()


def is_ours(request: Request, secret: str | None, proof: str) -> bool:
    """True when a page of ours posted this. `secret` is the visitor's cookie, None when there is none."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "null")
    if origin != "null":
        return urlsplit(origin).netloc == request.headers.get("host")
    return secret is not None and hmac.compare_digest(proof_of(secret).encode(), proof.encode())


def address_of(request: Request) -> str:
    """Where a request comes from, for counting tries: IPv6 by its /64, because one home has a whole one."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)
