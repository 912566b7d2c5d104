"""What session a caller gets, out of what several places say about it. Pure."""

from collections.abc import Sequence

from msgspec import UnsetType
from msgspec.structs import replace

from vivavoce.errors import RequestError
from vivavoce.gateway.interface import Model
from vivavoce.wire.config import RealtimeSession, Session, merge

_HEARS_ONLY = (
    "gpt-live-transcribe",
    "gpt-transcribe",
    "gpt-realtime-whisper",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "whisper-1",
)
"""Beginnings of names that OpenAI gives to models that write down and do not answer."""
_TRANSLATES = "gpt-realtime-translate"


def agree(granted: Session | None, given: Session | None, hinted_model: str | None, models: Sequence[Model]) -> Session:
    """The session that is asked for.

    Args:
        granted: what the client secret is bound to.
        given: what the request itself says; it overrides `granted`.
        hinted_model: a model in the URL of a WebRTC call, which counts only where nobody else names one.
        models: the names that are known; the first is meant where nobody names any.

    Raises:
        RequestError: unknown model (404), a model that only transcribes, or the two are of different types.
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
    if any(model == each.id for each in models):
        return model
    if model.startswith(_HEARS_ONLY):
        raise RequestError(
            f"Model {model[:60]} is a transcription model and cannot be used as the realtime session model. Pass it as "
            "audio.input.transcription.model, or open a transcription session.",
            code="invalid_model",
            param=param,
        )
    if model.startswith(_TRANSLATES):
        raise no_translation(param)
    raise model_not_found(model, param, models)


def no_translation(param: str | None = None) -> RequestError:
    """What everybody is told who asks for a translation session."""
    return RequestError(
        "Translation sessions are not available here; realtime and transcription sessions are.",
        code="translation_not_supported",
        param=param,
    )
