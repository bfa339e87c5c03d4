// A customer's chat with the app, where the Bot connector tells of everything.

import * as api from './api.js';
import { htmlOfText } from './teams_text.js';

const CARD = 'application/vnd.microsoft.card.adaptive';
const FILE = 'application/vnd.microsoft.teams.file.download.info';

/** For how long a bot is seen to be typing, in milliseconds. */
const TYPING = 3000;

/** Whether it is such a chat. */
export function isApp(chat) {
  return chat.type === 'personal';
}

/** The chat: whether the app is in it, its messages in the shape of Graph's, and until when the bot is seen to be typing. */
export async function read(chat) {
  const answer = await api.appChat(chat.id);
  const messages = (answer.messages ?? []).map((message) => shaped(answer, message));
  return { installed: answer.installed, messages, typing: typingUntil(answer) };
}

/** Typing ends with the next message, or by itself. */
function typingUntil({ posted = [] }) {
  const last = posted.at(-1);
  return last?.activity?.type === 'typing' ? new Date(last.at).getTime() + TYPING : 0;
}

function shaped(answer, { id, from, activity, created, edited, deleted, reactions }) {
  const given = activity?.attachments ?? [];
  const ofKind = (kind) => given.filter((one) => one.contentType === kind);
  const pictures = given.filter((one) => one.contentType.startsWith('image/'));
  const images = pictures.map((one, place) => ({ id: `picture-${place}`, path: pathOf(one.contentUrl) }));
  const rich = ofKind('text/html')[0]?.content;
  const pressed = activity?.value === undefined ? '' : `Chose: ${titleOf(answer, activity)}`;
  const plain = activity?.text ?? pressed;
  const html = rich ?? (plain && htmlOfText(plain));
  return {
    id,
    from: from ?? { name: 'Bot' },
    html: html + images.map((image) => `<p><img itemid="${image.id}" alt="picture"></p>`).join(''),
    created,
    edited: from ? edited : null,
    deleted,
    images,
    attachments: ofKind(FILE).map(({ name, contentUrl, content }) => ({
      id: content.uniqueId, contentType: 'reference', name, contentUrl, path: `/local/teams/files/${encodeURIComponent(content.uniqueId)}`,
    })),
    cards: ofKind(CARD).map((one) => one.content),
    reactions: reactions.map((reaction) => ({ reaction, from: answer.members[0] })),
    ofBot: !from,
  };
}

/** A picture of the bot lies in its address; one of a customer is behind a token, and the platform has it. */
function pathOf(address) {
  const own = address?.match(/\/v3\/attachments\/([^/]+)\/views\/original$/)?.[1];
  return own ? `/local/bot/pictures/${own}` : address;
}

/** The title of the button that submits this, on the card as it was. */
function titleOf({ posted = [] }, { replyToId, value }) {
  const titles = [];
  const look = (part) => {
    if (!part || typeof part !== 'object') return;
    const data = Object.entries(part.data ?? {});
    const fits = part.type === 'Action.Submit' && data.every(([name, own]) => JSON.stringify(value[name]) === JSON.stringify(own));
    if (fits) titles.push(part.title);
    Object.values(part).forEach(look);
  };
  posted.filter((one) => one.id === replyToId).forEach((one) => look(one.activity));
  return titles[0] ?? 'an answer';
}

/** Sends what was written; the app comes with the first message. */
export async function write(chat, from, text, { images = [], files = [] }, quoted) {
  const { chats = [] } = await api.appChats();
  if (!chats.some((one) => one.chat === chat.id && one.installed)) await install(chat, from, true);
  const quote = quoted && { message: quoted.id };
  await api.appDoes(chat.id, { do: 'say', from, text, html: text ? htmlOfText(text) : '', pictures: images, files, quote });
}

export const install = (chat, from, wanted) => api.appDoes(chat.id, { do: wanted ? 'install' : 'uninstall', from });
export const edit = (chat, from, message, text) => api.appDoes(chat.id, { do: 'edit', from, message, text });
export const remove = (chat, from, message) => api.appDoes(chat.id, { do: 'delete', from, message });
export const restore = (chat, from, message) => api.appDoes(chat.id, { do: 'restore', from, message });
export const react = (chat, from, message, reaction, takeBack) => api.appDoes(chat.id, { do: takeBack ? 'unreact' : 'react', from, message, reaction });
export const press = (chat, from, message, button, inputs) => api.appDoes(chat.id, { do: 'press', from, message, button, inputs });
export const type = (chat, from) => api.appDoes(chat.id, { do: 'type', from });
