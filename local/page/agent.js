// The agent's side: conversations at Genesys, the customer's contact card, and the receipts.

import * as api from './api.js';
import { avatar, byId, duration, element, followEnd, syncList, timeOfDay } from './dom.js';
import { chats, companyOf, journeys, nameOf, texts, timeTo } from './state.js';

const CARD = [
  ['teamsUpn', 'Sign-in name'],
  ['teamsCompany', 'Company'],
  ['teamsTenantId', 'Tenant'],
  ['teamsUserId', 'User'],
  ['teamsSupportAccount', 'Support account'],
  ['teamsDoor', 'Came through'],
];

let conversations = [];
let chosen;
let toEnd = () => {};
let tell = () => {};
let showJourney = () => {};

export function start(options) {
  ({ tell, showJourney } = options);
  toEnd = followEnd(byId('agent-messages'));
  byId('agent-form').addEventListener('submit', send);
  render();
}

export async function refresh() {
  const answer = await api.conversations();
  conversations = await Promise.all((answer.conversations ?? []).map(async (conversation) => ({
    ...conversation,
    messages: await Promise.all((conversation.messages ?? []).map(async (message) => ({
      ...message,
      correlation: await correlation(conversation, message),
    }))),
  })));
  for (const message of conversations.flatMap((conversation) => conversation.messages)) {
    if (message.correlation && !texts.has(message.correlation)) texts.set(message.correlation, message.text ?? '');
  }
  render();
}

/** The journey of a message; a customer's one is found through the chats of this page. */
async function correlation(conversation, message) {
  if (message.direction === 'outbound') return api.correlationOf('genesys', message.id);
  if (!message.channel_message_id) return undefined;
  for (const chat of chats) {
    if (!chat.people.some((one) => one.user === conversation.attributes?.teamsUserId)) continue;
    const found = await api.correlationOf('teams', chat.id, message.channel_message_id);
    if (journeys.has(found)) return found;
  }
  return undefined;
}

function current() {
  return conversations.find((one) => one.id === chosen) ?? conversations.at(-1);
}

/** Draws the desk again, with what is known about the messages' journeys by now. */
export function render() {
  const conversation = current();
  syncList(byId('conversations'), conversations, (one) => one.id, (one) => JSON.stringify([title(one), note(one), one === conversation]), pill);
  for (const id of ['agent-input', 'agent-send']) byId(id).disabled = !conversation;
  renderCard(conversation);
  const list = byId('agent-messages');
  if (!conversation) {
    list.replaceChildren(element('p', { class: 'empty' }, 'No conversation yet. A customer’s message opens one.'));
    return;
  }
  const other = list.dataset.conversation !== conversation.id;
  if (other || !list.querySelector('.message')) list.replaceChildren();
  list.dataset.conversation = conversation.id;
  syncList(list, conversation.messages, (message) => message.id, signature, bubble);
  if (other) toEnd();
}

function title(conversation) {
  const attributes = conversation.attributes ?? {};
  return conversation.name || nameOf(attributes.teamsUserId) || attributes.teamsUpn || conversation.thread;
}

function isGroup(conversation) {
  return String(conversation.thread).startsWith('teams-chat:');
}

function note(conversation) {
  const last = conversation.messages.at(-1);
  return last ? `${last.direction === 'outbound' ? 'You: ' : ''}${last.text ?? ''}`.slice(0, 60) : '';
}

function pill(conversation) {
  const name = title(conversation);
  return element('button', {
    type: 'button', class: 'pill', 'aria-pressed': String(conversation === current()), onclick: () => { chosen = conversation.id; render(); },
  }, avatar(name), element('span', {},
    element('span', { class: 'pill-name' }, name),
    element('span', { class: 'pill-note' }, note(conversation))));
}

function renderCard(conversation) {
  const card = byId('contact');
  card.hidden = !conversation;
  if (!conversation) return;
  const attributes = conversation.attributes ?? {};
  const signature = JSON.stringify([title(conversation), attributes]);
  if (card.dataset.signature === signature) return;
  card.dataset.signature = signature;
  const rows = CARD.filter(([key]) => attributes[key]).map(([key, label]) => element('div', {},
    element('dt', {}, label),
    element('dd', { title: attributes[key] }, attributes[key] === 'graph' ? 'Microsoft Graph' : attributes[key])));
  const company = attributes.teamsCompany || companyOf(attributes.teamsTenantId);
  card.replaceChildren(
    element('div', { class: 'contact-head' }, avatar(title(conversation)), element('div', {},
      element('h3', {}, title(conversation)),
      element('p', { class: 'quiet' }, [company ?? 'Customer', isGroup(conversation) ? 'writes in a group chat' : ''].filter(Boolean).join(' · ')))),
    element('dl', {}, ...rows));
}

function signature(message) {
  return JSON.stringify([message.text, message.receipts, delivered(message)]);
}

function delivered(message) {
  if (message.direction !== 'outbound' || !message.correlation) return undefined;
  const time = timeTo(message.correlation, 'teams') ?? timeTo(message.correlation, 'receipt');
  return time === undefined ? undefined : duration(time);
}

function bubble(message) {
  const own = message.direction === 'outbound';
  return element('article', { class: `message ${own ? 'own' : 'other'}`, 'data-message': message.id },
    element('div', { class: 'body plain-text' }, message.text ?? ''),
    element('p', { class: 'meta' },
      element('time', { datetime: message.time }, timeOfDay(message.time)),
      ...(own ? receipt(message) : [])));
}

/** One tick while it is on its way, two when it was delivered, a cross with the reason when it failed. */
function receipt(message) {
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
    time === undefined ? '' : element('button', { type: 'button', class: 'link', onclick: () => showJourney(message.correlation) }, `in ${time}`),
  ];
}

async function send(event) {
  event.preventDefault();
  const input = byId('agent-input');
  const text = input.value.trim();
  const conversation = current();
  if (!text || !conversation) return;
  chosen = conversation.id;
  input.value = '';
  input.dispatchEvent(new Event('input'));
  try {
    await api.agentWrites(conversation.thread, text);
    await refresh();
  } catch (error) {
    if (!input.value) input.value = text;
    tell(error);
  }
}
