"""Where a fault lies, in the beta's words."""

from typing import Final

from vivavoce.errors import RequestError

_NAMES: Final = {
    "session.type": "type",
    "session.output_modalities": "session.modalities",
    "session.max_output_tokens": "session.max_response_output_tokens",
    "session.audio.input.format": "session.input_audio_format",
    "session.audio.input.transcription": "session.input_audio_transcription",
    "session.audio.input.noise_reduction": "session.input_audio_noise_reduction",
    "session.audio.input.turn_detection": "session.turn_detection",
    "session.audio.output.format": "session.output_audio_format",
    "session.audio.output.voice": "session.voice",
    "session.audio.output.speed": "session.speed",
    "response.output_modalities": "response.modalities",
    "response.max_output_tokens": "response.max_response_output_tokens",
    "response.audio.output.format": "response.output_audio_format",
    "response.audio.output.voice": "response.voice",
}


def beta_param(param: str) -> str:
    """The beta's name for the place that GA calls `param`; unchanged where both call it the same."""
    for ga, beta in _NAMES.items():
        if param == ga or param.startswith((f"{ga}.", f"{ga}[")):
            return beta + param.removeprefix(ga)
    return param


def beta_words(message: str, param: str | None) -> str:
    """A message that quotes a place, with the beta's name of it."""
    return message if param is None else message.replace(f"'{param}'", f"'{beta_param(param)}'")


def in_body(error: RequestError) -> RequestError:
    """A fault in a session, for somebody whose whole body is that session: there is no `session.` before its keys."""
    param = error.param
    if param is None:
        return error
    place = beta_param(param).removeprefix("session.")
    told = RequestError(
        error.message.replace(f"'{param}'", f"'{place}'"),
        code=error.code,
        param=place,
        type=error.type,
        status=error.status,
    )
    told.next = error.next
    return told
