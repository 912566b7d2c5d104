/**
 * Viva Voce in any web page: a voice conversation over WebRTC with any server of the OpenAI Realtime protocol.
 *
 *     import { connect } from './vivavoce.js';
 *     const call = connect({ url: 'https://example.org', fetchSecret: async () => (await fetch('/secret')).text() });
 *     call.addEventListener('conversation', () => show(call.captions));
 *
 * Call `connect` from a click: browsers let only those start sound.
 */

import { Call } from './call.js';
import { Failure } from './failure.js';
import { mintSecret } from './signalling.js';

export { Call, Failure };

/** Clean sound matters more to a listener that is a machine, and an echo would interrupt it. */
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** Known to send an item's audio with it, 64 kB for a second, so that longer ones do not fit into a message. */
const SENDS_AUDIO = /(^|\.)(openai\.com|azure\.com)$/;
const SHORT_MS = 3500;

/**
 * Exactly one of `secret`, `fetchSecret` and `key` says who calls. A key in a web page can be read by whoever opens the
 * page: use it on your own computer only, and a client secret from your own server everywhere else.
 * @typedef {object} ConnectOptions
 * @property {string} [url] the server; where nothing is said, the one that this page came from
 * @property {string} [secret] a client secret (`ek_…`)
 * @property {() => Promise<string>} [fetchSecret] a function that gets one
 * @property {string} [key] an API key, with which a client secret is made first
 * @property {string} [model]
 * @property {Record<string, any>} [session] session configuration, as the protocol has it
 * @property {readonly import('./call.js').Tool[]} [tools] functions that the other side may call
 * @property {MediaTrackConstraints | null} [microphone] null for a call in which the user types and listens
 * @property {HTMLAudioElement} [audio] where to play; one of its own when left out
 * @property {RTCIceServer[] | 'server'} [iceServers] STUN and TURN servers, or `server` for those that it hands out
 */

/**
 * Place a call.
 * @param {ConnectOptions} options
 * @returns {Call} at once, and already on its way; its `state` events tell the rest
 */
export function connect(options) {
  const { url = location.origin, secret, key = '', tools = [] } = options;
  const session = complete(options);
  const mint = (/** @type {AbortSignal} */ signal) => mintSecret({ url, key, session, signal });
  const call = new Call({
    url, tools, fetchSecret: options.fetchSecret ?? (secret === undefined ? mint : async () => secret),
    retrieveUpToMs: SENDS_AUDIO.test(URL.canParse(url) ? new URL(url).hostname : '') ? SHORT_MS : Infinity,
    microphone: options.microphone === undefined ? MICROPHONE : options.microphone,
    muted: session.audio.input.turn_detection === null,
    audio: options.audio ?? new Audio(), iceServers: options.iceServers ?? [],
  });
  // A secret that came from elsewhere carries its own configuration; ours is laid over it.
  const minted = secret === undefined && options.fetchSecret === undefined;
  if (!minted && (options.session || tools.length > 0)) {
    const configure = () => {
      if (call.state !== 'connected') return;
      call.removeEventListener('state', configure);
      call.send({ type: 'session.update', session });
    };
    call.addEventListener('state', configure);
  }
  call.start().catch(() => {}); // its state and `failure` tell
  return call;
}

/**
 * The session configuration to ask for. Captions of the user need a transcription, so one is ordered where nothing
 * else was said.
 * @param {ConnectOptions} options
 * @returns {Record<string, any>}
 */
function complete({ model, session = {}, tools = [] }) {
  const input = { transcription: { model: 'gpt-4o-mini-transcribe' }, ...session.audio?.input };
  const declared = tools.map(({ run, ...tool }) => ({ type: 'function', ...tool }));
  return {
    ...session, type: 'realtime', ...(model ? { model } : {}), audio: { ...session.audio, input },
    ...(declared.length > 0 ? { tools: [...(session.tools ?? []), ...declared] } : {}),
  };
}
