"""The admin API's document: the same for every service, but for the feed."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from mocks.openapi.parts import (
    NAMESPACE,
    NUMBER,
    TEXT,
    WHOLE,
    Json,
    answer,
    array,
    common_paths,
    document,
    failed,
    json_body,
    reference,
    structure,
)
from scenarios.faults import AnyFault

_DESCRIPTION = (
    "Breaks a service on purpose, and tells what it was asked. Open on loopback; elsewhere it needs"
    " `Authorization: Bearer TOKEN`, and is off without a token."
)
_LISTING = structure(
    {
        "faults": array(
            structure(
                {
                    "label": {**TEXT, "description": "its name, or kind-target"},
                    "set_at": {**NUMBER, "description": "epoch seconds its window counts from"},
                    "in_force": {"type": "boolean"},
                    "struck": {**WHOLE, "description": "how often it has struck so far"},
                    "fault": {"type": "object"},
                }
            )
        )
    }
)
_CLEARED = structure({"cleared": WHOLE})


def admin_document(name: str) -> Json:
    """The document of the admin API of bank, sms, payment or lender."""
    return document(f"Bindrill {name}: admin API", _DESCRIPTION, _paths(name), _schemas())


def admin_port_document(names: tuple[str, ...]) -> Json:
    """The document of the port that has the admin APIs of these services."""
    services: Json = {
        "/": {
            "get": {
                "operationId": "services",
                "summary": "Whose admin APIs these are",
                "responses": {
                    "200": answer(
                        "Root URLs by service",
                        structure({"services": {"type": "object", "additionalProperties": TEXT}}),
                    )
                },
            }
        }
    }
    paths = {f"/{name}{path}": found for name in names for path, found in _paths(name).items()}
    for path, operations in paths.items():
        for operation in operations.values():
            operation["operationId"] = f"{path.split('/')[1]}_{operation['operationId']}"
    return document(
        "Bindrill: admin port",
        _DESCRIPTION + " No fault closes this port.",
        {**services, **paths, **common_paths()},
        _schemas(),
    )


def _schemas() -> Json:
    adapter: TypeAdapter[Any] = TypeAdapter(AnyFault)
    fault = adapter.json_schema(ref_template="#/components/schemas/{model}")
    schemas = fault.pop("$defs", {})
    return {**schemas, "Fault": fault}


def _paths(name: str) -> Json:
    paths = {**_faults(), **_namespaces(), **_journal(), **_feed(name)}
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"].update(
                {
                    "401": failed("The token is missing or wrong"),
                    "403": failed("The admin API is off, or a web page asked"),
                }
            )
    return paths


def _faults() -> Json:
    body = json_body(
        {"anyOf": [reference("Fault"), array(reference("Fault"))]},
        {"kind": "latency", "target": "bank", "delay": "2s", "duration": "30s"},
    )
    listing, bad = answer("All faults of the namespace", _LISTING), failed("No such fault can be")
    wrong_namespace = failed("The namespace header is malformed")
    change: Json = {
        "summary": "Set faults; one of the same label is replaced. Windows count from now",
        "parameters": [NAMESPACE],
        "requestBody": body,
        "responses": {
            "200": listing,
            "400": bad,
            "413": failed("The body is too large"),
            "415": failed("The body is not application/json"),
        },
    }
    return {
        "/__admin/faults": {
            "get": {
                "operationId": "list_faults",
                "summary": "List faults",
                "parameters": [NAMESPACE],
                "responses": {"200": listing, "400": wrong_namespace},
            },
            "put": {"operationId": "put_faults", **change, "responses": {**change["responses"]}},
            "post": {"operationId": "post_faults", **change, "responses": {**change["responses"]}},
            "delete": {
                "operationId": "clear_faults",
                "summary": "Remove all faults of the namespace",
                "parameters": [NAMESPACE],
                "responses": {
                    "200": answer("How many went", _CLEARED),
                    "400": wrong_namespace,
                },
            },
        },
        "/__admin/faults/{label}": {
            "delete": {
                "operationId": "clear_fault",
                "summary": "Remove one fault",
                "parameters": [
                    {
                        "name": "label",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
                    },
                    NAMESPACE,
                ],
                "responses": {
                    "200": answer("Gone", _CLEARED),
                    "400": wrong_namespace,
                    "404": failed("No fault of this label"),
                },
            }
        },
    }


def _namespaces() -> Json:
    entry = structure(
        {
            "namespace": TEXT,
            "used_at": {**NUMBER, "description": "epoch seconds of the last call in it"},
            "faults": {**WHOLE, "description": "how many are set"},
        }
    )
    return {
        "/__admin/namespaces": {
            "get": {
                "operationId": "list_namespaces",
                "summary": "The namespaces that are held; beyond `most` the one idle longest goes",
                "responses": {
                    "200": answer(
                        "Most lately used first",
                        structure({"most": WHOLE, "namespaces": array(entry)}),
                    )
                },
            }
        }
    }


def _journal() -> Json:
    entry = structure(
        {
            "at": {**NUMBER, "description": "epoch seconds"},
            "op": TEXT,
            "namespace": TEXT,
            "status": {**WHOLE, "description": "0: no answer was sent"},
            "code": TEXT,
            "request": {"type": "object", "description": "masked"},
            "response": {"type": "object", "description": "masked"},
        }
    )
    return {
        "/__admin/requests": {
            "get": {
                "operationId": "list_requests",
                "summary": "The journal, newest first",
                "parameters": [
                    _query("op", TEXT, "only this operation"),
                    _query("namespace", TEXT, "only this namespace"),
                    _query("limit", {**WHOLE, "minimum": 1, "maximum": 1_000_000}, "at most"),
                ],
                "responses": {
                    "200": answer(
                        "Requests; `size` is how many are kept, 0 when the journal is off",
                        structure({"size": WHOLE, "requests": array(entry)}),
                    ),
                    "400": failed("The limit is no whole number from 1 on"),
                },
            },
            "delete": {
                "operationId": "clear_requests",
                "summary": "Empty the journal",
                "parameters": [_query("namespace", TEXT, "only this namespace")],
                "responses": {"200": answer("How many went", _CLEARED)},
            },
        },
        "/__admin/reset": {
            "post": {
                "operationId": "reset",
                "summary": "Forget one namespace: state, faults, counters, journal",
                "parameters": [NAMESPACE],
                "responses": {
                    "200": answer("Which one", structure({"reset": TEXT})),
                    "400": failed("The namespace header is malformed"),
                },
            }
        },
    }


def _feed(name: str) -> Json:
    if name == "lender":
        path, key, rows = (
            "/__admin/timings",
            "timings",
            (
                '["request", op, at, total, calls, commits, lines, commit_count] or'
                ' ["call", gateway, op, at, elapsed, outcome]; times in seconds'
            ),
        )
    else:
        path, key, rows = (
            "/__admin/calls",
            "calls",
            (
                "[at, gateway, op, issuer, code, status, delay, transport]; times in seconds,"
                " delay null for a hang"
            ),
        )
    return {
        path: {
            "get": {
                "operationId": key,
                "summary": f"What came since position `after`: {rows}",
                "parameters": [
                    _query("after", {**WHOLE, "minimum": 0, "maximum": 2**53}, "`next` of before")
                ],
                "responses": {
                    "200": answer(
                        "Rows, and the position to ask from next time",
                        structure({"next": WHOLE, key: array({"type": "array"})}),
                    ),
                    "400": failed("The position is no whole number"),
                },
            }
        }
    }


def _query(name: str, schema: Json, description: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
    }
