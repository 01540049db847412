"""An identity provider on loopback, as strict as OpenID Connect Core 1.0 and PKCE (RFC 7636), that can be told to lie in one part of its token."""

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.twins.serving import Loopback


class DirectoryTwin(Loopback):
    """`subject` signs in at the next visit; `lies` replaces claims, `signed` says how the token is signed: `rightly`, `none`, `hmac`, `other_key`;
    `names` replaces addresses it names."""

    def __init__(self, back: str, *, client: str = "madoguchi", secret: str = "directory-secret") -> None:
        super().__init__()
        self.back, self.client, self.secret = back, client, secret
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.subject, self.lies, self.signed = "u-1", {}, "rightly"
        self.issuer = self.url
        self.names: dict[str, str] = {}
        self._asked: dict[str, dict[str, str]] = {}
        self.violations: list[str] = []

    lies: dict[str, Any]

    def app(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about), Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]), Route("/keys", self._keys),
            ]
        )  # fmt: skip

    def visit(self, address: str) -> str:
        """Somebody's browser goes there, signs in, and is sent back to this address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        wanted = {"response_type": "code", "client_id": self.client, "redirect_uri": self.back, "code_challenge_method": "S256"}
        for name, value in wanted.items():
            assert asked.get(name) == value, name
        assert "openid" in asked["scope"].split()
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
        code = secrets.token_urlsafe(16)
        self._asked[code] = asked
        return f"{self.back}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    async def _about(self, request: Request) -> Response:
        return JSONResponse({
            "issuer": self.issuer, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys", **self.names,
        })  # fmt: skip

    async def _authorize(self, request: Request) -> Response:
        return RedirectResponse(self.visit(str(request.url)))

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        basic = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if basic != f"{self.client}:{self.secret}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        form = await request.form()
        asked = self._asked.pop(str(form.get("code")), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(str(form.get("code_verifier")).encode()).digest()).decode().rstrip("=")
        if asked is None or form.get("redirect_uri") != self.back or proof != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": self.subject, "aud": self.client, "exp": now + 300, "iat": now, "nonce": asked["nonce"], **self.lies}
        token = self._signed({name: value for name, value in claims.items() if value is not None})
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _signed(self, claims: dict[str, Any]) -> str:
        match self.signed:
            case "none":
                return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])
            case "hmac":  # the public key, which everybody has, as if it were a shared secret
                shared = base64.urlsafe_b64encode(self.key.as_pem(private=False)).decode().rstrip("=")
                return jwt.encode({"alg": "HS256", "kid": "1"}, claims, OctKey.import_key({"kty": "oct", "k": shared}), algorithms=["HS256"])
            case "other_key":
                return jwt.encode({"alg": "RS256", "kid": "1"}, claims, RSAKey.generate_key(2048), algorithms=["RS256"])
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key, algorithms=["RS256"])
