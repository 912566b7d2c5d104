/** The way back to a session whose server has fallen silent: over another connection, as soon as there is one. */

import { Failure } from './failure.js';
import { askRelays, resumeCall } from './signalling.js';

/** @typedef {import('./lifeline.js').Lifeline} Lifeline */
/** @typedef {import('./link.js').Link} Link */

/**
 * @typedef {object} Session
 * @property {string} url
 * @property {string} callId
 * @property {string} secret
 * @property {(signal: AbortSignal) => Promise<string>} fetchSecret for another secret, should this one have expired
 * @property {Lifeline} lifeline
 * @property {(relays: RTCIceServer[]) => Link} makeLink
 * @property {(link: Link) => void} take the server has agreed to go on over this one, so no other is of any use now
 */

const LOST = 'The connection was lost. Check the network and call again.';
const KNOCK_EVERY_MS = 350;
const KNOCK_WITHIN_MS = 1500;
const ATTEMPT_WITHIN_MS = 5000;
const PAUSE_MS = 500;
/** The server has the session no more. */
const GONE = [404, 409, 410];

/**
 * Try until a connection stands.
 * @param {Session} session
 * @param {AbortSignal} signal
 * @returns {Promise<Link>} the one that `take` was last given; text can be sent over it
 * @throws {Failure} `lost`, when the session is gone
 */
export async function comeBack(session, signal) {
  const { url, callId, lifeline, makeLink, take, fetchSecret } = session;
  /** @type {string | null} */
  let secret = session.secret;
  let refusals = 0;
  while (lifeline.lasts(performance.now())) {
    /** @type {Link | null} */
    let link = null;
    try {
      secret ??= await fetchSecret(signal);
      const relays = await reach(url, secret, signal);
      const patience = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_WITHIN_MS)]);
      link = makeLink(relays);
      const sdp = await link.offer(patience);
      const claim = lifeline.claim(performance.now());
      const answer = await resumeCall({ url, secret, callId, claim, sdp, signal: patience });
      signal.throwIfAborted();
      lifeline.resume(answer.ticket, answer.lastRead);
      take(link);
      await link.accept(answer.sdp);
      await Promise.race([link.opened, refused(patience)]);
      return link;
    } catch (error) {
      link?.close();
      signal.throwIfAborted();
      const status = error instanceof Failure ? Number(error.cause) : NaN;
      if (status === 401) {
        refusals += 1;
        secret = null;
      }
      if (GONE.includes(status) || refusals > 1) throw new Failure('lost', LOST, error);
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
  throw new Failure('lost', LOST);
}

/**
 * Ask the server again and again for any answer at all. The requests overlap, so that none that hangs holds up the rest.
 * @param {string} url
 * @param {string} secret
 * @param {AbortSignal} signal
 * @returns {Promise<RTCIceServer[]>} the relays that it hands out
 */
async function reach(url, secret, signal) {
  const done = new AbortController();
  const knock = () => askRelays({
    url, secret, signal: AbortSignal.any([signal, done.signal, AbortSignal.timeout(KNOCK_WITHIN_MS)]),
  });
  try {
    return await new Promise((resolve, reject) => {
      const again = () => {
        if (done.signal.aborted) return;
        knock().then(resolve, () => {});
        setTimeout(again, KNOCK_EVERY_MS);
      };
      again();
      refused(signal).catch(reject);
    });
  } finally {
    done.abort();
  }
}

/** @param {AbortSignal} signal @returns {Promise<never>} rejected once it is aborted */
function refused(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
