"""Step 1: who the applicant is, and pictures of the documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from msgspec.structs import replace

from mocks.lender.context import Context
from mocks.lender.fields import text_field
from mocks.lender.messages import LenderRequest, LenderResponse
from mocks.lender.records import Applicant
from mocks.lender.refusal import Refused
from mocks.lender.store import Duplicate, Tx
from scenarios.contract import ErrorCode
from scenarios.population.identity import REFERENCE_DATE, age_on

ADULT = 18
"""Years; Civil Code of the PRC, article 17."""
DOCUMENT_KINDS = ("id_card_front", "id_card_back", "bank_card")
CONTENT_TYPES = ("image/jpeg", "image/png")
DOCUMENT_SIZES = (10_000, 2_000_000)
"""Smallest and largest accepted picture, bytes."""

_CHINA = timezone(timedelta(hours=8))
_FIRST_EPOCH_TIME = 1e9
"""Clocks that show less count from the start of a run (virtual time), not from 1970."""


def today(now: float) -> date:
    """The day in China, by which ages count; the population's reference date in virtual time."""
    if now < _FIRST_EPOCH_TIME:
        return REFERENCE_DATE
    return datetime.fromtimestamp(now, UTC).astimezone(_CHINA).date()


async def register(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Register a person, or recognise one by ID number and name. The phone number given first
    stays; the bank is asked about the one given with the card."""
    name = text_field(request.body, "name")
    id_number = text_field(request.body, "id_number")
    phone = text_field(request.body, "phone")
    now = ctx.world.now()
    if age_on(id_number, today(now)) < ADULT:
        raise Refused(ErrorCode.UNDER_AGE, f"applicants must be {ADULT} or older")
    vault = ctx.vault
    applicant_id = ctx.world.identifier("app")
    fresh = Applicant(
        applicant_id=applicant_id,
        id_number_index=vault.blind_index(id_number, "id_number"),
        name=vault.seal(name, f"applicants.name:{applicant_id}"),
        id_number=vault.seal(id_number, f"applicants.id_number:{applicant_id}"),
        phone=vault.seal(phone, f"applicants.phone:{applicant_id}"),
        created_at=now,
    )

    def work(tx: Tx) -> tuple[int, Applicant]:
        known = tx.find(Applicant, id_number_index=fresh.id_number_index)
        if not known:
            try:
                tx.add(fresh)
                ctx.audit.append(tx, now, "registered", applicant_id)
                return 201, fresh
            except Duplicate:
                # Registered through another node at the same moment.
                known = tx.find(Applicant, id_number_index=fresh.id_number_index)
        applicant = known[0]
        if vault.unseal(applicant.name, f"applicants.name:{applicant.applicant_id}") != name:
            raise Refused(
                ErrorCode.IDENTITY_CONFLICT,
                "this ID number is registered under another name",
                field="name",
            )
        return 200, applicant

    status, applicant = await ctx.world.transact(work)
    return LenderResponse(
        status,
        {"applicant_id": applicant.applicant_id, "documents": list(applicant.documents)},
    )


async def documents(ctx: Context, request: LenderRequest) -> LenderResponse:
    """Accept a picture; a second one of a kind takes the place of the first."""
    body = request.body
    kind = text_field(body, "kind")
    if kind not in DOCUMENT_KINDS:
        raise Refused(
            ErrorCode.INVALID_FIELD,
            f"kind must be one of {', '.join(DOCUMENT_KINDS)}",
            field="kind",
        )
    if body.get("content_type") not in CONTENT_TYPES:
        raise Refused(
            ErrorCode.DOCUMENT_TYPE,
            f"the picture must be {' or '.join(CONTENT_TYPES)}",
            field="file",
        )
    size = body.get("size")
    smallest, largest = DOCUMENT_SIZES
    if not isinstance(size, int) or not smallest <= size <= largest:
        raise Refused(
            ErrorCode.DOCUMENT_SIZE,
            f"the picture must have {smallest // 1000} KB to {largest // 1_000_000} MB",
            field="file",
        )
    digest = text_field(body, "sha256")
    now = ctx.world.now()

    def work(tx: Tx) -> Applicant:
        applicant = tx.get(Applicant, request.path.get("applicant", ""))
        if applicant is None:
            raise Refused(ErrorCode.NOT_FOUND, "no such applicant")
        if kind not in applicant.documents:
            applicant = replace(applicant, documents=(*applicant.documents, kind))
            tx.save(applicant)
        ctx.audit.append(tx, now, "document", applicant.applicant_id, f"{kind} sha256 {digest}")
        return applicant

    applicant = await ctx.world.transact(work)
    return LenderResponse(201, {"documents": list(applicant.documents)})
