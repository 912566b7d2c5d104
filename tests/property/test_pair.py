"""Host and peer over a link that dawdles: both on virtual time, among people and engines that may do anything.

What the peer says was heard is compared with the words whose sound has reached the ear.
"""

from collections import deque
from collections.abc import Callable
from itertools import count

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from tests.property import talk
from tests.property.laws import tokens
from tests.property.talk import TOKEN, Dice, Event
from vivavoce.audio.frame import Pcm, sample_count, silence
from vivavoce.session.answers import Sound
from vivavoce.session.errand import CallTool, Errand, Flush, Play, Send, Show
from vivavoce.session.hearing import UNLIKELY_SILENT_MS
from vivavoce.session.peer import Activity, Peer
from vivavoce.testing.ear import voice
from vivavoce.testing.listener import Listener
from vivavoce.testing.script import Script
from vivavoce.wire.codec import decode_client, decode_server, decode_session, encode
from vivavoce.wire.event import ConversationItemTruncated
from vivavoce.wire.item import AssistantMessage, OutputAudio

STEP_S = 0.02
FRAME = sample_count(1000 * STEP_S)
SOUND_DELAY_S = 0.3
PATIENCE_S = 300
TOOLS = ("look",)


class Link:
    """Carries texts one way, in order, each as late as the dice say."""

    def __init__(self, dice: Dice, delays: list[float]) -> None:
        self._dice = dice
        self._delays = delays
        self._way: deque[tuple[float, str]] = deque()

    def put(self, text: str, now: float) -> None:
        last = self._way[-1][0] if self._way else now
        self._way.append((max(last, now + self._dice.one(self._delays)), text))

    def due(self, now: float) -> list[str]:
        arrived: list[str] = []
        while self._way and self._way[0][0] <= now:
            arrived.append(self._way.popleft()[1])
        return arrived

    @property
    def empty(self) -> bool:
        return not self._way


