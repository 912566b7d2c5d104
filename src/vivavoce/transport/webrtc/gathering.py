"""How long to wait for one's own candidates, and what servers said instead of giving some. Pure.

An offer of this protocol carries all its candidates, so nothing leaves before they are there. The engine itself waits
10 s for a server that does not answer, from each address of the machine, and does not say that it is done when one has
refused.
"""

from math import inf
from typing import Final

from vivavoce.errors import Fault, Never, Retry, TransportError
from vivavoce.transport.webrtc.settings import WebRtcSettings

SETTLE_S: Final = 0.1
"""After the first address that a server has given, so long is waited for the others."""
UNREACHED: Final = 701
"""The engine's code for a server that could not be asked from one of our addresses; from another it may well work."""

_UNAUTHORISED: Final = ("401", "403")


class Gathering:
    """One gathering. Times are monotonic seconds."""

    def __init__(self, settings: WebRtcSettings, now: float) -> None:
        relays = [url for server in settings.ice_servers for url in server.urls if url.startswith("turn")]
        self._wanted = "relay" if relays else "srflx"
        self._urls = relays
        self._refused: dict[str, str] = {}
        self.until = now + (settings.relay_s if relays else settings.gather_s)
        """When to wait no longer."""

    def found(self, kind: str, now: float) -> None:
        """A candidate of that type is there."""
        if kind == self._wanted:
            self.until = min(self.until, now + SETTLE_S)

    def failed(self, url: str, code: int, text: str) -> None:
        """A server said no, or could not be asked."""
        if code == UNREACHED:
            return
        self._refused[url] = f"{code} {text}".rstrip(". ")
        if self._urls and len([each for each in self._refused if each.startswith("turn")]) >= len(self._urls):
            self.until = -inf  # nobody is left who could give a relay

    @property
    def refusals(self) -> dict[str, str]:
        """Code and words of the servers that said no, by URL."""
        return dict(self._refused)

    def failure(self) -> TransportError:
        """Why there is no relay, where only relays may be used."""
        if self._refused:
            said = "; ".join(f"{url} said {words}" for url, words in self._refused.items())
            unwelcome = all(words.startswith(_UNAUTHORISED) for words in self._refused.values())
            return TransportError(
                f"No relay lets us through: {said}. {'Check user name and credential.' if unwelcome else ''}".rstrip(),
                fault=Fault.CALLER if unwelcome else Fault.PROVIDER,
                next=Never() if unwelcome else Retry(1.0),
            )
        asked = ", ".join(self._urls)
        return TransportError(
            f"No relay answered: {asked}. Is it up, does a firewall block the way to it, and, for turns:, is its "
            "certificate one that browsers trust?"
        )
