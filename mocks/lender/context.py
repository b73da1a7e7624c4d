"""What every step of the lender works with."""

from __future__ import annotations

from dataclasses import dataclass

from mocks.lender.audit import AuditLog
from mocks.lender.vault import Vault
from mocks.world import World
from scenarios.policy import LenderPolicy


@dataclass(frozen=True, slots=True)
class Context:
    """The lender's decisions as configured, its clock and partners, its keys and its log."""

    policy: LenderPolicy
    world: World
    vault: Vault
    audit: AuditLog
