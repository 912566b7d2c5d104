"""What session a caller gets, out of what several places say about it. Pure."""

from collections.abc import Sequence

from msgspec import UnsetType
from msgspec.structs import replace

from vivavoce.errors import RequestError
from vivavoce.gateway.interface import Model
from vivavoce.wire.config import RealtimeSession, Session, merge


def agree(granted: Session | None, given: Session | None, hinted_model: str | None, models: Sequence[Model]) -> Session:
    """The session that is asked for.

    Args:
        granted: what the client secret is bound to.
        given: what the request itself says; it overrides `granted`.
        hinted_model: a model in the URL of a WebRTC call, which counts only where nobody else names one.
        models: the names that are known; the first is meant where nobody names any.

    Raises:
        RequestError: unknown model (404), or the two are of different types.
    """
    session = _joined(granted, given)
    if not isinstance(session, RealtimeSession):
        return session
    if not isinstance(session.model, UnsetType):
        return replace(session, model=_known(session.model, "session.model", models))
    if hinted_model is not None:
        return replace(session, model=_known(hinted_model, "model", models))
    return replace(session, model=models[0].id)


def model_not_found(model: str, param: str, models: Sequence[Model]) -> RequestError:
    """A 404 that says what there is instead."""
    shown = model if len(model) <= 60 else model[:60] + "…"
    return RequestError(
        f"The model '{shown}' does not exist here. Known: {', '.join(each.id for each in models)}.",
        code="model_not_found",
        param=param,
        status=404,
    )


def _joined(granted: Session | None, given: Session | None) -> Session:
    if granted is None or given is None:
        return given or granted or RealtimeSession()
    return merge(granted, given)


def _known(model: str, param: str, models: Sequence[Model]) -> str:
    if all(model != each.id for each in models):
        raise model_not_found(model, param, models)
    return model
