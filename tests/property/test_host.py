"""A host on virtual time, among people, programs and engines that may do anything at any moment."""

from collections.abc import Callable, Mapping

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.property import talk
from tests.property.laws import Laws, spoken
from tests.property.talk import Dice, Event
from vivavoce.session.answers import Sound
from vivavoce.session.result import Ended, Failed, Spoken, Thought, Words
from vivavoce.testing.ear import voice
from vivavoce.testing.script import Script, Terms
from vivavoce.wire.codec import decode_session
from vivavoce.wire.event import Error, InputAudioBufferSpeechStarted, ResponseCreated
from vivavoce.wire.item import AssistantMessage, McpApprovalRequest

PATIENCE_S = 400
"""No answer that is thrown here lasts so long, whatever breaks."""


class Talk:
    """One call, and what may happen in it. The laws are looked at after every effect."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.sound = dice.one(list(Sound))
        self.kind = dice.one([*["realtime"] * 9, "transcription"])
        self.lifetime_s = dice.one([*[3600.0] * 9, 12.0])
        self.laws = Laws(self.sound)
        self.call = Script(
            session=decode_session(msgspec.json.encode(talk.opening(dice, self.kind))),
            sound=self.sound,
            transcripts=dice.some(talk.transcript, 8),
            replies=talk.replies(dice, 12),
            voice=dice.some(talk.trouble, 12),
            remote=talk.remote(dice),
            pace=talk.pace(dice),
            terms=Terms(self.lifetime_s, talk.purse(dice), talk.mind(dice)),
        )
        self.call.watch = self.laws
        self._sent = 0

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────

    def say(self) -> None:
        self.call.speak(self.dice.one([0.2, 0.7, 1.5]))
        self.call.wait(self.dice.one([0.1, 0.3, 1.0]))

    def speak(self) -> None:
        self.call.speak(self.dice.one([0.04, 0.1, 0.3, 2.0]))

    def keep_silent(self) -> None:
        self.call.wait(self.dice.one([0.02, 0.1, 0.4, 1.0, 4.0]))

    def lose_sound(self) -> None:
        self.call.lose_sound(self.dice.one([0.1, 1.5, 8.0, 31.0]))

    def send_a_file(self) -> None:
        self.call.hear(talk.strip(self.dice))

    def stall(self) -> None:
        self.call.listener.stall(self.dice.one([0.1, 1.0]))

    # ── the client ─────────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> None:
        content = [{"type": "input_text", "text": "so?"}]
        self.send({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}})
        self.send({"type": "response.create"})

    def append(self) -> None:
        self.send({"type": "input_audio_buffer.append", "audio": talk.piece(self.dice)})

    def handle_buffer(self) -> None:
        verb = self.dice.one(["commit", "clear"])
        self.send({"type": f"input_audio_buffer.{verb}"})

    def clear_output(self) -> None:
        self.send({"type": "output_audio_buffer.clear"})

    def update(self) -> None:
        other = {"realtime": "transcription", "transcription": "realtime"}[self.kind]
        kind = other if self.dice.chance(0.05) else self.kind
        self.send({"type": "session.update", "session": talk.session(self.dice, kind)})

    def send_nonsense(self) -> None:
        texts = ['{"type":"no.such.event"}', "{", '{"type":"response.create","x":1}', "[]", b"\xff"]
        events = len(self.call.events)
        self.call.send_text(self.dice.one(texts))
        assert [event.type for event in self.call.events[events:]] == ["error"]

    def create_item(self) -> None:
        event: dict[str, object] = {"type": "conversation.item.create", "item": talk.content(self.dice)}
        if self.dice.chance(0.5):
            event["item"] = talk.content(self.dice) | {"id": self.item_id()}
        if self.dice.chance(0.5):
            event["previous_item_id"] = self.dice.one(["root", "", self.item_id()])
        self.send(event)

    def handle_item(self) -> None:
        verb = self.dice.one(["retrieve", "delete"])
        self.send({"type": f"conversation.item.{verb}", "item_id": self.item_id()})

    def truncate(self) -> None:
        said = [str(item.id) for item in self.call.host.items if isinstance(item, AssistantMessage)]
        event: dict[str, object] = {"type": "conversation.item.truncate"}
        event["item_id"] = self.dice.one(said) if said else self.item_id()
        event["content_index"] = self.dice.one([0, 0, 0, 0, 1, -1])
        event["audio_end_ms"] = self.dice.one([0, 1, 100, 500, 1500, 5000, -1, 10**30])
        self.send(event)

    def truncate_as_heard(self) -> None:
        """What a client has received can be truncated, once it is made."""
        if not self.laws.received:
            return
        id = self.dice.one(sorted(self.laws.received))
        received_ms = sum(map(len, self.laws.received[id])) // 24
        end_ms = int(self.dice.share() * min(received_ms, self.laws.truncated.get(id, received_ms)))
        made = any(item.id == id and item.status != "in_progress" for item in self.call.host.items if spoken(item))
        event = {"type": "conversation.item.truncate", "item_id": id, "content_index": 0, "audio_end_ms": end_ms}
        refused = self.send(event)
        assert not refused or not made or self.laws.coarse(id)

    def create_response(self) -> None:
        wanted = talk.response(self.dice)
        if self.dice.chance(0.5):
            items = self.dice.some(talk.content, 2)
            referred = [self.item_id() for _ in range(self.dice.number(0, 2))]
            wanted = wanted | {"input": [*items, *({"type": "item_reference", "id": id} for id in referred)]}
        self.send({"type": "response.create", "response": wanted})

    def decide(self) -> None:
        """Answer what was asked, or was not."""
        asked = [str(item.id) for item in self.call.host.items if isinstance(item, McpApprovalRequest)]
        id = self.dice.one([*asked * 3, self.item_id()])
        item = {"type": "mcp_approval_response", "approval_request_id": id, "approve": self.dice.chance(0.6)}
        self.send({"type": "conversation.item.create", "item": item})

    def cancel(self) -> None:
        made = [str(event.response.id) for event in self.call.events if isinstance(event, ResponseCreated)]
        id = self.dice.one([None, None, "nowhere", *made[-3:]])
        self.send({"type": "response.cancel"} | ({} if id is None else {"response_id": id}))

    # ── what else goes wrong ───────────────────────────────────────────────────────────────────────────

    def report(self) -> None:
        self.call.report("Something broke.")

    def report_late(self) -> None:
        """Nobody is interested in what a job says after it has ended or was cancelled."""
        results = [Words("late"), Thought(), Ended(), Spoken(voice(10)), Failed("late")]
        job = self.dice.number(0, 60)
        if job not in self.call.cast.busy:
            assert self.call.host.result(job, self.dice.one(results), self.call.now) == []

    # ── laws ───────────────────────────────────────────────────────────────────────────────────────────

    def item_id(self) -> str:
        """An id that a client may think of: one that it was told, or one of its own."""
        started = [event.item_id for event in self.call.events if isinstance(event, InputAudioBufferSpeechStarted)]
        told = [*self.call.order.item_ids[-4:], *started[-1:], *self.laws.item_ids[-2:]]
        return self.dice.one([*told * 3, "mine", "yours", ""])

    def send(self, event: Mapping[str, object]) -> bool:
        """Send an event. True if it was refused: by one error that names it, and with no other consequence."""
        self._sent += 1
        events, items = len(self.call.events), self.call.host.items
        self.call.send({"event_id": f"sent_{self._sent}", **event})
        fresh = self.call.events[events:]
        errors = [each.error for each in fresh if isinstance(each, Error)]
        if not any(each.event_id for each in errors):
            # Sound may end a turn whose answer has to be refused; nobody asked for that by an event.
            assert {each.code for each in errors} <= {"conversation_already_has_active_response"}
            return False
        assert [each.event_id for each in errors] == [f"sent_{self._sent}"]
        assert len(fresh) == 1
        assert self.call.host.items == items
        return True

    def end(self) -> None:
        """When nobody does anything any more, everything comes to its end."""
        call = self.call
        if call.hung_up is None:
            quiet: Event = {"type": self.kind, "audio": {"input": {"turn_detection": None}}}
            assert not self.send({"type": "session.update", "session": quiet})
            assert not self.send({"type": "input_audio_buffer.clear"})
        end = call.now + PATIENCE_S
        while call.now < end and (call.order.open or not call.listener.silent or call.cast.busy):
            call.lose_sound(5.0)
        if call.hung_up is None:
            self.laws.rest(call)
            assert call.host.deadline(call.now) == self.lifetime_s
        call.close()
        self.laws.rest(call)
        assert call.host.deadline(call.now) >= self.lifetime_s


MOVES: dict[Callable[[Talk], None], int] = {
    Talk.say: 5,
    Talk.speak: 3,
    Talk.keep_silent: 6,
    Talk.lose_sound: 1,
    Talk.send_a_file: 1,
    Talk.stall: 1,
    Talk.ask: 4,
    Talk.append: 2,
    Talk.handle_buffer: 2,
    Talk.clear_output: 2,
    Talk.update: 2,
    Talk.send_nonsense: 1,
    Talk.create_item: 2,
    Talk.handle_item: 3,
    Talk.truncate: 2,
    Talk.truncate_as_heard: 2,
    Talk.create_response: 4,
    Talk.cancel: 2,
    Talk.decide: 3,
    Talk.report: 1,
    Talk.report_late: 1,
}
"""How often each is tried."""

SACK = [move for move, weight in MOVES.items() for _ in range(weight)]
SEEDS = st.integers(0, 2**32)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def converse(opening: int, seeds: list[int]) -> None:
    talking = Talk(Dice(opening))
    for seed in seeds:
        if talking.call.hung_up is not None:
            break
        talking.dice = Dice(seed)
        move = talking.dice.one(SACK)
        note(f"{talking.call.now:7.2f} {move.__name__}")
        move(talking)
    talking.end()


@settings(patient, max_examples=100)
@given(opening=SEEDS, seeds=st.lists(SEEDS, min_size=20, max_size=30))
def test_a_conversation_keeps_its_laws_whatever_anybody_does(opening: int, seeds: list[int]) -> None:
    converse(opening, seeds)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(patient, max_examples=4000, derandomize=False)
@given(opening=SEEDS, seeds=st.lists(SEEDS, min_size=30, max_size=80))
def test_many_long_conversations_keep_their_laws(opening: int, seeds: list[int]) -> None:
    converse(opening, seeds)
