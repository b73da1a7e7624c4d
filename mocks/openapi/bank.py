"""The bank gateway's document."""

from __future__ import annotations

from mocks.bank.codes import FIELD39, ONLINE
from mocks.bank.model import BankGateway
from mocks.openapi.gateway_parts import FAULTS, call, daily_file
from mocks.openapi.parts import TEXT, Json, reference, structure

_ORDER_NO: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "description": "the merchant's order number: one for each attempt, to query by",
}
_FIELD: Json = {"type": "string", "minLength": 1, "maxLength": 500}
_ELEMENTS = structure(
    {
        "order_no": _ORDER_NO,
        "card_number": {**_FIELD, "description": "16 to 19 digits"},
        "holder": {**_FIELD, "description": "name"},
        "id_number": {**_FIELD, "description": "GB 11643, 18 characters"},
        "phone": {**_FIELD, "description": "11 digits, as reserved at the bank"},
    }
)
_EXAMPLE = {
    "order_no": "open-0001",
    "card_number": "6216261000000000018",
    "holder": "全渠道",
    "id_number": "341126197709218366",
    "phone": "13552535506",
}


def paths() -> Json:
    """The bank's operations and the agreement file."""
    at, reply = BankGateway.operations, reference("BankReply")
    return {
        at["open"]: call(
            "open", "Verify four elements and sign an agreement", _ELEMENTS, _EXAMPLE, reply
        ),
        at["verify"]: call("verify", "Verify four elements only", _ELEMENTS, _EXAMPLE, reply),
        at["terminate"]: call(
            "terminate",
            "End an agreement (解约)",
            structure(
                {"order_no": _ORDER_NO, "agreement_no": _FIELD},
                {
                    "original_order_no": {
                        **TEXT,
                        "description": "only while this order is the last that signed it",
                    }
                },
            ),
            {"order_no": "terminate-0001", "agreement_no": "12345678901234567800"},
            reply,
        ),
        at["query"]: call(
            "query",
            "Ask what became of an order",
            structure({"order_no": _FIELD}),
            {"order_no": "open-0001"},
            reply,
        ),
        "/v1/agreements/{day}": daily_file(
            "agreements",
            "What was signed and terminated on one day in China (UTC+8)",
            "A header, a line each event (`signed` or `terminated`), a line of totals",
        ),
    }


def schemas() -> Json:
    """The bank's reply."""
    codes = "; ".join(f"{code.code} {code.en}" for code in ONLINE.values())
    switch = "; ".join(f"{code.code} {code.en}" for code in FIELD39.values())
    return {
        "BankReply": structure(
            {
                "respCode": {**TEXT, "description": f"online gateway: {codes}"},
                "respMsg": TEXT,
                "switchCode": {**TEXT, "description": f"ISO 8583 field 39 behind it: {switch}"},
            },
            {
                "order_no": TEXT,
                "agreement_no": {**TEXT, "description": "20 digits, when the card is signed"},
                "issuer": {**TEXT, "description": "of the card, empty if no BIN fits"},
                "origRespCode": {**TEXT, "description": "query: the order's own respCode"},
                "origRespMsg": TEXT,
                "field": {**TEXT, "description": "which field is missing or malformed"},
            },
        )
    }


DESCRIPTION = (
    "Stands in for a bank card network's online gateway: four-element verification, signing,"
    " terminating and queries. A timeout or respCode 03, 04, 05 is not a decline: query by"
    " order_no." + FAULTS
)
