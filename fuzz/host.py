"""A whole conversation on virtual time, whose client says anything."""

from typing import Final

from msgspec import DecodeError, json

from fuzz import seed
from fuzz.target import Target
from vivavoce.session.answers import Sound
from vivavoce.testing.script import Script

MOST_STEPS: Final = 24
LONGEST_S: Final = 1.5
REPLIES: Final = ("Hello there, how are you today? I am well.", "Yes.", "One two three four five, six seven. Eight.")


def conversation(data: bytes) -> None:
    """Each line is a message of the client, or time: `~speak 0.7`, `~wait 2`, `~lose 1`. The first byte chooses.

    The script holds every event to the protocol's order. A message that is refused gets one error and no other event.
    """
    call = Script(
        sound=Sound.MEDIA if data[:1] < b"n" else Sound.TEXT, transcripts=["hello", "", "and so"], replies=REPLIES
    )
    for line in data[1:].split(b"\n")[:MOST_STEPS]:
        if call.hung_up is not None:
            return
        if line.startswith(b"~"):
            spend(call, line)
        else:
            say(call, line)
    call.wait(0.5)
    call.close()


def spend(call: Script, line: bytes) -> None:
    """Let time pass."""
    verb, _, seconds = line.partition(b" ")
    digits = seconds[:4]
    some = min(LONGEST_S, float(digits)) if digits.replace(b".", b"", 1).isdigit() else 0.2
    {b"~speak": call.speak, b"~lose": call.lose_sound}.get(verb, call.wait)(some)


def say(call: Script, line: bytes) -> None:
    """Send a message."""
    try:
        raw = json.decode(line)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raw = None
    event_id = raw.get("event_id") if isinstance(raw, dict) else None
    if isinstance(event_id, str):
        call.order.sent(event_id)
    before = len(call.events)
    call.send_text(line)
    types = [event.type for event in call.events[before:]]
    if raw is None:
        assert types == ["error"], types


def talks() -> list[bytes]:
    """Conversations that go well, over each transport."""
    every = b"\n".join(seed.client_events())
    turn = b"~wait 0.3\n~speak 0.8\n~wait 1.5\n" + seed.packed({"type": "response.cancel"})
    asked = b"\n".join([seed.client_events()[8], seed.client_events()[16], b"~wait 0.4", b"~speak 0.4", b"~wait 1"])
    return [kind + talk for kind in (b"a", b"z") for talk in (every, turn, asked, turn + b"\n" + every)]


WORDS: Final = (b"\n~speak 0.6\n", b"\n~wait 1\n", b"\n~lose 1.2\n", b"item_1", b"item_2", b"resp_1", b"\n")

TARGETS: Final = (Target("host", conversation, talks, (), (*WORDS, *seed.json_words()), longest=6000, smoke=150),)
