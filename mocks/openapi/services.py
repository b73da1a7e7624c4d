"""The document of each service."""

from __future__ import annotations

from mocks.openapi import bank, lender, payment, sms
from mocks.openapi.parts import Json, common_paths, document

_MODULES = {
    "bank": ("Bindrill bank gateway", bank),
    "sms": ("Bindrill SMS gateway", sms),
    "payment": ("Bindrill payment gateway", payment),
    "lender": ("Bindrill lender: the card-binding contract", lender),
}


def service_document(name: str) -> Json:
    """The OpenAPI document of bank, sms, payment or lender."""
    title, module = _MODULES[name]
    return document(
        title, module.DESCRIPTION, {**module.paths(), **common_paths()}, module.schemas()
    )
