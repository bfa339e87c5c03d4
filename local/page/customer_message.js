// One message of the Teams chat.

import { adaptiveCard } from './adaptive_card.js';
import { duration, element, timeOfDay } from './dom.js';
import { actionRow, reactionChips } from './message_actions.js';
import { richText } from './teams_html.js';
import { timeTo } from './state.js';

/** How long it took to the agent, when it got there. */
export function reached(message) {
  const time = timeTo(message.correlation, 'genesys');
  return time === undefined ? undefined : duration(time);
}

/** What the bubble of a message depends on. */
export function signature(message, own, me) {
  const { from, html, edited, deleted, attachments, reactions, images, cards } = message;
  return JSON.stringify([from, html, edited, deleted, attachments, reactions, images, cards, own && reached(message), me]);
}

/**
 * The bubble: `own` for the customers' messages, `named` where the author's name stands above, `me` for who reacts,
 * `on` what the buttons do (`react`, `reply`, `edit`, `remove`, `restore`, `journey`, `press` those of cards). A message that was
 * pasted as a whole cannot be changed here.
 */
export function bubble(message, { own, named, me, on }, before) {
  const name = message.from?.name || (own ? 'Customer' : message.raw ? 'No name' : 'Support');
  const fixed = message.raw;
  const time = own ? reached(message) : undefined;
  return element('article', { class: `message ${own ? 'own' : 'other'}`, 'data-message': message.id, 'data-deleted': message.deleted ? 'true' : undefined },
    named ? element('p', { class: 'from' }, name) : null,
    message.deleted ? deletedBody(own && !fixed, on) : element('div', { class: 'body' }, richText(message), ...(message.cards ?? []).map((card) => adaptiveCard(card, on.press))),
    message.deleted ? null : actionRow(message, me, {
      onReact: !fixed && on.react, onReply: on.reply, onEdit: !fixed && own && on.edit, onDelete: !fixed && own && on.remove,
    }, before?.querySelector('.actions')),
    message.deleted ? null : reactionChips(message, me, on.react),
    element('p', { class: 'meta' },
      element('time', { datetime: message.created }, timeOfDay(message.created)),
      message.edited && !message.deleted ? element('span', { 'data-edited': 'true', title: message.edited }, 'Edited') : null,
      time === undefined ? null : element('button', { type: 'button', class: 'link', 'data-action': 'journey', onclick: on.journey }, `With the agent in ${time}`)));
}

function deletedBody(own, on) {
  return element('div', { class: 'body deleted' }, 'This message was deleted.',
    own ? element('button', { type: 'button', class: 'link', 'data-action': 'restore', onclick: on.restore }, 'Undo') : null);
}
