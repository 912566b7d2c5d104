/**
 * How good a call is: figures read from the browser once a second, and the time from the end of a turn to the first
 * sound of its answer. A figure that cannot be measured is null, never a guess.
 */

/**
 * @typedef {object} Figures
 * @property {number | null} roundTripMs to the other side and back, over the path that carries the sound
 * @property {number | null} lossInPercent packets lost on the way to us in the last second that should have had some
 * @property {number | null} lossOutPercent packets lost on the way to the other side, as it last reported
 * @property {number | null} jitterMs of the packets that reach us
 * @property {number | null} bufferMs how long sound waits here before it is played, mean of the last second with sound
 * @property {number | null} concealedPercent share of the sound that had to be made up, same second
 * @property {string | null} path how the sound travels: `direct, UDP`, `through a relay, TCP` …
 * @property {string | null} codec
 * @property {number | null} answerMs from `input_audio_buffer.speech_stopped` to the first sound of the last answer
 */

/** @typedef {Record<'received' | 'lost' | 'samples' | 'concealed' | 'emitted' | 'waitedS', number>} Counters */

/** @type {Figures} */
export const UNKNOWN = Object.freeze({
  roundTripMs: null, lossInPercent: null, lossOutPercent: null, jitterMs: null, bufferMs: null, concealedPercent: null,
  path: null, codec: null, answerMs: null,
});

/** Sound counts as heard from here on: above the noise of a decoder at rest, far below quiet speech. */
const AUDIBLE_RMS = 0.003;
/** How long to look for sound after the server says that it plays, before its word is taken for it. */
const PATIENCE_MS = 400;
const LOOK_EVERY_MS = 10;

/**
 * @param {number} part
 * @param {number} whole
 * @returns {number | null}
 */
const percent = (part, whole) => (whole > 0 ? Math.max(0, (100 * part) / whole) : null);

/**
 * Pure: figures from one report of `getStats`, and the counters to compare the next one with.
 * @param {ReadonlyMap<string, any>} report
 * @param {Counters | null} before
 * @returns {{figures: Figures, counters: Counters}}
 */
export function read(report, before) {
  const all = [...report.values()];
  const inbound = all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio') ?? {};
  const outbound = all.find(({ type, kind }) => type === 'remote-inbound-rtp' && kind === 'audio') ?? {};
  const transport = all.find(({ type }) => type === 'transport');
  const pair = report.get(transport?.selectedCandidatePairId) ?? {};
  const counters = {
    received: inbound.packetsReceived ?? 0, lost: inbound.packetsLost ?? 0,
    samples: inbound.totalSamplesReceived ?? 0,
    concealed: (inbound.concealedSamples ?? 0) - (inbound.silentConcealedSamples ?? 0),
    emitted: inbound.jitterBufferEmittedCount ?? 0, waitedS: inbound.jitterBufferDelay ?? 0,
  };
  const was = before ?? { received: 0, lost: 0, samples: 0, concealed: 0, emitted: 0, waitedS: 0 };
  const lost = counters.lost - was.lost;
  const emitted = counters.emitted - was.emitted;
  const roundTripS = pair.currentRoundTripTime ?? outbound.roundTripTime;
  const figures = {
    ...UNKNOWN,
    roundTripMs: roundTripS === undefined ? null : 1000 * roundTripS,
    lossInPercent: percent(lost, lost + counters.received - was.received),
    lossOutPercent: outbound.fractionLost === undefined ? null : 100 * outbound.fractionLost,
    jitterMs: inbound.jitter === undefined ? null : 1000 * inbound.jitter,
    bufferMs: emitted > 0 ? (1000 * (counters.waitedS - was.waitedS)) / emitted : null,
    concealedPercent: percent(counters.concealed - was.concealed, counters.samples - was.samples),
    path: pathOf(report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)),
    codec: report.get(inbound.codecId)?.mimeType?.replace('audio/', '') ?? null,
  };
  return { figures, counters };
}

/**
 * @param {Record<string, any> | undefined} local
 * @param {Record<string, any> | undefined} remote
 * @returns {string | null}
 */
function pathOf(local, remote) {
  if (!local || !remote) return null;
  const relayed = local.candidateType === 'relay' || remote.candidateType === 'relay';
  return `${relayed ? 'through a relay' : 'direct'}, ${String(local.relayProtocol ?? local.protocol).toUpperCase()}`;
}

/** Reads a call's figures while it lasts. */
export class Quality {
  figures = UNKNOWN;
  #timers = new Set();
  /** @type {number | null} */
  #stoppedAt = null;

  /**
   * @param {RTCPeerConnection} connection
   * @param {() => number} soundRms how loud the other side is now
   * @param {(figures: Figures) => void} tell called with each new reading
   */
  constructor(connection, soundRms, tell) {
    this.connection = connection;
    this.soundRms = soundRms;
    this.tell = tell;
    /** @type {Counters | null} */
    let before = null;
    this.#every(1000, async () => {
      const { figures, counters } = read(/** @type {any} */ (await connection.getStats()), before);
      before = counters;
      const { answerMs, lossInPercent, bufferMs, concealedPercent } = this.figures;
      this.#publish({
        ...figures, answerMs, lossInPercent: figures.lossInPercent ?? lossInPercent,
        bufferMs: figures.bufferMs ?? bufferMs, concealedPercent: figures.concealedPercent ?? concealedPercent,
      });
    });
  }

  /**
   * Watch the marks of a turn go by.
   * @param {import('./conversation.js').WireEvent} event
   */
  note({ type }) {
    if (type === 'input_audio_buffer.speech_stopped') this.#stoppedAt = performance.now();
    if (type === 'input_audio_buffer.speech_started') this.#stoppedAt = null;
    if (type === 'output_audio_buffer.started' && this.#stoppedAt !== null) {
      this.#awaitSound(this.#stoppedAt, performance.now());
      this.#stoppedAt = null;
    }
  }

  close() {
    this.#timers.forEach(clearInterval);
    this.#timers.clear();
  }

  /**
   * @param {number} stoppedAt
   * @param {number} startedAt
   */
  #awaitSound(stoppedAt, startedAt) {
    const timer = this.#every(LOOK_EVERY_MS, () => {
      const now = performance.now();
      if (this.soundRms() < AUDIBLE_RMS && now - startedAt < PATIENCE_MS) return;
      clearInterval(timer);
      this.#timers.delete(timer);
      const heardAt = now - startedAt < PATIENCE_MS ? now : startedAt;
      this.#publish({ ...this.figures, answerMs: heardAt - stoppedAt });
    });
  }

  /**
   * @param {number} ms
   * @param {() => void} work
   */
  #every(ms, work) {
    const timer = setInterval(work, ms);
    this.#timers.add(timer);
    return timer;
  }

  /** @param {Figures} figures */
  #publish(figures) {
    if (this.#timers.size === 0) return; // closed while a report was being read
    this.figures = figures;
    this.tell(figures);
  }
}
