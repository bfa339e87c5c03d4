// A question with choices: the agent's form for it, and how it stands in the conversation.

import { byId, element } from './dom.js';

/** Starts the form. `onAsk` gets `{text, structured}` and answers whether it could be sent; if not, the form keeps it. */
export function startQuestion(onAsk) {
  const dialog = byId('question-dialog');
  const form = byId('question-form');
  byId('agent-question').addEventListener('click', () => dialog.showModal());
  byId('question-cancel').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', async () => {
    const values = new FormData(form);
    const choices = [...new Set(values.getAll('choice').map((choice) => choice.trim()).filter(Boolean))];
    const text = values.get('prompt').trim();
    if (!text || choices.length === 0) return;
    const structured = choices.map((choice) => ({ contentType: 'QuickReply', quickReply: { text: choice, payload: choice, action: 'Message' } }));
    if (await onAsk({ text, structured })) form.reset();
  });
}

function choice(text, title) {
  return element('li', { class: 'choice-chip', title, 'data-preview': text }, text);
}

/** What an action of a card says: where it leads, or that it answers. */
function actionOf({ text, url }) {
  return choice(text ?? url ?? '', url);
}

/** The objects in what should be a list of them. */
function objects(list) {
  return Array.isArray(list) ? list.filter((one) => one && typeof one === 'object') : [];
}

function card({ title, description, actions, defaultAction }) {
  const choices = objects([...objects(actions), defaultAction]);
  return element('div', { class: 'card' },
    title ? element('p', { class: 'strong' }, title) : null,
    description ? element('p', {}, description) : null,
    choices.length > 0
      ? element('ul', { class: 'choice-chips' }, ...choices.map(actionOf))
      : null);
}

/** Structured content of an agent's message: choices as chips, cards as boxes, anything else by its name. */
export function structuredContent(items) {
  const replies = items.filter((item) => item.quickReply);
  const nodes = [];
  if (replies.length > 0) {
    nodes.push(element('ul', { class: 'choice-chips', 'aria-label': 'Choices' }, ...replies.map(({ quickReply }) => choice(quickReply.text, quickReply.payload))));
  }
  for (const item of items) {
    if (item.card) nodes.push(card(item.card));
    else if (item.carousel) nodes.push(...objects(item.carousel.cards).map(card));
    else if (!item.quickReply) nodes.push(element('div', { class: 'card' }, element('p', { class: 'strong' }, item.contentType ?? 'Structured content')));
  }
  return nodes;
}
