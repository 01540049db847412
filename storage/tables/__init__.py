"""The tables, a module for each thing they are about. One line above each says what a row is; the class of every column (R37) stands in `CLASSES`.

Columns of `bytes` named `*_sealed` hold ciphertext of storage/sealing.py: C3 (talk, notes, topics) and C2 (identifiers). Times are UTC.
Nothing here is imported outside `storage/`: what leaves by the door is plain values.
"""

from storage.tables.attachments import Attachment
from storage.tables.cases import OPEN_CASE, Alarm, Case, Consent, Memo, Promise, Task
from storage.tables.columns import UtcTime
from storage.tables.duty import CallAddress, Duty
from storage.tables.keys import DataKey
from storage.tables.oidc import OidcAttempt, OidcLink
from storage.tables.outbox import UNDONE, Outbox
from storage.tables.records import Audit, Cursor, Erasure
from storage.tables.scope import Emergency, ShutOut
from storage.tables.staff import ApiToken, Invitation, Press, SignInTry, Staff, StaffFactor, StaffPasskey, StaffSession
from storage.tables.support import (
    Agency,
    ConsentRequest,
    CoordinationMeeting,
    HouseholdMember,
    Intake,
    Plan,
    Referral,
    Release,
    SupportMeeting,
    Writing,
)  # fmt: skip
from storage.tables.talk import Conversation, Identity, Inbox, Message, Person, RoomLink, WebVisitor
from storage.tables.town import ClosedMonth, Gap, HelpRequest, KnowledgeEdit, KnowledgeProposal, Offer, Outcome, Proposal, Tally, TownIssue

CLASSES: dict[str, str] = {
    "C3": "message.body_sealed inbox.raw_sealed conversation.session_sealed outbox.body_sealed care_case.title_sealed care_case.sheet_sealed "
    "care_case.topics_sealed memo.body_sealed consent.recipient_sealed consent.items_sealed alarm.kinds_sealed task.note_sealed "
    "offer.skill_sealed offer.when_sealed household_member.body_sealed consent_request.body_sealed referral.body_sealed referral.answers_sealed "
    "support_meeting.body_sealed coordination_meeting.body_sealed plan.body_sealed intake.answers_sealed gap.wish_sealed "
    "closed_month.counts_sealed hidden_release.why_sealed shut_out.why_sealed emergency.why_sealed attachment.body_sealed",
    "C2": "identity.external_sealed identity.external_hash outbox.destination_sealed outbox.reply_token_sealed inbox.reply_token_sealed "
    "message.platform_hash web_visitor.token_hash room_link.token_hash sign_in_try.who_hash attachment.source_sealed",
    "C1": "call_address.body_sealed staff_factor.secret_sealed staff_factor.code_hash "
    "staff.password_hash staff_session.token_hash invitation.token_hash api_token.token_hash "
    "oidc_attempt.token_hash oidc_link.subject_hash",
}
"""Columns that carry talk (C3), identifiers of residents (C2) or credentials of staff (C1); every other column is operational (C1) as well."""

__all__ = [
    "CLASSES",
    "OPEN_CASE",
    "UNDONE",
    "Agency",
    "Alarm",
    "ApiToken",
    "Attachment",
    "Audit",
    "CallAddress",
    "Case",
    "ClosedMonth",
    "Consent",
    "ConsentRequest",
    "Conversation",
    "CoordinationMeeting",
    "Cursor",
    "DataKey",
    "Duty",
    "Emergency",
    "Erasure",
    "Gap",
    "HelpRequest",
    "HouseholdMember",
    "Identity",
    "Inbox",
    "Intake",
    "Invitation",
    "KnowledgeEdit",
    "KnowledgeProposal",
    "Memo",
    "Message",
    "Offer",
    "OidcAttempt",
    "OidcLink",
    "Outbox",
    "Outcome",
    "Person",
    "Plan",
    "Press",
    "Promise",
    "Proposal",
    "Referral",
    "Release",
    "RoomLink",
    "ShutOut",
    "SignInTry",
    "Staff",
    "StaffFactor",
    "StaffPasskey",
    "StaffSession",
    "SupportMeeting",
    "Tally",
    "Task",
    "TownIssue",
    "UtcTime",
    "WebVisitor",
    "Writing",
]
