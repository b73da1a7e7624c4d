"""Key rotation over the database: everything sealed goes under the current key."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mocks.lender.records import KINDS, Record
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import Tx
from mocks.lender.vault import AesGcmVault


def rewrap_all(store: SqlStore, vault: AesGcmVault) -> int:
    """Seal every record's fields anew under the vault's current key, while the lender may run.

    Returns how many records changed; afterwards older keys can be retired. Raises VaultError,
    StoreUnavailable.
    """
    changed = 0
    for kind in KINDS:
        if kind.sealed:
            key_field = kind.__struct_fields__[0]
            for record in store.records(kind):
                changed += _rewrap(store, vault, kind, getattr(record, key_field))
    return changed


def _rewrap(store: SqlStore, vault: AesGcmVault, kind: type[Record], key: str) -> bool:
    def work(tx: Tx) -> bool:
        record = tx.get(kind, key)
        if record is None:
            return False
        fresh: dict[str, Any] = {
            field: vault.rewrap(getattr(record, field), f"{kind.table}.{field}:{key}")
            for field in kind.sealed
        }
        if all(fresh[field] is getattr(record, field) for field in fresh):
            return False
        tx.save(replace(record, **fresh))
        return True

    return store.transact(work)
