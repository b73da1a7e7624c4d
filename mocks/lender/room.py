"""Proof that a store has room: as much as a customer writes at least is written and taken back."""

from __future__ import annotations

import os

from sqlalchemy import Column, LargeBinary, MetaData, Table

from mocks.lender.sql_store import SqlTx

ROOM = 64 * 1024
"""Bytes that must find a place."""

_TABLE = Table("room", MetaData(), Column("filler", LargeBinary))
"""There for the moment of the proof."""


def take_room(tx: SqlTx) -> None:
    """Write ROOM bytes; random ones, which no database can keep in less."""
    tx.wrote = True
    _TABLE.create(tx.connection, checkfirst=True)
    tx.connection.execute(_TABLE.insert(), {"filler": os.urandom(ROOM)})


def give_room_back(tx: SqlTx) -> None:
    """Undo `take_room`, which is committed by now."""
    _TABLE.drop(tx.connection, checkfirst=True)
