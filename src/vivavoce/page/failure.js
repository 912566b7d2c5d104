/** What went wrong, in a sentence for the person who wanted to talk: what was seen, and what to do. */

/**
 * `kind` is what a program decides by, `message` what a person reads.
 * @typedef {'no microphone' | 'microphone refused' | 'microphone busy' | 'not secure' | 'key refused' | 'refused'
 *   | 'unreachable' | 'bad answer' | 'too slow' | 'lost' | 'fault'} FailureKind
 */

export class Failure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(kind, message, cause) {
    super(message, { cause });
    this.name = 'Failure';
    this.kind = kind;
  }
}

/** @param {unknown} [cause] @returns {Failure} the connection is gone, and the session with it */
export function lost(cause) {
  return new Failure('lost', 'The connection was lost. Check the network and call again.', cause);
}

const OR_TYPE = 'and call again, or call without a microphone and type.';

/** @type {Record<string, [FailureKind, string]>} */
const MICROPHONE = {
  NotFoundError: ['no microphone', `No microphone was found. Plug one in ${OR_TYPE}`],
  NotAllowedError: ['microphone refused', `This page may not use the microphone. Allow that at its address ${OR_TYPE}`],
  NotReadableError: ['microphone busy', `The microphone does not open. Close other programs that use it ${OR_TYPE}`],
};

/**
 * Why the browser gave no microphone.
 * @param {unknown} error
 * @returns {Failure}
 */
export function microphoneFailure(error) {
  const name = error instanceof Error ? error.name : '';
  const [kind, message] = MICROPHONE[name] ?? ['microphone busy', `The microphone cannot be opened (${error}).`];
  return new Failure(kind, message, error);
}

/**
 * Why the server said no. Its own words come first: it knows best.
 * @param {Response} response
 * @returns {Promise<Failure>}
 */
export async function refusal(response) {
  const body = await response.json().catch(() => null);
  const said = typeof body?.error?.message === 'string' ? body.error.message : null;
  const [kind, ours] = [401, 403].includes(response.status)
    ? [/** @type {const} */ ('key refused'), 'The server does not accept this key.']
    : [/** @type {const} */ ('refused'), 'The server refused the call and gave no reason.'];
  return new Failure(kind, `${said ?? ours} (status ${response.status})`, response.status);
}
