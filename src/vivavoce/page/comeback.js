/** The way back to a session whose server has fallen silent: over another connection, as soon as there is one. */

import { Failure, lost } from './failure.js';
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

const KNOCK_EVERY_MS = 350;
/** Connections that TCP is asked for in quick succession. Each of them tries again after 1, 3, 7, 15 and 31 s by itself. */
const QUICK_KNOCKS = 4;
const SLOW_KNOCK_EVERY_MS = 5000;
/** Browsers make six connections to a server with cookies, and six without. */
const MOST_KNOCKS = 12;
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
      if (GONE.includes(status) || refusals > 1) throw lost(error);
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
  throw lost();
}

/**
 * Ask the server again and again for any answer at all. The requests overlap, since one that hangs must not hold up the
 * rest; and none is given up, since the next would get its connection, which TCP tries again ever more seldom.
 * @param {string} url
 * @param {string} secret
 * @param {AbortSignal} signal
 * @returns {Promise<RTCIceServer[]>} the relays that it hands out
 */
async function reach(url, secret, signal) {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  let pending = 0;
  /** @type {number | undefined} */
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      const wait = () => {
        clearTimeout(timer);
        const every = pending < QUICK_KNOCKS ? KNOCK_EVERY_MS : SLOW_KNOCK_EVERY_MS;
        if (pending < MOST_KNOCKS && !either.aborted) timer = setTimeout(knock, every);
      };
      const knock = () => {
        const credentials = pending % 2 === 0 ? 'same-origin' : 'omit';
        pending += 1;
        askRelays({ url, secret, credentials, signal: either }).then(resolve, () => {
          pending -= 1;
          wait();
        });
        wait();
      };
      knock();
      refused(signal).catch(reject);
    });
  } finally {
    clearTimeout(timer);
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
