"""The payment gateway's document."""

from __future__ import annotations

from mocks.openapi.gateway_parts import FAULTS, call, daily_file
from mocks.openapi.parts import TEXT, WHOLE, Json, answer, reference, structure
from mocks.payment.codes import CODES
from mocks.payment.model import MOST_FEN, PaymentGateway

_NUMBER: Json = {"type": "string", "minLength": 1, "maxLength": 500}
_ORDER_NO: Json = {**_NUMBER, "description": "the merchant's; repeats are idempotent"}
_AMOUNT: Json = {**WHOLE, "minimum": 1, "maximum": MOST_FEN, "description": "CNY fen"}


def paths() -> Json:
    """The payment gateway's operations and the settlement file."""
    at, reply = PaymentGateway.operations, reference("PaymentReply")
    charge = call(
        "charge",
        "Charge a signed card",
        structure({"order_no": _ORDER_NO, "agreement_no": _NUMBER, "amount_fen": _AMOUNT}),
        {"order_no": "pay-0001", "agreement_no": "12345678901234567800", "amount_fen": 1},
        reply,
    )
    refund = call(
        "refund",
        "Give back a charge, or a part of it",
        structure({"order_no": _ORDER_NO, "original_order_no": _NUMBER, "amount_fen": _AMOUNT}),
        {"order_no": "refund-0001", "original_order_no": "pay-0001", "amount_fen": 1},
        reply,
    )
    for operation in (charge, refund):
        operation["post"]["responses"]["409"] = answer(
            "This order_no came before with other parameters", reply
        )
    return {
        at["charge"]: charge,
        at["refund"]: refund,
        at["query"]: call(
            "query",
            "Ask for the state of an order",
            structure({"order_no": _NUMBER}),
            {"order_no": "pay-0001"},
            reply,
        ),
        "/v1/settlement/{day}": daily_file(
            "settlement",
            "The money that moved on one day in China (UTC+8)",
            "A header, a line each movement, a line of totals",
        ),
    }


def schemas() -> Json:
    """The payment gateway's reply."""
    places = {"code": "", "reason": ""}
    for place in places:
        places[place] = "; ".join(
            f"{code.code} {code.en}" for code in CODES.values() if code.place == place
        )
    return {
        "PaymentReply": structure(
            {
                "code": {**TEXT, "description": places["code"]},
                "trade_state": {
                    **TEXT,
                    "enum": ["SUCCESS", "FAILED", "PROCESSING", ""],
                    "description": "empty when code is not OK",
                },
            },
            {
                "order_no": TEXT,
                "trade_no": {**TEXT, "description": "the gateway's own number"},
                "reason": {**TEXT, "description": f"of FAILED: {places['reason']}"},
                "amount_fen": WHOLE,
                "refunded_fen": WHOLE,
                "original_order_no": TEXT,
                "message": TEXT,
            },
        )
    }


DESCRIPTION = (
    "Stands in for a payment platform. Every charge that reaches SUCCESS or FAILED is notified to"
    " the lender's /v1/callbacks/payment, signed, and again until the answer's body is `success`."
    + FAULTS
)
