"""Passkeys: a key in the computer or telephone instead of a typed code (R26).

The browser signs our challenge together with the address it stands at, so a page that only looks like ours gets nothing it could use. Loaded only by
whoever meets a passkey.
"""

import json
from urllib.parse import urlsplit

import webauthn
from sqlmodel import Session as Rows
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from bot.parts import Parts
from storage import passkeys
from storage.passkeys import KeyTaken, Passkey
from storage.staff import SignedIn

_LONGEST_ANSWER = 20_000
_UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)


def question(rows: Rows, parts: Parts, signed: SignedIn) -> str | None:
    """What the browser is asked to sign for signing in, as JSON; None where this member of staff has no passkey."""
    known = passkeys.of(rows, signed.member.id)
    if not known:
        return None
    allowed = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in known]
    options = webauthn.generate_authentication_options(rp_id=_host(parts), allow_credentials=allowed)
    passkeys.challenge(rows, signed, bytes_to_base64url(options.challenge))
    return webauthn.options_to_json(options)


def passes(rows: Rows, parts: Parts, signed: SignedIn, answer: str) -> bool:
    """Whether the answer is signed by one of this member's keys, over the open question, at our own address."""
    asked = passkeys.spend_challenge(rows, signed)
    if asked is None or len(answer) > _LONGEST_ANSWER:
        return False
    try:
        given = json.loads(answer)
        key = _named(passkeys.of(rows, signed.member.id), given["id"])
        if key is None:
            return False
        proved = webauthn.verify_authentication_response(
            credential=given, expected_challenge=base64url_to_bytes(asked), expected_rp_id=_host(parts), expected_origin=parts.settings.base_url,
            credential_public_key=key.public_key, credential_current_sign_count=key.sign_count,
        )  # fmt: skip
    except _UNREADABLE:
        return False
    return passkeys.used(rows, key, proved.new_sign_count)


def _named(known: list[Passkey], credential_id: object) -> Passkey | None:
    return next((key for key in known if key.credential_id == credential_id), None)


def new_key_question(rows: Rows, parts: Parts, signed: SignedIn) -> str:
    """What the browser is asked for to make a new key, as JSON."""
    known = [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in passkeys.of(rows, signed.member.id)]
    options = webauthn.generate_registration_options(
        rp_id=_host(parts), rp_name="Madoguchi", user_name=signed.member.login, user_id=signed.member.id.encode(),
        user_display_name=signed.member.name, exclude_credentials=known,
    )  # fmt: skip
    passkeys.challenge(rows, signed, bytes_to_base64url(options.challenge))
    return webauthn.options_to_json(options)


def keep(rows: Rows, parts: Parts, signed: SignedIn, answer: str, name: str) -> bool:
    """Keep the new key, if the answer is one to the open question, made at our own address."""
    asked = passkeys.spend_challenge(rows, signed)
    if asked is None or len(answer) > _LONGEST_ANSWER:
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=base64url_to_bytes(asked), expected_rp_id=_host(parts), expected_origin=parts.settings.base_url
        )
        passkeys.add(
            rows, signed.member.id, credential_id=bytes_to_base64url(made.credential_id), public_key=made.credential_public_key,
            sign_count=made.sign_count, name=name, now=parts.clock.now(),
        )  # fmt: skip
    except (*_UNREADABLE, KeyTaken):
        return False
    return True


def _host(parts: Parts) -> str:
    return urlsplit(parts.settings.base_url).hostname or ""
