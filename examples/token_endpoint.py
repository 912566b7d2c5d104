"""A web application whose page talks by voice, without ever seeing the key.

    OPENAI_BASE_URL=http://127.0.0.1:8765/v1 OPENAI_API_KEY=… python examples/token_endpoint.py

Prints its address. The page asks `/token` for a client secret that is good for ten minutes, and places the call itself.
A server on another computer than the page's must allow the page's origin (`viva serve --origin …`).
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

BASE_URL = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
SESSION = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "Be brief."}

PAGE = """<!DOCTYPE html>
<meta charset="utf-8"><title>Voice</title><link rel="icon" href="data:,">
<button>Call</button> <output>not connected</output>
<script type="module">
  const show = (text) => (document.querySelector("output").value = text);

  document.querySelector("button").onclick = async () => {
    const { base, value } = await (await fetch("/token", { method: "POST" })).json();
    const connection = new RTCPeerConnection();
    const voice = new Audio();
    voice.autoplay = true;
    connection.ontrack = ({ streams }) => (voice.srcObject = streams[0]);
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
    connection.addTrack(microphone.getTracks()[0]);
    const events = connection.createDataChannel("oai-events");
    events.onmessage = ({ data }) => show(JSON.parse(data).type);
    await connection.setLocalDescription(await connection.createOffer());
    const reply = await fetch(`${base}/realtime/calls`, {
      method: "POST",
      headers: { Authorization: `Bearer ${value}`, "Content-Type": "application/sdp" },
      body: connection.localDescription.sdp,
    });
    if (!reply.ok) return show((await reply.json()).error.message);
    await connection.setRemoteDescription({ type: "answer", sdp: await reply.text() });
  };
</script>
"""


def client_secret() -> str:
    """A fresh one, by the real key."""
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "Content-Type": "application/json"}
    body = json.dumps({"session": SESSION}).encode()
    with urlopen(Request(f"{BASE_URL}/realtime/client_secrets", body, headers)) as reply:
        return json.load(reply)["value"]


class Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.reply(PAGE.encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        # Here an application would first ask who its user is.
        self.reply(json.dumps({"base": BASE_URL, "value": client_secret()}).encode(), "application/json")

    def reply(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Application)
    print(f"open http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()
