"""Personal data, sealed with the contact's own key (design: contracts, "Personal data").

Erasing a contact destroys one small key; whatever was sealed with it, in tables, topics and dead letters,
goes dark at the same moment. Nothing here keeps a key longer than one call, so erasure acts at once.
"""

import base64
import binascii
import hmac
import os
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ValidationError

from shared.db.database import Connection
from shared.errors import Unavailable, Unprocessable
from shared.security.keyring import KeyRing, derive_key

M = TypeVar("M", bound=BaseModel)

VERSION = b"\x01"
NONCE_BYTES = 12
KEY_BITS = 256
HEADER_BYTES = len(VERSION) + 16 + NONCE_BYTES

_LOAD = "select contact_id, wrapped, kid from keys.data_keys where contact_id = any($1::uuid[])"
_CREATE = """
    insert into keys.data_keys (contact_id, wrapped, kid, created_at)
    select contact_id, wrapped, $3, $4 from unnest($1::uuid[], $2::bytea[]) as fresh (contact_id, wrapped)
    on conflict (contact_id) do nothing
"""
# A contact without a key gets its tombstone too, so that no later event can make one for it.
_DESTROY = """
    insert into keys.data_keys (contact_id, wrapped, kid, created_at, destroyed_at)
    select contact_id, null, $2, $3, $3 from unnest($1::uuid[]) as erased (contact_id)
    on conflict (contact_id) do update set
        wrapped = null, destroyed_at = coalesce(data_keys.destroyed_at, excluded.destroyed_at)
"""
_STALE = """
    select contact_id, wrapped, kid from keys.data_keys
    where wrapped is not null and kid <> $1 order by contact_id limit $2 for update
"""
_REWRAP = """
    update keys.data_keys as k set wrapped = fresh.wrapped, kid = $3
    from unnest($1::uuid[], $2::bytea[]) as fresh (contact_id, wrapped)
    where k.contact_id = fresh.contact_id and k.wrapped is not null
"""


class SealBrokenError(Unprocessable):
    """A sealed text was altered, is another contact's or model's, or comes from another installation."""


@dataclass(frozen=True, slots=True)
class _DataKey:
    """A contact's key as stored; `wrapped` is None once it was destroyed."""

    wrapped: bytes | None
    kid: int


