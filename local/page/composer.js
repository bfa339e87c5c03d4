// Where one writes: a text field with a tray for files, and on the customer's side what the text answers or changes.

import { startTray } from './attachments.js';
import { byId } from './dom.js';
import { isInCode } from './teams_text.js';

/** Code is written between these lines. */
const FENCE = '```';

/**
 * Starts the composer of one side. `prepare` gets what was written (`{text, files, context}`) at once, so that it can
 * note where it goes, and returns the work of sending it; one is sent after the other. What could not be sent comes back.
 */
export function startComposer(side, { tell, prepare, code = false }) {
  const form = byId(`${side}-form`);
  const input = byId(`${side}-input`);
  const bar = byId(`${side}-context`);
  const tray = startTray(side, { tell });
  let before = Promise.resolve();
  let context;

  function write(text) {
    input.value = text;
    grow(input);
  }

  function show(next) {
    context = next;
    if (!bar) return;
    bar.hidden = !context;
    bar.querySelector('[data-part=label]').textContent = context?.label ?? '';
    bar.querySelector('[data-part=text]').textContent = context?.text ?? '';
    byId(`${side}-send`).textContent = context?.send ?? 'Send';
  }

  /** Ends answering or editing. What stood there before an edit comes back. */
  function clear() {
    const draft = context?.draft;
    show(undefined);
    if (draft !== undefined) write(draft);
  }

  function submit(event) {
    event.preventDefault();
    const written = { text: input.value.trim(), context };
    const work = prepare(written);
    if (!work) return;
    written.files = tray.take();
    if (!written.text && written.files.length === 0 && !context?.mayBeEmpty) return;
    write('');
    clear();
    before = before.then(work).catch((error) => {
      tell(error);
      restore(written);
    });
  }

  function restore({ text, files, context: meant }) {
    write([text, input.value.trim()].filter(Boolean).join('\n'));
    tray.restore(files);
    if (meant?.isCurrent() && !context) show({ ...meant, draft: undefined });
  }

  form.addEventListener('submit', submit);
  input.addEventListener('input', () => grow(input));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && context) clear();
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    // Inside a code block Enter begins a line, as it does in Teams.
    if (code && !event.ctrlKey && isInCode(input.value.slice(0, input.selectionStart))) return;
    event.preventDefault();
    form.requestSubmit();
  });
  bar?.querySelector('button').addEventListener('click', () => {
    clear();
    input.focus();
  });
  if (code) byId(`${side}-code`).addEventListener('click', () => fence(input));

  return {
    clear,
    /** Answers a message: `{label, text, isCurrent, …}`, handed to `prepare` with what is written. */
    answer(next) {
      clear();
      show(next);
      input.focus();
    },
    /** Changes a message whose text is `typed`. */
    edit(next, typed) {
      clear();
      show({ ...next, draft: input.value });
      write(typed);
      input.focus();
    },
  };
}

/** The field grows with its text. */
function grow(input) {
  input.style.height = 'auto';
  input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
}

/** Puts the selected text, or an empty line, between fences. */
function fence(input) {
  const { selectionStart: start, selectionEnd: end, value } = input;
  const lead = start === 0 || value[start - 1] === '\n' ? '' : '\n';
  const tail = end === value.length || value[end] === '\n' ? '' : '\n';
  input.setRangeText(`${lead}${FENCE}\n${value.slice(start, end)}\n${FENCE}${tail}`, start, end, 'end');
  const inside = start + lead.length + FENCE.length + 1;
  input.setSelectionRange(inside, inside + end - start);
  grow(input);
  input.focus();
}
