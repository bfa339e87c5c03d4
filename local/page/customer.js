// The customer's side: chats in Teams, with the Support User or with the app, and writing in them.

import * as api from './api.js';
import * as app from './app_chat.js';
import { base64, isPicture, typeOf } from './attachments.js';
import { startComposer } from './composer.js';
import { bubble, signature } from './customer_message.js';
import { avatar, byId, element, followEnd, syncList } from './dom.js';
import { addChat, adoptChats, chats, companyOf, tenants, texts } from './state.js';
import { preview } from './teams_html.js';
import { editedHtml, htmlOfText, textOfHtml } from './teams_text.js';
import { showTyping, tellTyping } from './typing.js';

let current = chats[0];
let messages = [];
/** Whether the app is in the chat that is shown. */
let installed = false;
let composer;
let toEnd = () => {};
let tell = () => {};
let showJourney = () => {};

export function start(options) {
  ({ tell, showJourney } = options);
  toEnd = followEnd(byId('customer-messages'));
  composer = startComposer('customer', { tell, prepare, code: true });
  tellTyping('customer', () => app.isApp(current) && installed && app.type(current, sender()));
  byId('kind-chat').addEventListener('click', () => chooseKind(false));
  byId('kind-app').addEventListener('click', () => chooseKind(true));
  byId('customer-install').addEventListener('click', () => run(app.install(current, sender(), !installed)));
  byId('customer-sender').addEventListener('change', render);
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
  const [{ chats: withSupport = [] }, { chats: withApp = [] }] = await Promise.all([api.teamsChats(), api.appChats()]);
  const begun = [...withSupport, ...withApp.filter(app.isApp)];
  if (adoptChats(begun)) renderChats();
  const read = app.isApp(asked) ? app.read : (chat) => api.chatMessages(chat.id);
  const answer = begun.some((chat) => chat.chat === asked.id) ? await read(asked) : {};
  const known = await Promise.all((answer.messages ?? []).map(async (message) => ({
    ...message,
    correlation: await api.correlationOf('teams', asked.id, message.id),
  })));
  if (asked !== current) return;
  messages = known;
  installed = answer.installed ?? false;
  byId('customer-install').textContent = installed ? 'Remove app' : 'Install app';
  showTyping('customer', answer.typing ?? 0);
  for (const message of messages) {
    // A message that is gone keeps the words by which its journey is known.
    if (!message.deleted) texts.set(message.correlation, preview(message));
  }
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
  const me = sender().user;
  syncList(list, messages, (message) => message.id, (message) => `${current.id} ${signature(message, isCustomer(message), me)}`, (message, before) => {
    const own = isCustomer(message);
    return bubble(message, { own, named: !own || current.type === 'group', me, on: actions(message) }, before);
  });
}

function isCustomer(message) {
  return current.people.some((one) => one.user === message.from?.user);
}

/** Who writes: in a group one can choose. */
function sender() {
  return current.people.find((one) => one.user === byId('customer-sender').value) ?? current.people[0];
}

function actions(message) {
  const chat = current;
  const me = sender();
  const own = app.isApp(chat) ? {
    remove: () => run(app.remove(chat, me, message.id)),
    restore: () => run(app.restore(chat, me, message.id)),
    // The bot hears of reactions to its own messages alone.
    react: message.ofBot && ((reaction, takeBack) => run(app.react(chat, me, message.id, reaction, takeBack))),
    press: (button, inputs) => run(app.press(chat, me, message.id, button, inputs)),
  } : {
    remove: () => run(api.customerDeletes(chat.id, message.id)),
    restore: () => run(api.customerRestores(chat.id, message.id)),
    react: (reaction, takeBack) => {
      const work = takeBack ? api.customerTakesReactionBack : api.customerReacts;
      return run(work(chat.id, message.id, me, reaction));
    },
  };
  const at = (label, more) => ({ message, label, text: preview(message), isCurrent: () => chat === current, ...more });
  return {
    journey: () => showJourney(message.correlation),
    reply: () => composer.answer(at(`Reply to ${message.from?.name ?? 'message'}`)),
    edit: () => composer.edit(at('Edit message', { edits: true, send: 'Save', mayBeEmpty: isMoreThanText(message) }), textOfHtml(message.html)),
    ...own,
  };
}

