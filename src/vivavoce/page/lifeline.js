/**
 * What a session hangs by when its connection breaks: whether the server is still heard, and what each side has read of
 * the other, so that nothing is missing and nothing comes twice. For servers that keep a session (docs/reference/resumption.md).
 *
 * Pure: it opens nothing, and every `now` is in ms of one clock that never goes back.
 */

/** @typedef {import('./conversation.js').WireEvent} WireEvent */

/**
 * What a server's answer to an offer says about coming back.
 * @typedef {object} Ticket
 * @property {string} token good for one return
 * @property {number} maxAgeMs for how long a session outlives its connection
 */

/**
 * What is said on coming back.
 * @typedef {object} Claim
 * @property {string} token
 * @property {string | null} lastEventId the last event that was received
 * @property {number} silentMs for how long nothing has been heard
 */

/** Three a second. */
export const PING_EVERY_MS = 300;
/** After so long without any sign of life the next ones are asked for more often: under loss some of them get lost. */
export const DOUBT_AFTER_MS = 450;
export const DOUBTING_PING_EVERY_MS = 100;
export const SILENT_AFTER_MS = 900;
/** The same where a doubt has lately been wrong: packets get lost here. */
export const PATIENT_MS = 1800;
const LATELY_MS = 10_000;
/** For so long no text has come although packets do: ours do not get through. */
export const UNANSWERED_MS = 4500;
/** For so long after it was asked to go on elsewhere, a server may close the connection there is. */
const FENCED_MS = 10_000;
/** A page that did not run for so long has heard nothing because it could not listen. */
const STALLED_MS = 600;

export class Lifeline {
  /** @type {Ticket} */ #ticket;
  /** The last event of the server, by its `event_id`. @type {string | null} */ #last = null;
  /** What was sent and may not have been read, oldest first; a ping has no text. @type {{id: string, text: string | null}[]} */
  #sent = [];
  /** What has come since the server was asked to go on elsewhere: it will come again. @type {Set<string> | null} */
  #since = null;
  /** @type {Set<string>} */ #repeated = new Set();
  /** When anything came last. @type {number} */ #heardAt;
  /** When text did. @type {number} */ #readAt;
  #doubtedAt = -Infinity;
  #claimedAt = -Infinity;
  /** @type {number} */ #lookedAt;
  /** When the page last began to run. */ #runsSince = -Infinity;
  #pingedAt = -Infinity;
  #count = 0;
  /** @type {number | null} */ #packets = null;

  /**
   * @param {Ticket} ticket
   * @param {number} now
   */
  constructor(ticket, now) {
    this.#ticket = ticket;
    this.#heardAt = this.#readAt = this.#lookedAt = now;
  }

  // What we send

  /**
   * @param {WireEvent} event
   * @returns {string} the message to send: the event under an id, by which the server says what it has read
   */
  send({ type, event_id: id = `viva_${++this.#count}`, ...rest }) {
    const text = JSON.stringify({ type, event_id: id, ...rest });
    this.#sent.push({ id, text });
    return text;
  }

  /**
   * @param {number} now
   * @returns {string | null} a ping to send, if one is due
   */
  ping(now) {
    const every = now - this.#heardAt <= DOUBT_AFTER_MS ? PING_EVERY_MS : DOUBTING_PING_EVERY_MS;
    if (now - this.#pingedAt < every) return null;
    this.#pingedAt = now;
    const id = `viva_ping_${++this.#count}`;
    this.#sent.push({ id, text: null });
    return JSON.stringify({ type: 'connection.ping', event_id: id });
  }

  // What shows that the server lives

  /**
   * @param {WireEvent} event
   * @param {number} now
   * @returns {boolean} whether it is news: no answer to a ping, and nothing that came before
   */
  receive({ type, event_id: id, ping_event_id: pinged }, now) {
    this.#hear(now);
    this.#readAt = now;
    this.#packets = null;
    if (type === 'connection.pong') {
      this.#read(pinged);
      return false;
    }
    if (id === undefined) return true;
    if (this.#repeated.delete(id)) return false;
    this.#last = id;
    this.#since?.add(id);
    return true;
  }

  /**
   * Packets that have come over the connection so far: any of them is a sign of life.
   * @param {number} packets
   * @param {number} now
   */
  count(packets, now) {
    if (this.#packets !== null && packets > this.#packets) this.#hear(now);
    this.#packets = packets;
  }

  /**
   * What the silence so far means. To be asked ten times a second.
   * @param {number} now
   * @returns {'alive' | 'doubtful' | 'silent'}
   */
  verdict(now) {
    if (now - this.#lookedAt > STALLED_MS) this.#runsSince = now - DOUBT_AFTER_MS;
    this.#lookedAt = now;
    const since = (/** @type {number} */ at) => now - Math.max(at, this.#runsSince);
    if (since(this.#heardAt) > this.#patienceMs(now) || since(this.#readAt) > UNANSWERED_MS) return 'silent';
    return since(this.#heardAt) > DOUBT_AFTER_MS ? 'doubtful' : 'alive';
  }

  // Coming back

  /** @param {number} now @returns {boolean} whether the server still has the session */
  lasts(now) { return now - this.#heardAt < this.#ticket.maxAgeMs; }

  /** @param {number} now @returns {Claim} */
  claim(now) {
    this.#since = new Set();
    this.#claimedAt = now;
    return { token: this.#ticket.token, lastEventId: this.#last, silentMs: Math.round(now - this.#heardAt) };
  }

  /** @param {number} now @returns {boolean} whether a connection that is closed now may be so for another's sake */
  fenced(now) { return now - this.#claimedAt < FENCED_MS; }

  /** The connection there is has come to life again. */
  stays() { this.#since = null; }

  /**
   * The server goes on over another connection. It will repeat what has come since it was asked to.
   * @param {Ticket | null} ticket for the next time, if there is a new one
   * @param {string | null} lastRead the last event of ours that it has read
   */
  resume(ticket, lastRead) {
    this.#ticket = ticket ?? this.#ticket;
    this.#repeated = this.#since ?? new Set();
    this.#since = null;
    this.#packets = null;
    this.#read(lastRead);
    this.#sent = this.#sent.filter(({ text }) => text !== null); // no ping that was lost has an answer to wait for
  }

  /** @param {number} now @returns {string[]} what is to be sent again over the new connection, which now stands */
  begin(now) {
    this.#heardAt = this.#readAt = now;
    return this.#sent.flatMap(({ text }) => text ?? []);
  }

  /** @param {number} now */
  #patienceMs(now) { return now - this.#doubtedAt < LATELY_MS ? PATIENT_MS : SILENT_AFTER_MS; }

  /** @param {number} now */
  #hear(now) {
    const late = now - this.#heardAt;
    if (late > DOUBT_AFTER_MS && late <= this.#patienceMs(now)) this.#doubtedAt = now;
    this.#heardAt = now;
  }

  /** The server has read everything up to there. @param {string | null | undefined} id */
  #read(id) {
    this.#sent.splice(0, 1 + this.#sent.findIndex((sent) => sent.id === id));
  }
}
