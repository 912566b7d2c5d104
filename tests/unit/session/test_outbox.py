"""What leaves, in order and numbered."""

from tests.unit.session.outcome import counting
from vivavoce.session.effect import Begin, Flush, Send, Speak
from vivavoce.session.outbox import Outbox
from vivavoce.wire.event import InputAudioBufferCleared


def test_effects_leave_once_and_in_order() -> None:
    out = Outbox(counting())
    out.send(InputAudioBufferCleared())
    out.add(Flush())
    assert out.drain() == [Send(InputAudioBufferCleared(event_id="event_1")), Flush()]
    assert out.drain() == []


def test_every_event_has_an_id_of_its_own() -> None:
    out = Outbox(counting())
    out.send(InputAudioBufferCleared(event_id="not mine"))
    out.send(InputAudioBufferCleared())
    sent = [effect.event.event_id for effect in out.drain() if isinstance(effect, Send)]
    assert sent == ["event_1", "event_2"]


def test_every_job_has_a_number_of_its_own() -> None:
    out = Outbox(counting())
    first, second = out.begin(Speak("one", "ash", 1.0)), out.begin(Speak("two", "ash", 1.0))
    assert first != second
    assert out.drain() == [Begin(first, Speak("one", "ash", 1.0)), Begin(second, Speak("two", "ash", 1.0))]
