"""Keys, sealing, rotation, the audit chain and callback signatures."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import msgspec
import pytest
from lender_world import CARD, ID_NUMBER, NAME, PHONE, FakeWorld, Shop

from mocks.lender.audit import digest_of, verify_chain
from mocks.lender.key_ring import KeyRing, KeyRingError
from mocks.lender.records import Applicant, AuditEntry
from mocks.lender.rotation import rewrap_all
from mocks.lender.sql_store import SqlStore
from mocks.lender.vault import AesGcmVault, VaultError
from mocks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign, verify

CONTEXT = "bindings.phone:bnd_1"


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    KeyRing.create(path)
    return path


def test_sealed_text_opens_in_its_place_only(ring: Path) -> None:
    vault = AesGcmVault(KeyRing.load(ring))
    sealed = vault.seal(PHONE, CONTEXT)
    assert vault.unseal(sealed, CONTEXT) == PHONE
    assert PHONE.encode() not in sealed
    assert vault.seal(PHONE, CONTEXT) != sealed, "the nonce is fresh"
    with pytest.raises(VaultError, match=r"bindings\.phone does not open"):
        vault.unseal(sealed, "bindings.phone:bnd_2")


@pytest.mark.parametrize("position", [0, 1, 2, 5, -1])
def test_altered_data_does_not_open(ring: Path, position: int) -> None:
    vault = AesGcmVault(KeyRing.load(ring))
    data = bytearray(vault.seal(PHONE, CONTEXT))
    data[position] ^= 1
    with pytest.raises(VaultError):
        vault.unseal(bytes(data), CONTEXT)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\xff\x00", b"plain text of some length"])
def test_what_is_not_sealed_does_not_open(data: bytes) -> None:
    with pytest.raises(VaultError):
        AesGcmVault(KeyRing.generate()).unseal(data, CONTEXT)


def test_other_ring_does_not_open() -> None:
    sealed = AesGcmVault(KeyRing.generate()).seal(PHONE, CONTEXT)
    with pytest.raises(VaultError, match="does not open with key k1"):
        AesGcmVault(KeyRing.generate()).unseal(sealed, CONTEXT)


def test_rotation(ring: Path) -> None:
    old = AesGcmVault(KeyRing.load(ring))
    sealed = old.seal(PHONE, CONTEXT)
    KeyRing.load(ring).rotate(ring)
    rotated = AesGcmVault(KeyRing.load(ring))
    assert rotated.unseal(sealed, CONTEXT) == PHONE
    with pytest.raises(VaultError, match="needs key k2"):
        old.unseal(rotated.seal(PHONE, CONTEXT), CONTEXT)
    assert rotated.blind_index(PHONE, "phone") == old.blind_index(PHONE, "phone")
    fresh = rotated.rewrap(sealed, CONTEXT)
    assert rotated.rewrap(fresh, CONTEXT) is fresh
    KeyRing.load(ring).retire(ring)
    retired = AesGcmVault(KeyRing.load(ring))
    assert retired.unseal(fresh, CONTEXT) == PHONE
    with pytest.raises(VaultError, match="needs key k1"):
        retired.unseal(sealed, CONTEXT)


def test_blind_index_and_codes() -> None:
    vault, other = AesGcmVault(KeyRing.generate()), AesGcmVault(KeyRing.generate())
    index = vault.blind_index(CARD, "card_number")
    assert index == vault.blind_index(CARD, "card_number")
    assert len({index, vault.blind_index(CARD, "x"), other.blind_index(CARD, "card_number")}) == 3
    hashed = vault.otp_hash("bnd_1", "123456")
    assert vault.otp_matches("bnd_1", "123456", hashed)
    assert not vault.otp_matches("bnd_1", "123457", hashed)
    assert not vault.otp_matches("bnd_2", "123456", hashed)


def test_key_file(ring: Path) -> None:
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    KeyRing.load(ring).rotate(ring)
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    assert KeyRing.load(ring).current == "k2"
    with pytest.raises(KeyRingError, match="exists"):
        KeyRing.create(ring)
    ring.chmod(0o640)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.load(ring)


def test_key_ring_keeps_its_keys_to_itself(ring: Path) -> None:
    keys = KeyRing.load(ring)
    assert repr(keys) == "KeyRing(current='k1', keys=['k1'])"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"current": "k9"},
        {"keys": {"k1": "c2hvcnQ="}},
        {"index_key": "not base64"},
        {"more": 1},
    ],
)
def test_broken_key_file(ring: Path, change: dict[str, object]) -> None:
    ring.write_text(json.dumps(json.loads(ring.read_text()) | change))
    with pytest.raises(KeyRingError, match="not a key ring"):
        KeyRing.load(ring)


def test_missing_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="No such file"):
        KeyRing.load(tmp_path / "none.json")
    with pytest.raises(KeyRingError, match="No such file"):
        KeyRing.create(tmp_path / "no" / "folder.json")


def test_rewrap_of_a_database(sql_store: SqlStore, ring: Path) -> None:
    world = FakeWorld(sql_store)
    shop = Shop(world, vault=AesGcmVault(KeyRing.load(ring)))
    shop.submitted()
    rotated = AesGcmVault(KeyRing.load(ring).rotate(ring))
    assert rewrap_all(sql_store, rotated) == 2  # one applicant, one binding
    assert rewrap_all(sql_store, rotated) == 0
    retired = AesGcmVault(KeyRing.load(ring).retire(ring))
    heir = world.after_death()
    after = Shop(heir, vault=retired)
    after.binding = shop.binding
    assert after.confirm().status == 200
    assert after.register().status == 200, "still found by its blind index"
    applicant = next(sql_store.records(Applicant))
    context = f"applicants.id_number:{applicant.applicant_id}"
    assert retired.unseal(applicant.id_number, context) == ID_NUMBER
    world.close()


def test_nothing_sensitive_in_the_database_file(tmp_path: Path) -> None:
    path = tmp_path / "lender.db"
    store = SqlStore(f"sqlite:///{path}")
    world = FakeWorld(store)
    shop = Shop(world, vault=AesGcmVault(KeyRing.generate()))
    shop.submitted()
    codes = [shop.gateways.code()]
    shop.ask("resend", key="r")
    codes.append(shop.gateways.code())
    shop.confirm(shop.wrong_code(), key="c")
    shop.confirm(key="d")
    shop.authorise()
    shop.pay()
    world.advance(5)
    shown = shop.stored().card_shown
    world.close()
    files = [file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("lender.db")]
    store.checkpoint()
    store.close()
    files.append(path.read_bytes())
    assert any(shown.encode() in file for file in files), "the search finds what is there"
    for secret in (CARD, ID_NUMBER, PHONE, NAME, *codes):
        assert not any(secret.encode() in file for file in files)


# ── audit chain ─────────────────────────────────────────────────────────────────────────────────


def _chain(shop: Shop) -> list[AuditEntry]:
    shop.submitted()
    shop.confirm()
    return shop.audit()


def test_sound_chain(world: FakeWorld) -> None:
    entries = _chain(Shop(world))
    assert verify_chain(entries) is None
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("field", ["action", "subject", "detail", "at", "previous", "digest"])
def test_changed_entry_is_found(memory_world: FakeWorld, field: str) -> None:
    entries = _chain(Shop(memory_world))
    entries[3] = msgspec.structs.replace(entries[3], **{field: 1.5 if field == "at" else "x"})
    assert verify_chain(entries) is entries[3]


def test_removed_reordered_and_forged_entries_are_found(memory_world: FakeWorld) -> None:
    entries = _chain(Shop(memory_world))
    assert verify_chain(entries[1:]) is entries[1]
    assert verify_chain(entries[:2] + entries[3:]) is entries[3]
    assert verify_chain([entries[1], entries[0], *entries[2:]]) is entries[1]
    forged = msgspec.structs.replace(entries[2], detail="forged")
    forged = msgspec.structs.replace(forged, digest=digest_of(forged))
    assert verify_chain([*entries[:2], forged, *entries[3:]]) is entries[3]


def test_chain_goes_on_over_restarts_and_nodes(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    other = world.after_death()
    other.node = "node-2"
    second = Shop(other)
    second.binding = shop.binding
    second.confirm()
    again = other.after_death()
    third = Shop(again)
    third.binding = shop.binding
    third.authorise()
    for node in ("node-1", "node-2"):
        entries = [entry for entry in third.audit() if entry.node == node]
        assert verify_chain(entries) is None
    assert {entry.node for entry in third.audit()} == {"node-1", "node-2"}


# ── signatures ──────────────────────────────────────────────────────────────────────────────────


def test_signature() -> None:
    key, body = b"k" * 32, b'{"order_no": "1"}'
    headers = sign(key, body, 1000.9)
    assert headers[TIMESTAMP_HEADER] == "1000"
    assert verify(key, headers, body, 1000)
    assert verify(key, headers, body, 1300)
    assert not verify(key, headers, body, 1301)
    assert not verify(key, headers, body, 699)
    assert verify(key, headers, body, 1500, tolerance=500)
    assert not verify(b"x" * 32, headers, body, 1000)
    assert not verify(key, headers, body + b" ", 1000)
    assert not verify(key, {**headers, TIMESTAMP_HEADER: "1001"}, body, 1000)


@pytest.mark.parametrize("name", [TIMESTAMP_HEADER, SIGNATURE_HEADER])
@pytest.mark.parametrize("value", [None, "", "1e3", "-5", "²", "ü"])
def test_broken_signature_headers(name: str, value: str | None) -> None:
    headers = sign(b"k", b"", 1000)
    del headers[name]
    if value is not None:
        headers[name] = value
    assert not verify(b"k", headers, b"", 1000)
