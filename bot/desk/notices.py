"""What a member of staff is told about their own account: a change of how they sign in, which may not have been theirs (R28, ASVS 6.3.7)."""

from sqlmodel import Session as Rows

from bot import duty as duties
from bot.parts import Parts
from storage import duty
from storage.staff import Member

CHANGED = "相談員の机に入るときの、あなたの本人確認のしかたが変わりました。覚えがなければ、すぐに係長に伝えてください。"


async def sign_in_changed(parts: Parts, member: Member) -> None:
    """By mail, where an address of theirs is written down and the town has a mail server; it stands in わたしの設定 in any case."""

    def look(rows: Rows) -> list[str]:
        return [one.mail for one in duty.reach(rows) if one.staff_id == member.id and one.mail]

    parts.alarms.tell(duties.addresses_of(parts.settings.mail_url, await parts.store.atransact(look)), CHANGED)
