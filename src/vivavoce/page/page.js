/**
 * The page itself: what is seen and pressed. Everything about calls is behind `vivavoce.js`.
 *
 * `window.vivavoce` is open to scripts and to the console: `connect` places calls, `call` is the one on the page.
 */

import { connect } from './vivavoce.js';

/** @typedef {import('./call.js').Call} Call */
/** @typedef {import('./conversation.js').Caption} Caption */

/** @type {Record<import('./call.js').State, string>} */
const STATES = {
  'idle': 'Ready when you are',
  'asking microphone': 'May I use your microphone?',
  'negotiating': 'Calling…',
  'connecting': 'Connecting…',
  'connected': '',
  'disrupted': 'The connection falters, holding on…',
  'ended': 'Call ended',
  'failed': 'That did not work',
};

/** @type {Record<import('./conversation.js').Activity, string>} */
const ACTIVITIES = { listening: 'Listening', hearing: 'Hearing you', thinking: 'Thinking', speaking: 'Speaking' };

/** @type {Record<Caption['role'], string>} */
const SPEAKERS = { user: 'You', assistant: 'Voice', tool: 'Tool', system: '' };

const SETTINGS = 'vivavoce.settings';
const NOTICE_MS = 10_000;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T} that element of the page
 */
function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} called ${id}.`);
  return found;
}

const dialog = part('settings', HTMLDialogElement);
const form = part('settings-form', HTMLFormElement);
const keyForm = part('key-form', HTMLFormElement);
const typedKey = part('key', HTMLInputElement);
const captions = part('captions', HTMLOListElement);
const words = part('words', HTMLInputElement);
const talk = part('talk', HTMLButtonElement);
const notice = part('notice', HTMLParagraphElement);
const trouble = part('trouble', HTMLDivElement);

/** The call on the page, the last one when none is running. @type {Call | null} */
let call = null;

Object.defineProperty(window, 'vivavoce', { value: { connect, get call() { return call; } } });

// Settings and keys

/** @param {string} name @returns {string} what the settings form says */
const setting = (name) => String(new FormData(form).get(name) ?? '').trim();

const server = () => setting('url') || location.origin;

/** A key belongs to one server, and lasts as long as the tab. */
const keySlot = () => `vivavoce.key ${URL.canParse(server()) ? new URL(server()).origin : server()}`;

/** A key handed over behind the `#` of the address never reaches a server; take it out of sight at once. */
function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key === null) return;
  sessionStorage.setItem(`vivavoce.key ${location.origin}`, key);
  history.replaceState(null, '', location.pathname + location.search);
}

/** @returns {Record<string, any>} session configuration */
function session() {
  const patience = { type: 'server_vad', silence_duration_ms: Number(setting('patience')) };
  const input = { turn_detection: setting('turns') === 'press' ? null : patience };
  const output = setting('voice') ? { output: { voice: setting('voice') } } : {};
  return { instructions: setting('instructions'), audio: { input, ...output } };
}

function restoreSettings() {
  for (const [name, value] of Object.entries(JSON.parse(localStorage.getItem(SETTINGS) ?? '{}'))) {
    const field = form.elements.namedItem(name);
    if (field instanceof RadioNodeList || field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement
      || field instanceof HTMLSelectElement) field.value = String(value);
  }
}

/** What the running call was told. @type {string} */
let told = '';
/** Where the key lies of the server that was called so far. @type {string} */
let slot = '';

function openSettings() {
  told = JSON.stringify(session());
  slot = keySlot();
  dialog.showModal();
}

function closeSettings() {
  const { key, ...rest } = Object.fromEntries(new FormData(form));
  localStorage.setItem(SETTINGS, JSON.stringify(rest));
  if (key) sessionStorage.setItem(keySlot(), String(key).trim());
  part('other-key', HTMLInputElement).value = ''; // or it would go to the next address, too
  if (keySlot() !== slot) typedKey.value = '';
  const { instructions, audio: { input } } = session();
  const before = JSON.parse(told);
  const changes = {
    ...(instructions !== before.instructions ? { instructions } : {}),
    ...(JSON.stringify(input) !== JSON.stringify(before.audio.input) ? { audio: { input } } : {}),
  };
  if (call?.state === 'connected' && Object.keys(changes).length > 0) {
    call.send({ type: 'session.update', session: { type: 'realtime', ...changes } });
    const press = input.turn_detection === null;
    if (press !== (before.audio.input.turn_detection === null)) call.muted = press;
  }
  render();
}

// The call

/** @param {Call} some */
const isRunning = (some) => !['idle', 'ended', 'failed'].includes(some.state);

