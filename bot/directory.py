"""The town's own directory of staff, by OpenID Connect: where to send a browser, and what its answer proves (R26).

Believed is only an identity token that is signed by a key the issuer publishes, with an algorithm of ours, for us, over our nonce, now. The keys and
addresses come from the issuer itself; each answer is looked at anew. Loaded only where a directory is set.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bot.outside import Checked, written_as_loopback
from bot.settings import Settings
from storage.oidc import Attempt

_ALGORITHMS = ["RS256", "PS256", "ES256"]
"""No `none`, and no HMAC: a public key must never pass for a shared secret."""
_LEEWAY = 60
_SECONDS = 10.0
_LONGEST_SUBJECT = 255
_BROKEN = (OAuthError, JoseError, httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError)


class NotBelieved(Exception):
    """The directory did not answer, or what came proves nothing. The message is one word for the log, never what was sent."""


class Directory:
    """One issuer. `back` is the address of ours that browsers return to."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer.rstrip("/")
        self.back = f"{settings.base_url}/desk/directory/back"
        secret = None if settings.oidc_client_secret is None else settings.oidc_client_secret.get_secret_value()
        self._id, self._secret = settings.oidc_client_id, secret
        self._inner = settings.may_lie_inside | written_as_loopback(self.issuer)

    async def way_there(self, attempt: Attempt) -> str:
        """Where the browser goes to sign in. Raises `NotBelieved`."""
        try:
            async with self._client() as client:
                about = await self._about(client)
                address, _ = client.create_authorization_url(
                    about["authorization_endpoint"], state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
                )
        except _BROKEN as error:
            raise NotBelieved(type(error).__name__) from error
        return str(address)

    async def subject(self, attempt: Attempt, answer: Mapping[str, str]) -> str:
        """Who the directory says came back. Raises `NotBelieved`."""
        if answer.get("iss") not in (None, self.issuer):  # RFC 9207: an answer of another issuer
            raise NotBelieved("other_issuer")
        try:
            async with self._client() as client:
                about = await self._about(client)
                given = await client.fetch_token(about["token_endpoint"], code=answer.get("code", ""), code_verifier=attempt.verifier)
                keys = (await client.request("GET", self._theirs(about["jwks_uri"]), withhold_token=True)).raise_for_status().json()
            return self._proved(given["id_token"], KeySet.import_key_set(keys), attempt.nonce)
        except _BROKEN as error:
            raise NotBelieved(type(error).__name__) from error

    def _proved(self, token: str, keys: KeySet, nonce: str) -> str:
        said = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        registry = jwt.JWTClaimsRegistry(
            now=int(time.time()), leeway=_LEEWAY, iss={"essential": True, "value": self.issuer}, aud={"essential": True, "value": self._id},
            exp={"essential": True}, iat={"essential": True}, nonce={"essential": True, "value": nonce}, sub={"essential": True},
        )  # fmt: skip
        registry.validate(said.claims)
        audience, subject = said.claims["aud"], said.claims["sub"]
        if isinstance(audience, list) and len(audience) > 1 and said.claims.get("azp") != self._id:
            raise NotBelieved("azp")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise NotBelieved("sub")
        return subject

    async def _about(self, client: AsyncOAuth2Client) -> dict[str, str]:
        """What the issuer says of itself, under its very name. What it names may lie elsewhere, but inside only where the operator said so (R35)."""
        found: dict[str, Any] = (
            await client.request("GET", f"{self.issuer}/.well-known/openid-configuration", withhold_token=True)
        ).raise_for_status().json()  # fmt: skip
        if str(found["issuer"]).rstrip("/") != self.issuer:
            raise NotBelieved("other_issuer")
        return {name: self._theirs(found[name]) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}

    def _theirs(self, address: str) -> str:
        """An address the issuer names: as safe a way as its own."""
        if urlsplit(address).scheme != urlsplit(self.issuer).scheme:
            raise NotBelieved("scheme")
        return address

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._id, self._secret, redirect_uri=self.back, scope="openid", code_challenge_method="S256", timeout=_SECONDS, follow_redirects=False,
            trust_env=False, transport=Checked(self._inner),
        )  # fmt: skip
