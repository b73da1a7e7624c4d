"""The SMS gateway's document."""

from __future__ import annotations

from mocks.openapi.gateway_parts import FAULTS, call
from mocks.openapi.parts import (
    NAMESPACE,
    NUMBER,
    TEXT,
    WHOLE,
    Json,
    answer,
    failed,
    json_body,
    reference,
    structure,
)
from mocks.sms.codes import CODES, MESSAGE_STATES
from mocks.sms.model import SmsGateway

_FIELD: Json = {"type": "string", "minLength": 1}
_OUT_ID: Json = {**_FIELD, "description": "the sender's own id, echoed in reports"}


def paths() -> Json:
    """The SMS gateway's operations and the handset's inbox."""
    at, reply = SmsGateway.operations, reference("SmsReply")
    message = structure({"phone": _FIELD, "text": _FIELD, "out_id": _OUT_ID})
    example = {"phone": "13552535506", "text": "your code is 000000", "out_id": "sms-0001"}
    return {
        at["send"]: call("send", "Submit a message to the carrier", message, example, reply),
        at["send_backup"]: call(
            "send_backup", "Submit a message to the second carrier", message, example, reply
        ),
        at["query"]: call(
            "query",
            "Ask for the state of the latest message with an out_id",
            structure({"out_id": {**_OUT_ID, "maxLength": 500}}),
            {"out_id": "sms-0001"},
            reply,
        ),
        "/handset/inbox": {
            "post": {
                "operationId": "inbox",
                "summary": "Read the newest message on a handset, waiting for one if asked to",
                "parameters": [NAMESPACE],
                "requestBody": json_body(
                    structure(
                        {"phone": {"type": "string", "pattern": "^[0-9]{11}$"}},
                        {
                            "seen": {
                                **WHOLE,
                                "minimum": 0,
                                "maximum": 2**53,
                                "description": "messages read before",
                            },
                            "wait": {
                                **NUMBER,
                                "minimum": 0,
                                "maximum": 60,
                                "description": "seconds to wait for a newer one",
                            },
                        },
                    ),
                    {"phone": "13552535506", "seen": 0, "wait": 0},
                ),
                "responses": {
                    "200": answer(
                        "The newest message, and how many there are",
                        structure({"text": TEXT, "seen": WHOLE}),
                    ),
                    "204": answer("Nothing newer"),
                    "400": failed("A field is malformed"),
                    "413": failed("The body is too large"),
                    "415": failed("The body is not application/json"),
                },
            }
        },
    }


def schemas() -> Json:
    """The SMS gateway's reply."""
    codes = "; ".join(f"{code.code} {code.en}" for code in CODES.values())
    return {
        "SmsReply": structure(
            {
                "Code": {**TEXT, "description": codes},
                "Message": TEXT,
                "smpp": {**TEXT, "description": "SMPP 3.4 command status of the same outcome"},
            },
            {
                "BizId": {**TEXT, "description": "the gateway's id of the message"},
                "out_id": TEXT,
                "status": {**TEXT, "enum": list(MESSAGE_STATES)},
                "message_state": {**WHOLE, "enum": list(MESSAGE_STATES.values())},
            },
        )
    }


DESCRIPTION = (
    "Stands in for an SMS platform, the carrier behind it, and the handsets. Delivery reports are"
    " posted to the lender's /v1/callbacks/sms, signed, and again until acknowledged." + FAULTS
)
