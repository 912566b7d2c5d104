"""What all types of the wire share: the base of those that carry a `type`, and the marks that narrow a field.

An absent key is `UNSET`; `None` is an explicit JSON null and appears only where the protocol allows one.
"""

from typing import Final

from msgspec import Meta, Struct


class Tagged(Struct, frozen=True, kw_only=True):
    """A wire object told apart by the value of its `type` key, which is its struct tag and not a field."""

    @property
    def type(self) -> str:
        """The value of `type` on the wire."""
        return str(self.__struct_config__.tag)


SERVER_ONLY: Final = Meta(extra={"server_only": True})
"""Marks a field that a server reports and a client may not send; strict reading calls it unknown."""
