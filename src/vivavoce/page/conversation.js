/**
 * What both sides have said, as one immutable value that grows with each event of the server.
 *
 * Pure: it opens nothing and reads no clock. `receive` and the commands below it return the next conversation, the
 * client events to send and the tools to run; `call.js` carries them out.
 */

/** @typedef {{type: string, event_id?: string} & Record<string, any>} WireEvent */
/** @typedef {'listening' | 'hearing' | 'thinking' | 'speaking'} Activity what the other side is doing */

/**
 * One item of the conversation as a reader sees it.
 * @typedef {object} Caption
 * @property {string} id the item's id
 * @property {'user' | 'assistant' | 'system' | 'tool'} role
 * @property {string} text the words; for a tool its arguments, as JSON
 * @property {'writing' | 'done' | 'interrupted' | 'cut' | 'failed'} state `interrupted`: stopped, and nobody knows how
 *   much was heard; `cut`: truncated by the server, `text` is what was heard, or empty when the server does not say
 * @property {string} [response] the response that said it
 * @property {string} [name] the tool's name
 * @property {string} [callId] the tool call's id
 * @property {string} [output] what the tool answered
 */

/**
 * @typedef {object} Conversation
 * @property {readonly Caption[]} captions in the order of the conversation
 * @property {Record<string, any>} session the session's configuration as the server last told it
 * @property {string | null} hearing the item that the user is speaking
 * @property {string | null} awaiting what waits for an answer to begin: an item, or our own request
 * @property {string | null} response the response being made
 * @property {string | null} playing the response being heard
 * @property {'nothing' | 'commit' | 'answer'} owed `commit`: an answer is to be asked for once the spoken turn is
 *   committed; `answer`: once the running response has ended
 * @property {Record<string, number>} asked retrievals under way, by item
 * @property {number} answers how many were asked for: each request has an id of its own
 * @property {number} retrieveUpToMs longest heard stretch for which an item is asked back: some servers put the audio
 *   into their reply, and a message of more than 256 KiB kills the data channel
 */

/** @typedef {{callId: string, name: string, arguments: string}} ToolCall */
/** @typedef {{conversation: Conversation, send: WireEvent[], run: ToolCall[], trouble: string | null}} Step */
/** @typedef {(conversation: Conversation, event: WireEvent) => Conversation | Step} Rule */

const ANSWER = 'viva_answer_';
const RETRIEVE = 'viva_retrieve_';

/** Errors that a race between two honest sides makes, and that mean nothing to a person. */
const HARMLESS = new Set(['response_cancel_not_active', 'conversation_already_has_active_response']);

/**
 * @param {number} [retrieveUpToMs]
 * @returns {Conversation}
 */
export function newConversation(retrieveUpToMs = Infinity) {
  return {
    captions: [], session: {}, hearing: null, awaiting: null, response: null, playing: null,
    owed: 'nothing', asked: {}, answers: 0, retrieveUpToMs,
  };
}

/**
 * @param {Conversation} conversation
 * @returns {Activity}
 */
export function activity(conversation) {
  if (conversation.hearing !== null) return 'hearing';
  if (conversation.playing !== null) return 'speaking';
  return conversation.response !== null || conversation.awaiting !== null ? 'thinking' : 'listening';
}

/**
 * Take one event of the server. An event without a rule changes nothing.
 * @param {Conversation} conversation
 * @param {WireEvent} event
 * @returns {Step}
 */
export function receive(conversation, event) {
  const rule = Object.hasOwn(RULES, event.type) ? RULES[event.type] : undefined;
  const result = rule ? rule(conversation, event) : conversation;
  return 'conversation' in result ? result : step(result);
}

/**
 * Type a message; whatever is being said gives way to it.
 * @param {Conversation} conversation
 * @param {string} text
 * @returns {Step}
 */
export function say(conversation, text) {
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
  return answer(conversation, [...interrupt(conversation).send, { type: 'conversation.item.create', item }]);
}

/**
 * Make the other side stop.
 * @param {Conversation} conversation
 * @returns {Step}
 */
