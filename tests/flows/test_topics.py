"""What a case is about, in the topics of the national form: also where no service fitted (D5)."""

import flows
from flows.model import OpenCase
from tests.flows.talks import Resident


def opened(resident: Resident) -> OpenCase:
    return next(effect for effect in resident.turn.effects if isinstance(effect, OpenCase))


def test_what_fitted_nothing_is_still_about_something(town: flows.Town) -> None:
    resident = Resident(town).begins().says("足を痛めて2か月、買い物袋が持てない。要介護じゃないし障害でもないと言われた。39歳一人暮らし")
    for button in ("引きついでほしい", "これでよい", "はい"):
        resident.presses(button)
    assert opened(resident).topics == ("T12",)


def test_who_only_wants_a_person_has_told_no_topic(town: flows.Town) -> None:
    resident = Resident(town).begins().says("人と話したい")
    if any(button.label == "渡す" for button in resident.turn.buttons):
        resident.presses("渡す")
    assert opened(resident).topics == ()
