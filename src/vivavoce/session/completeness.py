"""How finished an utterance sounds by its words alone: rules, no model.

The rules know English. Of other languages only punctuation is read, and where there is none the answer is neutral.
Recognisers that write no punctuation and no capitals are the rule here, so nothing depends on either. Judged are the
last words first: what somebody stops at tells more than what they began with.
"""

import re
from collections.abc import Sequence
from typing import Final

NEUTRAL: Final = 0.5
"""Nothing is known."""
CERTAIN: Final = 0.95
COMPLETE: Final = 0.9
LIKELY: Final = 0.78
"""A string of words that ends in nothing suspicious: most prefixes of sentences are sentences too."""
COUNTING: Final = 0.3
"""In the middle of a number or of spelling."""
COUNTED: Final = 0.45
"""A number or a word spelt out that may be whole: never sure, for another digit may follow."""
OPEN: Final = 0.1
"""The last word asks for another one."""
HUNGRY: Final = 0.25
"""The last word asks for another one most of the time."""
FILLER: Final = 0.05
"""Somebody is looking for the next word."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?。！？؟।]['\"”’)\]]*$")
_HANGING_END = re.compile(r"(?:\.\.\.|…|[,;:，、；：—–-])['\"”’)\]]*$")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FILLERS = _set("uh um uhm uhh umm uhhm er erm ehm hm hmm mm mmm ah eh")
_CONJUNCTIONS = _set("and but or nor because cause cuz although though unless whereas while if whether than plus")
_PREPOSITIONS = _set(
    "to of for with from at by about into onto upon between among during without within towards toward against "
    "through via per like as"
)
_SUBJECTS = _set("i we he she they")
_PRONOUNS = _SUBJECTS | _set("you it that this there")
_CONTRACTIONS = _set(
    "i'm i'll i'd i've we're we'll we'd we've you're you'll you'd you've he's she's it'll he'll she'll they're they'll "
    "they'd they've there's that'll let's who's what's where's how's"
)
_NEVER_LAST = _CONJUNCTIONS | _CONTRACTIONS | _set("a an the my your our their its every another whose")
_BEING = _set("is are was were am")
_AUXILIARIES = _set(
    "is are was were am be been do does did have has had can could will would shall should may might must "
    "isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't"
)
_QUESTION_WORDS = _set("what what's whats who who's where where's when when's why why's how how's which whose whom")
_HUNGRY = _set(
    "want wants wanna gonna gotta need needs trying supposed going called named let tell give gives put makes "
    "very really quite too some any more most other such just also even only not"
)
"""Words that want another one after them, though now and then they end a sentence."""
_ADVERBS_THAT_END = _set("more some any other too also not even just really only")
_THINKING_VERBS = _set(
    "think thinks thought say says said know knows knew believe hope guess mean means sure told thinking saying"
)
_CLAUSE_OPENERS = _set("if when whenever while although though unless since until once before after because")
_POSSESSED_NUMBERS = _set("number code pin zip postcode phone account digits extension password reference order")
_POLITE = _set("please thanks goodbye bye cheers")
_HANDED = _set("tell give show send bring ask remind get find let")
"""Verbs that hand somebody something: "tell me" asks for what."""
_ANSWERS = _set(
    "yes yeah yep yup no nope nah okay ok sure right exactly correct absolutely definitely certainly perfect great "
    "good fine nice cool wow hello hi hey morning evening afternoon night day "
    "stop cancel help repeat continue never always nothing nobody none both neither "
    "maybe perhaps probably today tomorrow tonight now later"
)
_DIGITS = _set("zero oh nought one two three four five six seven eight nine double triple")
_NUMBERS = _DIGITS | _set(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty "
    "seventy eighty ninety hundred thousand million billion point"
)
_WHOLE_NUMBER_LENGTHS = frozenset({7, 8, 10, 11, 12, 16})
"""Digits of a telephone or card number."""
_ENGLISH = (
    _CONTRACTIONS
    | (_NUMBERS - _set("six million point"))
    | _set(
        "the and are i'm you your it's that what how why who this that have don't can't would could should please with "
        "my they yes okay hello thanks want need let tell about not for from there like know think turn give make get "
        "going just really very because if but then his her when where which much many some any"
    )
)
"""Words by which a longer text is known to be English; none is common in another language of Latin letters."""


def completeness(text: str, languages: Sequence[str] = ()) -> float:
    """How likely it is that whoever said this has finished.

    Args:
        text: what was said so far, as a recogniser writes it.
        languages: ISO 639-1 codes that it may be in; empty when nobody knows.
    """
    text = text.strip()
    if _HANGING_END.search(text):
        return OPEN
    ended = _SENTENCE_END.search(text) is not None
    words = _WORD.findall(text.lower().replace("’", "'"))
    if not words:
        return NEUTRAL
    if ended and text.rstrip("'\"”’)]")[-1] not in ".。।":
        return CERTAIN
    if not _is_english(words, languages):
        return COMPLETE if ended else NEUTRAL
    by_words = _english(words)
    # A full stop that a recogniser puts behind everything makes no open word whole.
    return max(by_words, COMPLETE) if ended and by_words > NEUTRAL else by_words


def _is_english(words: list[str], languages: Sequence[str]) -> bool:
    if languages:
        return any(language.lower().split("-")[0] == "en" for language in languages)
    if not all(word.isascii() for word in words):
        return False
    return len(words) < 4 or words[0] == "i" or not _ENGLISH.isdisjoint(words)


def _english(words: list[str]) -> float:
    last = words[-1]
    if last in _FILLERS or _stalls(words):
        return FILLER
    if (closing := _closing(words)) is not None:
        return closing
    if (counted := _counting(words)) is not None:
        return counted
    if (open_end := _open_end(words)) is not None:
        return open_end
    return _sentence(words)


def _stalls(words: list[str]) -> bool:
    """Words that only ask for time."""
    return " ".join(words[-3:]).endswith(_STALLS) or words == ["well"]


_STALLS: Final = (
    "let me see",
    "let me think",
    "let's see",
    "hold on",
    "hang on",
    "one moment",
    "just a moment",
    "a second",
    "one second",
    "you know",
    "i mean",
    "okay so",
    "well so",
)


def _closing(words: list[str]) -> float | None:
    """Politeness, and answers of a word or two."""
    if (words[-1] in _POLITE and words != ["please"]) or " ".join(words[-4:]).endswith(_CLOSINGS):
        return CERTAIN
    if all(word in _ANSWERS for word in words[-2:]) and len(words) <= 2:
        return COMPLETE
    return None


_CLOSINGS: Final = ("thank you", "thank you very much", "that's all", "that's it", "isn't it", "see you")


def _counting(words: list[str]) -> float | None:
    """A number that is being said, or a word that is being spelt."""
    run = 0
    while run < len(words) and (words[-1 - run] in _NUMBERS or words[-1 - run].isdecimal()):
        run += 1
    if not run:
        spelt = 0
        while spelt < len(words) and len(words[-1 - spelt]) == 1:
            spelt += 1
        return COUNTED if spelt >= 2 else None
    said, before = words[-run:], words[:-run]
    single = [word for word in said if word in _DIGITS or len(word) == 1]
    digits = len(single) if len(single) == len(said) else sum(len(word) if word.isdecimal() else 1 for word in said)
    if said[-1] in {"double", "triple", "point"}:
        return OPEN
    if not _POSSESSED_NUMBERS.isdisjoint(before[-4:]) or (len(single) == len(said) and run >= 2):
        return COUNTED if digits in _WHOLE_NUMBER_LENGTHS else COUNTING
    return None  # an amount, a time, an age: a word like others


def _open_end(words: list[str]) -> float | None:
    """The last word asks for another; None when it does not."""
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    about_something = words[0] in _QUESTION_WORDS and len(words) > 2
    if last in _NEVER_LAST or (last, before in _CONJUNCTIONS) == ("then", True):
        return OPEN
    if last in _PREPOSITIONS:
        return LIKELY if about_something else OPEN  # "where are you from"; "i am looking for"
    if last in _SUBJECTS:
        return LIKELY if about_something and before in _BEING else OPEN  # "who am i"; "how can i"
    if last in {"so", "that"}:
        return _after_thinking(last, before)
    if last in _AUXILIARIES:
        return _after_auxiliary(words)
    return _hungry(words, last, before)


def _after_thinking(last: str, before: str) -> float | None:
    """Whole are "i think so" and "like that"; not whole are "so" and "i think that"."""
    if last == "so":
        return COMPLETE if before in _THINKING_VERBS or before in {"or", "not"} else OPEN
    return OPEN if before in _THINKING_VERBS else None


def _hungry(words: list[str], last: str, before: str) -> float | None:
    """Words that want another one after them most of the time."""
    if last in _HUNGRY:
        if last in _ADVERBS_THAT_END and len(words) > 2:
            return NEUTRAL
        return LIKELY if words[0] in _QUESTION_WORDS else HUNGRY
    handed = last in {"me", "us"} and before in _HANDED  # "can you tell me"
    begun = last in _PRONOUNS and before in _AUXILIARIES and len(words) == 2  # "could you", "is it"
    asked = last in _QUESTION_WORDS and len(words) > 1  # "do you know what"
    return HUNGRY if handed or begun or asked else None


def _after_auxiliary(words: list[str]) -> float:
    """A short answer ("yes I do") or an indirect question ("what time it is"), against "my name is"."""
    before = words[-2] if len(words) > 1 else ""
    short_answer = before in _PRONOUNS and (len(words) <= 2 or words[0] in _ANSWERS)
    indirect = before in _PRONOUNS and not _QUESTION_WORDS.isdisjoint(words)
    return LIKELY if short_answer or indirect else OPEN


def _is_question(words: list[str]) -> bool:
    return words[0] in _QUESTION_WORDS or words[0] in _AUXILIARIES


def _sentence(words: list[str]) -> float:
    """Nothing hangs at the end: how much of a sentence is it?"""
    if _is_question(words) and len(words) >= 3 and not _is_clause(words):
        return COMPLETE
    if _is_clause(words):
        return COUNTING
    if len(words) == 1:
        return COMPLETE if words[0] in _ANSWERS else 0.6
    return LIKELY if len(words) > 2 else 0.65


def _is_clause(words: list[str]) -> bool:
    """A clause that waits for the main one: "when I was young", "if it rains"."""
    if words[0] not in _CLAUSE_OPENERS or words[0] == "because" or len(words) < 2 or words[1] in _AUXILIARIES:
        return False
    return "then" not in words and sum(word in _SUBJECTS or word in {"you", "it"} for word in words) < 2
