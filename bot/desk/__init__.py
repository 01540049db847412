"""The desk: where coordinators see who waits, answer, hand on and close (desk.md)."""

from fastapi import APIRouter, Depends

from bot.desk import (
    access,
    agency_pages,
    case,
    consents_page,
    danger_page,
    directory_pages,
    duty_page,
    factors,
    figures_page,
    forms_page,
    gaps_page,
    handoff_page,
    helping_page,
    history_page,
    household_page,
    knowledge_page,
    meetings_page,
    need_to_know,
    new_entry_page,
    pages,
    pass_on,
    passkey_pages,
    pooling_page,
    proposals_page,
    prove_page,
    queue,
    referrals_page,
    signin,
    stream,
    table_page,
    together_page,
    unheard_page,
    unlock_page,
    visit_page,
    walking_page,
)  # fmt: skip


def _build() -> APIRouter:
    """All screens behind one guard; a route without a rule stops the start (R17)."""
    screens = [screen.router for screen in (
        pages, signin, factors, prove_page, passkey_pages, directory_pages, queue, together_page, stream, case, pass_on, handoff_page, household_page,
        referrals_page, meetings_page, consents_page, history_page, forms_page, agency_pages, need_to_know, knowledge_page, new_entry_page,
        table_page, unheard_page, proposals_page, danger_page, gaps_page, duty_page, figures_page, walking_page, helping_page, pooling_page,
        unlock_page, visit_page,
    )]
    access.check_doors(screens)
    desk = APIRouter(dependencies=[Depends(access.guard)], include_in_schema=False)
    for screen in screens:
        desk.include_router(screen)
    return desk


router = _build()
TAKES_FILES, too_large = access.TAKES_FILES, pages.too_large

__all__ = ["TAKES_FILES", "router", "too_large"]
