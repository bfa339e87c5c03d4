// The bar at the top: what waits in the queues, what shall go wrong, and Graph's subscriptions.

import * as api from './api.js';
import { byId, element, syncList } from './dom.js';

const FAULTS = {
  'fault-genesys': { service: 'genesys', delay_ms: 3000 },
  'fault-graph': { service: 'graph', status: 429, retry_after: 5 },
  'fault-notifications': { service: 'graph-notification', duplicate: 1 },
};

/** What can be done to a subscription: a name for scripts, a label, the call. */
const ORDERS = [
  ['reauthorize', 'Ask for reauthorization', (id) => api.tellLifecycle(id, 'reauthorizationRequired')],
  ['missed', 'Tell of missed ones', (id) => api.tellLifecycle(id, 'missed')],
  ['pause', 'Pause', (id) => api.setSubscriptionState(id, 'paused')],
  ['silence', 'Silence', (id) => api.setSubscriptionState(id, 'silent')],
  ['go-on', 'Go on', (id) => api.setSubscriptionState(id, 'active')],
  ['remove', 'Remove and tell', (id) => api.tellLifecycle(id, 'subscriptionRemoved')],
  ['forget', 'Remove silently', (id) => api.removeSubscription(id)],
];

const endFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

let rules = [];
let tell = () => {};

export function start(options) {
  tell = options.tell;
  for (const id of Object.keys(FAULTS)) byId(id).addEventListener('click', () => toggle(FAULTS[id]));
  byId('kill-handler').addEventListener('click', kill);
  byId('show-subscriptions').addEventListener('click', () => byId('subscriptions-dialog').showModal());
}

export async function refreshQueues() {
  const { queues = [], failed = 0 } = await api.queues();
  const depths = queues.map((queue) => ({
    name: queue.name,
    waiting: (queue.active ?? 0) + (queue.scheduled ?? 0),
    bad: (queue.dead_letters ?? 0) > 0,
    told: `${queue.active ?? 0} waiting, ${queue.scheduled ?? 0} scheduled, ${queue.dead_letters ?? 0} dead letters`,
  }));
  depths.push({ name: 'failed', waiting: failed, bad: failed > 0, told: `${failed} failed messages for a person to look at` });
  byId('queues').replaceChildren(...depths.map((depth) => element('div', {
    'data-queue': depth.name, 'data-busy': String(depth.waiting > 0), 'data-bad': String(depth.bad), title: depth.told,
  }, element('dt', {}, depth.name), element('dd', {}, String(depth.waiting)))));
}

export async function refreshFaults() {
  ({ rules = [] } = await api.faults());
  for (const [id, fault] of Object.entries(FAULTS)) {
    byId(id).setAttribute('aria-pressed', String(rules.some((rule) => isSame(rule, fault))));
  }
}

function isSame(rule, fault) {
  const set = Object.entries(rule).filter(([, value]) => value !== null && value !== undefined);
  return set.length === Object.keys(fault).length && set.every(([key, value]) => fault[key] === value);
}

async function toggle(fault) {
  try {
    await refreshFaults();
    const others = rules.filter((rule) => !isSame(rule, fault));
    await api.orderFaults(others.length < rules.length ? others : [...rules, fault]);
    await refreshFaults();
  } catch (error) {
    tell(error);
  }
}

async function kill() {
  try {
    await api.killHandler();
    tell('The handler was killed. The host starts it again, and what was under way is delivered once more.');
  } catch (error) {
    tell(error);
  }
}

export async function refreshSubscriptions() {
  const { subscriptions = [] } = await api.subscriptions();
  byId('show-subscriptions').textContent = `Subscriptions: ${subscriptions.length}`;
  byId('no-subscriptions').hidden = subscriptions.length > 0;
  syncList(byId('subscriptions'), subscriptions, ({ id }) => id, JSON.stringify, subscriptionItem);
}

function subscriptionItem(subscription) {
  const { id, account, resource, change_type: types, ends, state, waiting, content, certificate } = subscription;
  const details = [
    ['Types', types.split(',').join(', ')],
    ['Ends', endFormat.format(new Date(ends))],
    ['Content', content ? `for certificate ${certificate.slice(0, 12)}` : 'none'],
    ['Id', id],
  ];
  if (waiting > 0) details.push(['Held', String(waiting)]);
  return element('li', { 'data-subscription': id, 'data-state': state },
    element('p', { class: 'subscription-head' }, element('strong', {}, account ?? resource), element('span', { class: 'subscription-state' }, state)),
    element('dl', {}, ...details.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    element('div', { class: 'subscription-orders', role: 'group', 'aria-label': 'What Graph does to it' },
      ...ORDERS.filter(([name]) => isPossible(name, state)).map(([name, label, order]) => element('button', {
        type: 'button', class: name === 'remove' || name === 'forget' ? 'danger' : 'plain', 'data-action': name,
        onclick: () => order(id).catch(tell),
      }, label))));
}

/** One that is active cannot go on, and one that is paused or silent has to go on first. */
function isPossible(name, state) {
  if (name === 'go-on') return state !== 'active';
  return state === 'active' || (name !== 'pause' && name !== 'silence');
}
