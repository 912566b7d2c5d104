/** Reads the conversations of `contract/transcripts` as the page does: it must show the words that the client shows. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as conversations from '../../src/vivavoce/page/conversation.js';

const FOLDER = new URL('../../contract/transcripts/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl')).sort();

for (const file of FILES) {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  test(`${file}: ${lines[0].why}`, () => {
    let conversation = conversations.newConversation();
    for (const { server } of lines) {
      if (server) conversation = conversations.receive(conversation, server).conversation;
    }
    const people = conversation.captions.filter(({ role }) => ['user', 'assistant'].includes(role));
    assert.deepEqual(people.map(({ role, text }) => [role, text]), lines.at(-1).see.captions);
  });
}

test('there are conversations to read', () => assert.ok(FILES.length >= 9));