/** @param {MediaTrackConstraints | null} [microphone] */
function place(microphone) {
  const key = typedKey.value.trim(); // counts, whichever button was pressed
  if (key && !keyForm.hidden) sessionStorage.setItem(keySlot(), key);
  const { instructions, audio } = session();
  const mine = call = connect({
    url: server(), key: sessionStorage.getItem(keySlot()) ?? '', model: setting('model'),
    session: { ...(instructions ? { instructions } : {}), audio },
    iceServers: server() === location.origin ? 'server' : [], // others need not know the question
    audio: part('voice', HTMLAudioElement), ...(microphone === null ? { microphone } : {}),
  });
  captions.replaceChildren();
  part('read-out', HTMLDivElement).replaceChildren();
  read.clear();
  tell('');
  // An old call may still speak up after a new one was placed; it is no longer on the page.
  const on = (/** @type {string} */ type, /** @type {(event: Event) => void} */ act) => (
    mine.addEventListener(type, (event) => mine === call && act(event)));
  on('state', () => {
    render();
    // Whoever holds the space bar to talk must not hang up by it.
    if (mine.state === 'connected' && mine.muted && document.activeElement?.id === 'call') talk.focus();
    if (mine.failure?.kind === 'key refused') typedKey.focus();
  });
  on('conversation', () => { writeCaptions(mine); readOut(mine); render(); });
  on('figures', () => { writeFigures(mine); render(); });
  on('notice', (event) => tell(/** @type {CustomEvent<string>} */ (event).detail));
  render();
  requestAnimationFrame(() => animate(mine));
}

/** @param {Call} mine */
function animate(mine) {
  const { user, remote } = isRunning(mine) && mine === call ? mine.levels : { user: 0, remote: 0 };
  document.body.style.setProperty('--user', user.toFixed(3));
  document.body.style.setProperty('--remote', remote.toFixed(3));
  if (isRunning(mine) && mine === call) requestAnimationFrame(() => animate(mine));
}

// What is seen

/** @param {HTMLElement} element @param {string} text written only when it changed, or it would be read out again */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @type {number | undefined} */
let noticeTimer;

/** @param {string} sentence */
function tell(sentence) {
  clearTimeout(noticeTimer);
  write(notice, sentence);
  if (sentence) noticeTimer = setTimeout(() => write(notice, ''), NOTICE_MS);
}

function render() {
  const state = call?.state ?? 'idle';
  const running = call !== null && isRunning(call);
  const { dataset } = document.body;
  dataset.state = state.replace(' ', '-');
  dataset.activity = call?.activity ?? 'listening';
  dataset.turns = setting('turns');
  dataset.microphone = running && call?.connection && !call.microphone ? 'none' : 'some';
  if (captions.children.length > 0) dataset.said = ''; else delete dataset.said;
  const failure = state === 'failed' ? call?.failure ?? null : null;
  keyForm.hidden = running || (sessionStorage.getItem(keySlot()) !== null && failure?.kind !== 'key refused');
  write(part('state', HTMLParagraphElement), sentenceFor(state));
  write(part('hint', HTMLParagraphElement), hintFor(state));
  write(part('call-label', HTMLSpanElement), running ? 'Hang up' : state === 'idle' ? 'Call' : 'Call again');
  const mute = part('mute', HTMLButtonElement);
  mute.setAttribute('aria-pressed', String(call?.muted ?? false));
  mute.title = call?.muted ? 'Muted: press to be heard' : 'Mute';
  trouble.hidden = failure === null;
  write(part('trouble-text', HTMLParagraphElement), failure?.message ?? '');
  part('no-microphone', HTMLButtonElement).hidden = !failure || !/microphone|not secure/.test(failure.kind);
}

/** @param {import('./call.js').State} state */
function sentenceFor(state) {
  if (state === 'connected' && call?.activity === 'listening') {
    if (!call.microphone) return 'Ready for your words';
    if (call.muted) return setting('turns') === 'press' ? 'Hold to talk' : 'You are muted';
  }
  if (state === 'connected' && call) return ACTIVITIES[call.activity];
  if (state === 'ended' && call?.endedBy === 'peer') return 'The other side ended the call';
  return call?.failure?.kind === 'lost' ? 'Call lost' : STATES[state];
}

