/** How loud a stream is: the microphone after echo cancellation, the remote voice as it is played. */

const QUIET_DB = -60;
const LOUD_DB = -12;

export class Meter {
  #analyser;
  #source;
  #samples;

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream with at least one audio track
   */
  constructor(context, stream) {
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.#source.connect(this.#analyser);
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /**
   * Root mean square of the last 1024 samples (about 20 ms).
   * @returns {number} 0 to 1 of full scale
   */
  get rms() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }

  /**
   * The same as the ear takes it, for a display: decibels from a quiet room to a raised voice.
   * @returns {number} 0 to 1
   */
  get level() {
    const db = 20 * Math.log10(this.rms + 1e-9);
    return Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
  }

  close() {
    this.#source.disconnect();
  }
}
