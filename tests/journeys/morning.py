"""A coordinator's morning: twenty residents of the sample town have written over LINE, Telegram and the web, and the desk opens."""

from dataclasses import dataclass

from flows.model import ChannelName
from storage import referrals, staff
from storage.desk_queue import Viewer
from tests.town import Resident, Town

AGENCY = "地域包括支援センター（見本）"
_WORRIES: tuple[tuple[ChannelName, str], ...] = (
    ("line", "82の父が来週の水曜に退院します。家は2階で、母も足が悪いです"),
    ("web", "中学2年の娘が学校に行けなくなって3か月です"),
    ("telegram", "仕事をなくして、来月の家賃が払えません"),
    ("line", "息子が10年部屋から出てきません。私の年金だけで暮らしています"),
    ("web", "母の介護で夜眠れません。仕事もやめそうです"),
    ("line", "電気を止められそうです。子どもが3人います"),
    ("telegram", "となりのおじいさんを、この1週間みていません"),
    ("line", "借金が300万あって、毎日電話が来ます"),
    ("web", "発達障害かもしれないと言われました。どこに行けばいいですか"),
    ("line", "ひとりで子どもを育てています。急に熱を出すと仕事を休めません"),
    ("telegram", "離婚したいけれど、住むところがありません"),
    ("web", "妻が認知症で、ひとりで出ていってしまいます"),
    ("line", "障害年金の申請のしかたが分かりません"),
    ("web", "職場でいじめられて、朝起きられません"),
    ("line", "話し相手がほしいです。だれとも一週間話していません"),
    ("telegram", "国民健康保険の保険料が払えません"),
    ("web", "子どものごはんが足りません。給料日まで5日です"),
)


@dataclass
class Morning:
    """Who has come, and the codes of their cases."""

    residents: list[Resident]
    alarmed: Resident
    """Has just written of wishing to die: the desk rings."""
    hidden: Resident
    """Lives in fear of a partner: nothing of theirs is shown before it is opened."""

    @property
    def first(self) -> str:
        """The father who leaves hospital."""
        return self.residents[0].case


def comes(town: Town) -> Morning:
    """Twenty people write, one after the other; each asks for a human, most let what they told be handed on."""
    residents = []
    for number, (channel, worry) in enumerate(_WORRIES):
        resident = town.resident_on(channel).taps("相談をはじめる").says(worry).says("人と話したい")
        if "渡す" in resident.buttons():
            resident.taps("渡さない" if number == 14 else "渡す")
        town.clock.moves(minutes=3)
        residents.append(resident)
    hidden = town.resident_on("web").says("夫に殴られています。いまは実家です").says("人と話したい")
    residents.append(town.resident_on("line").says("人と話したい"))
    alarmed = town.resident_on("line").taps("相談をはじめる").says("もう死にたい")
    return Morning([*residents, hidden, alarmed], alarmed, hidden)


def office_of(town: Town, name: str = AGENCY) -> str:
    """An agency's one-time link: one of its people may sign in with it."""
    viewer, now = Viewer("", "係長", "lead", "system"), town.clock.now()

    def work(rows: object) -> str:
        agency = referrals.add_agency(rows, viewer, name, now)  # type: ignore[arg-type]
        return staff.invite(rows, role="agency", now=now, agency_id=agency)  # type: ignore[arg-type]

    return town.store.transact(work)


