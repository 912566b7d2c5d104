"""Draws `contract/openapi.json`: what the HTTP surface takes and gives, from the types that the server reads by."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias, cast

from vivavoce.gateway.settings import Limits
from vivavoce.wire.beta.config import BetaSession, BetaTranscriptionSession
from vivavoce.wire.config import Session
from vivavoce.wire.schema import schema
from vivavoce.wire.secret import ClientSecret, ClientSecretRequest
from vivavoce.wire.shape import Choice, Either, Flag, Free, Kin, Map, Null, Number, Record, Row, Shape, Text

FILE: Final = Path(__file__).parents[2] / "contract" / "openapi.json"
MODEL: Final = "gpt-realtime-2.1"
OFFER: Final = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"

Json: TypeAlias = dict[str, object]

# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────


class Schemas:
    """JSON schemas of what a client sends (`closed`: other keys are refused) or is sent, by name."""

    def __init__(self, suffix: str, *, closed: bool) -> None:
        self._suffix = suffix
        self._closed = closed
        self.named: dict[str, Json] = {}

    def of(self, shape: Shape) -> Json:
        """The schema of one shape; those with a name are kept in `named` and referred to."""
        match shape:
            case Row():
                return without_none(
                    type="array", items=self.of(shape.element), minItems=shape.least or None, maxItems=shape.most
                )
            case Map():
                return {
                    "type": "object",
                    "propertyNames": self.of(shape.key),
                    "additionalProperties": self.of(shape.value),
                    "maxProperties": shape.most,
                }
            case Record():
                return self._record(shape, None)
            case Kin():
                return {"oneOf": [self._member(shape.key, tag, each) for tag, each in shape.members.items()]}
            case Either():
                # Members are listed once for each kind of JSON value that they take.
                return {"anyOf": [self.of(each) for each in dict.fromkeys(shape.by_kind.values())]}
            case _:
                return scalar(shape)

    def _member(self, key: str, tag: str, shape: Shape) -> Json:
        if isinstance(shape, Record):
            return self._record(shape, (key, tag) if key == shape.tag_key else None)
        return self.of(shape)

    def _record(self, shape: Record, tag: tuple[str, str] | None) -> Json:
        name = shape.struct.__name__ + self._suffix
        if name not in self.named:
            self.named[name] = {}
            known = [key for key in shape.fields if not (self._closed and key in shape.server_only)]
            properties = {key: self.of(shape.fields[key]) for key in known}
            required = list(shape.required)
            if tag is not None:
                properties = {tag[0]: {"const": tag[1]}, **properties}
                required.insert(0, tag[0])
            self.named[name] = without_none(
                type="object",
                properties=properties,
                required=required or None,
                additionalProperties=False if self._closed else None,
            )
        return {"$ref": f"#/components/schemas/{name}"}


def scalar(shape: Shape) -> Json:
    """The schema of what has no parts.

    Raises:
        TypeError: a shape that came after this script.
    """
    match shape:
        case Text():
            return without_none(type="string", maxLength=shape.most, pattern=shape.pattern and shape.pattern.pattern)
        case Flag():
            return {"type": "boolean"}
        case Null():
            return {"type": "null"}
        case Number():
            return without_none(type="integer" if shape.whole else "number", minimum=shape.least, maximum=shape.most)
        case Choice():
            return {"enum": list(shape.allowed)}
        case Free():
            return {}
        case _:
            raise TypeError(f"no schema is known for {shape!r}")


def without_none(**pairs: object) -> Json:
    """The pairs that say something."""
    return {key: value for key, value in pairs.items() if value is not None}


# ── operations ──────────────────────────────────────────────────────────────────────────────────────────

REFUSALS: Final = (400, 401, 403, 404, 408, 413, 415, 429)
SDP: Final[Json] = {"type": "string", "example": OFFER, "maxLength": Limits().offer_bytes}


def operation(
    summary: str, ok: int, reply: Json, *parameters: Json, body: Json | None = None, refusals: Sequence[int] = REFUSALS
) -> Json:
    """One verb of one address; each can be refused."""
    refused: Json = {"$ref": "#/components/responses/Refused"}
    return without_none(
        summary=summary,
        parameters=list(parameters) or None,
        requestBody=body,
        responses={str(ok): {"description": "Done.", **reply}, **{str(status): refused for status in refusals}},
    )


def parameter(place: str, name: str, example: str) -> Json:
    """A string in the path, in the query or in a header."""
    return {"in": place, "name": name, "required": place == "path", "schema": {"type": "string"}, "example": example}


def content(**kinds: Json) -> Json:
    """What a body may be, by media type; `json`, `sdp` and `form` for short."""
    names = {"json": "application/json", "sdp": "application/sdp", "form": "multipart/form-data"}
    return {"content": {names[kind]: {"schema": shape} for kind, shape in kinds.items()}}


def paths(sent: Schemas, told: Schemas) -> dict[str, Json]:
    """All addresses below `/v1`."""
    call_id = parameter("path", "call_id", "rtc_0123456789abcdefghijk")
    sip: dict[str, Json] = {
        f"/realtime/calls/{{call_id}}/{verb}": {
            "post": operation("Of SIP calls, which do not come in here.", 400, refused_reply(), call_id)
        }
        for verb in ("accept", "reject", "refer")
    }
    session = sent.of(schema(Session | None))
    started = {
        "headers": {"Location": {"schema": {"type": "string", "pattern": "/realtime/calls/rtc_"}, "required": True}},
        **content(sdp={"type": "string"}),
    }
    form: Json = {
        "type": "object",
        "properties": {"sdp": SDP, "session": session},
        "required": ["sdp"],
        "additionalProperties": False,
    }
    model = parameter("query", "model", MODEL)
    translation = operation("Translation, which is not spoken here.", 400, refused_reply())
    return {
        "/realtime/client_secrets": {
            "post": operation(
                "Mint a client secret.",
                200,
                content(json=told.of(schema(ClientSecret))),
                body=content(json=sent.of(schema(ClientSecretRequest))),
            )
        },
        "/realtime/calls": {
            "post": operation(
                "Start a WebRTC call.", 201, started, model, body={"required": True, **content(sdp=SDP, form=form)}
            )
        },
        "/realtime/calls/{call_id}/hangup": {"post": operation("End a call.", 200, {}, call_id)},
        "/realtime/calls/{call_id}/resume": {
            "post": operation(
                "Come back to a call whose connection was lost (an extension of this server).",
                201,
                started,
                call_id,
                parameter("header", "Viva-Resume", "viva_resume_0123456789abcdefghijk"),
                parameter("header", "Last-Event-ID", "event_0123456789abcdefghijk"),
                parameter("header", "Viva-Silent-Ms", "700"),
                body={"required": True, **content(sdp=SDP)},
                refusals=(*REFUSALS, 409, 410),
            )
        },
        **sip,
        "/realtime": {
            "post": operation(
                "Start a WebRTC call in the words of the beta.",
                201,
                started,
                model,
                body={"required": True, **content(sdp=SDP)},
            )
        },
        "/realtime/sessions": {"post": beta_minting(sent, told, BetaSession)},
        "/realtime/transcription_sessions": {"post": beta_minting(sent, told, BetaTranscriptionSession)},
        "/realtime/translations/client_secrets": {"post": translation},
        "/realtime/translations/calls": {"post": translation},
        "/models": {"get": operation("The models that callers may name.", 200, content(json=MODELS_REPLY))},
        "/models/{model}": {
            "get": operation("One of them.", 200, content(json=MODEL_REPLY), parameter("path", "model", MODEL))
        },
    }


def beta_minting(sent: Schemas, told: Schemas, session: type) -> Json:
    """A flat session with a client secret in it."""
    secret: Json = {
        "type": "object",
        "properties": {"value": {"type": "string", "pattern": "^ek_"}, "expires_at": {"type": "integer"}},
        "required": ["value", "expires_at"],
    }
    shown = told.of(schema(session))
    whole = told.named[session.__name__ + "Shown"]
    whole["properties"] = {**cast("Json", whole["properties"]), "client_secret": secret}
    whole["required"] = ["client_secret"]
    return operation(
        "Mint a client secret in the words of the beta.",
        200,
        content(json=shown),
        body=content(json=sent.of(schema(session))),
    )


MODEL_REPLY: Final[Json] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string"},
    },
    "required": ["id", "object", "created", "owned_by"],
    "additionalProperties": False,
}
MODELS_REPLY: Final[Json] = {
    "type": "object",
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": MODEL_REPLY, "minItems": 1}},
    "required": ["object", "data"],
    "additionalProperties": False,
}
REFUSAL: Final[Json] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string", "minLength": 1},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}


def refused_reply() -> Json:
    """What a refusal holds."""
    return content(json={"$ref": "#/components/schemas/Refusal"})


def description() -> Mapping[str, object]:
    """The whole."""
    sent, told = Schemas("", closed=True), Schemas("Shown", closed=False)
    found = paths(sent, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Viva Voce, the HTTP side of the OpenAI Realtime API",
            "version": "1",
            "description": "WebSockets, and the events that travel on them and on data channels, are no part of this.",
        },
        "servers": [{"url": "http://127.0.0.1:8765/v1"}],
        "security": [{"key": []}],
        "paths": found,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {"Refused": {"description": "Refused.", **refused_reply()}},
            "schemas": {"Refusal": REFUSAL, **sent.named, **told.named},
        },
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(description(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
