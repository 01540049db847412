"""`python -m tests.year`: live the year on a fresh SQLite, count it by hand, and print every number of the page
beside it. Ends with 1 where they differ."""

import sys
import tempfile
from pathlib import Path

from storage.migrate import migrate
from storage.sealing import Keyring
from storage.store import Store
from tests.town import Town
from tests.twins import LineTwin, TelegramTwin
from tests.year.beside import differences, told, wanted
from tests.year.life import Year
from tests.year.recount import by_hand


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, LineTwin() as line, TelegramTwin() as telegram:
        store = Store.open(f"sqlite:///{folder}/year.db", Keyring(bytes(32)))
        migrate(store)
        with Town(store, line, telegram, Path(folder)) as town:
            year = Year(town)
            months = [by_hand(town, month) for month in year.months()]
            page = told(year.lead.http.get("/desk/figures.csv?year=2026").content)
            hand = wanted(town, months)
        store.close()
    for place in sorted({*page, *hand}):
        print(f"{' / '.join(place)}\t{page.get(place, '—')}\t{hand.get(place, 0)}")
    wrong = list(differences(page, hand))
    print(*wrong, f"{len(page)} numbers, {len(wrong)} differ", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
