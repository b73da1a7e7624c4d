"""Sealing personal data, blind indexes to look it up by, and keyed hashes of one-time codes."""

from __future__ import annotations

import hmac
from hashlib import blake2b
from secrets import token_bytes
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mocks.lender.key_ring import KeyRing

_VERSION = b"\x01"
_NONCE = 12
_SHORT = 64


class VaultError(Exception):
    """Sealed data cannot be opened: its key is missing, or it was altered or belongs elsewhere."""


class Vault(Protocol):
    """What the lender asks of its key holder. `context` says where the data belongs,
    `table.field:record key`; sealed data opens nowhere else."""

    def seal(self, text: str, context: str) -> bytes:
        """Encrypt."""

    def unseal(self, data: bytes, context: str) -> str:
        """Decrypt. Raises VaultError."""

    def blind_index(self, text: str, field: str) -> str:
        """A keyed hash that is equal for equal texts of one field, to search by."""

    def otp_hash(self, binding_id: str, code: str) -> str:
        """A keyed hash of a binding's one-time code."""

    def otp_matches(self, binding_id: str, code: str, hashed: str) -> bool:
        """Whether `code` has this hash; takes the same time whatever the answer."""


class AesGcmVault:
    """AES-256-GCM with a random 96-bit nonce for each value.

    Envelope: version (1 byte, 0x01), length of the key id (1 byte), key id, nonce (12 bytes),
    ciphertext with its 16-byte tag. Envelope header and context are authenticated. Hashes are
    HMAC-SHA256, each purpose under its own key.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.keys.items()}
        name = keys.current.encode()
        self._header = _VERSION + bytes((len(name),)) + name

    def seal(self, text: str, context: str) -> bytes:
        nonce = token_bytes(_NONCE)
        cipher = self._ciphers[self._keys.current]
        bound_to = self._header + context.encode()
        return self._header + nonce + cipher.encrypt(nonce, text.encode(), bound_to)

    def unseal(self, data: bytes, context: str) -> str:
        end = 2 + data[1] if len(data) > 2 else 0
        if data[:1] != _VERSION or len(data) < end + _NONCE:
            raise VaultError(f"{_place(context)} is not sealed data of version 1")
        header, nonce, sealed = data[:end], data[end : end + _NONCE], data[end + _NONCE :]
        key_id = header[2:].decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(f"{_place(context)} needs key {key_id}, which the key ring lacks")
        try:
            return cipher.decrypt(nonce, sealed, header + context.encode()).decode()
        except InvalidTag:
            raise VaultError(
                f"{_place(context)} does not open with key {key_id}: other key, altered or moved"
            ) from None

    def rewrap(self, data: bytes, context: str) -> bytes:
        """The same text under the current key. Raises VaultError."""
        if data.startswith(self._header):
            return data
        return self.seal(self.unseal(data, context), context)

    def blind_index(self, text: str, field: str) -> str:
        return hmac.digest(self._keys.index_key, f"{field}\0{text}".encode(), "sha256").hex()

    def otp_hash(self, binding_id: str, code: str) -> str:
        return hmac.digest(self._keys.otp_key, f"{binding_id}\0{code}".encode(), "sha256").hex()

    def otp_matches(self, binding_id: str, code: str, hashed: str) -> bool:
        return hmac.compare_digest(self.otp_hash(binding_id, code), hashed)


class MemoryVault:
    """For virtual time: nothing is at rest and nobody exists, so nothing is encrypted."""

    def seal(self, text: str, context: str) -> bytes:
        return text.encode()

    def unseal(self, data: bytes, context: str) -> str:
        return data.decode()

    def blind_index(self, text: str, field: str) -> str:
        # A whole request is kept for hours; a digest of it tells requests apart as well.
        if len(text) <= _SHORT:
            return text
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def otp_hash(self, binding_id: str, code: str) -> str:
        return code

    def otp_matches(self, binding_id: str, code: str, hashed: str) -> bool:
        return code == hashed


def _place(context: str) -> str:
    return context.partition(":")[0]