class Pair:
    """One call with both of its ends."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.sound = dice.one(list(Sound))
        self.call = Script(
            session=decode_session(msgspec.json.encode(talk.opening(dice, "realtime") | {"audio": self.audio(dice)})),
            sound=self.sound,
            transcripts=dice.some(talk.transcript, 8),
            replies=talk.replies(dice, 12),
            voice=dice.some(talk.trouble, 12),
            pace=talk.pace(dice),
        )
        numbers = count(1)
        self.peer = Peer(ids=lambda prefix: f"{prefix}_c{next(numbers)}", sound=self.sound, tools=TOOLS)
        self.player = Listener()
        """Where sound travels in events: what this side plays."""
        # Sound beside text has a way of its own. Whose it is can only be told if news of it does not come much later.
        delays = [0.0, 0.01, 0.05, 0.05, 0.2, SOUND_DELAY_S if self.sound is Sound.MEDIA else 1.0]
        self._down, self._up = Link(dice, delays), Link(dice, delays)
        self._sounds: deque[Pcm] = deque([silence(FRAME)] * round(SOUND_DELAY_S / STEP_S))
        self._told = 0
        self._shown: dict[str, str] = {}

    def audio(self, dice: Dice) -> Event:
        return {"input": dice.keys({"turn_detection": talk.detection, "transcription": {"model": "whisper-1"}})}

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    def pass_time(self, seconds: float, *, speaking: bool | None = False) -> None:
        """So many seconds go by, in which the user speaks, is silent, or has left the microphone (None)."""
        for _ in range(round(seconds / STEP_S)):
            if self.call.hung_up is not None:
                return
            before = self.call.listener.played
            self.call.speak(STEP_S) if speaking and self.sound is Sound.MEDIA else self.call.wait(STEP_S)
            self.player.listen(STEP_S)
            self.exchange(speaking=speaking, heard=self.call.listener.played - before)

    def exchange(self, *, speaking: bool | None, heard: int) -> None:
        """What has arrived at either end by now."""
        now = self.call.now
        mouth = voice(FRAME) if speaking else silence(FRAME)
        if self.sound is Sound.MEDIA:
            self._sounds.append(np.concatenate([voice(heard), silence(max(0, FRAME - heard))]))
            self.peer.hear(self._sounds.popleft(), now)
        else:
            self.peer.played(self.player.played, now)
        if speaking is not None:
            self.do(self.peer.speak(mouth, now))
        for _, event in self.call.log[self._told :]:
            self._down.put(encode(event), now)
        self._told = len(self.call.log)
        for text in self._down.due(now):
            self.peer.played(self.player.played, now)
            self.do(self.peer.receive(decode_server(text), now))
        for text in self._up.due(now):
            self.call.send(msgspec.json.decode(text))
        self.check()

    def do(self, errands: list[Errand]) -> None:
        for errand in errands:
            match errand:
                case Send(event):
                    self._up.put(encode(event), self.call.now)
                case Play(samples):
                    self.player.play(samples)
                case Flush():
                    self.player.flush()
                case Show(caption):
                    self._shown[caption.item_id] = caption.text
                case CallTool(call_id):
                    self.do(self.peer.returned(call_id, "nothing", self.call.now))

    # ── moves ──────────────────────────────────────────────────────────────────────────────────────────

    def say(self) -> None:
        self.pass_time(self.dice.one([0.2, 0.7, 1.5]), speaking=True)
        self.pass_time(self.dice.one([0.1, 0.3, 1.0]))

    def keep_silent(self) -> None:
        self.pass_time(self.dice.one([0.02, 0.1, 0.4, 1.0, 4.0]))

    def ask(self) -> None:
        content = [{"type": "input_text", "text": "so?"}]
        self.send({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}})
        self.send({"type": "response.create"})

    def answer_anyway(self) -> None:
        self.send({"type": "response.create"})

    def cancel(self) -> None:
        self.send({"type": "response.cancel"})

    def clear_output(self) -> None:
        self.send({"type": "output_audio_buffer.clear"})

    def update(self) -> None:
        self.send({"type": "session.update", "session": {"type": "realtime", "audio": self.audio(self.dice)}})

    def insert(self) -> None:
        known = [str(item.id) for item in self.peer.history()]
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "by the way"}]}
        place = self.dice.one(["root", "", *known])
        self.send({"type": "conversation.item.create", "item": item, "previous_item_id": place})

    def delete(self) -> None:
        known = [str(item.id) for item in self.peer.history()]
        if known:
            self.send({"type": "conversation.item.delete", "item_id": self.dice.one(known)})

    def stall(self) -> None:
        (self.call.listener if self.sound is Sound.MEDIA else self.player).stall(self.dice.one([0.1, 1.0]))

    def send(self, event: Event) -> None:
        self.do(self.peer.command(decode_client(msgspec.json.encode(event)), self.call.now))

    # ── laws ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def heard(self) -> set[str]:
        """The telling words that have reached the ear."""
        ear = self.call.listener if self.sound is Sound.MEDIA else self.player
        return set(TOKEN.findall(" ".join(self.call.cast.words(ear.heard))))

    def check(self) -> None:
        """The peer never claims a word that was not heard."""
        claimed = {token for item in self.peer.history() for token in tokens(item)}
        if claimed:
            assert claimed <= self.heard, f"never heard: {sorted(claimed - self.heard)}"

    def end(self) -> None:
        """When nobody does anything any more, both agree and nothing hangs."""
        self.send(
            {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}}
        )
        self.send({"type": "input_audio_buffer.clear"})
        end = self.call.now + PATIENCE_S
        while self.call.now < end and not self.quiet:
            self.pass_time(1.0, speaking=None)
        self.pass_time(2.0, speaking=None)
        assert self.quiet, "something hangs"
        assert self.peer.activity is Activity.IDLE, self.peer.activity
        assert [item.id for item in self.peer.history()] == [item.id for item in self.call.host.items]
        for item in self.call.host.items:
            self.agree(str(item.id))

    def agree(self, id: str) -> None:
        """What the server says was heard of a truncated item is what the peer says."""
        ends = [
            e.audio_end_ms for e in self.call.events if isinstance(e, ConversationItemTruncated) and e.item_id == id
        ]
        theirs = next(item for item in self.call.host.items if item.id == id)
        ours = next(item for item in self.peer.history() if item.id == id)
        if not isinstance(theirs, AssistantMessage) or not isinstance(ours, AssistantMessage) or not ends:
            return
        if said(theirs) or ends[-1] < UNLIKELY_SILENT_MS:
            assert said(ours) == said(theirs)
            assert self._shown[id] == said(theirs)

    @property
    def quiet(self) -> bool:
        call = self.call
        links = self._down.empty and self._up.empty and self._told == len(call.log)
        return links and not call.order.open and call.listener.silent and not call.cast.busy and self.player.silent


def said(item: AssistantMessage) -> str:
    """What it says aloud."""
    parts = [part.transcript for part in item.content if isinstance(part, OutputAudio)]
    return "".join(words for words in parts if isinstance(words, str))


MOVES: dict[Callable[[Pair], None], int] = {
    Pair.say: 6,
    Pair.keep_silent: 6,
    Pair.ask: 4,
    Pair.answer_anyway: 2,
    Pair.cancel: 2,
    Pair.clear_output: 2,
    Pair.update: 1,
    Pair.insert: 1,
    Pair.delete: 1,
    Pair.stall: 1,
}
SACK = [move for move, weight in MOVES.items() for _ in range(weight)]
SEEDS = st.integers(0, 2**32)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def converse(opening: int, seeds: list[int]) -> None:
    pair = Pair(Dice(opening))
    note(f"{pair.sound}")
    for seed in seeds:
        pair.dice = Dice(seed)
        move = pair.dice.one(SACK)
        note(f"{pair.call.now:7.2f} {move.__name__}")
        move(pair)
    pair.end()


@pytest.mark.timeout(300)
@settings(patient, max_examples=60)
@example(1910, [28547, 1, 95, 0, 95140, 1926])  # what is being said is deleted, and another message follows it
@given(opening=SEEDS, seeds=st.lists(SEEDS, min_size=5, max_size=20))
def test_a_peer_claims_what_was_heard_and_agrees_with_its_host(opening: int, seeds: list[int]) -> None:
    converse(opening, seeds)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(patient, max_examples=2000, derandomize=False)
@given(opening=SEEDS, seeds=st.lists(SEEDS, min_size=10, max_size=60))
def test_many_long_pairs_agree(opening: int, seeds: list[int]) -> None:
    converse(opening, seeds)
