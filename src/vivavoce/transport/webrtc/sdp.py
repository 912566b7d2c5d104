"""What an SDP must say before anything is made for it, and what is changed in one. Pure.

Knows RFC 8866 (SDP), RFC 8839 (ICE in SDP), RFC 8842 (DTLS in SDP), RFC 8843 (bundle) and RFC 7587 (Opus) as far as
a voice call needs them. The WebRTC engine reads the rest and has the last word. Messages never quote the SDP: it
holds addresses and passwords.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivavoce.errors import OfferError
from vivavoce.transport.webrtc.opus import USUAL_BPS, Opus
from vivavoce.transport.webrtc.settings import HostCandidates, OfferedCandidates

MOST_BYTES: Final = 64 * 1024
MOST_SECTIONS: Final = 16
MOST_CANDIDATES: Final = 64
USED_CANDIDATES: Final = 20
"""How many candidates of an offer are handed on. Each costs a check from each of our addresses for seconds."""

_CODECS: Final = frozenset({"opus/48000/2", "pcmu/8000", "pcmu/8000/1", "pcma/8000", "pcma/8000/1"})
_STATIC_CODECS: Final = frozenset({"0", "8"})  # PCMU and PCMA need no rtpmap (RFC 3551, section 6)
_LINE: Final = re.compile(r"[a-z]=[^\x00]*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Section:
    """One m-section, or with `kind` empty the part before the first."""

    kind: str
    port: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]

    def values(self, attribute: str) -> Iterator[str]:
        """What stands after `a=attribute:`, each time it occurs; empty for a mere `a=attribute`."""
        start = f"a={attribute}"
        for line in self.lines:
            if line == start:
                yield ""
            elif line.startswith(start + ":"):
                yield line[len(start) + 1 :]

    def has(self, attribute: str) -> bool:
        """Whether it occurs."""
        return next(self.values(attribute), None) is not None

    @property
    def rejected(self) -> bool:
        """A port of 0 says no, except that a bundled section may wait for the first one's port (RFC 8843, 6)."""
        return self.port == "0" and not self.has("bundle-only")


@dataclass(frozen=True)
class Description:
    """An SDP that can be answered."""

    head: Section
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """The whole, with CRLF line ends and a final one."""
        lines = [line for section in (self.head, *self.sections) for line in section.lines]
        return "".join(f"{line}\r\n" for line in lines)

    @property
    def has_text_path(self) -> bool:
        """Whether a data channel can be opened."""
        return any(section.kind == "application" and not section.rejected for section in self.sections)

    def map_lines(self, change: Callable[[str], Sequence[str]]) -> "Description":
        """The same with every line replaced by what `change` makes of it."""

        def changed(section: Section) -> Section:
            lines = tuple(new for line in section.lines for new in change(line))
            return Section(section.kind, section.port, section.formats, lines)

        return Description(changed(self.head), tuple(changed(section) for section in self.sections))


def read(sdp: str) -> Description:
    """Read an offer or answer. Line ends may be CRLF or LF.

    Raises:
        OfferError: too large, not SDP, without a usable audio section, or without what ICE and DTLS need.
    """
    if len(sdp) > MOST_BYTES or _size(sdp) > MOST_BYTES:
        raise OfferError(f"The SDP is longer than {MOST_BYTES} bytes; send one for a single call.")
    description = parse(sdp)
    if len(description.sections) > MOST_SECTIONS:
        raise OfferError(f"The SDP has {len(description.sections)} media sections; at most {MOST_SECTIONS} are read.")
    _check_audio(description)
    return description


def _size(sdp: str) -> int:
    try:
        return len(sdp.encode())
    except UnicodeEncodeError:
        raise OfferError("This is not SDP: it holds halves of characters that UTF-8 cannot express.") from None


def parse(sdp: str) -> Description:
    """Take an SDP apart, of any size and use; for our own.

    Raises:
        OfferError: not SDP.
    """
    lines = [line for line in sdp.replace("\r\n", "\n").split("\n") if line]
    if not lines or lines[0] != "v=0":
        raise OfferError("This is not SDP: its first line must be v=0.")
    for number, line in enumerate(lines, start=1):
        if not _LINE.fullmatch(line):
            raise OfferError(f"This is not SDP: line {number} does not have the form letter=value.")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise OfferError("The SDP has no media section; a call needs one for audio.")
    sections: list[Section] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        fields = lines[start][2:].split()
        if len(fields) < 4:
            raise OfferError(f"Line {start + 1} of the SDP is not a media line: kind, port, protocol and formats.")
        kind, port, _, *formats = fields
        sections.append(Section(kind, port.partition("/")[0], tuple(formats), tuple(lines[start:end])))
    return Description(Section("", "", (), tuple(lines[: starts[0]])), tuple(sections))


