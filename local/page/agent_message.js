// One message of the conversation at Genesys.

import { mediaPath } from './api.js';
import { duration, element, timeOfDay } from './dom.js';
import { essence, fileChip, picture } from './media.js';
import { structuredContent } from './quick_replies.js';
import { timeTo } from './state.js';

/** What the bubble of a message depends on. */
export function signature(message) {
  const { text, attachment, button, structured, receipts } = message;
  return JSON.stringify([text, attachment, button, structured, receipts, delivered(message)]);
}

/** The first words of a message, or what it carries instead. */
export function summary({ text, attachment, button }) {
  if (button) return `chose: ${button.text}`;
  if (text && text !== attachment?.url) return text;
  return attachment ? attachment.filename || attachment.mediaType || 'File' : '';
}

function delivered(message) {
  if (message.direction !== 'outbound' || !message.correlation) return undefined;
  const time = timeTo(message.correlation, 'teams') ?? timeTo(message.correlation, 'receipt');
  return time === undefined ? undefined : duration(time);
}

export function bubble(message, onJourney) {
  const own = message.direction === 'outbound';
  return element('article', { class: `message ${own ? 'own' : 'other'}`, 'data-message': message.id },
    element('div', { class: 'body' }, ...contents(message)),
    element('p', { class: 'meta' },
      element('time', { datetime: message.time }, timeOfDay(message.time)),
      ...(own ? receipt(message, onJourney) : [])));
}

function contents({ id, text, attachment, button, structured }) {
  if (button) return [element('p', { class: 'chosen', 'data-chosen': button.payload }, 'chose: ', element('strong', {}, button.text))];
  const nodes = [];
  // The address stands for the text of a message that has none.
  if (text && text !== attachment?.url) nodes.push(element('p', { class: 'plain-text' }, text));
  if (attachment) nodes.push(media(id, attachment));
  if (attachment?.text && attachment.text !== text) nodes.push(element('p', { class: 'plain-text' }, attachment.text));
  if (structured?.length > 0) nodes.push(...structuredContent(structured));
  if (nodes.length === 0) nodes.push(element('p', { class: 'plain-text' }, 'Nothing to show'));
  return nodes;
}

/** A picture, or a chip that also says what became of the file on its way. */
function media(message, attachment) {
  const { fetched, mediaType, dropped } = attachment;
  const name = attachment.filename || mediaType || 'File';
  const lost = loss(attachment);
  const mime = fetched?.content_type || attachment.mime;
  const told = { name, mime, size: fetched?.size ?? attachment.contentSizeBytes };
  if (lost) return fileChip({ name, mime: attachment.mime, note: lost, bad: true, title: dropped ? undefined : attachment.url });
  const path = mediaPath(message);
  if (mediaType === 'Image' && essence(mime).startsWith('image/')) return picture(path, name, { title: name });
  return fileChip({ ...told, href: path });
}

/** Why there is nothing to show, if so. Only what came in is fetched by Genesys. */
function loss({ dropped, fetched }) {
  if (dropped) return 'dropped by Genesys: its type is not allowed';
  if (fetched === null) return 'Genesys could not fetch it';
  if (fetched && fetched.status !== 200) return `Genesys could not fetch it: ${fetched.status}`;
  return undefined;
}

/** One tick while it is on its way, two when it was delivered, a cross with the reason when it failed. */
function receipt(message, onJourney) {
  const last = message.receipts?.at(-1);
  const status = String(last?.status ?? '').toLowerCase();
  if (status === 'failed') {
    return [element('span', { class: 'receipt failed', 'data-receipt': 'Failed' }, `✕ Failed${last.reason ? `: ${last.reason}` : ''}`)];
  }
  if (status === '') {
    return [element('span', { class: 'receipt', 'data-receipt': '' }, element('span', { 'aria-hidden': 'true' }, '✓ '), 'On its way')];
  }
  const time = delivered(message);
  return [
    element('span', { class: 'receipt done', 'data-receipt': last.status }, element('span', { 'aria-hidden': 'true' }, '✓✓ '), last.status),
    time === undefined ? '' : element('button', { type: 'button', class: 'link', onclick: onJourney }, `in ${time}`),
  ];
}
