/**
 * The requests of a call over HTTP: for a client secret, for relays, and for the answer to our offer.
 *
 * The first and the last are those of OpenAI's public WebRTC guide, so the same code reaches any server that speaks them.
 */

import { Failure, refusal } from './failure.js';

/**
 * @typedef {object} Answer
 * @property {string} sdp
 * @property {string | null} callId from the `Location` header; null where the server does not show it to browsers
 * @property {import('./lifeline.js').Ticket | null} ticket null where the server does not keep a session
 */

/**
 * The address under which a server keeps the protocol: `https://host` becomes `https://host/v1`, and an address that
 * already names a version (`https://host/openai/v1`) stays as it is.
 * @param {string} url
 * @returns {string} without a slash at the end
 * @throws {Failure} `refused`, when this is no web address
 */
export function baseOf(url) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new Failure('refused', `“${url}” is not the address of a server. One looks like https://example.org.`);
  }
  const path = parsed.pathname.replace(/\/+$/, '');
  return parsed.origin + (/\/v\d+$/.test(path) ? path : `${path}/v1`);
}

/**
 * Get a client secret for one call (`POST …/realtime/client_secrets`).
 * @param {{url: string, key: string, session: Record<string, unknown>, signal?: AbortSignal}} options
 * @returns {Promise<string>}
 * @throws {Failure} `unreachable`, `key refused`, `refused` or `bad answer`
 */
export async function mintSecret({ url, key, session, signal }) {
  const address = `${baseOf(url)}/realtime/client_secrets`;
  const response = await post(address, key, 'application/json', JSON.stringify({ session }), signal);
  const body = await response.json().catch(() => null);
  if (typeof body?.value !== 'string') {
    throw new Failure('bad answer', 'The server took the key but sent no client secret. Is it a Realtime API server?');
  }
  return body.value;
}

/**
 * Ask for relays (`OPTIONS …/realtime/calls`, RFC 9725, section 4.6), and see by it whether the server can be reached.
 * @param {{url: string, secret: string, credentials?: RequestCredentials, signal?: AbortSignal}} options
 * @returns {Promise<RTCIceServer[]>} none where the server has none, or does not tell; rejected where nothing has come
 */
export async function askRelays({ url, secret, credentials = 'same-origin', signal = new AbortController().signal }) {
  const headers = { 'Authorization': `Bearer ${secret}` };
  const response = await fetch(`${baseOf(url)}/realtime/calls`, { method: 'OPTIONS', headers, credentials, signal });
  return response.ok ? readLink(response.headers.get('Link') ?? '') : [];
}

const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))/g;

/**
 * The ICE servers that a `Link` header hands out; what it has for others, or cannot be used, is passed over.
 * @param {string} value
 * @returns {RTCIceServer[]}
 */
export function readLink(value) {
  return [...value.matchAll(LINK)].flatMap(([, urls = '', rest = '']) => {
    /** @type {Record<string, string>} */
    const said = {};
    for (const [, name = '', quoted = '', bare] of rest.matchAll(PARAMETER)) {
      said[name.toLowerCase()] = bare ?? quoted.replace(/\\(.)/g, '$1');
    }
    const { rel, username = '', credential = '' } = said;
    const [, kind] = urls.match(/^(stun|turn)s?:/) ?? [];
    if (rel !== 'ice-server' || kind === undefined || (kind === 'turn' && !(username && credential))) return [];
    return [kind === 'turn' ? { urls, username, credential } : { urls }];
  });
}

/**
 * Offer a call (`POST …/realtime/calls` with the raw SDP).
 * @param {{url: string, secret: string, sdp: string, signal?: AbortSignal}} options
 * @returns {Promise<Answer>}
 * @throws {Failure} `unreachable`, `key refused`, `refused` or `bad answer`
 */
export async function placeCall({ url, secret, sdp, signal }) {
  return answerIn(await post(`${baseOf(url)}/realtime/calls`, secret, 'application/sdp', sdp, signal));
}

/**
 * Come back to a call (`POST …/realtime/calls/{call_id}/resume`, docs/reference/resumption.md).
 * @param {{url: string, secret: string, callId: string, claim: import('./lifeline.js').Claim, sdp: string,
 *   signal?: AbortSignal}} options
 * @returns {Promise<Answer & {lastRead: string | null}>} with the last event of ours that the server has read
 * @throws {Failure} `unreachable`, `key refused`, `refused` or `bad answer`
 */
export async function resumeCall({ url, secret, callId, claim: { token, lastEventId, silentMs }, sdp, signal }) {
  const address = `${baseOf(url)}/realtime/calls/${callId}/resume`;
  const response = await post(address, secret, 'application/sdp', sdp, signal, {
    'Viva-Resume': token, 'Viva-Silent-Ms': String(silentMs), ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}),
  });
  return { ...await answerIn(response), lastRead: response.headers.get('Viva-Last-Event') };
}

/** @param {Response} response @returns {Promise<Answer>} */
async function answerIn(response) {
  const sdp = await response.text();
  if (!sdp.startsWith('v=0')) {
    throw new Failure('bad answer', 'The server took the call but its answer is not a session description (SDP).');
  }
  const { headers } = response;
  const [, token = '', seconds] = headers.get('Viva-Resume')?.match(/^([^;\s]+)\s*;\s*max-age=(\d+)/) ?? [];
  const ticket = token && headers.get('Viva-Heartbeat') === 'ping' ? { token, maxAgeMs: 1000 * Number(seconds) } : null;
  return { sdp, callId: headers.get('Location')?.split('/').pop() ?? null, ticket };
}

/**
 * @param {string} address
 * @param {string} bearer
 * @param {string} type
 * @param {string} body
 * @param {AbortSignal} [signal]
 * @param {Record<string, string>} [more] headers
 * @returns {Promise<Response>} a good one
 */
async function post(address, bearer, type, body, signal, more) {
  let response;
  try {
    const headers = { 'Authorization': `Bearer ${bearer}`, 'Content-Type': type, ...more };
    response = await fetch(address, { method: 'POST', headers, body, signal: signal ?? null });
  } catch (error) {
    signal?.throwIfAborted();
    const { origin } = new URL(address);
    const elsewhere = origin === globalThis.location?.origin ? '' : ', and does it let pages of this site call it';
    throw new Failure('unreachable', `No answer from ${origin}. Is the server running${elsewhere}?`, error);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}
