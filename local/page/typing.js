// Typing: who is seen to be typing and until when, and telling the other side of one's own key strokes.

import { byId } from './dom.js';

/** Between two tellings, in milliseconds. */
const PAUSE = 3000;

const timers = new Map();

/** Shows the dots of one side until then, in milliseconds since 1970; a time that is over hides them. */
export function showTyping(side, until) {
  const dots = byId(`${side}-typing`);
  clearTimeout(timers.get(side));
  const left = until - Date.now();
  dots.hidden = !(left > 0);
  if (left > 0) timers.set(side, setTimeout(() => { dots.hidden = true; }, left));
}

/** Tells of key strokes in one side's field. `tell` begins the telling, or does nothing where nobody would hear of it. */
export function tellTyping(side, tell) {
  const input = byId(`${side}-input`);
  let last = 0;
  input.addEventListener('input', () => {
    if (input.value === '' || Date.now() - last < PAUSE) return;
    const telling = tell();
    if (!telling) return;
    last = Date.now();
    // Who cannot be told sees no dots, and that is all.
    telling.catch(() => {});
  });
}
