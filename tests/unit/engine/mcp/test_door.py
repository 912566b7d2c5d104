"""TLS to a server whose address was looked at first: its name is still what its certificate must be for."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.engine.mcp.far import OldServer, web
from vivavoce.engine.interface import ToolAddress, ToolConnectionError
from vivavoce.engine.mcp.connection import connect
from vivavoce.engine.mcp.reach import Reach


def certificate(folder: Path, name: str) -> Path:
    """A certificate for a name, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(pem))
    return file


async def test_a_server_is_known_by_its_name(tmp_path: Path) -> None:
    file, server = certificate(tmp_path, "localhost"), OldServer()
    trusting = ssl.create_default_context(cafile=file)
    async with web(server, file) as url, connect(ToolAddress(f"{url}/mcp"), Reach.ALL, trusting) as connection:
        assert await connection.tools()
    assert {headers["host"] for headers in server.headers} == {url.removeprefix("https://")}


@pytest.mark.parametrize(("name", "trusted"), [("elsewhere.example", True), ("localhost", False)])
async def test_a_server_that_is_somebody_else_is_told_nothing(tmp_path: Path, name: str, trusted: bool) -> None:
    file, server = certificate(tmp_path, name), OldServer()
    context = ssl.create_default_context(cafile=file if trusted else None)
    async with web(server, file) as url:
        with pytest.raises(ToolConnectionError):
            async with connect(ToolAddress(f"{url}/mcp"), Reach.ALL, context):
                pass
    assert server.methods == []
