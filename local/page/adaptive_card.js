// Adaptive Cards, drawn by Microsoft's own renderer, which is fetched with the first card.

import { element } from './dom.js';

let renderer;

function library() {
  renderer ??= new Promise((resolve, reject) => {
    const script = element('script', { src: 'adaptivecards.min.js' });
    script.addEventListener('load', () => resolve(globalThis.AdaptiveCards));
    script.addEventListener('error', () => reject(new Error('Cards cannot be shown: their renderer is not installed.')));
    document.head.append(script);
  });
  return renderer;
}

/** The page's colours and fonts, in the renderer's words. */
function look({ HostConfig }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => {
    const value = style.getPropertyValue(`--${name}`).trim();
    return { default: value, subtle: style.getPropertyValue('--muted').trim() };
  };
  const foreground = { default: colour('text'), accent: colour('customer-text'), good: colour('good'), warning: colour('warn'), attention: colour('bad') };
  const container = (ground) => ({ backgroundColor: style.getPropertyValue(ground).trim(), foregroundColors: foreground });
  return new HostConfig({
    supportsInteractivity: true,
    fontFamily: 'inherit',
    containerStyles: { default: container('--surface'), emphasis: container('--raised') },
    actions: { actionsOrientation: 'horizontal', actionAlignment: 'left', maxActions: 20, buttonSpacing: 8 },
    spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 24, padding: 12 },
  });
}

/** A card; `onPress` gets the title of the button that was pressed and what stands in the inputs, by their ids. */
export function adaptiveCard(content, onPress) {
  const place = element('div', { class: 'adaptive-card', 'data-card': 'waiting' });
  library().then((cards) => {
    const card = new cards.AdaptiveCard();
    card.hostConfig = look(cards);
    card.onExecuteAction = (action) => {
      if (action instanceof cards.OpenUrlAction) {
        if (/^https?:\/\//i.test(action.url)) window.open(action.url, '_blank', 'noopener');
      } else if (action instanceof cards.SubmitAction) {
        const inputs = card.getAllInputs().filter((input) => input.id && input.value !== undefined);
        onPress(action.title, Object.fromEntries(inputs.map((input) => [input.id, input.value])));
      }
    };
    card.parse(content);
    place.replaceChildren(card.render());
    place.dataset.card = 'shown';
  }).catch((error) => {
    place.textContent = error.message;
    place.dataset.card = 'failed';
  });
  return place;
}