def _check_audio(description: Description) -> None:
    candidates = sum(1 for section in (description.head, *description.sections) for _ in section.values("candidate"))
    if candidates > MOST_CANDIDATES:
        raise OfferError(f"The SDP names {candidates} candidates; at most {MOST_CANDIDATES} are read.")
    audio = [section for section in description.sections if section.kind == "audio"]
    if not audio:
        raise OfferError("The SDP has no audio section; add an audio track or transceiver before making it.")
    usable = [section for section in audio if not section.rejected]
    if not usable:
        raise OfferError("The audio section of the SDP is rejected (port 0); a call needs audio.")
    if not any(_speaks(section) for section in usable):
        raise OfferError("No audio section of the SDP lists Opus, PCMU or PCMA; one of them is needed.")
    for section in usable:
        for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
            if not section.has(attribute) and not description.head.has(attribute):
                raise OfferError(f"The SDP has no a={attribute} for its audio; WebRTC needs ICE and DTLS.")


def _speaks(section: Section) -> bool:
    named = dict(value.lower().split(" ", 1) for value in section.values("rtpmap") if " " in value)
    for payload in section.formats:
        codec = named.get(payload)
        if codec is None and payload in _STATIC_CODECS:
            return True
        if codec is not None and codec.strip() in _CODECS:
            return True
    return False


# ── what is changed ─────────────────────────────────────────────────────────────────────────────────────


