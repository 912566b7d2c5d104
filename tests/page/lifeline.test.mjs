import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOUBT_AFTER_MS, Lifeline, SILENT_AFTER_MS } from '../../src/vivavoce/page/lifeline.js';

const TICKET = { token: 'first', maxAgeMs: 60_000 };
const NEXT = { token: 'second', maxAgeMs: 60_000 };
const lifeline = () => new Lifeline(TICKET, 0);
const event = (id) => ({ type: 'response.output_text.delta', event_id: id });
const idOf = (text) => JSON.parse(text).event_id;

/** So many ms go by, in which the page looks ten times a second; ids of the pings that it sends. */
function run(line, from, until) {
  const pings = [];
  for (let now = from; now <= until; now += 100) {
    line.silence(now);
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
    sign(line);
    assert.equal(line.silence(1000), 200);
  }
  const line = lifeline();
  run(line, 0, 900);
  line.count(7, 700);
  line.count(7, 900);
  assert.ok(line.silence(1000) > SILENT_AFTER_MS);
});

test('packets of the time before a doubt are no sign of life in it', () => {
  const line = lifeline();
  line.count(7, 500);
  line.receive(event('event_1'), 600);
  line.silence(1000);
  line.count(90, 1100);
  assert.equal(line.silence(1100), 500);
});

test('a page that stood still gives the server time to be heard, and yet tells how long it has heard nothing', () => {
  const line = lifeline();
  assert.equal(line.silence(20_000), DOUBT_AFTER_MS);
  assert.ok(line.silence(20_500) > SILENT_AFTER_MS);
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
  assert.equal(line.silence(6000), 0);
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
