"""Money is conserved when the payment gateway's file and the lender's records say the same."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from reports.drills.books import CHARGE, REFUND, Books, binding_of


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Fen charged and refunded, by the gateway's settlement file and by the lender's records."""

    charged_fen: int
    refunded_fen: int
    recorded_charged_fen: int
    recorded_refunded_fen: int

    @property
    def net_fen(self) -> int:
        """What the gateway holds of customers' money: charges less refunds."""
        return self.charged_fen - self.refunded_fen

    @property
    def recorded_net_fen(self) -> int:
        """What the lender's records say that the gateway holds."""
        return self.recorded_charged_fen - self.recorded_refunded_fen

    @property
    def conserved(self) -> bool:
        """Whether both sides agree to the fen, charges and refunds each."""
        return (
            self.charged_fen == self.recorded_charged_fen
            and self.refunded_fen == self.recorded_refunded_fen
        )


def money(books: Books, busy: Set[str]) -> Money:
    """The sums of what the files reach back to, without the bindings that are still worked on."""
    moved = {"charge": 0, "refund": 0}
    for movement in books.movements:
        if binding_of(movement.order_no) not in busy:
            moved[movement.kind] += movement.amount_fen
    in_file = {movement.order_no for movement in books.movements}
    recorded = {CHARGE: 0, REFUND: 0}
    for call in books.calls.values():
        covered = call.created_at >= books.since or call.order_no in in_file
        if call.op in recorded and call.done and covered and call.binding_id not in busy:
            recorded[call.op] += books.amount_fen
    return Money(
        charged_fen=moved["charge"],
        refunded_fen=moved["refund"],
        recorded_charged_fen=recorded[CHARGE],
        recorded_refunded_fen=recorded[REFUND],
    )
