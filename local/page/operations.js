// The bar at the top: what waits in the queues, and what shall go wrong.

import * as api from './api.js';
import { byId, element } from './dom.js';

const FAULTS = {
  'fault-genesys': { service: 'genesys', delay_ms: 3000 },
  'fault-graph': { service: 'graph', status: 429, retry_after: 5 },
  'fault-notifications': { service: 'graph-notification', duplicate: 1 },
};

let rules = [];
let tell = () => {};

export function start(options) {
  tell = options.tell;
  for (const id of Object.keys(FAULTS)) byId(id).addEventListener('click', () => toggle(FAULTS[id]));
  byId('kill-handler').addEventListener('click', kill);
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
