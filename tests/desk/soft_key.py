"""An authenticator in software: answers a page's WebAuthn questions as a browser with a security key does (W3C Web Authentication, level 2)."""

import hashlib
import json
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

_PRESENT_AND_VERIFIED, _WITH_KEY = 0x05, 0x40


@dataclass
class SoftKey:
    """One key for one site. `origin` is where the browser stands when it answers."""

    origin: str
    host: str
    id: bytes = b"k" * 20
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def makes(self, options: str) -> str:
        """The answer to a question for a new key."""
        numbers = self.private.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        about = self._about(_PRESENT_AND_VERIFIED | _WITH_KEY) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": about})
        return self._answer(clientDataJSON=self._said("webauthn.create", options), attestationObject=statement)

    def signs(self, options: str) -> str:
        """The answer to a question for signing in."""
        self.count += 1
        said, about = self._said("webauthn.get", options), self._about(_PRESENT_AND_VERIFIED)
        signature = self.private.sign(about + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=about, signature=signature)

    def _about(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _said(self, kind: str, options: str) -> bytes:
        return json.dumps({"type": kind, "challenge": json.loads(options)["challenge"], "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.id)
        said = {part: bytes_to_base64url(value) for part, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": said, "clientExtensionResults": {}})
