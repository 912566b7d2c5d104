/**
 * One call, from the microphone to the hang-up. A call is used once; whatever arrives after its end is ignored, so a
 * late answer of an old call can never touch a new one.
 */

import { comeBack } from './comeback.js';
import { activity, end, handIn, interrupt, newConversation, press, receive, release, say } from './conversation.js';
import { Failure, lost, microphoneFailure } from './failure.js';
import { Lifeline } from './lifeline.js';
import { Link } from './link.js';
import { Meter } from './meter.js';
import { Quality, UNKNOWN } from './quality.js';
import { askRelays, placeCall } from './signalling.js';

/** @typedef {import('./conversation.js').WireEvent} WireEvent */
/** @typedef {import('./conversation.js').Step} Step */
/**
 * @typedef {'idle' | 'asking microphone' | 'negotiating' | 'connecting' | 'connected' | 'disrupted' | 'ended'
 *   | 'failed'} State
 */
/** @typedef {'start' | 'listen' | 'answered' | 'opened' | 'faltered' | 'recovered' | 'hung up' | 'failed'} Move */

/**
 * A function that the other side may ask for.
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} [description]
 * @property {Record<string, unknown>} parameters JSON schema
 * @property {(args: any) => unknown} run its result, or the promise of it, goes back as JSON
 */

/**
 * @typedef {object} CallOptions
 * @property {string} url the server
 * @property {(signal: AbortSignal) => Promise<string>} fetchSecret
 * @property {MediaTrackConstraints | null} microphone null: a call in which the user only types and listens
 * @property {boolean} muted whether the call begins without sending sound
 * @property {HTMLAudioElement} audio where the other side is heard
 * @property {readonly Tool[]} tools
 * @property {number} retrieveUpToMs see `Conversation`
 * @property {RTCIceServer[] | 'server'} iceServers or those that the server hands out
 */

/** Every legal move. What is not here does not happen. @type {Record<State, Partial<Record<Move, State>>>} */
export const MOVES = {
  'idle': { 'start': 'asking microphone', 'hung up': 'ended' },
  'asking microphone': { 'listen': 'negotiating', 'hung up': 'ended', 'failed': 'failed' },
  'negotiating': { 'answered': 'connecting', 'hung up': 'ended', 'failed': 'failed' },
  'connecting': { 'opened': 'connected', 'hung up': 'ended', 'failed': 'failed' },
  'connected': { 'faltered': 'disrupted', 'hung up': 'ended', 'failed': 'failed' },
  'disrupted': { 'recovered': 'connected', 'hung up': 'ended', 'failed': 'failed' },
  'ended': {},
  'failed': {},
};

const CONNECT_WITHIN_MS = 20_000;
const TOO_SLOW = `No connection within ${CONNECT_WITHIN_MS / 1000} s. Does a firewall block UDP to the server?`;
const NO_PATH = 'The server answered, but no way for the sound was found. Does a firewall block UDP?';
const HELD_BACK = 'The browser holds the sound back. Click anywhere or press a key to hear it.';
const NOT_SECURE = 'Browsers give the microphone only to https pages and to pages of this computer. '
  + 'Open the page by https, or as http://127.0.0.1.';
const SILENCED = 'The system has silenced the microphone, so you are not heard.';
const UNPLUGGED = 'The microphone was disconnected. Hang up and call again to use another one.';
const LOOK_EVERY_MS = 100;
/** The last syllable is still under way when the button is let go. */
const TAIL_MS = 200;

/**
 * Tells `state` when the state changed, `conversation` when a caption or the activity changed, `figures` once a second,
 * `notice` (its `detail` a sentence) when something went wrong that does not end the call, and `event` (its `detail`
 * the event) for each event of the server.
 */
