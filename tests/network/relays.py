"""Networks in which only a relay gets through, and a server behind a NAT of its own. The relay is coturn.

Sound that arrives proves the way it took: the router lets no other pass.
"""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.network.lab import BOTH, INSIDE_NS, RELAY, RELAY_NS, SERVER, SERVER_6
from tests.network.stage import PORT, Outcome, Play, Row, Stage

USER: Final = "caller"
CREDENTIAL: Final = "turn-network-0123456789"
UDP_PORTS: Final = "40000-40009"

BY_NAME: Final = ("--lt-cred-mech", f"--user={USER}:{CREDENTIAL}")
BY_SECRET: Final = ("--use-auth-secret", f"--static-auth-secret={CREDENTIAL}")

DIRECT_SHUT: Final = "iifname { w0, c0 } oifname s0 meta l4proto udp counter drop"
"""The caller's sound does not reach the server by itself."""
UDP_SHUT: Final = "iifname { w0, c0 } meta l4proto udp counter drop"
ONLY_443: Final = f"iifname {{ w0, c0 }} ip daddr != {SERVER} tcp dport != 443 counter drop"


@contextmanager
def relay(
    stage: Stage, port: int = 3478, *options: str, knows: tuple[str, ...] = BY_NAME
) -> Generator["subprocess.Popen[bytes]"]:
    """A TURN server at a port, for UDP and TCP, once it listens."""
    own = ["-n", "--no-cli", "--no-tls", "--no-dtls", "--realm=test", *knows]
    where = [f"--listening-ip={RELAY}", f"--relay-ip={RELAY}", f"--listening-port={port}"]
    with TemporaryDirectory() as folder:
        files = ["--log-file=stdout", f"--pidfile={folder}/pid", f"--userdb={folder}/db"]
        command = stage.lab.command(RELAY_NS, "turnserver", *own, *where, *files, *options)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as process:
            try:
                listening = stage.lab.command(RELAY_NS, "ss", "-Hltn", f"sport = :{port}")
                while not subprocess.run(listening, capture_output=True, check=True).stdout:
                    assert process.poll() is None, "turnserver has ended"
                    stage.lab.wait(0.1)
                yield process
            finally:
                process.kill()


def url(port: int = 3478, transport: str = "udp") -> str:
    return f"turn:{RELAY}:{port}?transport={transport}"


def ice(*urls: str, credential: str = CREDENTIAL) -> tuple[str, ...]:
    """What the caller is told of them."""
    return tuple(word for each in urls for word in ("--ice-server", f"{each},{USER},{credential}"))


def _through(*urls: str, shut: str, port: int = 3478, options: tuple[str, ...] = ()) -> Play:
    def play(stage: Stage) -> Outcome:
        stage.lab.filter(shut)
        with stage.server(), relay(stage, port), stage.call("--transport", "webrtc", *ice(*urls), *options) as talk:
            return talk.outcome()

    return play


def handed(stage: Stage) -> Outcome:
    stage.lab.filter(DIRECT_SHUT)
    with TemporaryDirectory() as folder:
        secret = Path(folder) / "turn.secret"
        secret.write_text(CREDENTIAL)
        options = ("--transport", "webrtc", "--relay-only", "--ice-server", "server")
        with (
            stage.server("--turn", url(), "--turn-secret-file", str(secret)),
            relay(stage, knows=BY_SECRET),
            stage.call(*options) as talk,
        ):
            return talk.outcome()


def unwelcome(stage: Stage) -> Outcome:
    with stage.server(), relay(stage):
        options = ("--transport", "webrtc", "--relay-only", *ice(url(), credential="wrong"))
        return stage.refused(*options)


def untrusted(stage: Stage) -> Outcome:
    """Browsers' certificate authorities vouch for nobody in here."""
    with TemporaryDirectory() as folder, stage.server():
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay.test"]
        subprocess.run([*make, "-keyout", key, "-out", certificate], capture_output=True, check=True)
        tls = ("--tls-listening-port=443", f"--cert={certificate}", f"--pkey={key}")
        with relay(stage, 3478, *tls):
            options = ("--transport", "webrtc", "--relay-only", *ice(f"turns:{RELAY}:443"))
            return stage.refused(*options)


def dies(stage: Stage) -> Outcome:
    stage.lab.filter(DIRECT_SHUT)
    servers = ice(url(), url(443, "tcp"))
    with (
        stage.server(),
        relay(stage, 443),
        relay(stage) as first,
        stage.call("--transport", "webrtc", *servers) as talk,
    ):
        first.kill()
        return talk.outcome()


def dies_alone(stage: Stage) -> Outcome:
    stage.lab.filter(DIRECT_SHUT)
    with stage.server(), relay(stage) as only, stage.call("--transport", "auto", *ice(url())) as talk:
        only.kill()
        return talk.outcome()


def deaf(stage: Stage) -> Outcome:
    stage.lab.filter(UDP_SHUT)
    with stage.server(), stage.call("--transport", "auto", *ice(url())) as talk:
        return talk.outcome()


def published(stage: Stage) -> Outcome:
    stage.lab.publish(PORT, UDP_PORTS)
    options = ("--advertise", SERVER, "--udp-ports", UDP_PORTS)
    with stage.server(*options, host="0.0.0.0", namespace=INSIDE_NS), stage.call("--transport", "webrtc") as talk:
        return talk.outcome()


def _by_ipv6(*, passes: bool, host: str) -> Play:
    def play(stage: Stage) -> Outcome:
        stage.lab.add_ipv6(passes=passes)
        if passes:
            stage.lab.filter("counter drop")  # nothing of IPv4
        with (
            stage.server(host="::"),
            stage.call("--transport", "webrtc", url=f"http://{host}:{PORT}/v1") as talk,
        ):
            return talk.outcome()

    return play


RELAYS: Final = (
    Row("relay-udp", "relays alone, over UDP", _through(url(), shut=DIRECT_SHUT, options=("--relay-only",)), 0.5),
    Row("relay-tcp", "UDP is shut; a relay over TCP", _through(url(), url(transport="tcp"), shut=UDP_SHUT), 0.5),
    Row(
        "relay-443",
        "only TCP 443 is open; a relay there",
        _through(url(443), url(443, "tcp"), shut=f"{UDP_SHUT}; {ONLY_443}", port=443),
        0.5,
    ),
    Row("relay-handed", "relays alone; the server hands one out", handed, 0.5),
    Row("relay-unwelcome", "the relay does not know the credential", unwelcome, 2, ("failed",)),
    Row("relay-untrusted", "the relay's certificate is not one that browsers trust", untrusted, 3, ("failed",)),
    Row("relay-dies", "the relay is killed, another is there over TCP", dies, 8),
    Row("relay-dies-alone", "the only relay is killed; a WebSocket is left", dies_alone, 5),
    Row("relay-deaf", "UDP is shut, and the relay does not answer; a WebSocket is left", deaf, 0.5),
    Row("ipv6", "nothing of IPv4 gets through", _by_ipv6(passes=True, host=f"[{SERVER_6}]"), 0.5),
    Row("ipv6-dead", "the server's name has IPv6 too, which leads nowhere", _by_ipv6(passes=False, host=BOTH), 0.5),
    Row("published", "the server behind a NAT, its ports published as Docker does", published, 0.5),
)
