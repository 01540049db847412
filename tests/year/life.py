"""What happens in the town in a month: residents come over LINE, Telegram and the web at all hours, a coordinator answers, refers, meets, plans and
closes, an agency answers, helpers offer a hand, gaps become a 地域課題. Every act goes through the face it has in life."""

from collections.abc import Iterator
from itertools import count, cycle

from flows.model import ChannelName
from tests.town import Resident, Town
from tests.year.desk import Desk

MONTHS = tuple(f"2026-{month:02d}" for month in range(4, 13)) + tuple(f"2027-{month:02d}" for month in range(1, 4))
AGENCY = "みなと地域包括支援センター（見本）"
_WORRIES = (
    "母が同じことを何回も聞くようになりました。どこに相談すればいいですか",
    "家賃が払えなくて困っています。仕事も先月なくしました",
    "足を痛めて2か月、買い物袋が持てない。要介護じゃないし障害でもないと言われた",
    "子どもが学校に行けていません",
    "人と話したい",
    "82の父の退院後の家と、来月までの貯金が心配です。東浜に住んでいます",
    "水道が止まりそうです",
    "市役所で年齢が合わないと断られました。夜に行ける場所がほしい",
)
_OFFERS = ("将棋の相手ならいつでもできます", "前は大工でした。土日に手伝えます", "パソコンを教えられます。平日の昼なら")
_FOREIGN = "I lost my job and cannot pay my rent"
_HOURS = ("10:00", "20:30", "14:15", "02:10", "08:45", "22:40")
_DAYS = (2, 5, 8, 11, 15, 18, 22, 26)
_CHANNELS: tuple[ChannelName, ...] = ("line", "telegram", "web")
_ENDS = ("settled", "other_agency", "own_wish", "moved", "lost_contact")
_BIRTHS = ("54", "1972-03-05", "S15.1.2", "17歳", "まだ聞いていない")


