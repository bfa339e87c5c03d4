// A payload as Graph or Genesys would send it: pasted as JSON, taken as it is.

import { byId } from './dom.js';

const SIDES = {
  customer: {
    title: 'Paste a Teams message',
    note: 'A chatMessage of Microsoft Graph. id, createdDateTime, chatId and from are added where they are absent; all else stays as it is.',
  },
  agent: {
    title: 'Paste a Genesys webhook',
    note: 'The body of an outbound Open Messaging webhook. id, channel.to and channel.time are added where they are absent; all else stays as it is, and it is signed.',
  },
};

let side = 'customer';
let targets = {};

/**
 * Starts the dialog. For each side a function answers where a payload would go now: `{name, send}`, or nothing; `send` gets the
 * payload's JSON as it was written, and the change, and fails with what the dialog then shows.
 */
export function startPaste(sides) {
  targets = sides;
  const dialog = byId('paste-dialog');
  const form = byId('paste-form');
  const text = form.elements.payload;
  for (const name of Object.keys(targets)) byId(`${name}-paste`).addEventListener('click', () => open(name));
  byId('paste-cancel').addEventListener('click', () => dialog.close());
  text.addEventListener('input', () => complain(''));
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.ctrlKey) form.requestSubmit();
  });
  form.addEventListener('submit', send);
}

let target;

function open(name) {
  target = targets[name]();
  if (!target) return;
  const form = byId('paste-form');
  if (name !== side) form.reset();
  side = name;
  const dialog = byId('paste-dialog');
  dialog.dataset.side = side;
  byId('paste-dialog-title').textContent = SIDES[side].title;
  byId('paste-target').textContent = target.name;
  byId('paste-note').textContent = SIDES[side].note;
  byId('paste-change').hidden = side !== 'customer';
  complain('');
  dialog.showModal();
  form.elements.payload.focus();
}

/** The dialog stays open until the payload is taken. */
async function send(event) {
  event.preventDefault();
  const form = byId('paste-form');
  const text = form.elements.payload;
  const fault = faultOf(text.value);
  if (fault) {
    complain(fault);
    text.focus();
    return;
  }
  const button = byId('paste-send');
  button.disabled = true;
  try {
    await target.send(text.value, form.elements.change.value);
    form.reset();
    byId('paste-dialog').close();
  } catch (error) {
    complain(`It was not taken: ${error.message}`);
    text.focus();
  } finally {
    button.disabled = false;
  }
}

function complain(fault) {
  byId('paste-error').textContent = fault;
  byId('paste-form').elements.payload.setAttribute('aria-invalid', String(fault !== ''));
}

/** Why the text is no JSON object, or nothing. */
function faultOf(text) {
  try {
    const payload = JSON.parse(text);
    return payload && typeof payload === 'object' && !Array.isArray(payload) ? '' : 'This is JSON, but no object: a payload begins with {.';
  } catch (error) {
    return `This is no JSON: ${error.message}`;
  }
}
