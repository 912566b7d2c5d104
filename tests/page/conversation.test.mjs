/**
 * Replays transcripts: one step of a conversation per line, what the server says and the user does, and what a reader
 * sees then. `{"why": …}` says what a transcript shows; `{"server": event}` is an event of the server;
 * `{"do": command, "with": argument}` a command of the user; `{"see": …}` what is to be seen since the last one:
 * `captions` as `[role, state, text]`, the other side's `activity`, and what was `sent`, `run` or told as `trouble`.
 */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as conversations from '../../src/vivavoce/page/conversation.js';

const FOLDER = new URL('transcripts/', import.meta.url);

function replay(lines) {
  let conversation = conversations.newConversation(lines.find(({ start }) => start)?.start.retrieveUpToMs);
  let since = { sent: [], run: [], trouble: [] };
  for (const [at, line] of lines.entries()) {
    if (line.see) {
      compare(line.see, conversation, since, `step ${at + 1}`);
      since = { sent: [], run: [], trouble: [] };
      continue;
    }
    if (!line.server && !line.do) continue;
    const before = structuredClone(conversation);
    const step = line.server
      ? conversations.receive(conversation, line.server) : conversations[line.do](conversation, line.with);
    assert.deepEqual(conversation, before, `step ${at + 1} changed the conversation it was given`);
    conversation = step.conversation;
    since.sent.push(...step.send);
    since.run.push(...step.run);
    if (step.trouble !== null) since.trouble.push(step.trouble);
  }
}

/** Only what a step names is compared, but nothing may be sent, run or told that it does not name. */
function compare(see, conversation, since, where) {
  const { captions, activity, outputs, sent = [], run = [], trouble = [] } = see;
  const read = conversation.captions.map(({ role, state, text }) => [role, state, text]);
  if (captions) assert.deepEqual(read, captions, where);
  if (outputs) assert.deepEqual(conversation.captions.flatMap(({ output }) => output ?? []), outputs, where);
  if (activity) assert.equal(conversations.activity(conversation), activity, where);
  assert.deepEqual(since, { sent, run, trouble }, where);
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl')).sort()) {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  test(`${file}: ${lines[0].why}`, () => replay(lines));
}

test('events that nobody knows, or that are named like parts of every object, change nothing', () => {
  const conversation = conversations.newConversation();
  for (const type of ['rate_limits.updated', 'something.new', 'constructor', '__proto__', 'toString']) {
    assert.equal(conversations.receive(conversation, { type }).conversation, conversation);
  }
});
