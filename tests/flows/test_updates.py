"""A talk outlives what changes around it: steps that are gone, services that are gone, a newer base, a month of silence (I7)."""

from dataclasses import replace
from datetime import timedelta

import pytest

import flows
from flows.engine import STEPS
from flows.model import OpenCase, Session
from tests.flows.talks import Resident

WORRY = "家賃が払えなくて困ってます"


@pytest.mark.parametrize("step", ["consult.no_such_step", "lost.lost", "shopping.basket"])
def test_a_step_that_no_longer_exists_leads_to_a_human(resident: Resident, step: str) -> None:
    resident.begins().says(WORRY)
    flow, name = step.split(".")
    resident.session = resident.session.model_copy(update={"flow": flow, "step": name})

    resident.says("まだ困っています")

    assert resident.keys[0] == "handoff.lost"
    assert resident.effects(OpenCase)


def test_a_session_of_the_first_version_is_still_read(resident: Resident) -> None:
    stored = '{"flow":"consult","step":"open","consented":3,"story":[{"text":"家賃が払えない","ref":"m0"}]}'
    resident.session = Session.model_validate_json(stored)

    resident.says(WORRY)

    assert resident.cards


def test_an_earlier_question_that_no_longer_reads_is_passed_over_on_the_way_back(resident: Resident) -> None:
    resident.begins().says("なんかもう、どうしたらいいかわからなくて")
    resident.session = resident.session.model_copy(update={"back": (*resident.session.back, '{"flow":"consult","no_such_field":1}')})

    resident.says("もどる")

    assert resident.heard


def test_cards_whose_service_is_gone_are_left_out_and_nothing_breaks(resident: Resident, town: flows.Town) -> None:
    resident.begins().says(WORRY)
    gone = set(resident.cards)
    entries = {name: entry for name, entry in town.base.entries.items() if name not in gone}
    resident.town = flows.Town(replace(town.base, entries=entries, version="newer"), town.phrases)

    for words in ("ちがう", "もう行ったことがある", "もどる", "もどる"):
        resident.says(words)
        assert resident.heard
        assert gone.isdisjoint(resident.cards)


@pytest.mark.parametrize("at", sorted(STEPS))
def test_after_a_month_of_silence_every_waiting_step_still_answers(town: flows.Town, at: str) -> None:
    resident = Resident(town).begins().says(WORRY)
    flow, step = at.split(".")
    resident.session = resident.session.model_copy(update={"flow": flow, "step": step})
    resident.at += timedelta(days=31)

    resident.says("まだいますか")

    assert resident.heard or resident.turn.ends_as != "answered"
