"""Who the house is, what it can do, what was said before, and the courtesies."""

import re
from typing import Final

from vivavoce.engine.house.exercise import sentence
from vivavoce.engine.house.turn import Turn

_ABLE: Final = (
    "I am a small set of rules, so I can do a few things well. I tell the time and the date. "
    "I do sums, such as twelve times seven. I count as far as you like, and you may interrupt me. "
    "I spell words, I repeat after you, and I remember what we both said. "
    "I also call the functions that an application gives me."
)
_MOST_ECHO: Final = 200
_NAME_ORDER: Final = re.compile(r"\b(?i:your name is) ([^\W\d_][\w'-]*(?: [A-Z][\w'-]*)*)")
_QUOTED_ORDER: Final = re.compile(
    r"\b(?:say|repeat|answer|reply|respond|greet)\b[^\"“\n]*[\"“]([^\"”\n]+)[\"”]", re.IGNORECASE
)
_PLAIN_ORDER: Final = re.compile(r"\b(?:say|repeat)(?: exactly| only| just)?\s*:\s*(.+)", re.IGNORECASE)
_MY_NAME: Final = re.compile(
    r"\b(?:my name is|call me(?! (?:a|an|back|later|when|again|tomorrow|at|on|in|if)\b)) ([^\W\d_][\w'-]*)",
    re.IGNORECASE,
)

_ASKED_BEFORE: Final = re.compile(
    r"\b(?:what|why) (?:did|have) i (?:just |last )?(?:say|said|ask|asked|tell|told)"
    r"|\bwhat was my (?:last |first )?(?:question|sentence)"
    r"|\bwhat i (?:just )?said\b"
    r"|\bwhat (?:was it|is it) i (?:said|asked)"
)
_ANSWERED_BEFORE: Final = re.compile(
    r"\b(?:what|why) (?:did|have) you (?:just |last )?(?:say|said|tell|told|answer)"
    r"|\bwhat was (?:your|the) (?:last )?(?:answer|reply|result)"
    r"|\b(?:say|repeat|tell me) (?:that|it|this|yourself|your (?:last )?answer|the last (?:answer|one|sentence))"
    r"(?: again| once more)?\b"
    r"|\b(?:say|come) again\b"
    r"|^(?:pardon|sorry|again|once more|what was that|i beg your pardon)(?: me| please)?$"
    r"|\bthe last answer\b"
)
_AGAIN: Final = re.compile(r"^(?:I said: )+")
_WHO: Final = re.compile(
    r"\b(?:who|what) are you\b|\byour name\b|\bwho (?:is this|am i (?:talking|speaking))|introduce yourself"
)
_ABLE_TO: Final = re.compile(
    r"\bwhat (?:can|could|do|else can) you (?:do|know|offer)|\bwhat can i (?:ask|say|do)|\bhow can you help|^help\b|"
    r"\bwhat are (?:your|my) (?:options|commands|abilities|skills)|\bneed help\b|\bwhat are you able"
)
_HEAR: Final = re.compile(
    r"\b(?:can|do|could) you hear|\bare you (?:there|listening|still there|awake)|^(?:test|testing)\b"
)
_HOW: Final = re.compile(r"\bhow (?:are you|do you do|is it going|are things|have you been)\b")
_THANKS: Final = re.compile(r"\b(?:thank you|thanks|thank|thank's|cheers)\b")
_BYE: Final = re.compile(r"\b(?:good ?bye|bye|by by|bye bye|see you|farewell|good night|hang up|talk to you later)\b")
_STOP: Final = re.compile(
    r"^(?:please )?(?:stop|stop it|stop that|be quiet|quiet|shut up|enough|never ?mind|cancel|wait|hold on|halt)\b"
)
_FINE: Final = re.compile(
    r"^(?:yes|yeah|yep|no|nope|okay|ok|all right|alright|right|good|fine|great|nice|cool|sure)"
    r"(?: (?:please|then|good|great|fine))?$"
)
_GREETING: Final = re.compile(
    r"\b(?:hello|hallo|hullo|hi|hey|greetings|howdy|good (?:morning|afternoon|evening|day))\b|^yellow\b|^hell oh\b"
)


def own_name(instructions: str, default: str) -> str:
    """The name that the instructions give, if they do."""
    found = _NAME_ORDER.search(instructions)
    return found[1] if found else default


def unprompted(turn: Turn) -> str:
    """What to say when nobody has said anything new: what the instructions put into our mouth, or a greeting."""
    if order := _QUOTED_ORDER.search(turn.instructions) or _PLAIN_ORDER.search(turn.instructions):
        return sentence(order[1])
    if turn.answered:
        return "I am still here. What can I do for you?"
    return f"Hello, I am {turn.name}. What can I do for you?"


def earlier_words(turn: Turn) -> str | None:
    """What either side said before."""
    if _ASKED_BEFORE.search(turn.plain):
        return f"You said: {sentence(turn.asked[-1])}" if turn.asked else "You have not said anything before that."
    if _ANSWERED_BEFORE.search(turn.plain):
        last = _AGAIN.sub("", turn.answered[-1]) if turn.answered else ""
        return f"I said: {sentence(last)}" if last else "I have not said anything yet."
    return None


def names(turn: Turn) -> str | None:
    """The user's name, told and asked, and our own."""
    if given := _MY_NAME.search(turn.text):
        return f"Nice to meet you, {given[1].capitalize()}. I am {turn.name}."
    if re.search(r"\b(?:what is|know|remember|say) my name\b|\bwho am i\b(?! talking| speaking)", turn.plain):
        known = [found[1] for text in turn.asked if (found := _MY_NAME.search(text))]
        return f"Your name is {known[-1].capitalize()}." if known else "You have not told me your name."
    if _WHO.search(turn.plain):
        return f"I am {turn.name}, a small agent made of rules. Ask me what I can do."
    return None


def courtesies(turn: Turn) -> str | None:
    """Abilities, greetings, thanks and the rest of good manners."""
    said = turn.plain
    if _ABLE_TO.search(said):
        return _ABLE
    if _HEAR.search(said):
        return "Yes, I hear you."
    if _STOP.search(said):
        return "All right."
    if _THANKS.search(said):
        return "You are welcome. Goodbye!" if _BYE.search(said) else "You are welcome."
    if _BYE.search(said):
        return "Goodbye!"
    if _HOW.search(said):
        return "I am well, thank you. What can I do for you?"
    if _GREETING.search(said):
        return f"Hello, I am {turn.name}. What can I do for you?"
    return "All right." if _FINE.search(said) else None


def unknown(turn: Turn) -> str:
    """The honest answer to everything else."""
    words = turn.text.rstrip(".")
    heard = f"I heard “{words if len(words) <= _MOST_ECHO else words[:_MOST_ECHO].rsplit(' ', 1)[0] + '…'}”."
    if turn.answered and turn.answered[-1].startswith("I heard"):
        return f"{heard} I have no rule for that either."
    return f"{heard} I am only a small set of rules and have none for that. Ask me what I can do."
