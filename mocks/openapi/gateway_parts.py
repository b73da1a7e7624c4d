"""What the gateways' documents share."""

from __future__ import annotations

from mocks.openapi.parts import NAMESPACE, TEXT, Json, answer, failed, json_body

FAULTS = (
    " Answers may differ from those listed while a fault that was set through /__admin/faults is in"
    " force."
)


def call(op: str, summary: str, body: Json, example: Json, reply: Json) -> Json:
    """A gateway operation: `body` in, `reply` out, whatever the outcome."""
    return {
        "post": {
            "operationId": op,
            "summary": summary,
            "parameters": [NAMESPACE],
            "requestBody": json_body(body, example),
            "responses": {
                "200": answer("Understood; the code in the body tells the outcome", reply),
                "400": failed("A field is missing or malformed", reply),
                "413": failed("The body is too large"),
                "415": failed("The body is not application/json"),
                "429": failed("Too many calls a second", reply),
                "503": failed("Out of order", reply),
            },
        }
    }


def daily_file(op: str, summary: str, content: str) -> Json:
    """A file of one day in CSV; `content` says what its lines are."""
    return {
        "get": {
            "operationId": op,
            "summary": summary,
            "parameters": [
                {
                    "name": "day",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "format": "date"},
                    "example": "2026-01-31",
                },
                NAMESPACE,
            ],
            "responses": {
                "200": {"description": content, "content": {"text/csv": {"schema": TEXT}}},
                "400": failed("The day is not a date"),
            },
        }
    }