def for_speech(description: Description, opus: Opus) -> Description:
    """What a peer wants to hear, so changed that our engine sends speech in the way that was chosen.

    One voice always: nobody is given stereo, which costs twice the bytes and nearly the work.
    """
    spoken = set(_payloads(description, "opus/48000/2"))
    wished = {
        "useinbandfec": None if opus.fec else "0",
        "usedtx": "1" if opus.dtx else None,
        # Else the engine, when packets get lost, fills the line with padding to learn what it would carry: a megabit.
        "x-google-max-bitrate": str(2 * max(opus.highest_bps, 2 * USUAL_BPS) // 1000),
    }

    def change(line: str) -> Sequence[str]:
        if line.startswith("a=rtpmap:") and _payload(line) in spoken and not _has_parameters(description, line):
            said = _speech_parameters([], wished)
            return (line, f"a=fmtp:{_payload(line)} {said}") if said else (line,)
        if not line.startswith("a=fmtp:"):
            return (line,)
        parameters = line.partition(" ")[2].split(";")
        kept = _speech_parameters(parameters, wished if _payload(line) in spoken else {})
        return (f"a=fmtp:{_payload(line)} {kept}",) if kept else ()

    changed = description.map_lines(change)
    return changed if opus.redundancy else _ordered(changed, red_first=False)


def doubled(description: Description) -> Description:
    """The same with speech that travels twice (RED, RFC 2198) as the first choice, where it is one."""
    return _ordered(description, red_first=True)


def _ordered(description: Description, *, red_first: bool) -> Description:
    twice = set(_payloads(description, "red/48000/2"))

    def changed(section: Section) -> Section:
        if section.kind != "audio":
            return section
        formats = tuple(sorted(section.formats, key=lambda payload: (payload in twice) is not red_first))
        media = " ".join([*section.lines[0].split()[:3], *formats])
        return replace(section, formats=formats, lines=(media, *section.lines[1:]))

    return (
        replace(description, sections=tuple(changed(section) for section in description.sections))
        if twice
        else description
    )


def most_bps(description: Description, opus: Opus) -> int | None:
    """At how many bits per second a peer can be sent Opus; None where it takes none."""
    spoken = set(_payloads(description, "opus/48000/2"))
    if not spoken:
        return None
    bounds = [opus.highest_bps]
    told = {
        _payload(line) for section in description.sections for line in section.lines if line.endswith(" transport-cc")
    }
    if not told & (spoken | {"*"}):
        bounds.append(USUAL_BPS)
    for section in description.sections:
        for value in section.values("fmtp"):
            limit = re.search(r"(?:^|[ ;])maxaveragebitrate=(\d{1,7})(?:$|[ ;])", value)
            if limit and value.split(" ")[0] in spoken:
                bounds.append(max(int(limit[1]), 6_000))  # what Opus does at the least (RFC 7587, 6.1)
    return min(bounds)


def _speech_parameters(parameters: Sequence[str], wished: Mapping[str, str | None]) -> str:
    kept = [
        each.strip()
        for each in parameters
        if each.strip()
        and not re.fullmatch(r"\s*(sprop-)?stereo\s*=\s*1\s*", each)
        and wished.get(each.partition("=")[0].strip()) is None
    ]
    return ";".join([*kept, *(f"{name}={value}" for name, value in wished.items() if value is not None)])


def _payload(line: str) -> str:
    return line.partition(":")[2].partition(" ")[0]


def _payloads(description: Description, codec: str) -> Iterator[str]:
    for section in description.sections:
        for value in section.values("rtpmap"):
            payload, _, name = value.partition(" ")
            if section.kind == "audio" and name.strip().lower() == codec:
                yield payload


def _has_parameters(description: Description, rtpmap: str) -> bool:
    start = f"a=fmtp:{_payload(rtpmap)} "
    return any(line.startswith(start) for section in description.sections for line in section.lines)


def only_offered(description: Description, policy: OfferedCandidates) -> Description:
    """Keep those candidates of an offer that may be contacted, at most `USED_CANDIDATES`.

    A caller whose candidates are all dropped can still connect: its checks reach us first, and ICE answers to
    where they came from (RFC 8445, section 7.3.1.3). Names are never kept, so an offer cannot cause look-ups, and
    neither is TCP: a browser only offers to call out (port 9), and we call nobody by TCP.
    """
    kept = 0

    def change(line: str) -> Sequence[str]:
        nonlocal kept
        # The engine's reader also takes a space, or nothing, for the colon.
        if line.startswith("a=remote-candidates"):
            return ()
        if not line.startswith("a=candidate"):
            return (line,)
        address = _contactable(line, policy)
        if address is None or kept >= USED_CANDIDATES:
            return ()
        kept += 1
        return (line,)

    return description.map_lines(change)


def _contactable(line: str, policy: OfferedCandidates) -> Address | None:
    fields = line.split(" ")  # as the engine does: to it, other white space is part of a field
    if not line.startswith("a=candidate:") or len(fields) < 8 or fields[2].lower() != "udp":
        return None
    try:
        address = ipaddress.ip_address(fields[4])
    except ValueError:
        return None
    match policy:
        case OfferedCandidates.ALL:
            return address
        case OfferedCandidates.PUBLIC:
            return address if is_public(address) else None


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public network, also where it wraps another one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_unspecified


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def told(description: Description, policy: HostCandidates, advertised: Sequence[str]) -> Description:
    """State only those of our own candidates that the peer shall use.

    `policy` says which host candidates remain. Besides, each is stated with each `advertised` address of its family
    in place of its own, once per port; but an advertised address that is one of our own has its own ports only.
    Relayed and reflexive candidates stay.
    """
    addresses = [ipaddress.ip_address(address) for address in advertised]
    own = {ipaddress.ip_address(fields[4]) for fields in _host_candidates(description)}
    seen: set[tuple[str, ...]] = set()
    section = 0

    def change(line: str) -> Sequence[str]:
        nonlocal section
        if line.startswith("m="):
            section += 1
        if not line.startswith("a=candidate:"):
            return (line,)
        fields = line.split()
        if fields[7] != "host":
            return (line,)
        address = ipaddress.ip_address(fields[4])
        stated = [address] if _is_told(address, policy) else []
        if not address.is_loopback:
            same = [other for other in addresses if other.version == address.version]
            stated += [other for other in same if other == address or other not in own]
        lines: list[str] = []
        for other in stated:
            candidate = (str(section), fields[1], fields[2], str(other), fields[5])
            if candidate not in seen:
                seen.add(candidate)
                lines.append(" ".join([*fields[:4], str(other), *fields[5:]]))
        return lines

    return description.map_lines(change)


def _host_candidates(description: Description) -> Iterator[list[str]]:
    for section in (description.head, *description.sections):
        for value in section.values("candidate"):
            fields = f"candidate:{value}".split()
            if fields[7] == "host":
                yield fields


def _is_told(address: Address, policy: HostCandidates) -> bool:
    match policy:
        case HostCandidates.ALL:
            return True
        case HostCandidates.ROUTABLE:
            return not address.is_loopback
        case HostCandidates.LOOPBACK:
            return address.is_loopback
        case HostCandidates.NONE:
            return False


def has_candidates(description: Description) -> bool:
    """Whether a peer is told of at least one UDP address."""
    return any(
        value.split()[2].lower() == "udp"
        for section in description.sections
        for value in section.values("candidate")
        if len(value.split()) > 2
    )
