import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { askRelays, baseOf, mintSecret, placeCall, readLink, resumeCall } from '../../src/vivavoce/page/signalling.js';

/** A server that answers what its test tells it to, and remembers what it was asked. */
const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  asked = { method: request.method, path: request.url, headers: request.headers, body };
  response.writeHead(reply.status, reply.headers ?? {}).end(reply.body ?? '');
});
let reply = { status: 500 };
let asked = null;
let url = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const mint = () => mintSecret({ url, key: 'the key', session: { type: 'realtime', model: 'm' } });
const place = () => placeCall({ url, secret: 'the secret', sdp: 'v=0\r\noffer\r\n' });

test('addresses with and without a version, a slash or a prefix mean the same server', () => {
  assert.equal(baseOf('https://api.example.org'), 'https://api.example.org/v1');
  assert.equal(baseOf('https://api.example.org/'), 'https://api.example.org/v1');
  assert.equal(baseOf('https://api.example.org/v1/'), 'https://api.example.org/v1');
  assert.equal(baseOf('https://x.openai.azure.com/openai/v1'), 'https://x.openai.azure.com/openai/v1');
  assert.equal(baseOf('http://127.0.0.1:8765/prefix'), 'http://127.0.0.1:8765/prefix/v1');
});

test('what is no web address is refused with an example of one', () => {
  for (const wrong of ['', 'example.org', 'ftp://example.org', 'javascript:alert(1)']) {
    assert.throws(() => baseOf(wrong), { kind: 'refused', message: /https:\/\/example\.org/ });
  }
});

test('a client secret is asked for with the key and the session', async () => {
  reply = { status: 200, body: JSON.stringify({ value: 'ek_made_for_this_test', expires_at: 1, session: {} }) };
  assert.equal(await mint(), 'ek_made_for_this_test');
  assert.deepEqual([asked.method, asked.path], ['POST', '/v1/realtime/client_secrets']);
  assert.equal(asked.headers.authorization, 'Bearer the key');
  assert.deepEqual(JSON.parse(asked.body), { session: { type: 'realtime', model: 'm' } });
});

test('a call is placed with the offer as it is, and its answer keeps the last line end', async () => {
  reply = { status: 201, headers: { Location: '/v1/realtime/calls/rtc_7' }, body: 'v=0\r\nanswer\r\n' };
  assert.deepEqual(await place(), { sdp: 'v=0\r\nanswer\r\n', callId: 'rtc_7', ticket: null });
  assert.deepEqual([asked.path, asked.headers['content-type'], asked.headers.authorization, asked.body],
    ['/v1/realtime/calls', 'application/sdp', 'Bearer the secret', 'v=0\r\noffer\r\n']);
});

test('relays are asked for with the secret, and a server without any is no trouble', async () => {
  const relay = '<turn:relay.example>; rel="ice-server"; username="me"; credential="hunter2"; credential-type="password"';
  reply = { status: 204, headers: { Link: relay } };
  const ask = () => askRelays({ url, secret: 'the secret' });
  assert.deepEqual(await ask(), [{ urls: 'turn:relay.example', username: 'me', credential: 'hunter2' }]);
  assert.deepEqual([asked.method, asked.path, asked.headers.authorization],
    ['OPTIONS', '/v1/realtime/calls', 'Bearer the secret']);
  reply = { status: 405 };
  assert.deepEqual(await ask(), []);
  await assert.rejects(askRelays({ url: 'http://127.0.0.1:9', secret: 'the secret' }));
});

test('a server that keeps sessions says by what one comes back, and is told what was heard of it', async () => {
  reply = { status: 201, body: 'v=0\r\n', headers: { 'Viva-Heartbeat': 'ping', 'Viva-Resume': 'first; max-age=60' } };
  assert.deepEqual((await place()).ticket, { token: 'first', maxAgeMs: 60_000 });
  reply.headers = { 'Viva-Heartbeat': 'ping', 'Viva-Resume': 'second; max-age=60', 'Viva-Last-Event': 'viva_3' };
  const back = (lastEventId) => resumeCall({
    url, secret: 'the secret', callId: 'rtc_7', claim: { token: 'first', lastEventId, silentMs: 940 }, sdp: 'v=0\r\n',
  });
  assert.deepEqual(await back('event_9'),
    { sdp: 'v=0\r\n', callId: null, ticket: { token: 'second', maxAgeMs: 60_000 }, lastRead: 'viva_3' });
  const { path, headers } = asked;
  assert.deepEqual([path, headers.authorization, headers['viva-resume'], headers['viva-silent-ms'], headers['last-event-id']],
    ['/v1/realtime/calls/rtc_7/resume', 'Bearer the secret', 'first', '940', 'event_9']);
  await back(null);
  assert.ok(!('last-event-id' in asked.headers));
  reply = { status: 404, body: '{}' };
  await assert.rejects(back(null), { kind: 'refused', cause: 404 });
});

test('of a header only usable ICE servers are read', () => {
  assert.deepEqual(readLink('</next>; rel="next", <turn:no.credential>; rel="ice-server", <stun:stun.example>;rel=ice-server, '
    + '<turn:relay.example>; rel="ice-server"; username="a \\"b\\""; credential="c, <turn:evil>; d"'), [
    { urls: 'stun:stun.example' },
    { urls: 'turn:relay.example', username: 'a "b"', credential: 'c, <turn:evil>; d' },
  ]);
  assert.deepEqual(readLink(''), []);
});

test('a server that hides the address of the call is no trouble', async () => {
  reply = { status: 201, body: 'v=0\r\n' };
  assert.equal((await place()).callId, null);
});

test('a wrong key is told in the words of the server', async () => {
  const error = { message: 'Incorrect API key provided.', code: 'invalid_api_key' };
  reply = { status: 401, body: JSON.stringify({ error }) };
  for (const request of [mint, place]) {
    await assert.rejects(request(), { kind: 'key refused', message: 'Incorrect API key provided. (status 401)' });
  }
});

test('a refusal without words still says what happened', async () => {
  reply = { status: 502, body: '<html>Bad gateway</html>' };
  await assert.rejects(place(), { kind: 'refused', message: /no reason.*502/ });
  reply = { status: 403, body: '' };
  await assert.rejects(place(), { kind: 'key refused', message: /403/ });
});

test('what is not a Realtime API server is called that', async () => {
  for (const body of ['<html>hello</html>', '{}', '{"value": 7}', 'null']) {
    reply = { status: 200, body };
    await assert.rejects(mint(), { kind: 'bad answer' });
    await assert.rejects(place(), { kind: 'bad answer' });
  }
});

test('a server that is not there is named', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  gone.close();
  await once(gone, 'close');
  await assert.rejects(placeCall({ url: `http://127.0.0.1:${port}`, secret: 's', sdp: 'v=0' }),
    { kind: 'unreachable', message: new RegExp(`127\\.0\\.0\\.1:${port}`) });
});

test('a request that was given up is not blamed on the server', async () => {
  const reason = new Error('hung up');
  await assert.rejects(placeCall({ url, secret: 's', sdp: 'v=0', signal: AbortSignal.abort(reason) }), reason);
});