export class Call extends EventTarget {
  /** @type {State} */ state = 'idle';
  /** Why the call failed. @type {Failure | null} */ failure = null;
  /** Who hung up. @type {'us' | 'peer' | null} */ endedBy = null;
  conversation = newConversation();
  /** The server's name for this call, where it tells. @type {string | null} */ id = null;
  /** The user's sound. @type {MediaStream | null} */ microphone = null;
  /** When the call was connected, in ms of `performance.now()`. @type {number | null} */ connectedAt = null;
  /** When it ended or failed, likewise. @type {number | null} */ endedAt = null;
  /** @type {CallOptions} */ #options;
  /** The connection that the call goes over. @type {Link | null} */ #link = null;
  /** Where the server keeps the session of a lost connection. @type {Lifeline | null} */ #lifeline = null;
  /** What is being done about a silent connection. @type {{from: Link | null, stop: AbortController} | null} */
  #return = null;
  #secret = '';
  /** @type {AudioContext | null} */ #context = null;
  /** @type {{user: Meter | null, remote: Meter | null}} */ #meters = { user: null, remote: null };
  /** @type {Quality | null} */ #quality = null;
  #scope = new AbortController();
  /** @type {number | undefined} */ #timer;
  /** @type {number | undefined} */ #watch;
  /** Runs between letting go and the end of the turn. @type {number | undefined} */ #tail;

  /** @param {CallOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.conversation = newConversation(options.retrieveUpToMs);
  }

  /** What the other side is doing. */
  get activity() { return activity(this.conversation); }

  /** @type {readonly import('./conversation.js').Caption[]} */
  get captions() { return this.conversation.captions; }

