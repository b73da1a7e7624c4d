"""The lender's document: the contract that a team's own binding service speaks."""

from __future__ import annotations

from mocks.lender.registration import CONTENT_TYPES, DOCUMENT_KINDS
from mocks.openapi.parts import (
    NAMESPACE,
    TEXT,
    WHOLE,
    Json,
    answer,
    array,
    failed,
    json_body,
    structure,
)
from mocks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from scenarios.contract import CONSENT_SCOPES, OPERATIONS, TERMS_VERSION, ErrorCode, State

_NAME: Json = {"type": "string", "minLength": 2, "maxLength": 50, "description": "letters"}
_ID_NUMBER: Json = {
    "type": "string",
    "pattern": "^[0-9]{17}[0-9X]$",
    "description": "GB 11643, check digit included",
}
_PHONE: Json = {"type": "string", "pattern": "^1[0-9]{10}$"}
_CARD: Json = {
    "type": "string",
    "pattern": "^62[0-9]{14,17}$",
    "description": "UnionPay, with its Luhn check digit",
}
_EXAMPLE = {"name": "全渠道", "id_number": "341126197709218366", "phone": "13552535506"}
_STATE: Json = {"type": "string", "enum": list(State)}
_STATED = structure(
    {"state": _STATE}, {"agreement": {**TEXT, "description": "last four characters"}}
)
_RETRY_AFTER: Json = {
    "Retry-After": {"description": "seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}

_REFUSALS: dict[str, dict[str, tuple[ErrorCode, ...]]] = {
    "register": {
        "400": (ErrorCode.INVALID_FIELD,),
        "403": (ErrorCode.UNDER_AGE,),
        "409": (ErrorCode.IDENTITY_CONFLICT,),
    },
    "documents": {
        "400": (ErrorCode.INVALID_FIELD,),
        "404": (ErrorCode.NOT_FOUND,),
        "413": (ErrorCode.DOCUMENT_SIZE,),
        "415": (ErrorCode.DOCUMENT_TYPE,),
    },
    "submit": {
        "400": (ErrorCode.INVALID_FIELD,),
        "404": (ErrorCode.NOT_FOUND,),
        "409": (ErrorCode.DOCUMENTS_MISSING, ErrorCode.ALREADY_BOUND),
        "429": (ErrorCode.SMS_LIMIT,),
        "502": (ErrorCode.SMS_REFUSED,),
        "503": (ErrorCode.SMS_UNAVAILABLE,),
    },
    "resend": {
        "404": (ErrorCode.NOT_FOUND,),
        "409": (ErrorCode.WRONG_STATE,),
        "429": (ErrorCode.SMS_LIMIT,),
        "502": (ErrorCode.SMS_REFUSED,),
        "503": (ErrorCode.SMS_UNAVAILABLE,),
    },
    "confirm": {
        "400": (ErrorCode.INVALID_FIELD,),
        "402": (ErrorCode.BANK_DECLINED,),
        "403": (ErrorCode.OTP_WRONG,),
        "404": (ErrorCode.NOT_FOUND,),
        "409": (ErrorCode.WRONG_STATE,),
        "410": (ErrorCode.OTP_EXPIRED,),
        "423": (ErrorCode.OTP_LOCKED,),
        "503": (ErrorCode.BANK_UNAVAILABLE,),
    },
    "authorise": {
        "400": (ErrorCode.INVALID_FIELD, ErrorCode.CONSENT_MISSING),
        "404": (ErrorCode.NOT_FOUND,),
        "409": (ErrorCode.WRONG_STATE, ErrorCode.TERMS_STALE),
    },
    "test_payment": {
        "402": (ErrorCode.PAYMENT_DECLINED,),
        "404": (ErrorCode.NOT_FOUND,),
        "409": (ErrorCode.WRONG_STATE,),
        "503": (ErrorCode.PAYMENT_UNAVAILABLE,),
    },
    "status": {"404": (ErrorCode.NOT_FOUND,)},
}
"""Refusals of each operation by HTTP status; those of every operation are added."""

_REQUESTS: dict[str, Json] = {
    "register": json_body(
        structure({"name": _NAME, "id_number": _ID_NUMBER, "phone": _PHONE}), _EXAMPLE
    ),
    "documents": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": structure(
                    {
                        "kind": {"type": "string", "enum": list(DOCUMENT_KINDS)},
                        "file": {"type": "string", "format": "binary"},
                    }
                ),
                "encoding": {"file": {"contentType": ", ".join(CONTENT_TYPES)}},
            }
        },
    },
    "submit": json_body(
        structure(
            {
                "applicant_id": {"type": "string", "minLength": 1, "maxLength": 200},
                "card_number": _CARD,
                "holder": _NAME,
                "id_number": _ID_NUMBER,
                "phone": {**_PHONE, "description": "as reserved at the bank"},
            }
        ),
        {
            "applicant_id": "app_0123",
            "card_number": "6216261000000000018",
            "holder": _EXAMPLE["name"],
            "id_number": _EXAMPLE["id_number"],
            "phone": _EXAMPLE["phone"],
        },
    ),
    "confirm": json_body(
        structure({"otp": {"type": "string", "pattern": "^[0-9]{4,8}$"}}), {"otp": "000000"}
    ),
    "authorise": json_body(
        structure({"terms_version": TEXT, "consents": array(TEXT)}),
        {"terms_version": TERMS_VERSION, "consents": list(CONSENT_SCOPES)},
    ),
}

