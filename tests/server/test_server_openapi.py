"""What each service answers is what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import Servers

from mocks.openapi.admin import admin_document
from mocks.openapi.services import service_document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SERVICES = ("bank", "sms", "payment", "lender")
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
PLACES = [
    (service, method, path)
    for service in SERVICES
    for path, operations in service_document(service)["paths"].items()
    for method in operations
]
# What admin calls change would break the answers of other tests; these only look.
ADMIN_PLACES = [
    (service, "get", path)
    for service in SERVICES
    for path, operations in admin_document(service)["paths"].items()
    if "get" in operations
]


@pytest.fixture(scope="module")
def documents(shared: Servers) -> dict[str, schemathesis.schemas.BaseSchema]:
    return {
        name: schemathesis.openapi.from_dict(shared.get(name, "/openapi.json").json)
        for name in SERVICES
    }


def fuzz(operation: schemathesis.schemas.APIOperation, base_url: str) -> None:
    """A few valid and, where anything can be wrong, invalid requests; the same every time."""
    described = operation.definition.raw
    takes_something = described.get("parameters") or described.get("requestBody")
    for mode in MODES if takes_something else MODES[:1]:

        @hypothesis.settings(
            max_examples=5,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def exchange(case: schemathesis.Case) -> None:
            if isinstance(case.body, dict) and isinstance(case.body.get("wait"), int | float):
                case.body["wait"] = 0  # a long poll would take its time
            response = case.call(base_url=base_url, timeout=20)
            case.validate_response(response, checks=CHECKS)

        exchange()


@pytest.mark.parametrize(("service", "method", "path"), PLACES)
def test_services_answer_as_documented(
    shared: Servers,
    documents: dict[str, schemathesis.schemas.BaseSchema],
    service: str,
    method: str,
    path: str,
) -> None:
    fuzz(documents[service][path][method], shared.urls[service])


@pytest.mark.parametrize(("service", "method", "path"), ADMIN_PLACES)
def test_the_admin_api_answers_as_documented(
    shared: Servers, service: str, method: str, path: str
) -> None:
    document = schemathesis.openapi.from_dict(shared.get(service, "/__admin/openapi.json").json)
    fuzz(document[path][method], shared.urls[service])


@pytest.mark.parametrize("service", SERVICES)
def test_setting_faults_is_answered_as_documented(serve, service: str) -> None:
    servers = serve(*((service,) if service != "lender" else ()))
    document = schemathesis.openapi.from_dict(servers.get(service, "/__admin/openapi.json").json)
    for method in ("put", "delete"):
        fuzz(document["/__admin/faults"][method], servers.urls[service])
    fuzz(document["/__admin/reset"]["post"], servers.urls[service])


def test_examples_of_faults_fit_their_schema() -> None:
    document = admin_document("bank")
    put = document["paths"]["/__admin/faults"]["put"]["requestBody"]["content"]["application/json"]
    schema = {**put["schema"], "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(put["example"])
