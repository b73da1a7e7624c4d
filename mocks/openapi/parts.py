"""What OpenAPI documents are put together from."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}

PROBLEM: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {**TEXT, "description": "for programs"},
                "message": {**TEXT, "description": "for people"},
                "field": {**TEXT, "description": "the field that is wrong"},
                "reason": {**TEXT, "description": "why a partner declined"},
            },
        }
    },
}

NAMESPACE: Json = {
    "name": "X-Bindrill-Namespace",
    "in": "header",
    "required": False,
    "description": "Keeps parallel tests on one server apart; `default` if absent.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    "example": "team-a.test-17",
}


def reference(name: str) -> Json:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def structure(required: Json, optional: Json | None = None, *, closed: bool = False) -> Json:
    """An object's schema by property."""
    schema: Json = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    if closed:
        schema["additionalProperties"] = False
    return schema


def array(items: Json) -> Json:
    """A list's schema."""
    return {"type": "array", "items": items}


def answer(description: str, schema: Json | None = None, headers: Json | None = None) -> Json:
    """A JSON answer, or one without a body."""
    found: Json = {"description": description}
    if schema is not None:
        found["content"] = {"application/json": {"schema": schema}}
    if headers is not None:
        found["headers"] = headers
    return found


def failed(description: str, own: Json | None = None) -> Json:
    """An error answer: the common error body, or the service's `own` reply."""
    error = reference("Problem")
    return answer(description, error if own is None else {"anyOf": [own, error]})


def json_body(schema: Json, example: Json | None = None, *, required: bool = True) -> Json:
    """A JSON request body."""
    media: Json = {"schema": schema}
    if example is not None:
        media["example"] = example
    return {"required": required, "content": {"application/json": media}}


def document(title: str, description: str, paths: Json, schemas: Json) -> Json:
    """A whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version("bindrill"), "description": description},
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM, **schemas}},
    }


def common_paths() -> Json:
    """Health, readiness, metrics and the document itself."""
    state = structure(
        {"status": TEXT, "service": TEXT},
        {"reason": {**TEXT, "description": "why it is not ready"}},
    )
    return {
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Is the process alive?",
                "responses": {"200": answer("Alive", state)},
            }
        },
        "/ready": {
            "get": {
                "operationId": "ready",
                "summary": "Does it take requests?",
                "responses": {
                    "200": answer("Ready", state),
                    "503": answer("Starting, stopping, or its store does not answer", state),
                },
            }
        },
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Prometheus metrics",
                "responses": {
                    "200": {
                        "description": "Text exposition format",
                        "content": {"text/plain": {"schema": TEXT}},
                    }
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": {"200": answer("OpenAPI 3.1", {"type": "object"})},
            }
        },
    }