_EXPIRES: Json = {**WHOLE, "description": "seconds"}
_ANSWERS: dict[str, Json] = {
    "register": {
        status: answer(meaning, structure({"applicant_id": TEXT, "documents": array(TEXT)}))
        for status, meaning in (("200", "Known already"), ("201", "Registered"))
    },
    "documents": {"201": answer("Accepted", structure({"documents": array(TEXT)}))},
    "submit": {
        "201": answer(
            "A code is on its way",
            structure(
                {"binding_id": TEXT, "state": _STATE, "card": TEXT, "otp_expires_in": _EXPIRES}
            ),
        )
    },
    "resend": {
        "200": answer(
            "A new code is on its way", structure({"state": _STATE, "otp_expires_in": _EXPIRES})
        )
    },
    "confirm": {
        "200": answer("Verified and signed", _STATED),
        "202": answer("The bank's answer is not known yet; poll the state", _STATED),
    },
    "authorise": {"200": answer("Authorised", _STATED)},
    "test_payment": {
        "200": answer("The binding is active", _STATED),
        "202": answer("The payment's outcome is not known yet; poll the state", _STATED),
    },
    "status": {
        "200": answer(
            "The binding",
            structure(
                {"binding_id": TEXT, "state": _STATE, "reason": TEXT, "card": TEXT},
                {"otp_delivery": {**TEXT, "description": "delivery report of the latest code"}},
            ),
        )
    },
}

_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The first answer to a key is kept 24 h and given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "3f2a-0001",
}
_CUSTOMER: Json = {
    "name": "X-Bindrill-Customer",
    "in": "header",
    "required": False,
    "description": "Names the customer to faults that strike a share of requests; not heard unless"
    " `serve` allows customer headers.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_OF_BODIES = {
    "413": "The body is too large",
    "415": "The body is of another type, or compressed",
}
_LINKS: dict[str, Json] = {
    "register": {
        "documents": {
            "operationId": "documents",
            "parameters": {"applicant": "$response.body#/applicant_id"},
        },
        "submit": {
            "operationId": "submit",
            "requestBody": {"applicant_id": "$response.body#/applicant_id"},
        },
    },
    "submit": {
        name: {"operationId": name, "parameters": {"binding": "$response.body#/binding_id"}}
        for name in ("resend", "confirm", "authorise", "test_payment", "status")
    },
}
"""What comes next, and with which identifier."""


