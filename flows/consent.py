"""D1: who we are, who reads, and the yes before anything is kept. Most people write their worry first: it is held, and asked about once (1b)."""

from flows import consult, handoff, oddities
from flows.filling import Town
from flows.handoff import CONSENT_VERSION
from flows.model import Count, ForgetWords, RecordConsent, Scene, Session, Turn, Utterance
from flows.talk import Talk
from flows.typed import plain
from knowledge.hearing.language import language


def welcome(session: Session, scene: Scene, town: Town) -> Turn:
    """Friend added, page opened, /start. Nothing of an earlier talk is recited (R13)."""
    talk = Talk(session.model_copy(update={"back": ()}), Utterance(kind="follow"), scene, town).noting(asked=None)
    return talk.ask(
        "consent.welcome", "welcome.hello", "welcome.privacy", "welcome.emergency", choices=("start", "explain", "!human", "!lang")
    )  # fmt: skip


def welcomed(talk: Talk) -> Turn:
    """The answer to the welcome: begin, read more, or a worry straight away."""
    match talk.choice:
        case "start":
            return begin(talk)
        case "explain":
            return talk.ask("consent.explained", "welcome.kept", "welcome.hours", choices=("start", "!stop"))
        case "what":
            return talk.ask("consult.open", "open.example", choices=("!human",))
        case _ if talk.text:
            return gate(talk.remembering())
        case _:
            return talk.ask_again("welcome.unclear")


def begin(talk: Talk) -> Turn:
    """相談をはじめる: the consent, then an open question."""
    agreed = talk.with_(consented=CONSENT_VERSION, held=False)
    effects = () if talk.session.consented == CONSENT_VERSION else (_consent(talk),)
    return agreed.ask("consult.open", "open.anything", choices=("what", "!human"), effects=effects)


def gate(talk: Talk) -> Turn:
    """A worry is there: hear it if we may, else ask once and hold it (1b)."""
    if talk.session.consented is not None:
        return consult.hear_worry(talk)
    talk = consult.in_their_language(talk, language(talk.worry))
    if (turn := oddities.answer(talk) or oddities.greeting(talk)) is not None:
        return turn
    if talk.at == "consent.held":
        return talk.ask_again("held.again")
    return ask_to_go_on(talk)


def ask_to_go_on(talk: Talk) -> Turn:
    """Who reads, said before the worry is taken up."""
    return talk.with_(held=True).ask("consent.held", "held.read", "held.question", choices=("go_on", "explain", "!stop"))


def held_answered(talk: Talk) -> Turn:
    """このまま続ける goes straight to the worry already written; nobody writes it again."""
    match talk.choice:
        case "go_on":
            agreed = talk.with_(consented=CONSENT_VERSION, held=False)
            turn = consult.hear_worry(agreed)
            return turn.model_copy(update={"effects": (_consent(talk), *turn.effects)})
        case "explain":
            return talk.ask("consent.held", "welcome.kept", "welcome.hours", choices=("go_on", "!stop"))
        case _ if talk.text:
            return gate(talk.remembering())
        case _:
            return talk.ask_again("held.again")


def sorry_answered(talk: Talk) -> Turn:
    """人につなぎましょうか, asked of somebody angry (D13): はい is a yes to that; everything else is heard."""
    said = plain(talk.text)
    if said in talk.town.typed("yes"):
        return handoff.wants_human(talk)
    if said in talk.town.typed("no"):
        return talk.ask(_open(talk), "follow_up.none", choices=("!human",))
    return gate(talk.remembering()) if talk.has_words else talk.ask_again("odd.sorry_again")


def _open(talk: Talk) -> str:
    """Where free text is waited for."""
    return "consult.open" if talk.session.consented is not None else "consent.start"


def refused(talk: Talk) -> Turn:
    """やめる before the yes: the held words are erased, only the count stays (1b)."""
    refs = tuple(said.ref for said in talk.session.story if said.ref)
    forgotten = talk.with_(story=(), held=False, back=(), sheet=(), tried=()).noting(begins=None, asked=None)
    effects = (ForgetWords(refs=refs), Count(name="consent.refused")) if refs else (Count(name="consent.refused"),)
    return forgotten.ask("consent.start", "held.erased" if refs else "stop.done", effects=effects)


def _consent(talk: Talk) -> RecordConsent:
    return RecordConsent(purpose="consult", recipient=talk.town.base.town.desk_name, items=("talk",), version=CONSENT_VERSION)
