/** One connection of a call: sound both ways and a channel of text. It knows nothing of what is said over them. */

/** Candidates of the own machine are there at once; waiting for slow STUN servers would only delay the call. */
const GATHER_WITHIN_MS = 300;

/**
 * What the call wants to know of it. Nothing is told any more once the link is closed.
 * @typedef {object} Owner
 * @property {(stream: MediaStream) => void} hears the other side's sound
 * @property {(text: string) => void} reads a message has come
 * @property {() => void} left the other side has closed it
 * @property {(state: RTCPeerConnectionState) => void} changed
 */

export class Link {
  /** @type {RTCPeerConnection} */ connection;
  /** Settles when text can be sent. @type {Promise<unknown>} */ opened;
  /** @type {RTCDataChannel} */ #channel;

  /**
   * @param {RTCIceServer[]} iceServers
   * @param {MediaStream | null} microphone null: only listens
   * @param {Owner} owner
   */
  constructor(iceServers, microphone, owner) {
    const connection = this.connection = new RTCPeerConnection({ iceServers });
    connection.ontrack = ({ track }) => owner.hears(new MediaStream([track]));
    connection.onconnectionstatechange = () => owner.changed(connection.connectionState);
    // The protocol wants the channel in the offer, and an audio section even from those who only listen.
    this.#channel = connection.createDataChannel('oai-events');
    this.opened = new Promise((resolve) => { this.#channel.onopen = resolve; });
    this.#channel.onmessage = ({ data }) => owner.reads(String(data));
    this.#channel.onclose = owner.left;
    if (microphone === null) connection.addTransceiver('audio', { direction: 'recvonly' });
    else for (const track of microphone.getTracks()) connection.addTrack(track, microphone);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<string>} an offer with the candidates of this machine
   */
  async offer(signal) {
    const { connection } = this;
    await connection.setLocalDescription();
    if (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => {
        connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve(null);
        setTimeout(resolve, GATHER_WITHIN_MS);
      });
    }
    signal.throwIfAborted();
    return connection.localDescription?.sdp ?? '';
  }

  /** @param {string} sdp the other side's answer */
  accept(sdp) { return this.connection.setRemoteDescription({ type: 'answer', sdp }); }

  /** @param {string} text dropped while the channel is not open */
  send(text) {
    if (this.#channel.readyState === 'open') this.#channel.send(text);
  }

  /** @returns {Promise<number>} packets of any kind that have come so far */
  async packets() {
    const report = /** @type {ReadonlyMap<string, any>} */ (/** @type {unknown} */ (await this.connection.getStats()));
    return [...report.values()].reduce((sum, { type, packetsReceived = 0 }) => (
      type === 'transport' ? sum + packetsReceived : sum), 0);
  }

  close() {
    const { connection } = this;
    connection.ontrack = connection.onconnectionstatechange = connection.onicegatheringstatechange = null;
    this.#channel.onopen = this.#channel.onmessage = this.#channel.onclose = null;
    this.#channel.close();
    connection.close();
  }
}
