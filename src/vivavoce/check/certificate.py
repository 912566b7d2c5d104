"""Whether TLS shows that the server is who it claims to be."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from vivavoce.check.address import host_of, port_of
from vivavoce.check.case import Case
from vivavoce.check.verdict import Cause, Failed, Figure, Passed, Poor, Skipped, Verdict

SOON_DAYS: Final = 14
"""A certificate that ends within that time should have been renewed by now."""
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for
_EXPIRED, _NOT_YET = 10, 9  # X509_V_ERR_* of OpenSSL
_WRONG_NAME: Final = (62, 64)


@dataclass(frozen=True)
class Certificate:
    """Who a server says it is, by whose word and how long."""

    names: tuple[str, ...]
    issuer: str
    until: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days; negative once it has expired."""
        return (self.until - now).days


async def shake_hands(case: Case) -> Verdict:
    """Encrypt a connection, checking the certificate as a call does."""
    if case.place.base.scheme == "http":
        return Skipped("http:// has no TLS")
    if case.place.proxy is not None:
        return Skipped("the proxy passes it on; see http")
    now = datetime.fromtimestamp(case.clock.wall(), UTC)
    try:
        version, certificate = await _connect(case, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return distrusted(error, await _presented(case), host_of(case.place), now)
    except TimeoutError:
        found = f"The server took the connection and said nothing within {case.order.patience_s:g} s."
        return Failed(Cause.UNREACHABLE, found, "A TLS handshake.", "Does it speak TLS there? Is it overloaded?")
    except (ssl.SSLError, OSError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else type(error).__name__
        return Failed(
            Cause.UNREACHABLE,
            f"No TLS: {reason.replace('_', ' ').lower()}.",
            "A TLS handshake.",
            "Does the server speak TLS at that port? Without TLS the base URL begins with http://.",
        )
    return trusted(version, certificate, now)


def trusted(version: str, certificate: Certificate, now: datetime) -> Verdict:
    """What is to be said of one that holds."""
    days = certificate.days_left(now)
    figures: dict[str, Figure] = {"version": version, "issuer": certificate.issuer, "days_left": days}
    if days < SOON_DAYS:
        found = f"The certificate of {certificate.issuer} ends in {days} days."
        return Poor(found, f"More than {SOON_DAYS} days.", "Have the server's certificate renewed.", figures)
    return Passed(f"{version}, certificate of {certificate.issuer} for {days} more days", figures)


def distrusted(
    error: ssl.SSLCertVerificationError, certificate: Certificate | None, host: str, now: datetime
) -> Failed:
    """Why one does not hold, and what to do."""
    figures: dict[str, Figure] = {"reason": error.verify_message}
    if certificate is not None:
        figures |= {
            "names": list(certificate.names),
            "issuer": certificate.issuer,
            "until": certificate.until.isoformat(),
        }
    match error.verify_code:
        case code if code == _EXPIRED:
            when = f" on {certificate.until:%d %B %Y}" if certificate else ""
            found = f"The certificate expired{when}; here it is {now:%d %B %Y}."
            remedy = "Have the server's certificate renewed. If the date here is wrong, set this machine's clock."
        case code if code == _NOT_YET:
            found = f"The certificate is not valid yet; here it is {now:%d %B %Y}."
            remedy = "Set this machine's clock."
        case code if code in _WRONG_NAME:
            found = f"The certificate is for {', '.join(certificate.names) if certificate else 'another name'}."
            remedy = "Use one of these names in the base URL, or have the server show its own certificate."
        case _:
            by = f", signed by {certificate.issuer}" if certificate else ""
            found = f"Nobody that this machine trusts has signed the certificate ({error.verify_message}{by})."
            remedy = (
                "If it is your own, name its root in SSL_CERT_FILE. "
                "Otherwise somebody between here and the server opens what is encrypted."
            )
    return Failed(Cause.UNREACHABLE, found, f"A certificate for {host} that this machine trusts.", remedy, figures)


async def _connect(case: Case, context: ssl.SSLContext) -> tuple[str, Certificate]:
    async with asyncio.timeout(case.order.patience_s):
        _, writer = await asyncio.open_connection(
            str(case.reachable), port_of(case.place), ssl=context, server_hostname=host_of(case.place)
        )
    tls = cast("ssl.SSLObject", writer.get_extra_info("ssl_object"))
    version, certificate = tls.version() or "TLS", _read(tls.getpeercert() or {})
    writer.transport.abort()
    return version, certificate


async def _presented(case: Case) -> Certificate | None:
    """The certificate that was not trusted, read by trusting it alone and for this once; nothing is sent."""
    with suppress(OSError, TimeoutError, ssl.SSLError, ValueError):
        pem = await asyncio.wait_for(
            asyncio.to_thread(ssl.get_server_certificate, (str(case.reachable), port_of(case.place))),
            case.order.patience_s,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        context.check_hostname = False
        context.verify_flags = ssl.VerifyFlags(_NO_CHECK_TIME | ssl.VERIFY_X509_PARTIAL_CHAIN)
        return (await _connect(case, context))[1]
    return None


def _read(fields: object) -> Certificate:
    """What Python makes of a certificate that it has verified."""
    known = cast("dict[str, object]", fields)
    names = [value for _, value in cast("tuple[tuple[str, str], ...]", known.get("subjectAltName", ()))]
    subject, issuer = _parts(known.get("subject")), _parts(known.get("issuer"))
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(known["notAfter"])), UTC)
    return Certificate(
        tuple(names or [subject.get("commonName", "nobody")]),
        issuer.get("organizationName") or issuer.get("commonName") or "an unnamed authority",
        until,
    )


def _parts(name: object) -> dict[str, str]:
    pairs = cast("tuple[tuple[tuple[str, str], ...], ...]", name or ())
    return {key: value for part in pairs for key, value in part}