export function interrupt(conversation) {
  /** @type {WireEvent[]} */
  const send = [];
  if (conversation.response !== null) send.push({ type: 'response.cancel' });
  if (conversation.playing !== null) send.push({ type: 'output_audio_buffer.clear' });
  return step(conversation, send);
}

/**
 * Push to talk, pressed: what the microphone gave before is not meant.
 * @param {Conversation} conversation
 * @returns {Step}
 */
export function press(conversation) {
  return step(conversation, [...interrupt(conversation).send, { type: 'input_audio_buffer.clear' }]);
}

/**
 * Push to talk, released: what was said is the user's turn.
 * @param {Conversation} conversation
 * @returns {Step}
 */
export function release(conversation) {
  return step({ ...conversation, owed: 'commit' }, [{ type: 'input_audio_buffer.commit' }]);
}

/**
 * Hand in what tools returned, and have it answered.
 * @param {Conversation} conversation
 * @param {readonly {callId: string, output: string}[]} results
 * @returns {Step}
 */
export function handIn(conversation, results) {
  return answer(conversation, results.map(({ callId, output }) => (
    { type: 'conversation.item.create', item: { type: 'function_call_output', call_id: callId, output } })));
}

/**
 * The call is over: nobody heard the rest of what was being said, and no words of an open turn will come.
 * @param {Conversation} conversation
 * @returns {Step}
 */
export function end(conversation) {
  const captions = conversation.captions
    .filter(({ role, state, text }) => role !== 'user' || state !== 'writing' || text !== '')
    .map((caption) => {
      const sounding = caption.response !== undefined && caption.response === conversation.playing;
      return caption.state === 'writing' || (sounding && caption.state === 'done')
        ? { ...caption, state: /** @type {const} */ ('interrupted') } : caption;
    });
  return step({ ...conversation, captions, hearing: null, awaiting: null, response: null, playing: null, asked: {} });
}

/**
 * Ask for an answer now, or as soon as the running one has ended: only one may run.
 * @param {Conversation} conversation
 * @param {WireEvent[]} before
 * @returns {Step}
 */
function answer(conversation, before) {
  if (conversation.response !== null) return step({ ...conversation, owed: 'answer' }, before);
  const answers = conversation.answers + 1;
  const request = { type: 'response.create', event_id: ANSWER + answers };
  return step({ ...conversation, owed: 'nothing', awaiting: request.event_id, answers }, [...before, request]);
}

/**
 * @param {Conversation} conversation
 * @param {WireEvent[]} [send]
 * @param {ToolCall[]} [run]
 * @param {string | null} [trouble] a sentence for the user
 * @returns {Step}
 */
function step(conversation, send = [], run = [], trouble = null) {
  return { conversation, send, run, trouble };
}

/**
 * @param {Conversation} conversation
 * @param {string} id
 * @param {(caption: Caption) => Caption} change
 * @returns {Conversation}
 */
function amend(conversation, id, change) {
  const captions = conversation.captions.map((caption) => (caption.id === id ? change(caption) : caption));
  return { ...conversation, captions };
}

/**
 * @param {Conversation} conversation
 * @param {string} id
 * @returns {Conversation}
 */
function remove(conversation, id) {
  return { ...conversation, captions: conversation.captions.filter((caption) => caption.id !== id) };
}

/**
 * Put a caption behind the one named; where that is unknown it keeps its place, or comes last.
 * @param {Conversation} conversation
 * @param {Caption} fresh taken when there is no caption with its id yet
 * @param {string | null} [previous]
 * @returns {Conversation}
 */
function place(conversation, fresh, previous) {
  const known = conversation.captions.find(({ id }) => id === fresh.id);
  const captions = conversation.captions.filter(({ id }) => id !== fresh.id);
  const at = captions.findIndex(({ id }) => id === previous);
  if (known && at < 0) return conversation;
  captions.splice(at < 0 ? captions.length : at + 1, 0, known ?? fresh);
  return { ...conversation, captions };
}

/**
 * A user's item whose words are still to come.
 * @param {string} id
 * @returns {Caption}
 */
const unheard = (id) => ({ id, role: 'user', state: 'writing', text: '' });

/**
 * The words of an item, as far as the server gives them.
 * @param {Record<string, any>} item
 * @returns {string}
 */
