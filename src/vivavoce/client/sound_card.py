"""The sound card by way of PortAudio."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from weakref import WeakSet

from vivavoce.client.card import Callback, Driver, Kind, OpenStream, Stream

LOOK_S: Final = 10.0
"""A look at the devices takes no longer, or something hangs."""


class SoundCard:
    """A `Card`. PortAudio lists devices when it is loaded; to see another it must be unloaded, and all streams closed.

    So whether there is another is found out in a process of its own, which loads it afresh.
    """

    def __init__(self, driver: Driver, reload: Callable[[], None], looker: tuple[str, ...] = ()) -> None:
        """Use a driver.

        Args:
            driver: the package `sounddevice`.
            reload: unloads PortAudio and loads it again.
            looker: a command that prints the names of the default devices, as `client/look.py` does.
        """
        self.looks = 0
        # PulseAudio and PipeWire move what is open; without them ALSA has no notion of another default.
        self.moves_streams = sys.platform == "linux"
        self._driver = driver
        self._reload = reload
        self._looker = looker or (sys.executable, "-m", "vivavoce.client.look")
        self._open: WeakSet[Stream] = WeakSet()

    @property
    def RawInputStream(self) -> OpenStream:
        """See `Driver`."""
        return self._remembering(self._driver.RawInputStream)

    @property
    def RawOutputStream(self) -> OpenStream:
        """See `Driver`."""
        return self._remembering(self._driver.RawOutputStream)

    def query_devices(self, device: int | str | None, kind: Kind) -> Mapping[str, object]:
        """See `Driver`."""
        return self._driver.query_devices(device, kind)

    def look(self, known: int) -> None:
        """See `Card.look`."""
        if self.looks != known:
            return
        self.looks += 1
        for stream in list(self._open):
            with suppress(Exception):  # the driver's own failures: what it was opened on is gone
                stream.close()
        with suppress(Exception):  # likewise; opening a device will tell
            self._reload()

    async def defaults(self) -> Mapping[Kind, str | None]:
        """See `Card.defaults`."""
        try:
            child = await asyncio.create_subprocess_exec(*self._looker, stdout=PIPE, stderr=DEVNULL)
        except OSError:  # this computer has no room for another process now
            return {}
        try:
            async with asyncio.timeout(LOOK_S):
                said = json.loads((await child.communicate())[0])
        except (TimeoutError, ValueError):
            return {}
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return {kind: said[kind] for kind in ("input", "output") if kind in said}

    def _remembering(self, opener: OpenStream) -> OpenStream:
        def open_stream(
            *,
            samplerate: float,
            blocksize: int,
            channels: int,
            dtype: str,
            callback: Callback,
            device: int | str | None,
        ) -> Stream:
            stream = opener(
                samplerate=samplerate,
                blocksize=blocksize,
                channels=channels,
                dtype=dtype,
                callback=callback,
                device=device,
            )
            self._open.add(stream)
            return stream

        return open_stream
