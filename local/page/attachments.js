// Pictures and files that wait to be sent: chosen by the button, pasted, or dropped on the panel.

import { byId, element } from './dom.js';
import { essence, fileChip, sizeText } from './media.js';

/** A file goes to the platform as text in one request. */
const LARGEST = 25_000_000;
const MOST = 10;
/** What Teams shows inside a message. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp']);

/** Whether a file is shown as a picture inside the message. */
export function isPicture(file) {
  return PICTURES.has(essence(file.type));
}

/** A file's content as base64. */
export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result.slice(reader.result.indexOf(',') + 1)));
    reader.addEventListener('error', () => reject(new Error(`${file.name} cannot be read`)));
    reader.readAsDataURL(file);
  });
}

/** The type that the browser found, without parameters. */
export function typeOf(file) {
  return essence(file.type) || 'application/octet-stream';
}

/** Starts the tray of one side (`customer` or `agent`); files are taken only while its text field is enabled. */
export function startTray(side, { tell }) {
  const input = byId(`${side}-input`);
  const list = byId(`${side}-tray`);
  const picker = byId(`${side}-files`);
  const panel = byId(side);
  let waiting = [];

  function render() {
    list.hidden = waiting.length === 0;
    list.replaceChildren(...waiting.map((one) => element('li', {},
      one.preview ? element('img', { src: one.preview, alt: '', class: 'tray-picture' }) : null,
      one.preview ? element('span', { class: 'file-name' }, one.file.name) : fileChip({ name: one.file.name, mime: one.file.type, size: one.file.size }),
      element('button', { type: 'button', class: 'remove', 'aria-label': `Remove ${one.file.name}`, onclick: () => remove(one) }, '×'))));
  }

  function add(files) {
    const large = files.find((file) => file.size > LARGEST);
    if (large) tell(new Error(`${large.name} has ${sizeText(large.size)}, the most is ${sizeText(LARGEST)}.`));
    let fitting = files.filter((file) => file.size <= LARGEST);
    if (waiting.length + fitting.length > MOST) {
      tell(new Error(`A message carries at most ${MOST} files.`));
      fitting = fitting.slice(0, MOST - waiting.length);
    }
    waiting.push(...fitting.map((file) => ({ file, preview: isPicture(file) ? URL.createObjectURL(file) : undefined })));
    render();
  }

  function forget(one) {
    if (one.preview) URL.revokeObjectURL(one.preview);
  }

  function remove(one) {
    forget(one);
    waiting = waiting.filter((other) => other !== one);
    render();
    input.focus();
  }

  byId(`${side}-attach`).addEventListener('click', () => picker.click());
  picker.addEventListener('change', () => {
    add([...picker.files]);
    // The same file can be chosen again.
    picker.value = '';
    input.focus();
  });
  input.addEventListener('paste', (event) => {
    const files = [...event.clipboardData.files];
    // A cell or a paragraph comes as text and as its picture: the text was meant.
    if (files.length === 0 || event.clipboardData.getData('text/plain')) return;
    event.preventDefault();
    add(files);
  });
  takeDrops(panel, () => !input.disabled, (files) => {
    add(files);
    input.focus();
  });

  return {
    /** The files, which are then no longer in the tray. */
    take() {
      const files = waiting.map((one) => one.file);
      waiting.forEach(forget);
      waiting = [];
      render();
      return files;
    },
    /** Puts files back in front of those that came since. */
    restore(files) {
      const since = this.take();
      add([...files, ...since]);
    },
  };
}

function takeDrops(panel, ready, take) {
  // The events come for each element on the way; only leaving the panel itself counts.
  let inside = 0;
  const mark = (step) => {
    inside = step === 0 ? 0 : inside + step;
    panel.dataset.dropping = String(inside > 0 && ready());
  };
  const isFile = (event) => event.dataTransfer?.types.includes('Files');
  panel.addEventListener('dragenter', (event) => isFile(event) && mark(1));
  panel.addEventListener('dragleave', (event) => isFile(event) && mark(-1));
  panel.addEventListener('drop', (event) => {
    mark(0);
    if (!isFile(event) || !ready()) return;
    // A folder comes as a file that cannot be read.
    const entries = [...event.dataTransfer.items].filter((item) => item.kind === 'file' && !item.webkitGetAsEntry()?.isDirectory);
    take(entries.map((item) => item.getAsFile()).filter(Boolean));
  });
}

/** A file that misses the panels must not replace the page. */
export function keepPageOnDrop() {
  for (const kind of ['dragover', 'drop']) {
    document.addEventListener(kind, (event) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    });
  }
}
