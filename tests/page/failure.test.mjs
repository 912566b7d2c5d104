import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, microphoneFailure } from '../../src/vivavoce/page/failure.js';

for (const [name, kind] of [
  ['NotFoundError', 'no microphone'],
  ['NotAllowedError', 'microphone refused'],
  ['NotReadableError', 'microphone busy'],
]) {
  test(`${name}: ${kind}, with advice and without jargon`, () => {
    const failure = microphoneFailure(new DOMException('Requested device not found', name));
    assert.ok(failure instanceof Failure);
    assert.equal(failure.kind, kind);
    assert.match(failure.message, /call again, or call without a microphone and type\.$/);
    assert.doesNotMatch(failure.message, /Error|Requested device/);
  });
}

test('a microphone that fails for an unknown reason passes that reason on', () => {
  const failure = microphoneFailure(new DOMException('No such constraint', 'OverconstrainedError'));
  assert.equal(failure.kind, 'microphone busy');
  assert.match(failure.message, /No such constraint/);
});
