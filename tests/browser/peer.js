/** The other side of a call, as a test scripts it: real WebRTC, no protocol of its own. Evaluated in an empty page. */
() => {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 330 });
  const gain = new GainNode(context, { gain: 0 });
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  const samples = new Float32Array(analyser.fftSize);
  tone.connect(gain);
  tone.start();

  window.peer = {
    received: [],
    connection: null,
    channel: null,

    async answer(offer) {
      const connection = new RTCPeerConnection();
      const out = new MediaStreamAudioDestinationNode(context);
      gain.connect(out);
      connection.ontrack = ({ track }) => {
        const stream = new MediaStream([track]);
        Object.assign(new Audio(), { srcObject: stream, muted: true }).play(); // or Chromium decodes nothing
        new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
      };
      connection.ondatachannel = ({ channel }) => {
        Object.assign(this, { connection, channel });
        channel.onmessage = ({ data }) => {
          const event = JSON.parse(data);
          if (event.type !== 'connection.ping') this.received.push(event);
          else channel.send(JSON.stringify({ type: 'connection.pong', ping_event_id: event.event_id }));
        };
      };
      await connection.setRemoteDescription({ type: 'offer', sdp: offer });
      connection.getTransceivers()[0].direction = 'sendrecv';
      await connection.getTransceivers()[0].sender.replaceTrack(out.stream.getAudioTracks()[0]);
      await connection.setLocalDescription();
      while (connection.iceGatheringState !== 'complete') {
        await new Promise((resolve) => { connection.onicegatheringstatechange = resolve; });
      }
      return connection.localDescription.sdp;
    },

    say(events) {
      for (const event of events) this.channel.send(JSON.stringify(event));
    },

    sound(level) {
      gain.gain.value = level;
    },

    /** How loud the caller is. */
    get hears() {
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    },
  };
}
