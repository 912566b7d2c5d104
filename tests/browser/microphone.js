// A microphone in the hand of the test: silence until it is told to say something, then that, then silence again.
{
  const context = new AudioContext({ sampleRate: 48_000 });
  const microphone = context.createMediaStreamDestination();
  navigator.mediaDevices.getUserMedia = async () => microphone.stream;
  globalThis.speakInto = (samples) => {
    const bytes = Uint8Array.from(atob(samples), (letter) => letter.charCodeAt(0));
    const words = new Int16Array(bytes.buffer);
    const buffer = context.createBuffer(1, words.length, context.sampleRate);
    buffer.copyToChannel(Float32Array.from(words, (sample) => sample / 32_768), 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(microphone);
    source.start();
  };
}
