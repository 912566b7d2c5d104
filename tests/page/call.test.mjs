import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, MOVES } from '../../src/vivavoce/page/call.js';

const states = Object.keys(MOVES);
const FINAL = ['ended', 'failed'];
const nextOf = (state) => Object.values(MOVES[state]);

test('every move leads to a state that exists', () => {
  for (const next of states.flatMap(nextOf)) assert.ok(states.includes(next), next);
});

test('every state can be reached from idle', () => {
  const reached = new Set(['idle']);
  for (const state of reached) nextOf(state).forEach((next) => reached.add(next));
  assert.deepEqual([...reached].sort(), [...states].sort());
});

test('a call can be hung up in every state but the last ones, and those are left no more', () => {
  for (const state of states) {
    if (FINAL.includes(state)) assert.deepEqual(MOVES[state], {});
    else assert.equal(MOVES[state]['hung up'], 'ended', state);
  }
});

test('whatever is under way can fail', () => {
  for (const state of states.filter((name) => name !== 'idle' && !FINAL.includes(name))) {
    assert.equal(MOVES[state].failed, 'failed', state);
  }
});

test('a connection that falters can come back, and nothing but that makes a call connected twice', () => {
  const moves = states.flatMap((state) => Object.entries(MOVES[state]).map(([move, next]) => [state, move, next]));
  const ways = moves.filter(([, , next]) => next === 'connected').map(([state, move]) => [state, move]);
  assert.deepEqual(ways, [['connecting', 'opened'], ['disrupted', 'recovered']]);
});

const call = () => new Call({
  url: 'http://127.0.0.1:9', fetchSecret: async () => 'ek_never_used', microphone: null, muted: false, audio: {},
  tools: [], retrieveUpToMs: Infinity, iceServers: [],
});

test('hanging up before the start ends the call, and it cannot be started any more', async () => {
  const early = call();
  early.hangUp();
  assert.deepEqual([early.state, early.endedBy], ['ended', 'us']);
  await assert.rejects(early.start(), /ended/);
  assert.equal(early.state, 'ended');
});

test('a call that cannot be made says why, tells its listeners and stays failed', async () => {
  const hopeless = call(); // Node has no WebRTC
  const seen = [];
  hopeless.addEventListener('state', () => seen.push(hopeless.state));
  await assert.rejects(hopeless.start(), { name: 'Failure', kind: 'fault' });
  hopeless.hangUp();
  assert.deepEqual(seen, ['asking microphone', 'negotiating', 'failed']);
  assert.equal(hopeless.state, 'failed');
  assert.match(hopeless.failure.message, /RTCPeerConnection/);
});

test('hanging up while the browser still asks for the microphone is no failure, and nothing is opened after it', async () => {
  const hasty = call();
  const started = hasty.start();
  hasty.hangUp();
  await started;
  assert.deepEqual([hasty.state, hasty.endedBy, hasty.failure, hasty.connection], ['ended', 'us', null, null]);
});
