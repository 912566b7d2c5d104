const asked = new URLSearchParams(location.search);
const baseUrl = asked.get("base") ?? "https://api.openai.com/v1";
const [start, stop] = [document.querySelector("#start"), document.querySelector("#stop")];

let connection;
let events;

// The answer to our offer, by the endpoint for browsers: a short-lived secret from our own server is the key.
async function withSecret(offer) {
  const secret = await (await fetch("/token")).json();
  return fetch(`${baseUrl}/realtime/calls`, {
    method: "POST",
    headers: { Authorization: `Bearer ${asked.get("secret") ?? secret.value}`, "Content-Type": "application/sdp" },
    body: offer.sdp,
  });
}

// The same as the guide of 2025 had it: the secret lies deeper, and the address of calls is another.
async function older(offer) {
  const session = await (await fetch("/old-token")).json();
  return fetch(`${baseUrl}/realtime?model=gpt-4o-realtime-preview`, {
    method: "POST",
    headers: { Authorization: `Bearer ${asked.get("secret") ?? session.client_secret.value}`, "Content-Type": "application/sdp" },
    body: offer.sdp,
  });
}

// The answer to our offer, by way of our own server, which has the real key and chooses the session.
async function unified(offer) {
  return fetch("/session", { method: "POST", headers: { "Content-Type": "application/sdp" }, body: offer.sdp });
}

async function call() {
  connection = new RTCPeerConnection();

  const voice = document.createElement("audio");
  voice.autoplay = true;
  connection.ontrack = (event) => {
    voice.srcObject = event.streams[0];
    page.listen(event.streams[0]);
  };

  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  connection.addTrack(microphone.getTracks()[0]);

  events = connection.createDataChannel("oai-events");
  events.addEventListener("open", () => page.opened());
  events.addEventListener("message", (message) => page.heard(message.data));
  events.addEventListener("close", () => page.closed());

  const offer = await connection.createOffer();
  await connection.setLocalDescription(offer);
  const ask = asked.has("unified") ? unified : asked.has("older") ? older : withSecret;
  const reply = await ask(offer);
  await page.answered(reply);
  await connection.setRemoteDescription({ type: "answer", sdp: await reply.text() });
}

start.addEventListener("click", () => call().catch((error) => page.failed(error)));
stop.addEventListener("click", () => connection.close());

// ── what the test looks at; no application needs it ──

const page = {
  state: "new",
  status: 0,
  refusal: null,
  location: null,
  log: [],
  loudness: 0,
  loudMs: 0,
  error: null,
  opened() {
    this.state = "open";
    stop.disabled = false;
  },
  closed() {
    this.state = "closed";
  },
  failed(error) {
    this.state = "failed";
    this.error = String(error);
  },
  async answered(reply) {
    this.status = reply.status;
    this.location = reply.headers.get("Location");
    if (!reply.ok) this.refusal = (await reply.clone().json()).error;
  },
  heard(text) {
    this.log.push(text);
  },
  send(event) {
    events.send(JSON.stringify(event));
  },
  events(type) {
    return this.log.map((text) => JSON.parse(text)).filter((event) => event.type === type);
  },
  listen(stream) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      if (this.loudness > 0.02) this.loudMs += 20;
    }, 20);
  },
};
globalThis.page = page;
