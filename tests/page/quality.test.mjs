import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN, read } from '../../src/vivavoce/page/quality.js';

const report = (...stats) => new Map(stats.map((entry) => [entry.id, entry]));

const TRANSPORT = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' };
const PAIR = {
  id: 'P', type: 'candidate-pair', currentRoundTripTime: 0.042, localCandidateId: 'L', remoteCandidateId: 'R',
};
const LOCAL = { id: 'L', type: 'local-candidate', candidateType: 'host', protocol: 'udp' };
const REMOTE = { id: 'R', type: 'remote-candidate', candidateType: 'host', protocol: 'udp' };
const CODEC = { id: 'C', type: 'codec', mimeType: 'audio/opus' };
const inbound = (figures) => ({ id: 'I', type: 'inbound-rtp', kind: 'audio', codecId: 'C', jitter: 0.003, ...figures });
const FIRST = {
  packetsReceived: 100, packetsLost: 0, totalSamplesReceived: 96_000, concealedSamples: 1000,
  silentConcealedSamples: 1000,
  jitterBufferEmittedCount: 96_000, jitterBufferDelay: 96_000 * 0.05,
};
const SECOND = {
  packetsReceived: 145, packetsLost: 5, totalSamplesReceived: 144_000, concealedSamples: 3400,
  silentConcealedSamples: 1000,
  jitterBufferEmittedCount: 144_000, jitterBufferDelay: 96_000 * 0.05 + 48_000 * 0.08,
};

test('before anything was measured every figure is unknown, and none is zero', () => {
  assert.deepEqual(read(report(), null).figures, UNKNOWN);
});

test('a call over a good path', () => {
  const { figures } = read(report(TRANSPORT, PAIR, LOCAL, REMOTE, CODEC, inbound(FIRST)), null);
  assert.deepEqual(figures, {
    ...UNKNOWN, roundTripMs: 42, lossInPercent: 0, jitterMs: 3, bufferMs: 50, concealedPercent: 0,
    path: 'direct, UDP', codec: 'opus',
  });
});

test('loss, waiting and made-up sound are of the time since the last reading, not of the whole call', () => {
  const { counters } = read(report(inbound(FIRST)), null);
  const { figures } = read(report(inbound(SECOND)), counters);
  assert.deepEqual([figures.lossInPercent, Math.round(figures.bufferMs), figures.concealedPercent], [10, 80, 5]);
});

test('while nothing arrives loss is unknown, not zero', () => {
  const { counters } = read(report(inbound(FIRST)), null);
  const { figures } = read(report(inbound(FIRST)), counters);
  assert.deepEqual([figures.lossInPercent, figures.bufferMs, figures.concealedPercent], [null, null, null]);
});

test('a packet that comes after it was counted as lost does not make loss negative', () => {
  const { counters } = read(report(inbound(SECOND)), null);
  const late = inbound({ ...SECOND, packetsReceived: 190, packetsLost: 4 });
  assert.equal(read(report(late), counters).figures.lossInPercent, 0);
});

test('what the other side loses is what it reports', () => {
  const remote = { id: 'O', type: 'remote-inbound-rtp', kind: 'audio', fractionLost: 0.125, roundTripTime: 0.2 };
  const { figures } = read(report(remote), null);
  assert.deepEqual([figures.lossOutPercent, figures.roundTripMs], [12.5, 200]);
});

test('a relay is called one, with the protocol that leads to it', () => {
  const relay = { ...LOCAL, candidateType: 'relay', protocol: 'udp', relayProtocol: 'tcp' };
  assert.equal(read(report(TRANSPORT, PAIR, relay, REMOTE), null).figures.path, 'through a relay, TCP');
});
