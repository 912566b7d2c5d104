"""Names and secrets that cannot be guessed."""

import secrets
import string

from vivavoce.telemetry.secret import Secret

_LETTERS = string.digits + string.ascii_letters
_ID_LENGTH = 21  # as in captures of the live service
_SECRET_LENGTH = 32  # 190 bits


def new_id(prefix: str) -> str:
    """`prefix_` and 21 base62 letters (125 bits)."""
    return f"{prefix}_{_draw(_ID_LENGTH)}"


def new_secret(prefix: str) -> Secret:
    """`prefix_` and 32 base62 letters (190 bits)."""
    return Secret(f"{prefix}_{_draw(_SECRET_LENGTH)}")


def _draw(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
