// The screen pop: what the look-ups in the CRM found when the conversation began, and how far the customer's address can be trusted.

import { element } from './dom.js';

const MATCHED = {
  contact: 'Contact in the CRM',
  account: 'Account of the customer’s tenant',
  none: 'Nothing',
};

/** The screen pop of a conversation; nothing before the customer's first message. */
export function screenPop({ screen_pop: pop }) {
  if (!pop) return undefined;
  const failed = pop.problems.length > 0;
  return element('section', { class: 'pop', 'data-testid': 'screen-pop', 'data-matched': pop.matched, 'aria-label': 'Screen pop' },
    element('div', { class: 'pop-head' },
      element('strong', {}, pop.account || (pop.matched === 'none' ? 'Not in the CRM' : 'No account')),
      pop.tier ? element('span', { class: 'pop-tier' }, pop.tier) : undefined),
    element('dl', {},
      row('Matched by', MATCHED[pop.matched] ?? pop.matched),
      row('Company', pop.company ?? 'not known'),
      row('Address', pop.address ?? 'not known', pop.address && trust(pop)),
      failed ? row('Look-up', pop.problems.join('; '), element('span', { class: 'pop-trust' }, 'failed')) : undefined));
}

function trust({ is_address_verified: verified }) {
  const why = verified ? 'Its domain belongs to the customer’s tenant' : 'The customer’s tenant says so; it was not looked up';
  return element('span', { class: 'pop-trust', 'data-verified': String(verified), title: why }, verified ? 'verified' : 'not verified');
}

function row(label, text, mark) {
  return element('div', {}, element('dt', {}, label), element('dd', {}, element('span', {}, text), mark || undefined));
}
