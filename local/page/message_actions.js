// What the customer can do with a message: react, answer, edit, delete.

import { element } from './dom.js';

/** The reactions that Teams offers first, with their names. */
const REACTIONS = [['👍', 'like'], ['❤️', 'heart'], ['😆', 'laugh'], ['😮', 'surprised'], ['😢', 'sad'], ['😡', 'angry']];
/** Graph has names for these of older messages. */
const NAMED = { like: '👍', heart: '❤️', laugh: '😆', surprised: '😮', sad: '😢', angry: '😡' };

/** A message's reactions as `{reaction, users}`, in the order in which they came. */
export function reactionsOf(message) {
  const found = new Map();
  for (const one of message.reactions ?? []) {
    const name = one.reaction ?? one.reactionType;
    const reaction = NAMED[name] ?? name;
    if (!found.has(reaction)) found.set(reaction, []);
    found.get(reaction).push(one.from?.user ?? one.user?.user?.id ?? one.user);
  }
  return [...found].map(([reaction, users]) => ({ reaction, users }));
}

/** The reactions below a message; `me` is who takes one back by pressing it again. */
export function reactionChips(message, me, onReact) {
  const reactions = reactionsOf(message);
  if (reactions.length === 0) return null;
  return element('div', { class: 'reactions', role: 'group', 'aria-label': 'Reactions' }, ...reactions.map(({ reaction, users }) => {
    const own = users.includes(me);
    return element('button', {
      type: 'button', class: 'reaction', 'aria-pressed': String(own), 'data-reaction': reaction, 'data-action': `chip ${reaction}`,
      'aria-label': `${reaction}, ${users.length}`, onclick: () => onReact(reaction, own),
    }, reaction, element('span', {}, String(users.length)));
  }));
}

/**
 * The row of buttons at a message: `onReply`, `onReact(reaction, takeBack)` where it can change, and for one's own messages
 * `onEdit` and `onDelete`. `before` is the row that this one takes the place of.
 */
export function actionRow(message, me, { onReact, onReply, onEdit, onDelete }, before) {
  const given = new Set(reactionsOf(message).filter(({ users }) => users.includes(me)).map(({ reaction }) => reaction));
  const open = before?.dataset.choosing === 'true';
  const row = element('div', { class: 'actions', role: 'group', 'aria-label': 'Actions', 'data-choosing': String(open) });
  const choose = (choosing, focus) => {
    row.dataset.choosing = String(choosing);
    react.setAttribute('aria-expanded', String(choosing));
    (choosing ? row.querySelector('[data-react]') : react).focus({ preventScroll: !focus });
  };
  const react = action('React', '☺', () => choose(row.dataset.choosing !== 'true'));
  react.setAttribute('aria-expanded', String(open));
  const choices = element('span', { class: 'choices' }, ...REACTIONS.map(([reaction, name]) => element('button', {
    type: 'button', 'data-react': name, 'data-action': `react ${name}`, 'aria-label': name, title: name, 'aria-pressed': String(given.has(reaction)),
    onclick: () => {
      choose(false);
      onReact(reaction, given.has(reaction));
    },
  }, reaction)));
  row.append(...[
    onReact && choices, onReact && react, action('Reply', '↩', onReply), onEdit && action('Edit', '✎', onEdit), onDelete && action('Delete', '✕', onDelete),
  ].filter(Boolean));
  row.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && row.dataset.choosing === 'true') choose(false);
  });
  return row;
}

function action(name, sign, onclick) {
  return element('button', { type: 'button', 'data-action': name.toLowerCase(), 'aria-label': name, title: name, onclick }, sign);
}