class Sealer:
    """Seals and opens personal data; knows the master keys, keeps no data key.

    Args:
        masters: Master keys that wrap the data keys; the first is used for new ones.
        blind_secret: Secret of the look-up hashes. It cannot be rotated without hashing all values anew.
        now: Business time, written beside a key when it is made and destroyed.
    """

    def __init__(self, masters: KeyRing, blind_secret: bytes, now: Callable[[], datetime]) -> None:
        self._kid = masters.current
        self._masters = {kid: AESGCM(key) for kid, key in masters.derived("data-key").items()}
        self._blind = derive_key(blind_secret, "blind")
        self._now = now

    async def seal(self, conn: Connection, items: Sequence[tuple[UUID, BaseModel]]) -> list[str]:
        """Seal each model for its contact, in the caller's transaction, and make keys that are missing.

        The result is "" where the contact was erased: no key, hence no readable copy, ever comes back.
        """
        keys = await self._load_or_create(conn, {contact_id for contact_id, _ in items})
        # Random numbers of all at once: each question to the system takes longer than the sealing itself.
        drawn = os.urandom(NONCE_BYTES * len(items))
        nonces = (drawn[start : start + NONCE_BYTES] for start in range(0, len(drawn), NONCE_BYTES))
        return [
            self._seal_one(contact_id, keys[contact_id], model, nonce)
            for (contact_id, model), nonce in zip(items, nonces, strict=True)
        ]

    async def open(
        self, conn: Connection, items: Sequence[tuple[UUID, str]], model: type[M]
    ) -> list[M | None]:
        """Open each sealed text of its contact; None where it is empty or the contact was erased.

        Raises:
            SealBrokenError: A text was altered, or is not this contact's or not of this model.
        """
        wanted = {contact_id for contact_id, sealed in items if sealed}
        keys = await self._load(conn, wanted)
        return [self._open_one(contact_id, keys, sealed, model) for contact_id, sealed in items]

    async def destroy(self, conn: Connection, contact_ids: Collection[UUID]) -> None:
        """Destroy the contacts' keys for good, also of those that never had one. Repeating is harmless."""
        await conn.execute(_DESTROY, sorted(set(contact_ids)), self._kid, self._now())

    async def rewrap(self, conn: Connection, limit: int = 1000) -> int:
        """Wrap up to `limit` data keys of older master keys with the current one; how many it were."""
        rows = await conn.fetch(_STALE, self._kid, limit)
        ids = [row["contact_id"] for row in rows]
        fresh = [
            self._wrap(contact_id, self._unwrap(contact_id, row["kid"], row["wrapped"]))
            for contact_id, row in zip(ids, rows, strict=True)
        ]
        await conn.execute(_REWRAP, ids, fresh, self._kid)
        return len(rows)

    def blind(self, purpose: str, value: str) -> str:
        """A keyed hash by which a value can be looked up without being kept in clear.

        Values that differ only in case, surrounding space or Unicode form give the same hash; hashes of
        different purposes cannot be compared.
        """
        plain = value if value.isascii() else unicodedata.normalize("NFKC", value)
        label = purpose.encode()
        text = bytes([len(label)]) + label + plain.strip().casefold().encode()
        return _encode(hmac.digest(self._blind, text, "sha256"))

    async def _load(self, conn: Connection, contact_ids: Collection[UUID]) -> dict[UUID, _DataKey]:
        if not contact_ids:
            return {}
        rows = await conn.fetch(_LOAD, sorted(contact_ids))
        return {row["contact_id"]: _DataKey(row["wrapped"], row["kid"]) for row in rows}

    async def _load_or_create(
        self, conn: Connection, contact_ids: Collection[UUID]
    ) -> Mapping[UUID, _DataKey]:
        keys = await self._load(conn, contact_ids)
        missing = sorted(contact_id for contact_id in contact_ids if contact_id not in keys)
        if not missing:
            return keys
        fresh = [self._wrap(contact_id, AESGCM.generate_key(KEY_BITS)) for contact_id in missing]
        await conn.execute(_CREATE, missing, fresh, self._kid, self._now())
        # Read back, not kept: somebody else may have made (or destroyed) the key between the two statements.
        return keys | await self._load(conn, missing)

    def _wrap(self, contact_id: UUID, data_key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._masters[self._kid].encrypt(nonce, data_key, contact_id.bytes)

    def _unwrap(self, contact_id: UUID, kid: int, wrapped: bytes) -> bytes:
        master = self._masters.get(kid)
        if master is None:
            raise Unavailable(
                f"a data key is wrapped with master key {kid}; add that key to the configured master keys"
            )
        try:
            nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
            return master.decrypt(nonce, ciphertext, contact_id.bytes)
        except InvalidTag:
            raise Unavailable(
                f"master key {kid} does not open the data key of contact {contact_id}: "
                "it is not the key of that number that this database was made with"
            ) from None

    def _seal_one(self, contact_id: UUID, key: _DataKey, model: BaseModel, nonce: bytes) -> str:
        if key.wrapped is None:
            return ""
        cipher = AESGCM(self._unwrap(contact_id, key.kid, key.wrapped))
        plain = model.model_dump_json(exclude_none=True).encode()
        ciphertext = cipher.encrypt(nonce, plain, _context(contact_id, type(model)))
        return _encode(VERSION + contact_id.bytes + nonce + ciphertext)

    def _open_one(
        self, contact_id: UUID, keys: Mapping[UUID, _DataKey], sealed: str, model: type[M]
    ) -> M | None:
        if not sealed:
            return None
        key = keys.get(contact_id)
        if key is None:
            raise SealBrokenError(
                f"contact {contact_id} has no data key here: sealed by another installation"
            )
        if key.wrapped is None:
            return None
        nonce, ciphertext = _parse(contact_id, sealed)
        cipher = AESGCM(self._unwrap(contact_id, key.kid, key.wrapped))
        try:
            plain = cipher.decrypt(nonce, ciphertext, _context(contact_id, model))
            return model.model_validate_json(plain)
        except InvalidTag:
            raise SealBrokenError(
                f"sealed text of contact {contact_id}: altered, or not a {model.__name__}"
            ) from None
        except ValidationError as error:
            # The error itself would quote the person's data.
            fields = sorted(
                {".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False)}
            )
            raise SealBrokenError(
                f"sealed {model.__name__} of contact {contact_id}: unreadable fields {', '.join(fields)}"
            ) from None


def _context(contact_id: UUID, model: type[BaseModel]) -> bytes:
    """What a ciphertext is bound to: it opens for this contact and as this model alone."""
    return VERSION + contact_id.bytes + model.__name__.encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _parse(contact_id: UUID, sealed: str) -> tuple[bytes, bytes]:
    try:
        raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBrokenError(f"sealed text of contact {contact_id}: not base64url") from None
    if len(raw) <= HEADER_BYTES or raw[:1] != VERSION:
        raise SealBrokenError(f"sealed text of contact {contact_id}: unknown version or cut off")
    if raw[1:17] != contact_id.bytes:
        raise SealBrokenError(f"sealed text of contact {contact_id}: sealed for somebody else")
    return raw[17:HEADER_BYTES], raw[HEADER_BYTES:]
