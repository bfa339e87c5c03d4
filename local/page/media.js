// Pictures and files as both sides show them.

import { byId, element } from './dom.js';

/** A size for people, from bytes. */
export function sizeText(bytes) {
  if (!Number.isFinite(bytes)) return '';
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `image/png` of `image/png; name=x`. */
export function essence(mime) {
  return String(mime ?? '').split(';')[0].trim().toLowerCase();
}

function pixels(value) {
  return /^\d{1,4}(\.\d+)?$/.test(value ?? '') ? Math.round(Number(value)) || undefined : undefined;
}

/** A picture that opens large (`data-shown` once it is there); where it cannot be shown, its words and a mark stand. */
export function picture(path, alt, { width, height, title } = {}) {
  const image = element('img', { src: path, alt, width: pixels(width), height: pixels(height), title });
  const button = element('button', {
    type: 'button', class: 'picture', 'aria-label': `${alt}: show it large`, 'data-preview': alt, 'data-action': `picture ${path}`,
    onclick: () => showLarge(path, alt),
  }, image);
  image.addEventListener('load', () => { button.dataset.shown = 'true'; });
  image.addEventListener('error', () => button.replaceWith(fileChip({ name: alt, note: 'cannot be shown', bad: true })));
  return button;
}

function showLarge(path, alt) {
  const dialog = byId('picture-dialog');
  const image = dialog.querySelector('img');
  image.src = path;
  image.alt = alt;
  dialog.showModal();
}

/** A letter or four for a file's kind: its ending, or the second half of its type. */
function kind(name, mime) {
  const ending = String(name).match(/\.([a-z0-9]{1,4})$/i)?.[1];
  return (ending ?? essence(mime).split('/')[1]?.slice(0, 4) ?? '').replace(/[^a-z0-9]/gi, '') || 'file';
}

/** A file: name, type and size, as a download where there is one; `bad` marks what did not come along, `sign` what is no file. */
export function fileChip({ name, mime, size, note, href, title, bad, sign }) {
  const facts = [essence(mime), sizeText(size), note].filter(Boolean).join(' · ');
  return element(href ? 'a' : 'span', {
    class: 'file', href, download: href ? name : undefined, title, 'data-preview': name, 'data-bad': bad ? 'true' : undefined,
    'data-action': href ? `file ${href}` : undefined,
  },
  element('span', { class: 'file-kind', 'aria-hidden': 'true' }, bad ? '!' : sign ?? kind(name, mime)),
  element('span', { class: 'file-text' },
    element('span', { class: 'file-name' }, name),
    facts ? element('span', { class: 'file-facts' }, facts) : null));
}
