import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DOUBT_AFTER_MS, Lifeline, PATIENT_MS, SILENT_AFTER_MS, UNANSWERED_MS,
} from '../../src/vivavoce/page/lifeline.js';

const TICKET = { token: 'first', maxAgeMs: 60_000 };
const NEXT = { token: 'second', maxAgeMs: 60_000 };
const lifeline = () => new Lifeline(TICKET, 0);
const event = (id) => ({ type: 'response.output_text.delta', event_id: id });
const idOf = (text) => JSON.parse(text).event_id;

/** So many ms go by, in which the page looks ten times a second; ids of the pings that it sends. */
function run(line, from, until) {
  const pings = [];
  for (let now = from; now <= until; now += 100) {
    line.verdict(now);
    const ping = line.ping(now);
    if (ping !== null) pings.push(idOf(ping));
  }
  return pings;
}

test('pings go three times a second, and more often when nothing has come for a while', () => {
  const line = lifeline();
  assert.equal(run(line, 0, 400).length, 2);
  assert.equal(run(line, 500, 900).length, 5);
});

test('what shows that the server lives: an event, an answer to a ping, any packet', () => {
  for (const sign of [
    (line) => line.receive(event('event_1'), 800),
    (line) => line.receive({ type: 'connection.pong', ping_event_id: 'viva_ping_1' }, 800),
    (line) => { line.count(7, 700); line.count(8, 800); },
  ]) {
    const line = lifeline();
    run(line, 0, 700);
    assert.equal(line.verdict(700), 'doubtful');
    sign(line);
    assert.equal(line.verdict(1000), 'alive');
  }
  const line = lifeline();
  run(line, 0, 900);
  line.count(7, 700);
  line.count(7, 900);
  assert.equal(line.verdict(SILENT_AFTER_MS), 'doubtful');
  assert.equal(line.verdict(SILENT_AFTER_MS + 1), 'silent');
});

test('where a doubt has been wrong, packets get lost, and silence is waited out for longer; for a while', () => {
  const line = lifeline();
  run(line, 0, 500);
  line.receive(event('event_1'), 500);
  run(line, 600, 500 + PATIENT_MS);
  assert.equal(line.verdict(500 + PATIENT_MS), 'doubtful');
  assert.equal(line.verdict(501 + PATIENT_MS), 'silent');
  for (let now = 2400; now < 20_000; now += 100) {
    line.verdict(now);
    line.receive(event(`event_${now}`), now);
  }
  run(line, 20_000, 20_800);
  assert.equal(line.verdict(19_901 + SILENT_AFTER_MS), 'silent');
});

test('packets do not hide for ever that ours do not arrive', () => {
  const line = lifeline();
  for (let now = 0; now <= UNANSWERED_MS; now += 100) {
    line.count(now, now);
    assert.equal(line.verdict(now), 'alive');
  }
  assert.equal(line.verdict(UNANSWERED_MS + 1), 'silent');
});

test('packets of the time before a doubt are no sign of life in it', () => {
  const line = lifeline();
  line.count(7, 500);
  line.receive(event('event_1'), 600);
  line.verdict(1000);
  line.count(90, 1100);
  assert.equal(line.verdict(1100), 'doubtful');
});

test('a page that stood still gives the server time to be heard, and yet tells how long it has heard nothing', () => {
  const line = lifeline();
  assert.equal(line.verdict(20_000), 'alive');
  assert.equal(line.verdict(20_001), 'doubtful');
  assert.equal(line.verdict(20_000 + SILENT_AFTER_MS - DOUBT_AFTER_MS + 1), 'silent');
  assert.equal(line.claim(20_500).silentMs, 20_500);
});

test('an answer to a ping is no news, and neither is what was heard before', () => {
  const line = lifeline();
  assert.ok(line.receive(event('event_1'), 1));
  assert.ok(!line.receive({ type: 'connection.pong', ping_event_id: null }, 2));
  assert.equal(line.claim(3).lastEventId, 'event_1');
  assert.ok(line.receive(event('event_2'), 4)); // over the old connection, while the server was asked
  line.resume(NEXT, null);
  assert.ok(!line.receive(event('event_2'), 5));
  assert.ok(line.receive(event('event_3'), 6));
  assert.deepEqual(line.claim(6), { token: 'second', lastEventId: 'event_3', silentMs: 0 });
});

test('what the old connection tells while nobody goes elsewhere after all comes once', () => {
  const line = lifeline();
  line.claim(1);
  line.receive(event('event_1'), 2);
  line.stays();
  line.resume(NEXT, null);
  assert.ok(line.receive(event('event_1'), 3));
});

test('a connection that is closed soon after the server was asked to go on elsewhere may be closed for that', () => {
  const line = lifeline();
  assert.ok(!line.fenced(1));
  line.claim(1);
  line.stays();
  assert.ok(line.fenced(9_000));
  assert.ok(!line.fenced(11_000));
});

test('what the server has not read is sent again, in order and once', () => {
  const line = lifeline();
  const texts = [1, 2, 3, 4].map((number) => {
    if (number === 2) line.receive({ type: 'connection.pong', ping_event_id: idOf(line.ping(0)) }, 0);
    return line.send({ type: 'response.create', number });
  });
  line.ping(5000);
  line.claim(5000);
  line.resume(NEXT, idOf(texts[1]));
  const later = line.send({ type: 'response.cancel', event_id: 'own' });
  assert.equal(idOf(later), 'own');
  assert.deepEqual(line.begin(6000), [texts[2], texts[3], later]);
  assert.equal(line.verdict(6000), 'alive');
});

test('without a word about what was read, everything since the last answered ping is sent again', () => {
  const line = lifeline();
  line.send({ type: 'response.create' });
  const ping = line.ping(0);
  const text = line.send({ type: 'response.cancel' });
  line.receive({ type: 'connection.pong', ping_event_id: idOf(ping) }, 1);
  line.claim(2);
  line.resume(NEXT, null);
  assert.deepEqual(line.begin(3), [text]);
});

test('a long message names itself near its beginning', () => {
  const text = lifeline().send({ item: { content: 'x'.repeat(100_000) }, type: 'conversation.item.create' });
  assert.match(text, /^\{"type":"conversation.item.create","event_id":"viva_1",/);
});

test('a session is given up when the server keeps it no longer', () => {
  const line = lifeline();
  assert.ok(line.lasts(59_999));
  assert.ok(!line.lasts(60_000));
});
