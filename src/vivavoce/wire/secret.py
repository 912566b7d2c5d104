"""What `POST /v1/realtime/client_secrets` takes and gives back."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from vivavoce.wire.config import Session


class ExpiresAfter(Struct, frozen=True, kw_only=True):
    """How long a secret may open sessions: 10–7200 seconds after it was made, 600 when unset."""

    anchor: Literal["created_at"] | UnsetType = UNSET
    seconds: Annotated[int, Meta(ge=10, le=7200)] | UnsetType = UNSET


class ClientSecretRequest(Struct, frozen=True, kw_only=True):
    """The body of the request. `session` is the config that the secret carries."""

    expires_after: ExpiresAfter | UnsetType = UNSET
    session: Session | UnsetType = UNSET


class ClientSecret(Struct, frozen=True, kw_only=True):
    """The reply. `expires_at` is the secret's end in unix seconds; a session that runs goes on after it.

    `session` is the effective config. Its own `expires_at` is 0, because no session runs yet.
    """

    value: str
    expires_at: int
    session: Session | UnsetType = UNSET