function words(item) {
  const parts = Array.isArray(item.content) ? item.content : [];
  return parts.map((part) => part.text ?? part.transcript ?? '').join('').trim();
}

/** @type {Rule} */
function added(conversation, { item, previous_item_id: previous }) {
  const { id, type, role, name, call_id: callId } = item;
  switch (type) {
    case 'message': {
      const state = item.status === 'in_progress' || words(item) === '' ? 'writing' : 'done';
      return place(conversation, { id, role, state, text: words(item) }, previous);
    }
    case 'function_call':
      return place(conversation, { id, role: 'tool', state: 'writing', name, callId, text: '' }, previous);
    case 'function_call_output': {
      const call = conversation.captions.find((caption) => caption.callId === callId);
      return amend(conversation, call?.id ?? '', (caption) => ({ ...caption, output: String(item.output ?? '') }));
    }
    default:
      return conversation;
  }
}

/** An item is final. A spoken turn is not yet: its transcript comes later, if one was ordered. @type {Rule} */
function finished(conversation, { item }) {
  const transcribes = conversation.session.audio?.input?.transcription != null;
  return amend(conversation, item.id, (caption) => {
    if (caption.state !== 'writing') return caption;
    if (caption.role === 'user' && words(item) === '' && transcribes) return caption;
    const text = (caption.role === 'tool' ? item.arguments : words(item)) || caption.text;
    return { ...caption, text, state: item.status === 'incomplete' ? 'interrupted' : 'done' };
  });
}

/**
 * Words of a caption that is still being written. What was cut stays cut: the closing events of an interrupted
 * response still tell all that was generated.
 * @param {(text: string, event: WireEvent) => string} next
 * @returns {Rule}
 */
function writing(next) {
  return (conversation, event) => amend(conversation, event.item_id, (caption) => {
    if (caption.state !== 'writing') return caption;
    const text = next(caption.text, event).trimStart();
    return event.response_id ? { ...caption, text, response: event.response_id } : { ...caption, text };
  });
}

const grows = writing((text, { delta }) => text + (delta ?? ''));

/** @type {Rule} */
function understood(conversation, { item_id: id, transcript }) {
  const text = String(transcript ?? '').trim();
  // A turn without words may well stay without an answer.
  const awaiting = text === '' && conversation.awaiting === id ? null : conversation.awaiting;
  const state = text === '' ? 'failed' : 'done';
  return amend({ ...conversation, awaiting }, id, (caption) => ({ ...caption, text, state }));
}

/** The server keeps only what was heard of this item; ask what that was. @type {Rule} */
function truncated(conversation, { item_id: id, audio_end_ms: heardMs }) {
  const cut = amend(conversation, id, (caption) => ({ ...caption, text: '', state: 'cut' }));
  if (heardMs > cut.retrieveUpToMs) return cut;
  const asked = { ...cut.asked, [id]: (cut.asked[id] ?? 0) + 1 };
  return step({ ...cut, asked }, [{ type: 'conversation.item.retrieve', item_id: id, event_id: RETRIEVE + id }]);
}

/** The reply to that. One that is older than the last truncation says too much. @type {Rule} */
function retrieved(conversation, { item }) {
  const left = (conversation.asked[item.id] ?? 0) - 1;
  const asked = { ...conversation.asked, [item.id]: Math.max(left, 0) };
  return amend({ ...conversation, asked }, item.id, (caption) => (
    caption.state === 'cut' && left === 0 ? { ...caption, text: words(item) } : caption));
}

/** @type {Rule} */
function responseDone(conversation, { response }) {
  if (response.id !== conversation.response) return conversation;
  /** @type {Record<string, any>[]} */
  const items = Array.isArray(response.output) ? response.output : [];
  const run = items.filter(({ type, status }) => type === 'function_call' && status !== 'incomplete')
    .map((item) => ({ callId: item.call_id, name: item.name, arguments: item.arguments }));
  const error = response.status === 'failed' ? response.status_details?.error ?? {} : null;
  const trouble = error && `The answer failed: ${error.message ?? error.code ?? 'the server gives no reason'}`;
  const over = { ...conversation, response: null };
  // What a server's tool said is answered only when asked for; after functions of the page it is asked for with them.
  const remote = run.length === 0 && response.status === 'completed' && items.some(({ type }) => type === 'mcp_call');
  return { ...(over.owed === 'answer' || remote ? answer(over, []) : step(over)), run, trouble };
}