/** @param {import('./call.js').State} state */
function hintFor(state) {
  if (state === 'idle' && !keyForm.hidden) return 'Open the address that the server printed, or paste its key here.';
  if (state === 'idle') return 'Press Call and speak. Interrupt whenever you like.';
  if (!call?.connectedAt || state === 'failed') return '';
  const seconds = Math.floor((call.endedAt ?? performance.now()) / 1000 - call.connectedAt / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What is drawn of each caption. @type {WeakMap<Element, Caption>} */
const drawn = new WeakMap();
/** Items that were read out. @type {Set<string>} */
const read = new Set();

/** How far the captions scroll by themselves: to the end, but never past the beginning of what was said last. */
function newest() {
  const end = captions.scrollHeight - captions.clientHeight;
  const last = captions.lastElementChild;
  return last instanceof HTMLElement ? Math.min(end, last.offsetTop - 20) : end;
}

/** @param {Call} mine */
function writeCaptions(mine) {
  const follows = captions.scrollTop > newest() - 60;
  const rows = new Map([...captions.children].map((row) => [row.id, row]));
  const shown = mine.captions.filter(({ role, state, text }) => role !== 'system' && (text || state !== 'done'));
  shown.forEach((caption, at) => {
    const row = rows.get(`item ${caption.id}`) ?? document.createElement('li');
    rows.delete(row.id);
    if (captions.children[at] !== row) captions.insertBefore(row, captions.children[at] ?? null);
    if (drawn.get(row) !== caption) drawCaption(row, caption);
    row.classList.toggle('sounding', isSounding(mine, caption));
  });
  rows.forEach((row) => row.remove());
  if (follows) captions.scrollTop = Math.max(captions.scrollTop, newest());
}

/** @param {Element} row @param {Caption} caption */
function drawCaption(row, caption) {
  drawn.set(row, caption);
  row.id = `item ${caption.id}`;
  row.className = `${caption.role} ${caption.state}`;
  const who = Object.assign(document.createElement('span'), { className: 'who', textContent: SPEAKERS[caption.role] });
  const text = Object.assign(document.createElement('p'), { className: 'text', textContent: wordsOf(caption) });
  const mark = markOf(caption);
  if (mark) text.append(' ', Object.assign(document.createElement('span'), { className: 'mark', textContent: mark }));
  row.replaceChildren(who, text);
}

/** @param {Call} mine @param {Caption} caption @returns {boolean} whether it can still be interrupted and cut */
const isSounding = ({ conversation: { playing } }, { response }) => playing !== null && response === playing;

/** Have a screen reader say each caption once: when no more can be added to it or cut from it. @param {Call} mine */
function readOut(mine) {
  const { captions: all, conversation: { asked } } = mine;
  for (const caption of all) {
    if (isSounding(mine, caption) || asked[caption.id] || ['writing', 'interrupted'].includes(caption.state)) continue;
    if (read.has(caption.id) || caption.role === 'system') continue;
    read.add(caption.id);
    const textContent = `${SPEAKERS[caption.role]}: ${wordsOf(caption)} ${markOf(caption)}`;
    part('read-out', HTMLDivElement).append(Object.assign(document.createElement('p'), { textContent }));
  }
}

/** @param {Caption} caption */
function wordsOf({ role, name, text, output }) {
  return role === 'tool' ? `${name}(${text})${output ? ` → ${output}` : ''}` : text;
}

/** @param {Caption} caption */
function markOf({ state, role }) {
  if (state === 'interrupted' || state === 'cut') return '(interrupted)';
  return state === 'failed' && role === 'user' ? '(not understood)' : '';
}

/** @param {Call} mine */
function writeFigures({ figures }) {
  const number = (/** @type {number | null} */ value) => value?.toFixed(value < 9.95 ? 1 : 0) ?? '–';
  // Browsers tell times in whole milliseconds.
  const ms = (/** @type {number | null} */ value) => (
    value === null ? '–' : value < 1 ? '< 1 ms' : `${value.toFixed(0)} ms`);
  /** @type {[string, string][]} */
  const all = [
    ['answer', ms(figures.answerMs)], ['round-trip', ms(figures.roundTripMs)], ['jitter', ms(figures.jitterMs)],
    ['loss', `${number(figures.lossInPercent)} / ${number(figures.lossOutPercent)} %`], ['path', figures.path ?? '–'],
  ];
  for (const [id, text] of all) write(part(id, HTMLElement), text);
}

// What is pressed

const hold = () => { if (call?.state === 'connected' && call.muted) { call.press(); talk.classList.add('held'); } };
const letGo = () => { if (talk.classList.contains('held')) { call?.release(); talk.classList.remove('held'); } };
/** @param {KeyboardEvent} event */
const isHoldKey = ({ key, target }) => key === ' ' && setting('turns') === 'press' && !dialog.open
  && (target === talk || !(target instanceof HTMLInputElement || target instanceof HTMLButtonElement));

part('call', HTMLButtonElement).onclick = () => (call && isRunning(call) ? call.hangUp() : place());
part('no-microphone', HTMLButtonElement).onclick = () => place(null);
part('mute', HTMLButtonElement).onclick = () => { if (call) call.muted = !call.muted; };
part('open-settings', HTMLButtonElement).onclick = openSettings;
part('dock', HTMLFormElement).onsubmit = (event) => {
  event.preventDefault();
  if (words.value.trim() && call?.state === 'connected') call.say(words.value.trim());
  words.value = '';
};
keyForm.onsubmit = (event) => {
  event.preventDefault();
  place();
};
dialog.onclose = closeSettings;
dialog.onclick = ({ target }) => { if (target === dialog) dialog.close(); };
talk.onpointerdown = (event) => { talk.setPointerCapture(event.pointerId); hold(); };
talk.onpointerup = talk.onpointercancel = letGo;
for (const [type, act] of /** @type {const} */ ([['keydown', hold], ['keyup', letGo]])) {
  addEventListener(type, (event) => {
    if (!isHoldKey(event)) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
}
addEventListener('blur', letGo);
addEventListener('hashchange', () => { takeKeyFromAddress(); render(); });
addEventListener('offline', () => { if (call && isRunning(call)) tell('This device is offline.'); });
addEventListener('pagehide', () => call?.hangUp());

restoreSettings();
takeKeyFromAddress();
render();
