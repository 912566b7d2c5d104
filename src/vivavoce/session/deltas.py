"""Sound that comes in events, as samples."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from vivavoce.audio.format import Decoder
from vivavoce.audio.frame import Pcm, silence


@dataclass(slots=True)
class _Stream:
    """One item's sound; `tail` is half a sample that came before its other half."""

    decoder: Decoder
    tail: bytes = b""


class Deltas:
    """The sound streams of several items at once. What cannot be read is left out."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def push(self, item_id: str, delta: str, format_name: str) -> Pcm:
        """Samples in a delta. The format counts only for the first one of an item."""
        stream = self._streams.get(item_id)
        if stream is None:
            stream = self._streams[item_id] = _Stream(Decoder(format_name))
        try:
            data = stream.tail + b64decode(delta, validate=True)
        except (Base64Error, ValueError):
            return silence(0)
        whole = len(data) - len(data) % stream.decoder.format.sample_bytes
        stream.tail = data[whole:]
        return stream.decoder.decode(data[:whole])

    def finish(self, item_id: str) -> Pcm:
        """What was held back of an item's sound, which is over."""
        stream = self._streams.pop(item_id, None)
        return silence(0) if stream is None else stream.decoder.flush()