/** @type {Rule} */
function committed(conversation, { item_id: id, previous_item_id: previous }) {
  const placed = place(conversation, unheard(id), previous);
  const still = { ...placed, hearing: placed.hearing === id ? null : placed.hearing };
  return still.owed === 'commit' ? answer(still, []) : still;
}

/** Sound that was still to be played is dropped: not all of what that response said was heard. @type {Rule} */
function dropped(conversation, { response_id: id }) {
  const captions = conversation.captions.map((caption) => (
    caption.response === id && ['writing', 'done'].includes(caption.state)
      ? { ...caption, state: /** @type {const} */ ('interrupted') } : caption));
  return { ...conversation, captions, playing: conversation.playing === id ? null : conversation.playing };
}

/** @type {Rule} */
function failure(conversation, { error }) {
  const cause = String(error.event_id ?? '');
  if (cause.startsWith(ANSWER) && error.code === 'conversation_already_has_active_response') {
    return { ...conversation, awaiting: null, owed: 'answer' };
  }
  if (HARMLESS.has(error.code) || cause.startsWith(RETRIEVE)) return conversation;
  const calm = { ...conversation, awaiting: null };
  if (error.code === 'input_audio_buffer_commit_empty' && conversation.owed === 'commit') {
    return step({ ...calm, owed: 'nothing' }, [], [], 'Nothing was heard. Hold the button for as long as you speak.');
  }
  return step(calm, [], [], error.message ?? error.code ?? 'The server reports an error and gives no reason.');
}

/** @type {Record<string, Rule>} */
const RULES = {
  'error': failure,
  'session.created': (conversation, { session }) => ({ ...conversation, session }),
  'session.updated': (conversation, { session }) => ({ ...conversation, session }),
  'input_audio_buffer.speech_started': (conversation, { item_id: id }) => (
    { ...place(conversation, unheard(id)), hearing: id, awaiting: null }),
  'input_audio_buffer.speech_stopped': (conversation, { item_id: id }) => {
    const answers = conversation.session.audio?.input?.turn_detection?.create_response !== false;
    return { ...conversation, hearing: null, awaiting: answers ? id : null };
  },
  'input_audio_buffer.cleared': (conversation) => (
    conversation.hearing === null ? conversation : { ...remove(conversation, conversation.hearing), hearing: null }),
  'input_audio_buffer.committed': committed,
  'conversation.item.added': added,
  'conversation.item.created': added,
  'conversation.item.done': finished,
  'conversation.item.deleted': (conversation, { item_id: id }) => remove(conversation, id),
  'conversation.item.truncated': truncated,
  'conversation.item.retrieved': retrieved,
  'conversation.item.input_audio_transcription.delta': grows,
  'conversation.item.input_audio_transcription.completed': understood,
  'conversation.item.input_audio_transcription.failed': (conversation, { item_id: id }) => (
    amend(conversation, id, (caption) => ({ ...caption, state: 'failed' }))),
  'response.created': (conversation, { response }) => (
    // Responses out of band have no conversation, and nobody hears or reads them here.
    response.conversation_id === null ? conversation : { ...conversation, response: response.id, awaiting: null }),
  'response.output_text.delta': grows,
  'response.output_text.done': writing((text, event) => event.text ?? text),
  'response.output_audio_transcript.delta': grows,
  'response.output_audio_transcript.done': writing((text, event) => event.transcript ?? text),
  'response.function_call_arguments.delta': grows,
  'response.function_call_arguments.done': writing((text, event) => event.arguments ?? text),
  'response.output_item.done': finished,
  'response.done': responseDone,
  'output_audio_buffer.started': (conversation, { response_id: id }) => ({ ...conversation, playing: id }),
  'output_audio_buffer.stopped': (conversation, { response_id: id }) => (
    conversation.playing === id ? { ...conversation, playing: null } : conversation),
  'output_audio_buffer.cleared': dropped,
};
