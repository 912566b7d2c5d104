"""WebRTC calls: start one, end one."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.errors import RequestError, Retry
from vivavoce.gateway.body import read_body, understand
from vivavoce.gateway.caller import Caller, Reception, safety_identifier
from vivavoce.gateway.desk import Desk
from vivavoce.gateway.interface import Answerer, CallRequest, Ids, Interpret, LiveCall, plain
from vivavoce.gateway.offer import BodyKind, OfferReader
from vivavoce.gateway.registry import Registry
from vivavoce.gateway.settings import Limits
from vivavoce.telemetry.log import Log

_log = Log("gateway.calls")


class Calls:
    """The endpoints below `/v1/realtime/calls`."""

    def __init__(
        self, answerer: Answerer, reception: Reception, desk: Desk, registry: Registry, ids: Ids, limits: Limits
    ) -> None:
        self._answerer = answerer
        self._reception = reception
        self._desk = desk
        self._registry = registry
        self._ids = ids
        self._limits = limits

    async def create(self, request: Request) -> Response:
        """`POST /v1/realtime/calls`: 201, the SDP answer as it is, and where the call can be ended.

        Headers come first: who it is, whether there is room, what kind of body. Only then is the body read.
        """
        caller = await self._reception.recognise(request)
        reader = OfferReader.of(request.headers.get("content-type"), self._limits)
        return await self._create(request, caller, reader, plain)

    async def create_beta(self, request: Request) -> Response:
        """`POST /v1/realtime?model=`: the same for somebody who will speak the beta; the body is the bare offer."""
        caller = await self._reception.recognise(request)
        reader = OfferReader.of(request.headers.get("content-type"), self._limits)
        if reader.kind is not BodyKind.RAW:
            raise RequestError(
                "Send the SDP offer itself here, as application/sdp; a form goes to POST /v1/realtime/calls.",
                code="unsupported_content_type",
                status=415,
            )
        return await self._create(request, caller, reader, self._desk.interpreting(caller))

    async def _create(self, request: Request, caller: Caller, reader: OfferReader, interpret: Interpret) -> Response:
        end_user = self._desk.end_user(caller, safety_identifier(request))
        place = await self._desk.enter(caller)
        lifeline = self._desk.lifeline()
        try:
            body = await read_body(request, reader.limit_bytes, self._limits.body_s)
            offer = await understand(reader.read, body)
            session = await self._desk.settle(caller, offer.session, request.query_params.get("model"))
            allowance = self._desk.allowance(caller)
            over = lifeline.beneath(interpret)
            wanted = CallRequest(self._ids("rtc"), offer.sdp, session, caller.identity, end_user, allowance, over)
            call, sdp = await self._answer(wanted)
            self._registry.add(call, caller, place, lifeline)
        except BaseException:
            place.leave()
            raise
        _log.info("call_started", call_id=wanted.id, identity=caller.identity, body=reader.kind.name.lower())
        # Nothing may touch the answer: libwebrtc refuses one whose last line end is missing.
        root, _, _ = request.url.path.partition("/realtime")
        headers = {"Location": f"{root}/realtime/calls/{wanted.id}", **lifeline.headers()}
        return Response(sdp.encode(), status_code=201, media_type=BodyKind.RAW.value, headers=headers)

    async def hangup(self, request: Request) -> Response:
        """`POST /v1/realtime/calls/{call_id}/hangup`: 200 and nothing, when the call is over."""
        caller: Caller = await self._reception.recognise(request)
        entry = self._registry.find(request.path_params["call_id"], caller)
        try:
            await self._registry.end(entry)
        except TimeoutError:
            raise RequestError(
                "The call was told to end but has not ended yet.", code=None, type="server_error", status=504
            ) from None
        return Response(status_code=200)

    async def _answer(self, wanted: CallRequest) -> tuple[LiveCall, str]:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await self._answerer.answer(wanted)
        except TimeoutError:
            _log.warning("answer_took_too_long", call_id=wanted.id, limit_s=self._limits.answer_s)
            raise late() from None


def late() -> RequestError:
    """A 503 for an answer that took too long to make."""
    error = RequestError("The call could not be set up in time. Try again.", code=None, type="server_error", status=503)
    error.next = Retry(after_s=1.0)
    return error
