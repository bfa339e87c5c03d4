// The agent's side: conversations at Genesys, the screen pop and the customer's contact card, and the receipts.

import { bubble, signature, summary } from './agent_message.js';
import * as api from './api.js';
import { base64, typeOf } from './attachments.js';
import { startComposer } from './composer.js';
import { avatar, byId, element, followEnd, syncList } from './dom.js';
import { startQuestion } from './quick_replies.js';
import { screenPop } from './screen_pop.js';
import { showTyping, tellTyping } from './typing.js';
import { chats, companyOf, journeys, nameOf, texts } from './state.js';

const CARD = [
  ['teamsTenantDomain', 'Domain'],
  ['teamsTenantId', 'Tenant'],
  ['teamsUserId', 'User'],
  ['teamsUserType', 'Kind of user'],
  ['teamsSupportAccount', 'Support account'],
  ['teamsDoor', 'Came through'],
];

/** For how long a customer is seen to be typing, in milliseconds. */
const TYPING = 5000;

let conversations = [];
let chosen;
let toEnd = () => {};
let tell = () => {};
let showJourney = () => {};

export function start(options) {
  ({ tell, showJourney } = options);
  toEnd = followEnd(byId('agent-messages'));
  startComposer('agent', { tell, prepare });
  tellTyping('agent', () => current() && api.agentTypes(current().thread));
  startQuestion(ask);
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
    if (message.correlation && !texts.has(message.correlation)) texts.set(message.correlation, summary(message));
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
  for (const id of ['agent-input', 'agent-send', 'agent-attach', 'agent-question', 'agent-paste']) byId(id).disabled = !conversation;
  renderCard(conversation);
  showTyping('agent', typingUntil(conversation));
  const list = byId('agent-messages');
  if (!conversation) {
    list.replaceChildren(element('p', { class: 'empty' }, 'No conversation yet. A customer’s message opens one.'));
    return;
  }
  const other = list.dataset.conversation !== conversation.id;
  if (other || !list.querySelector('.message')) list.replaceChildren();
  list.dataset.conversation = conversation.id;
  syncList(list, conversation.messages, (message) => message.id, signature,
    (message) => bubble(message, () => showJourney(message.correlation)));
  if (other) toEnd();
}

/** Typing ends with the next message, or by itself. */
function typingUntil(conversation) {
  const typed = new Date(conversation?.typed ?? 0).getTime();
  const wrote = conversation?.messages.some((one) => one.direction === 'inbound' && new Date(one.time) >= typed);
  return wrote ? 0 : typed + TYPING;
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
  return last ? `${last.direction === 'outbound' ? 'You: ' : ''}${summary(last)}`.slice(0, 60) : '';
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
  const signature = JSON.stringify([title(conversation), attributes, conversation.screen_pop]);
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
    ...[screenPop(conversation)].filter(Boolean),
    element('dl', {}, ...rows));
}

/** The work of sending what was written. A message carries one file, so each further one is a message of its own. */
function prepare(written) {
  const conversation = current();
  if (!conversation) return undefined;
  chosen = conversation.id;
  return async () => {
    do {
      const [file] = written.files;
      await api.agentWrites(conversation.thread, {
        text: written.text || undefined,
        attachment: file && { name: file.name, content_type: typeOf(file), base64: await base64(file) },
      });
      // What is sent is not sent again when a later one fails.
      written.text = '';
      written.files = written.files.slice(1);
    } while (written.files.length > 0);
    await refresh();
  };
}

/** Where a pasted webhook goes: into the conversation that is open now. */
export function pasteTarget() {
  const conversation = current();
  if (!conversation) return undefined;
  return {
    name: `To ${title(conversation)}`,
    send: async (webhook) => {
      await api.genesysSends(conversation.thread, webhook);
      await refresh().catch(tell);
    },
  };
}

async function ask(question) {
  const conversation = current();
  if (!conversation) return false;
  chosen = conversation.id;
  try {
    await api.agentWrites(conversation.thread, question);
  } catch (error) {
    tell(error);
    return false;
  }
  await refresh().catch(tell);
  return true;
}
