// The customer's side: chats in Teams, and writing in them.

import * as api from './api.js';
import { avatar, byId, duration, element, followEnd, htmlOfText, preview, richText, syncList, timeOfDay } from './dom.js';
import { addChat, adoptChats, chats, companyOf, tenants, texts, timeTo } from './state.js';

let current = chats[0];
let messages = [];
let toEnd = () => {};
let tell = () => {};
let showJourney = () => {};

export function start(options) {
  ({ tell, showJourney } = options);
  toEnd = followEnd(byId('customer-messages'));
  byId('customer-form').addEventListener('submit', send);
  byId('new-chat').addEventListener('click', () => byId('chat-dialog').showModal());
  byId('chat-cancel').addEventListener('click', () => byId('chat-dialog').close());
  byId('chat-form').addEventListener('submit', create);
  byId('chat-form').elements.tenant.append(
    ...tenants.map((tenant) => element('option', { value: tenant.id }, tenant.company)),
  );
  choose(current);
}

/** Reads the chat that is shown; one in which nobody has written does not exist in Teams yet. */
export async function refresh() {
  const asked = current;
  const { chats: begun = [] } = await api.teamsChats();
  if (adoptChats(begun)) renderChats();
  const answer = begun.some((chat) => chat.chat === asked.id) ? await api.chatMessages(asked.id) : {};
  const known = await Promise.all((answer.messages ?? []).map(async (message) => ({
    ...message,
    correlation: await api.correlationOf('teams', asked.id, message.id),
  })));
  if (asked !== current) return;
  messages = known;
  for (const message of messages) texts.set(message.correlation, preview(message.html));
  render();
}

/** Draws the messages again, with what is known about their journeys by now. */
export function render() {
  const list = byId('customer-messages');
  if (messages.length === 0) {
    list.replaceChildren(element('p', { class: 'empty' }, `No messages yet. Write as ${current.people[0].name} to begin.`));
    return;
  }
  if (!list.querySelector('.message')) list.replaceChildren();
  syncList(list, messages, (message) => message.id, signature, bubble);
}

function signature(message) {
  return JSON.stringify([message.html, reached(message), current.id]);
}

function reached(message) {
  const time = isCustomer(message) ? timeTo(message.correlation, 'genesys') : undefined;
  return time === undefined ? undefined : duration(time);
}

function isCustomer(message) {
  return current.people.some((one) => one.user === message.from?.user);
}

function bubble(message) {
  const own = isCustomer(message);
  const name = message.from?.name || (own ? 'Customer' : 'Support');
  const body = element('div', { class: 'body' });
  body.append(richText(message.html));
  const time = reached(message);
  return element('article', { class: `message ${own ? 'own' : 'other'}`, 'data-message': message.id },
    own && current.type !== 'group' ? null : element('p', { class: 'from' }, name),
    body,
    element('p', { class: 'meta' },
      element('time', { datetime: message.created }, timeOfDay(message.created)),
      time === undefined ? null : element('button', {
        type: 'button', class: 'link', onclick: () => showJourney(message.correlation),
      }, `With the agent in ${time}`)));
}

function choose(chat) {
  current = chat;
  messages = [];
  renderChats();
  const group = chat.type === 'group';
  byId('group-options').hidden = !group;
  byId('customer-sender').replaceChildren(...chat.people.map((one) => element('option', { value: one.user }, one.name)));
  byId('customer-messages').replaceChildren();
  render();
  toEnd();
}

function renderChats() {
  byId('chats').replaceChildren(...chats.map((one) => element('button', {
    type: 'button', class: 'pill', 'aria-pressed': String(one === current), onclick: () => { choose(one); refresh().catch(tell); },
  }, avatar(one.title), element('span', {},
    element('span', { class: 'pill-name' }, one.title),
    element('span', { class: 'pill-note' }, one.type === 'group' ? 'Group' : companyOf(one.people[0].tenant) ?? 'One to one')))));
  byId('chats').children[chats.indexOf(current)].scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

async function send(event) {
  event.preventDefault();
  const input = byId('customer-input');
  const text = input.value.trim();
  if (!text) return;
  const from = current.people.find((one) => one.user === byId('customer-sender').value) ?? current.people[0];
  input.value = '';
  input.dispatchEvent(new Event('input'));
  try {
    await api.customerWrites(current.id, {
      from,
      html: htmlOfText(text),
      chat_type: current.type,
      mention: current.type === 'group' ? byId('customer-mention').checked : undefined,
      support_account: current.support,
    });
    await refresh();
  } catch (error) {
    if (!input.value) input.value = text;
    tell(error);
  }
}

function create() {
  const form = byId('chat-form');
  const value = (name) => form.elements[name].value.trim();
  choose(addChat({ type: value('type'), name: value('name'), upn: value('upn'), tenant: value('tenant'), support: value('support') }));
  form.reset();
  byId('customer-input').focus();
}
