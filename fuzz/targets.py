"""All that is fuzzed, by name."""

from typing import Final

from fuzz import form, host, sdp, socket, sound, wire
from fuzz.target import Target

ALL: Final[dict[str, Target]] = {
    target.name: target for module in (wire, sdp, sound, form, host, socket) for target in module.TARGETS
}
