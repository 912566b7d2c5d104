"""What the listener has heard of each thing that the assistant says.

Where sound travels beside text the server plays it and is the witness: its `output_audio_buffer.*` and
`conversation.item.truncated` events tell. Where it travels in events, this side plays it and counts its own samples.
Until the witness has spoken, the words heard are estimated, and always too few rather than too many.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Final

from vivavoce.audio.frame import duration_ms
from vivavoce.session.answers import Sound
from vivavoce.session.playout import Playout

PAUSE_LETTERS: Final = 5
"""A mark of punctuation takes as long as so many letters more. With it, counting and prose go at about one speed."""
SLOW_LETTERS_PER_S: Final = 11.0
"""Slower than people and synthesisers talk (16 to 20); for when the length of the whole is not known."""
MARGIN_MS: Final = 250.0
"""A voice does not begin at its first sample, nor is a word heard before its end."""
MARGIN_RATIO: Final = 0.1
"""Speech is uneven: a share of the words may take more than its share of the time."""
NEWS_S: Final = 0.5
"""A server may tell that it has stopped playing before it tells why."""
UNLIKELY_SILENT_MS: Final = 3000
"""So much of an answer heard without one word: the server has dropped the words, as OpenAI does on truncation."""

WIDE_LETTERS: Final = 3
"""A Chinese, Japanese or Korean sign is a syllable or two."""

_PAUSE = re.compile(r"[.,;:!?…—。，、；：！？]$")
_WIDE: Final = r"\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
_WORD = re.compile(rf"(?P<wide>[{_WIDE}])[。，、；：！？]?|[^\s{_WIDE}]+")


@dataclass(frozen=True, slots=True)
class Pending:
    """Playing, or about to."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Heard to its end."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Playing was stopped after so much of it; the server has not confirmed it."""

    heard_ms: float


@dataclass(frozen=True, slots=True)
class Truncated:
    """The server says that it ends there."""

    heard_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """The server says which words were heard."""

    text: str


Verdict = Pending | Whole | Stopped | Truncated | Told


@dataclass(slots=True)
class Speech:
    """One spoken item. `length` counts its samples where they pass through here; None while more may come."""

    item_id: str
    response_id: str
    text: str = ""
    received: int = 0
    length: int | None = None
    verdict: Verdict = field(default_factory=Pending)


@dataclass(frozen=True, slots=True)
class Onset:
    """When a response began to be heard: the time, and samples of sound that had been heard by then."""

    at: float
    sounded: int


class Witness(Enum):
    """Whether a server tells what it plays."""

    SILENT = "silent"  # it has not told anything so far
    TELLING = "telling"


class Hearing:
    """The record of all spoken items of a call."""

    def __init__(self, sound: Sound) -> None:
        self.speed = 1.0
        self._sound = sound
        self._speeches: dict[str, Speech] = {}
        self._answers: dict[str, list[Speech]] = {}
        self._started: dict[str, Onset] = {}
        self._assumed: dict[str, Onset] = {}
        self._generated: dict[str, float] = {}
        self._sounded: int | None = None
        self._server = Witness.SILENT
        self._cleared_at = -inf
        self._playout = Playout()

    # ── what is said ───────────────────────────────────────────────────────────────────────────────────

    def speak(self, item_id: str, response_id: str) -> None:
        """An item is going to be spoken."""
        if item_id not in self._speeches:
            self._speeches[item_id] = Speech(item_id, response_id)
            self._answers.setdefault(response_id, []).append(self._speeches[item_id])

    def wrote(self, item_id: str, text: str) -> None:
        """All its words that are known so far."""
        if item_id in self._speeches:
            self._speeches[item_id].text = text

    def queue(self, item_id: str, response_id: str, samples: int) -> None:
        """So many of its samples go to the player. Only where sound travels in events."""
        self.speak(item_id, response_id)
        self._speeches[item_id].received += samples
        self._playout.queue(response_id, item_id, samples)

    def finish(self, item_id: str) -> None:
        """All its words have been said: it has no more sound."""
        speech = self._speeches.get(item_id)
        # Once stopped, the rest of the sound was thrown away, so its length says nothing about the words.
        if speech is not None and isinstance(speech.verdict, Pending):
            speech.length = speech.received
            self._settle()

    def forget(self, item_id: str) -> None:
        """The item is gone from the conversation. While its answer is heard, it still takes its time."""
        self._speeches.pop(item_id, None)

    # ── what the witness says ──────────────────────────────────────────────────────────────────────────

    def played(self, total: int) -> None:
        """This side's player has played so many samples in all."""
        self._playout.played(total)
        self._settle()

    def started(self, response_id: str, now: float) -> None:
        """The server's player is at the first sample of a response."""
        if self._server is Witness.SILENT:
            self._server = Witness.TELLING
            self._assumed.clear()  # it is no server of the kind that one has to guess about
        self._started[response_id] = Onset(now, self._sounded or 0)
        self._generated.pop(response_id, None)
        for speech in self._answer(response_id):
            if speech.verdict == Stopped(0.0):  # cancelled before it was heard, and yet it is played
                speech.verdict = Pending()

    def sounded(self, samples: int) -> None:
        """So many samples that are not silent came beside text; whose they are is not known."""
        self._sounded = (self._sounded or 0) + samples

    def stopped(self, response_id: str, now: float) -> None:
        """The server's player has played a response to its end."""
        for speech in self._pending(response_id):
            speech.verdict = Whole()
        self._over(response_id, now)

    def cleared(self, response_id: str, now: float) -> list[str]:
        """The server's player has dropped the rest of a response; ids of the items not heard to their end."""
        pending = self._pending(response_id)
        budget = self._elapsed_ms(response_id, now)
        for speech in pending:
            speech.verdict = Stopped(budget)
            budget = max(0.0, budget - self._least_ms(speech.text))
        self._over(response_id, now)
        self._cleared_at = now
        return [speech.item_id for speech in pending]

    def generated(self, response_id: str, now: float) -> None:
        """All of a response has been made, so it is playing by now, should the server be one that does not tell."""
        if self._sound is not Sound.MEDIA or not self._pending(response_id) or response_id in self._started:
            return
        self._generated[response_id] = now
        if self._server is Witness.SILENT:
            self._assumed[response_id] = Onset(now, self._sounded or 0)

    def cancelled(self, response_id: str) -> list[str]:
        """The making of a response was stopped: items that had not begun to play, and so will not."""
        if self._sound is not Sound.MEDIA or response_id in self._started:
            return []
        pending = self._pending(response_id)
        for speech in pending:
            speech.verdict = Stopped(0.0)
        return [speech.item_id for speech in pending]

    def flush(self) -> dict[str, int]:
        """This side's player stops now: milliseconds heard of each item that was not heard to its end."""
        unheard: dict[str, int] = {}
        for stretch in self._playout.cut(self._playout.total):
            unheard[stretch.item_id] = duration_ms(self._playout.heard(stretch.item_id))
        for id, heard_ms in unheard.items():
            if id in self._speeches:
                self._speeches[id].verdict = Stopped(heard_ms)
        return unheard

    def dropped(self, item_id: str, response_id: str) -> int | None:
        """Sound of an item was thrown away: milliseconds heard of it, None if that was known before."""
        self.speak(item_id, response_id)
        speech = self._speeches[item_id]
        if not isinstance(speech.verdict, Pending):
            return None
        heard_ms = duration_ms(self._playout.heard(item_id))
        speech.verdict = Stopped(heard_ms)
        return heard_ms

    def truncated(self, item_id: str, heard_ms: int) -> None:
        """The server says that the item ends there."""
        if item_id in self._speeches:
            self._speeches[item_id].verdict = Truncated(heard_ms)

    def told(self, item_id: str, transcript: str | None) -> None:
        """The server's own copy of an item; it tells of hearing only when the item was truncated."""
        speech = self._speeches.get(item_id)
        if speech is None or transcript is None or not isinstance(speech.verdict, Truncated):
            return
        if transcript or speech.verdict.heard_ms < UNLIKELY_SILENT_MS:
            speech.verdict = Told(transcript)

    def settle(self, now: float) -> list[str]:
        """Nothing more will be heard of what is playing; ids of the items that were not heard to their end."""
        heard = {id: self.heard(id, now) for id in self._speeches}
        pending = [id for id, speech in self._speeches.items() if isinstance(speech.verdict, Pending)]
        cut = [id for id in pending if self._speeches[id].length is None or heard[id] != self._speeches[id].text]
        for id, speech in self._speeches.items():
            speech.verdict = Told(heard[id]) if id in cut or self.cut(id) else Whole()
        return cut

    def goes_on(self, sound: Sound) -> "Hearing":
        """The record of another connection, beginning with all that was settled here."""
        heir = Hearing(sound)
        heir._speeches = self._speeches
        return heir

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def playing(self, now: float) -> bool:
        """Whether something is being heard, or is about to be, as far as is known."""
        if self._sound is Sound.TEXT:
            return self._playout.current is not None
        assumed = any(now < self._assumed_end(id, onset.at) for id, onset in self._assumed.items())
        return bool(self._started) or assumed or any(now - at < NEWS_S for at in self._generated.values())

    def interruptible(self, now: float) -> bool:
        """Whether the listener hears something, or did until the server stopped it a moment ago."""
        return self.playing(now) or now - self._cleared_at < NEWS_S

    def spoken(self, item_id: str) -> bool:
        """Whether an item is speech."""
        return item_id in self._speeches

    def cut(self, item_id: str) -> bool:
        """Whether an item will not be heard to its end."""
        speech = self._speeches.get(item_id)
        return speech is not None and isinstance(speech.verdict, Stopped | Truncated | Told)

    def heard(self, item_id: str, now: float) -> str:
        """The words of a spoken item that have certainly been heard."""
        speech = self._speeches[item_id]
        match speech.verdict:
            case Told(text):
                return text
            case Whole():
                return speech.text
            case Stopped(heard_ms) | Truncated(heard_ms):
                return self._estimate(speech, heard_ms)
            case Pending():
                return self._so_far(speech, now)

    def _over(self, response_id: str, now: float) -> None:
        for book in (self._started, self._assumed, self._generated):
            book.pop(response_id, None)
        self._answers.pop(response_id, None)
        # Those behind it have their turn now.
        self._generated = dict.fromkeys(self._generated, now)

    def _settle(self) -> None:
        """Note what has been played to its end, and forget which samples were whose."""
        for id, speech in self._speeches.items():
            ended = isinstance(speech.verdict, Pending) and speech.length is not None
            if ended and self._playout.heard(id) >= speech.received > 0:
                speech.verdict = Whole()
                if not self._pending(speech.response_id):
                    self._playout.forget(speech.response_id)
                    self._answers.pop(speech.response_id, None)

    def _so_far(self, speech: Speech, now: float) -> str:
        if self._sound is Sound.TEXT:
            return self._estimate(speech, duration_ms(self._playout.heard(speech.item_id)))
        budget = self._elapsed_ms(speech.response_id, now)
        for earlier in self._answer(speech.response_id):
            if earlier is speech:
                break
            budget -= self._least_ms(earlier.text)
        return self._estimate(speech, budget)

    def _estimate(self, speech: Speech, heard_ms: float) -> str:
        """Words that fit into so much sound, whole ones only."""
        sure_ms = max(0.0, heard_ms * (1 - MARGIN_RATIO) - MARGIN_MS)
        letters = sure_ms * self._letters_per_ms
        if speech.length:
            letters = sure_ms * letters_in(speech.text) / duration_ms(speech.length)
        return words_in(speech.text, letters)

    def _assumed_end(self, response_id: str, since: float) -> float:
        return since + sum(self._least_ms(speech.text) for speech in self._pending(response_id)) / 1000

    def _elapsed_ms(self, response_id: str, now: float) -> float:
        onset = self._started.get(response_id, self._assumed.get(response_id))
        if onset is None:
            return 0.0
        passed_ms = max(0.0, now - onset.at) * 1000
        # Where the sound itself passes through here, silence is no time in which words were heard.
        return passed_ms if self._sounded is None else min(passed_ms, duration_ms(self._sounded - onset.sounded))

    def _least_ms(self, text: str) -> float:
        return letters_in(text) / self._letters_per_ms

    @property
    def _letters_per_ms(self) -> float:
        return SLOW_LETTERS_PER_S * min(1.0, self.speed) / 1000

    def _answer(self, response_id: str) -> list[Speech]:
        """What a response says, in order, with what was deleted while it was heard."""
        return self._answers.get(response_id, [])

    def _pending(self, response_id: str) -> list[Speech]:
        return [speech for speech in self._answer(response_id) if isinstance(speech.verdict, Pending)]


def letters_in(text: str) -> int:
    """How long a text takes to say, in letters. Blanks beyond one between two words take no time."""
    return sum(cost for _, cost in _words(text))


def words_in(text: str, letters: float) -> str:
    """The beginning of a text that can be said in the time of so many letters, whole words only."""
    said = 0
    for end, cost in _words(text):
        letters -= cost
        if letters < 0:
            return text[:said]
        said = end
    return text


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Where each word ends, and how many letters it takes to say it, with the pause after it."""
    for word in _WORD.finditer(text):
        wide = WIDE_LETTERS if word["wide"] else len(word[0]) + 1
        yield word.end(), wide + PAUSE_LETTERS * bool(_PAUSE.search(word[0]))
