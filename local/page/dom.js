// Building elements and keeping lists of them. Text only ever becomes text nodes.

/** Makes an element: attributes by name, `on…` as listeners, children as nodes or text. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

/** A round mark with a person's initials, in a colour that stays theirs. */
export function avatar(name) {
  const words = String(name).split(/[\s.@_-]+/).filter(Boolean);
  const initials = words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join('') || '?';
  let hue = 0;
  for (const letter of String(name)) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const mark = element('span', { class: 'avatar', 'aria-hidden': 'true' }, initials);
  mark.style.setProperty('--hue', hue);
  return mark;
}

/** A duration for people: `42 ms`, `1.3 s`, `2 min`. */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export function timeOfDay(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return clock.format(date);
}

/**
 * Keeps a list of elements in step with `items`: one element a key, made anew only when its item changed,
 * so that open details, selections and the keyboard's focus stay.
 */
export function syncList(container, items, keyOf, signatureOf, make) {
  const old = new Map([...container.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = keyOf(item);
    const signature = signatureOf(item);
    const known = old.get(key);
    if (known?.dataset.signature === signature) return known;
    const fresh = make(item, known);
    fresh.dataset.key = key;
    fresh.dataset.signature = signature;
    return fresh;
  });
  const active = container.contains(document.activeElement) ? document.activeElement : undefined;
  const focused = active?.closest('[data-key]')?.dataset.key;
  const action = active?.dataset.action;
  const same = wanted.length === container.children.length && wanted.every((node, place) => container.children[place] === node);
  if (!same) {
    container.replaceChildren(...wanted);
    if (focused !== undefined && !container.contains(document.activeElement)) {
      const again = wanted.find((node) => node.dataset.key === focused);
      const same = action && again?.querySelector(`[data-action="${CSS.escape(action)}"]`);
      (same || (again?.matches('button') ? again : again?.querySelector('button, summary')))?.focus();
    }
  }
}

/**
 * Keeps a list at its end while it grows, shrinks or comes into view, unless the reader has scrolled back.
 * Returns a function that goes to the end whatever the reader did: for a list with other content.
 */
export function followEnd(list) {
  let atEnd = true;
  let size = '';
  const measure = () => `${list.clientWidth} ${list.clientHeight} ${list.scrollHeight}`;
  list.addEventListener('scroll', () => {
    // Only a scroll in an unchanged list is the reader's: a new size moves the position, too.
    if (measure() === size) atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  });
  const follow = () => {
    size = measure();
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  new ResizeObserver(follow).observe(list);
  new MutationObserver(follow).observe(list, { childList: true, subtree: true });
  // A picture has no height before it is there; its event does not bubble.
  list.addEventListener('load', follow, true);
  return () => {
    atEnd = true;
    follow();
  };
}