def paths() -> Json:
    """The contract's operations and the callbacks."""
    found: Json = {}
    for op in OPERATIONS.values():
        found.setdefault(op.path, {})[op.method.lower()] = _operation(op.name)
    return {**found, **_callbacks()}


def schemas() -> Json:
    """None beside the common error."""
    return {}


def _operation(name: str) -> Json:
    operation = OPERATIONS[name]
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    parameters: list[Json] = [
        {
            "name": part,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        }
        for part in names
    ]
    if operation.method == "POST":
        parameters.append({**_IDEMPOTENCY_KEY, "required": name == "submit"})
    parameters += [_CUSTOMER, NAMESPACE]
    refusals: dict[str, tuple[str, ...]] = dict(_REFUSALS[name])
    refusals["400"] = (ErrorCode.INVALID_FIELD, *refusals.get("400", ()))
    refusals["503"] = (*refusals.get("503", ()), ErrorCode.OVERLOADED)
    if operation.method == "POST":
        refusals["409"] = (*refusals.get("409", ()), ErrorCode.IN_FLIGHT)
        refusals["422"] = (ErrorCode.IDEMPOTENCY_MISMATCH,)
        refusals.setdefault("413", ())
        refusals.setdefault("415", ())
    refusals["403"] = (*refusals.get("403", ()), "CUSTOMER_HEADERS_OFF")
    responses = dict(_ANSWERS[name])
    for status, codes in sorted(refusals.items()):
        meaning = " or ".join(dict.fromkeys(codes)) or _OF_BODIES[status]
        responses[status] = failed(meaning)
        if status in ("429", "503"):
            responses[status]["headers"] = _RETRY_AFTER
    for status in ("200", "201"):
        if status in responses and name in _LINKS:
            responses[status] = {**responses[status], "links": _LINKS[name]}
    description: Json = {
        "operationId": name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
    }
    if name in _REQUESTS:
        description["requestBody"] = _REQUESTS[name]
    return description


def _callbacks() -> Json:
    signed: list[Json] = [
        {
            "name": header,
            "in": "header",
            "required": True,
            "description": meaning,
            "schema": {"type": "string", "pattern": pattern},
        }
        for header, meaning, pattern in (
            (TIMESTAMP_HEADER, "seconds since the epoch", "^[0-9]{1,15}$"),
            (
                SIGNATURE_HEADER,
                "v1= and HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal",
                "^v1=[0-9a-f]{64}$",
            ),
        )
    ]
    report = structure({"out_id": TEXT, "status": TEXT}, {"biz_id": TEXT, "attempt": WHOLE})
    notice = structure(
        {"order_no": TEXT, "trade_state": TEXT},
        {"notify_id": TEXT, "reason": TEXT, "amount_fen": WHOLE, "attempt": WHOLE},
    )
    return {
        path: {
            "post": {
                "operationId": op,
                "summary": summary,
                "parameters": [*signed, NAMESPACE],
                "requestBody": json_body(schema),
                "responses": {
                    "200": {
                        "description": "Acknowledged",
                        "content": {"text/plain": {"schema": {"const": "success"}}},
                    },
                    "400": failed("Not a JSON object"),
                    "401": failed("The signature does not verify"),
                    "409": failed("Not for a call of ours"),
                    "413": failed(_OF_BODIES["413"]),
                    "415": failed(_OF_BODIES["415"]),
                },
            }
        }
        for op, path, summary, schema in (
            ("sms_report", "/v1/callbacks/sms", "Delivery report of a message", report),
            ("payment_notify", "/v1/callbacks/payment", "Outcome of a charge", notice),
        )
    }


DESCRIPTION = (
    "Binds a bank card in six steps: register, upload documents, submit the card, confirm the"
    " one-time code, authorise, pay 1 fen. A team's own service that speaks this contract can take"
    " this one's place. Answers may differ from those listed while a fault that was set through"
    " /__admin/faults is in force."
)