class Year:
    """The people of the town, month after month."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.clock.stands_at("2026-04-01 09:00")
        self.lead = Desk(town, "係長", "kakaricho", "lead")
        self.sato = Desk(town, "佐藤", "sato")
        self.lead.opens("/desk/agencies").posts("/desk/agencies", name=AGENCY)
        self.agency = Desk(town, "鈴木", "suzuki", "agency", token=self.lead.finds(r"/desk/welcome#([\w-]+)"))
        self._worries, self._channels, self._hours = cycle(_WORRIES), cycle(_CHANNELS), cycle(_HOURS)
        self._ends, self._births, self._numbers = cycle(_ENDS), cycle(_BIRTHS), count(1)
        self._known: list[Resident] = []

    def months(self) -> Iterator[str]:
        """Each month as it ends, before the lead closes it; after that it is closed at the desk."""
        for month, following in zip(MONTHS, (*MONTHS[1:], "2027-04"), strict=True):
            self._lives(month)
            self.town.clock.stands_at(f"{following}-01 09:00")
            self.town.is_swept()
            yield month
            self.lead.comes_in().opens("/desk/figures").posts("/desk/figures/close", month=month)

    def _lives(self, month: str) -> None:
        for day in _DAYS:
            self.town.clock.stands_at(f"{month}-{day:02d} {next(self._hours)}")
            self._somebody_comes()
            if day in (8, 18, 26):
                self._desk_works(f"{month}-{day + 1:02d} 10:{next(self._numbers) % 50:02d}")
        self.town.clock.stands_at(f"{month}-27 18:20")
        self._somebody_offers()
        self.town.clock.stands_at(f"{month}-28 11:05")
        self._town_learns(month)

    # ------------------------------------------------------------ residents

    def _somebody_comes(self) -> None:
        number = next(self._numbers)
        if number % 9 == 0 and self._known:
            resident = self._known[number % len(self._known)].says("最初から")
        else:
            resident = self.town.resident_on(next(self._channels)).taps("相談をはじめる")
            self._known.append(resident)
        resident.says(_FOREIGN if number % 13 == 0 else next(self._worries))
        self._goes_on(resident, number)

    def _goes_on(self, resident: Resident, number: int) -> None:
        """Whatever is asked is answered somehow, a few times."""
        for _ in range(5):
            labels = resident.buttons()
            if "渡す" in labels:
                resident.taps("渡す")
            elif "引きついでほしい" in labels and number % 3:
                resident.taps("引きついでほしい")
            elif "これでよい" in labels:
                resident.taps("これでよい")
            elif "はい" in labels:
                resident.taps("はい")
            elif "いらない" in labels:
                resident.taps("いらない")
            else:
                break
        if number % 6 == 0:  # an answer is not always enough
            resident.says("人と話したい")
            if "渡す" in resident.buttons():
                resident.taps("渡す")
        elif number % 4 == 0 and "ちがう" in resident.buttons():
            resident.taps("ちがう")
        elif number % 5 == 0:
            resident.says("ありがとう")

    def _somebody_offers(self) -> None:
        number = next(self._numbers)
        helper = self._known[number % len(self._known)].says("最初から") if number % 2 else self.town.resident_on("line").taps("相談をはじめる")
        helper.says(_OFFERS[number % len(_OFFERS)])
        if "教える" in helper.buttons():
            helper.taps("教える")
        if "土日" in helper.buttons():
            helper.taps("土日")
        if "説明会の日" in helper.buttons():
            helper.taps("説明会の日")

    # ------------------------------------------------------------ the desk

    def _desk_works(self, when: str) -> None:
        self.town.clock.stands_at(when)
        self.sato.comes_in()
        for code in self.sato.waiting():
            self.sato.takes(code).replies(code, "読みました。一緒に考えます。")
            number = next(self._numbers)
            self._fills_in(code, number)
            if number % 3 == 0:
                self._refers(code, number)
            if number % 4 == 0:
                self._meets_and_plans(code)
            gap = {"gap": ["time", "distance"], "wish": "夜の送り迎え"} if number % 5 == 0 else {}
            if number % 3:
                self.sato.closes(code, next(self._ends), **gap)

    def _fills_in(self, code: str, number: int) -> None:
        form = f"/desk/cases/{code}/sheet"
        version = self.sato.opens(form).field("expected_version", "/answers")
        answers = {"a.person.birth": next(self._births), "a.assess.issues": ["I01", "I07"] if number % 2 else []}
        self.sato.posts(f"/desk/cases/{code}/answers", expected_version=version, **answers)

    def _refers(self, code: str, number: int) -> None:
        page, today = f"/desk/cases/{code}/referrals", self.town.clock.now().date()
        asked = {"purpose": "家に来てほしい", "basis": "danger", "danger": "倒れている", "more": "一人で暮らしている"}
        self.sato.opens(page).posts(page, recipient=AGENCY if number % 2 else "税務課（見本）", until=f"{today.year + 1}-12-31", **asked)
        if not number % 2:
            referral = self.sato.opens(page).finds(rf'action="{page}/([0-9a-f]{{32}})"')
            self.sato.posts(f"{page}/{referral}", says="met")
            return
        shared = self.agency.comes_in().finds(r'href="(/desk/shared/[0-9a-f]+)"')
        version = self.agency.opens(shared).field("expected_version")
        told = {"words": "65歳からです", "gap": "age", "wish": "64歳でも使える見守り"} if number % 7 == 0 else {"words": "うかがいます"}
        self.agency.posts(shared, state="refused" if number % 7 == 0 else "accepted", expected_version=version, **told)

    def _meets_and_plans(self, code: str) -> None:
        page, today = f"/desk/cases/{code}/meetings", f"{self.town.clock.now():%Y-%m-%d}"
        self.sato.opens(page).posts(
            f"/desk/cases/{code}/support-meetings", held_on=today, why="命が心配", members="包括、保健所", pledged="yes"
        )  # fmt: skip
        plan = {"own_words": "孫と暮らしたい", "goal": "家をさがす", "who": "佐藤", "until": "", "how": "", "made_on": today, "meeting": ""}
        programs = {"a.plan.programs": ["参加支援事業", "多機関協働事業"]}
        self.sato.opens(page).posts(f"/desk/cases/{code}/plans", plan="", expected_version="0", **plan, **programs)

    # ------------------------------------------------------------ what the town learns

    def _town_learns(self, month: str) -> None:
        """A gap from a meeting, every third month a 地域課題, and later a resource for it; a request for helpers."""
        number = int(month[5:])
        desk = self.lead.comes_in().opens("/desk/gaps")
        desk.posts("/desk/gaps", act="add", reason=["age", "none_exists"], domain="T13", wish="年齢によらない集まり")
        if number % 3 == 0:
            newest = desk.finds(r'name="gap" value="([0-9a-f]{32})"')
            desk.posts("/desk/gaps", act="tie", gap=newest, issue="new", title=f"夜に行ける場所がない（{month}）")
        if number % 6 == 0:
            issue = desk.opens("/desk/gaps").finds(r'href="(/desk/gaps/issues/[0-9a-f]+)"')
            version = desk.opens(issue).field("expected_version")
            done = {"done": "話し合いました", "state": "answered", "entry": "food-bank"}
            desk.posts(issue, title=f"夜に行ける場所（{month}）", expected_version=version, **done)
        desk.opens("/desk/helping").posts("/desk/helping", act="ask", title="集会所の棚の修理", when="土曜", until=f"{int(month[:4]) + 1}-03-31")
