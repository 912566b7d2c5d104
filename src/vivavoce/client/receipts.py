"""What each side of one session is known to have read, so that after a loss nothing is missing and nothing comes twice.

A pong says that everything before its ping was read: text travels in order. What lies behind the last one that was
answered is kept, and sent again as far as the server says that it has not read it. Pure.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec

from vivavoce.wire.event import ServerEvent, UnknownEvent
from vivavoce.wire.heartbeat import ConnectionPong


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message, and bytes of all messages up to its end. A ping has no text: it is not sent again."""

    label: str | None
    text: str | None
    end: int


class Receipts:
    """The records of one session, which outlive its connections."""

    def __init__(self) -> None:
        self.last: str | None = None
        """The last event of the server that was received, by its `event_id`."""
        self._sent: deque[_Sent] = deque()
        self._read = 0
        self._end = 0
        self._since: list[str] | None = None
        self._repeated: set[str] = set()

    # ── what we sent ───────────────────────────────────────────────────────────────────────────────────

    def sent(self, text: str, label: str | None = None) -> None:
        """A message was sent. Its `event_id` is looked for where it is not given."""
        self._end += len(text)
        self._sent.append(_Sent(_label(text) if label is None else label, text, self._end))

    def pinged(self, label: str) -> None:
        """A ping was sent, under that `event_id`."""
        self._sent.append(_Sent(label, None, self._end))

    @property
    def ahead(self) -> int:
        """Characters that the oldest ping without an answer waits behind."""
        ping = next((sent for sent in self._sent if sent.text is None), None)
        return 0 if ping is None else ping.end - self._read

    # ── what the server sent ───────────────────────────────────────────────────────────────────────────

    def answered(self, pong: ConnectionPong) -> None:
        """A ping was answered: the server has read everything before it."""
        self._note(pong.event_id)
        if any(sent.label == pong.ping_event_id for sent in self._sent):
            self._forget(pong.ping_event_id)

    def received(self, event: ServerEvent | UnknownEvent) -> bool:
        """Something else has come; False if it had come before."""
        label = event.body.get("event_id") if isinstance(event, UnknownEvent) else event.event_id
        if label in self._repeated:
            self._repeated.discard(str(label))
            return False
        self._note(label)
        return True

    # ── coming back ────────────────────────────────────────────────────────────────────────────────────

    def asked(self) -> str | None:
        """The server is asked to go on elsewhere, and told this: the last event that was received."""
        self._since = []
        return self.last

    def stays(self) -> None:
        """The connection there is has come to life again."""
        self._since = None

    def resumed(self, last_read: str | None) -> list[str]:
        """The server goes on elsewhere. It will repeat what has come since it was asked to.

        Args:
            last_read: the last message that it has read, by its `event_id`.

        Returns:
            What is to be sent again; it counts as sent.
        """
        self._repeated = set(self._since or ())
        self._since = None
        if last_read is not None and any(sent.label == last_read for sent in self._sent):
            self._forget(last_read)
        texts = [sent.text for sent in self._sent if sent.text is not None]
        # Pings that were lost have no answer to wait for.
        self._sent = deque(sent for sent in self._sent if sent.text is not None)
        return texts

    def _note(self, label: object) -> None:
        if isinstance(label, str):
            self.last = label
            if self._since is not None:
                self._since.append(label)

    def _forget(self, label: str | None) -> None:
        """Everything up to the message of that label."""
        while self._sent:
            sent = self._sent.popleft()
            self._read = sent.end
            if sent.label == label:
                return


class _Labelled(msgspec.Struct):
    event_id: str | None = None


_LABELLED: Final = msgspec.json.Decoder(_Labelled)


def _label(text: str) -> str | None:
    try:
        return _LABELLED.decode(text).event_id
    except msgspec.MsgspecError:
        return None  # whatever it is, the server will say what it thinks of it
