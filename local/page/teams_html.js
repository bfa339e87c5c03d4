// A Teams message's HTML as nodes of our own making: nothing from outside is ever parsed into the page itself.

import { element } from './dom.js';
import { fileChip, picture } from './media.js';

const KEPT = new Set([
  'P', 'DIV', 'BR', 'HR', 'B', 'STRONG', 'I', 'EM', 'U', 'S', 'SUB', 'SUP', 'UL', 'OL', 'LI', 'BLOCKQUOTE', 'PRE', 'CODE', 'SPAN',
  'TABLE', 'THEAD', 'TBODY', 'TR', 'TH', 'TD',
]);
/** The page has headings of its own, so those of a message are only strong. */
const HEADINGS = new Set(['H1', 'H2', 'H3', 'H4', 'H5', 'H6']);
const DROPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'EMBED', 'NOSCRIPT', 'TITLE', 'HEAD', 'SVG', 'MATH']);
const DEEPEST = 40;
/** Enough of a card's or a quote's text to know it by. */
const LONGEST = 400;

/**
 * A message as nodes: listed elements without their attributes, web links, pictures by their id in `images`, and what
 * the markers of `attachments` stand for. `html` alone is enough for one without either.
 */
export function richText({ html, images = [], attachments = [] }) {
  const parsed = new DOMParser().parseFromString(String(html ?? ''), 'text/html');
  const fragment = document.createDocumentFragment();
  const around = { images, attachments, shown: new Set() };
  copyChildren(parsed.body, fragment, around, 0);
  for (const attachment of attachments) {
    if (!around.shown.has(attachment.id)) fragment.append(attached(attachment));
  }
  return fragment;
}

function copyChildren(source, target, around, depth) {
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      target.append(child.data);
    } else if (child.nodeType === Node.ELEMENT_NODE && !DROPPED.has(child.nodeName.toUpperCase())) {
      if (depth >= DEEPEST) target.append(child.textContent);
      else copyElement(child, target, around, depth);
    }
  }
}

function copyElement(source, target, around, depth) {
  const name = source.nodeName;
  if (name === 'IMG') {
    target.append(hostedPicture(source, around.images));
    return;
  }
  if (name === 'EMOJI' || name === 'CUSTOMEMOJI') {
    target.append(source.getAttribute('alt') || source.getAttribute('title') || '');
    return;
  }
  if (name === 'CODEBLOCK') {
    target.append(codeBlock(codeOf(source), source.className));
    return;
  }
  if (name === 'ATTACHMENT') {
    const attachment = around.attachments.find((one) => one.id === source.id);
    if (attachment && !around.shown.has(attachment.id)) {
      around.shown.add(attachment.id);
      target.append(attached(attachment));
    }
    return;
  }
  let copy = target;
  if (name === 'A' && isWebLink(source.getAttribute('href'))) {
    copy = element('a', { href: source.getAttribute('href'), target: '_blank', rel: 'noopener noreferrer' });
  } else if (name === 'AT') {
    copy = element('span', { class: 'mention' });
  } else if (HEADINGS.has(name)) {
    copy = element('p', { class: 'strong' });
  } else if (KEPT.has(name)) {
    copy = document.createElement(name);
  }
  if (copy !== target) target.append(copy);
  copyChildren(source, copy, around, depth + 1);
}

function isWebLink(address) {
  return /^https?:\/\//i.test(address ?? '');
}

/** The picture's bytes come from the platform; its own address needs a token. */
function hostedPicture(source, images) {
  const address = source.getAttribute('src') ?? '';
  const ids = [source.getAttribute('itemid'), address.match(/\/hostedContents\/([^/]+)\/\$value$/)?.[1]];
  const image = images.find((one) => ids.includes(one.id) || ids.includes(encodeURIComponent(one.id)));
  const alt = source.getAttribute('alt') || 'image';
  if (!image?.path) return alt;
  return picture(image.path, alt, { width: source.getAttribute('width'), height: source.getAttribute('height') });
}

function codeOf(source) {
  const lines = source.cloneNode(true);
  for (const end of lines.querySelectorAll('br')) end.replaceWith('\n');
  return lines.textContent;
}

function codeBlock(code, language) {
  return element('figure', { class: 'code' },
    language ? element('figcaption', {}, language) : null,
    element('pre', { tabindex: '0', role: 'group', 'aria-label': language ? `Code, ${language}` : 'Code' }, element('code', {}, code)));
}

/** The content, which is JSON in a text or, in a pasted message, may be an object. */
function contentOf(attachment) {
  if (attachment.content && typeof attachment.content === 'object') return attachment.content;
  try {
    return JSON.parse(attachment.content) ?? {};
  } catch {
    return {};
  }
}

/** What an attachment looks like in the chat. */
function attached(attachment) {
  const type = String(attachment.contentType ?? '');
  if (type === 'messageReference') {
    const { messagePreview, messageSender } = contentOf(attachment);
    return quote(messageSender?.user?.displayName ?? messageSender?.application?.displayName, String(messagePreview ?? ''));
  }
  if (type === 'forwardedMessageReference') {
    const { originalMessageContent, originalMessageSender } = contentOf(attachment);
    return quote(`Forwarded: ${originalMessageSender?.user?.displayName ?? 'message'}`, richText({ html: originalMessageContent }));
  }
  if (type === 'application/vnd.microsoft.card.codesnippet') {
    return fileChip({ name: attachment.name || 'Code snippet', note: contentOf(attachment).language, mime: 'text/plain', href: attachment.path });
  }
  if (type.startsWith('application/vnd.microsoft.card')) {
    return element('div', { class: 'card' }, ...cardTexts(contentOf(attachment)).map((text) => element('p', {}, text)));
  }
  return fileChip({
    name: attachment.name || (type === 'reference' ? 'File' : type || 'Attachment'),
    sign: type === 'reference' ? undefined : '…',
    mime: attachment.content_type,
    size: attachment.size,
    href: attachment.path,
    // Without the platform's copy there is at least the address in the customer's OneDrive.
    title: isWebLink(attachment.contentUrl) ? attachment.contentUrl : undefined,
  });
}

function quote(name, content) {
  return element('blockquote', { class: 'quote' }, name ? element('p', { class: 'strong' }, name) : null, element('div', {}, content));
}

/** The texts of a card in the order of its JSON, whatever its elements are. */
function cardTexts(card) {
  const texts = [];
  let left = LONGEST;
  const read = (value, key) => {
    if (left <= 0) return;
    if (typeof value === 'string') {
      if (!['text', 'title', 'subtitle', 'value'].includes(key) || !value) return;
      texts.push(value.slice(0, left));
      left -= value.length;
    } else if (value && typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) read(inner, Array.isArray(value) ? key : name);
    }
  };
  read(card);
  return texts.length > 0 ? texts : ['Card'];
}

/** The first words of a message, for a line elsewhere. */
export function preview(message) {
  const quoted = (message.attachments ?? []).filter((one) => one.contentType === 'messageReference').map((one) => one.id);
  const own = { ...message, attachments: (message.attachments ?? []).filter((one) => !quoted.includes(one.id)) };
  const node = element('div');
  node.append(richText(own));
  for (const shown of node.querySelectorAll('[data-preview]')) shown.replaceWith(` ${shown.dataset.preview} `);
  for (const line of node.querySelectorAll('br, p, div, li, pre')) line.before(' ');
  return node.textContent.replace(/\s+/g, ' ').trim();
}