  get connection() { return this.#link?.connection ?? null; }

  get figures() { return this.#quality?.figures ?? UNKNOWN; }

  /** How loud both sides are now, 0 to 1 as the ear takes it. */
  get levels() { return { user: this.#meters.user?.level ?? 0, remote: this.#meters.remote?.level ?? 0 }; }

  /** Whether no sound of the user is sent. */
  get muted() { return !this.microphone?.getAudioTracks().some((track) => track.enabled); }

  set muted(muted) {
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#tell('state');
  }

  /**
   * Place the call. Settles when it is connected.
   * @throws {Failure}
   */
  async start() {
    if (this.state !== 'idle') throw new Error(`This call is ${this.state}; a call is placed once, make a new one.`);
    const { signal } = this.#scope;
    this.#move('start');
    try {
      await this.#openMicrophone(signal);
      signal.throwIfAborted();
      this.#move('listen');
      // From here on no person has to be waited for.
      this.#timer = setTimeout(() => this.#fail(new Failure('too slow', TOO_SLOW)), CONNECT_WITHIN_MS);
      const { url, iceServers } = this.#options;
      const secret = this.#secret = await this.#options.fetchSecret(signal);
      signal.throwIfAborted();
      // A call can do without relays.
      const relays = iceServers === 'server' ? await askRelays({ url, secret, signal }).catch(() => []) : [];
      signal.throwIfAborted();
      const link = this.#link = this.#makeLink(relays);
      this.#context = new AudioContext();
      if (this.microphone) this.#meters.user = new Meter(this.#context, this.microphone);
      const sdp = await link.offer(signal);
      const answer = await placeCall({ url, secret, sdp, signal });
      signal.throwIfAborted();
      this.id = answer.callId;
      if (answer.ticket) this.#lifeline = new Lifeline(answer.ticket, performance.now());
      this.#move('answered');
      await link.accept(answer.sdp);
      link.opened.then(() => this.#move('opened'));
    } catch (error) {
      this.#fail(error);
    }
    await this.#settled();
  }

  /** End the call and give everything back: microphone, connection, sound. Harmless when it has ended. */
  hangUp() { this.#end('us'); }

  /** Send any client event. @param {WireEvent} event */
  send(event) {
    this.#link?.send(this.#lifeline?.send(event) ?? JSON.stringify(event));
  }

  /** Say something in writing. @param {string} text */
  say(text) { this.#take(say(this.conversation, text)); }

  /** Make the other side stop talking. */
  interrupt() { this.#take(interrupt(this.conversation)); }

  /** Push to talk, pressed. */
  press() {
    this.muted = false;
    clearTimeout(this.#tail);
    if (this.#tail !== undefined) {
      this.#tail = undefined; // taken back at once: it is still the same turn
      return;
    }
    this.#take(press(this.conversation));
  }

  /** Push to talk, let go. */
  release() {
    this.#tail = setTimeout(() => {
      this.#tail = undefined;
      this.muted = true;
      this.#take(release(this.conversation));
    }, TAIL_MS);
  }

  /** @param {AbortSignal} signal */
  async #openMicrophone(signal) {
    const { microphone } = this.#options;
    if (microphone === null) return;
    if (!navigator.mediaDevices) throw new Failure('not secure', NOT_SECURE);
    const stream = await navigator.mediaDevices.getUserMedia({ audio: microphone })
      .catch((error) => { throw microphoneFailure(error); });
    if (signal.aborted) { // hung up while the browser still asked
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.microphone = stream;
    for (const track of stream.getTracks()) {
      track.enabled = !this.#options.muted;
      track.onended = () => this.#notice(UNPLUGGED);
      track.onmute = () => this.#notice(SILENCED);
    }
  }

  /** @param {RTCIceServer[]} relays of the server @returns {Link} */
  #makeLink(relays) {
    const { iceServers } = this.#options;
    return new Link(iceServers === 'server' ? relays : iceServers, this.microphone, {
      hears: (stream) => this.#hear(stream),
      reads: (text) => this.#receive(text),
      left: () => this.#left(),
      changed: (state) => this.#connectionChanged(state),
    });
  }

  /** @param {MediaStream} stream the other side's sound */
  #hear(stream) {
    const { audio } = this.#options;
    audio.autoplay = true;
    audio.srcObject = stream;
    audio.play().catch(() => {
      if (this.#scope.signal.aborted) return;
      this.#notice(HELD_BACK);
      for (const gesture of ['pointerdown', 'keydown']) {
        addEventListener(gesture, () => { audio.play(); this.#context?.resume(); }, { signal: this.#scope.signal });
      }
    });
    this.#meters.remote?.close();
    if (this.#context) this.#meters.remote = new Meter(this.#context, stream);
  }

  /** @param {RTCPeerConnectionState} now */
  #connectionChanged(now) {
    if (this.#lifeline && this.connectedAt) return; // that knows better, and sooner
    if (now === 'disconnected') this.#move('faltered');
    if (now === 'connected') this.#move('recovered');
    if (now === 'failed') this.#fail(this.connectedAt ? lost() : new Failure('too slow', NO_PATH));
  }

  /** The server has closed the connection: to end the call, or because the session goes on over another. */
  #left() {
    if (this.#return) return; // which will show
    if (this.#lifeline?.fenced(performance.now())) this.#lose(this.#lifeline, null);
    else this.#end('peer');
  }

  /** @param {string} text one message of the server */
  #receive(text) {
    if (this.endedAt !== null) return;
    let step;
    try {
      /** @type {WireEvent} */
      const event = JSON.parse(text);
      if (this.#lifeline && !this.#lifeline.receive(event, performance.now())) return;
      this.#quality?.note(event);
      step = receive(this.conversation, event);
      this.dispatchEvent(new CustomEvent('event', { detail: event }));
    } catch (error) {
      this.#notice(`The server sent a message that cannot be read (${error}).`);
      return;
    }
    this.#take(step);
  }

  /** Carry out what the conversation decided. @param {Step} step */
  #take({ conversation, send, run, trouble }) {
    const changed = conversation !== this.conversation;
    this.conversation = conversation;
    send.forEach((event) => this.send(event));
    if (run.length > 0) this.#run(run);
    if (trouble !== null) this.#notice(trouble);
    if (changed) this.#tell('conversation');
  }

  /** @param {import('./conversation.js').ToolCall[]} calls */
  async #run(calls) {
    const results = await Promise.all(calls.map(async ({ callId, name, arguments: text }) => {
      try {
        const tool = this.#options.tools.find((candidate) => candidate.name === name);
        if (!tool) throw new Error(`There is no tool called ${name}.`);
        return { callId, output: JSON.stringify(await tool.run(JSON.parse(text)) ?? null) };
      } catch (error) {
        return { callId, output: JSON.stringify({ error: String(error) }) };
      }
    }));
    this.#take(handIn(this.conversation, results));
  }

  /** See whether the server is still heard. @param {Lifeline} lifeline */
  async #look(lifeline) {
    const link = this.#link;
    const ping = lifeline.ping(performance.now());
    if (ping !== null) link?.send(ping);
    if (link && lifeline.verdict(performance.now()) !== 'alive') {
      const packets = await link.packets();
      if (link !== this.#link) return;
      lifeline.count(packets, performance.now());
    }
    const silent = lifeline.verdict(performance.now()) === 'silent';
    if (silent && this.state === 'connected') {
      this.#lose(lifeline, link);
    } else if (!silent && this.#return && this.#return.from === link) { // it lives after all
      this.#return.stop.abort();
      this.#return = null;
      lifeline.stays();
      this.#move('recovered');
    }
  }

  /** @param {Lifeline} lifeline @param {Link | null} from the connection that is silent, where it may yet be heard again */
  #lose(lifeline, from) {
    this.#move('faltered');
    this.#comeBack(lifeline, from);
  }

  /** Go on with the same session over another connection. @param {Lifeline} lifeline @param {Link | null} from */
  async #comeBack(lifeline, from) {
    const { url, fetchSecret } = this.#options;
    const attempt = this.#return = { from, stop: new AbortController() };
    const signal = AbortSignal.any([this.#scope.signal, attempt.stop.signal]);
    try {
      const link = await comeBack({
        url, fetchSecret, lifeline, secret: this.#secret, callId: this.id ?? '',
        makeLink: (relays) => this.#makeLink(relays),
        take: (next) => {
          this.#link?.close();
          this.#link = next;
        },
      }, signal);
      lifeline.begin(performance.now()).forEach((text) => link.send(text));
      this.#return = null;
      this.#move('recovered');
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!MOVES[this.state].failed) return;
    this.failure = error instanceof Failure ? error : new Failure('fault', `The call broke off: ${error}`, error);
    this.#move('failed');
  }

  /** @param {'us' | 'peer'} by */
  #end(by) {
    if (MOVES[this.state]['hung up']) this.endedBy = by;
    this.#move('hung up');
  }

  /** @param {Move} move */
  #move(move) {
    const next = MOVES[this.state][move];
    if (next === undefined) return;
    this.state = next;
    if (next === 'connected') this.#connected();
    if (next === 'ended' || next === 'failed') this.#release();
    this.#tell('state');
  }

  #connected() {
    clearTimeout(this.#timer);
    this.connectedAt ??= performance.now();
    const lifeline = this.#lifeline;
    if (lifeline && !this.#watch) this.#watch = setInterval(() => this.#look(lifeline), LOOK_EVERY_MS);
    if (!this.connection || this.#quality?.connection === this.connection) return;
    this.#quality?.close();
    this.#quality = new Quality(this.connection, () => this.#meters.remote?.rms ?? 0, () => this.#tell('figures'));
  }

  /** The one place where everything that a call took is given back. */
  #release() {
    this.endedAt = performance.now();
    clearTimeout(this.#timer);
    clearTimeout(this.#tail);
    clearInterval(this.#watch);
    this.#scope.abort();
    this.#quality?.close();
    this.#meters.user?.close();
    this.#meters.remote?.close();
    this.#meters = { user: null, remote: null };
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.#link?.close();
    this.#context?.close();
    this.#options.audio.srcObject = null;
    this.#take(end(this.conversation));
  }

  /** @returns {Promise<void>} */
  #settled() {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.state === 'failed') reject(this.failure);
        if (['connected', 'disrupted', 'ended'].includes(this.state)) resolve();
      };
      this.addEventListener('state', look);
      look();
    });
  }

  /** @param {string} type */
  #tell(type) { this.dispatchEvent(new Event(type)); }

  /** @param {string} sentence */
  #notice(sentence) { this.dispatchEvent(new CustomEvent('notice', { detail: sentence })); }
}