function isMoreThanText(message) {
  return (message.attachments ?? []).length + (message.images ?? []).length > 0;
}

async function run(work) {
  try {
    await work;
    await refresh();
  } catch (error) {
    tell(error);
  }
}

function choose(chat) {
  current = chat;
  messages = [];
  composer.clear();
  renderChats();
  const group = chat.type === 'group';
  byId('group-options').hidden = !group;
  byId('customer-install').hidden = !app.isApp(chat);
  // Payloads are those of Graph.
  byId('customer-paste').hidden = app.isApp(chat);
  showTyping('customer', 0);
  byId('customer-sender').replaceChildren(...chat.people.map((one) => element('option', { value: one.user }, one.name)));
  byId('customer-messages').replaceChildren();
  render();
  toEnd();
}

/** The other kind of chat, of the same person where there is one. */
function chooseKind(withApp) {
  if (app.isApp(current) === withApp) return;
  const others = chats.filter((one) => app.isApp(one) === withApp);
  const same = others.find((one) => one.people.length === 1 && one.people[0].user === current.people[0].user);
  const chat = same ?? others[0];
  if (!chat) return;
  choose(chat);
  refresh().catch(tell);
}

function renderChats() {
  const shown = chats.filter((one) => app.isApp(one) === app.isApp(current));
  byId('kind-chat').setAttribute('aria-pressed', String(!app.isApp(current)));
  byId('kind-app').setAttribute('aria-pressed', String(app.isApp(current)));
  byId('chats').replaceChildren(...shown.map((one) => element('button', {
    type: 'button', class: 'pill', 'aria-pressed': String(one === current), onclick: () => { choose(one); refresh().catch(tell); },
  }, avatar(one.title), element('span', {},
    element('span', { class: 'pill-name' }, one.title),
    element('span', { class: 'pill-note' }, one.type === 'group' ? 'Group' : companyOf(one.people[0].tenant) ?? 'One to one')))));
  byId('chats').children[shown.indexOf(current)].scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

/** The work of sending what was written: as a message of the chat that is open now, or as a change of one. */
function prepare(written) {
  const chat = current;
  const from = sender();
  const mention = chat.type === 'group' ? byId('customer-mention').checked : undefined;
  return async () => {
    const { text, files, context } = written;
    const carried = await contents(files);
    if (context?.edits) {
      if (carried.files) throw new Error('only a new message takes further files.');
      if (app.isApp(chat)) await app.edit(chat, from, context.message.id, text);
      else await api.customerEdits(chat.id, context.message.id, { html: editedHtml(context.message, text), ...carried });
    } else if (app.isApp(chat)) {
      await app.write(chat, from, text, carried, context?.message);
    } else {
      await api.customerWrites(chat.id, {
        from,
        html: text ? htmlOfText(text) : '',
        chat_type: chat.type,
        mention,
        support_account: chat.support,
        reply_to: context ? [context.message.id] : undefined,
        ...carried,
      });
    }
    await refresh();
  };
}

/** Where a pasted message goes: into the chat that is open now. */
export function pasteTarget() {
  const chat = current;
  const order = { from: sender(), chat_type: chat.type, support_account: chat.support };
  return {
    name: `Into the chat ${chat.type === 'group' ? chat.title : `with ${chat.title}`}`,
    send: async (message, change) => {
      await api.graphShows(chat.id, message, { ...order, change });
      await refresh().catch(tell);
    },
  };
}

/** Pictures go into the message, other files beside it. */
async function contents(files) {
  const images = [];
  const others = [];
  for (const file of files) {
    const content = { content_type: typeOf(file), base64: await base64(file) };
    if (isPicture(file)) images.push(content);
    else others.push({ name: file.name, ...content });
  }
  return { images: images.length > 0 ? images : undefined, files: others.length > 0 ? others : undefined };
}

function create() {
  const form = byId('chat-form');
  const value = (name) => form.elements[name].value.trim();
  choose(addChat({ type: value('type'), name: value('name'), upn: value('upn'), tenant: value('tenant'), support: value('support') }));
  form.reset();
  byId('customer-input').focus();
}
