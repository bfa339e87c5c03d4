// Between the two sides: the way of each message, one station a hop.

import * as api from './api.js';
import { byId, duration, element, syncList } from './dom.js';
import { isBad, journeys, texts } from './state.js';

const SHOWN = 40;

/** The stations of each way in order: the hop's name on the platform, and what a person calls it. */
const STATIONS = {
  inbound: [
    ['teams', 'Teams'], ['notification', 'Notified'], ['inbound-graph', 'Received'], ['queue inbound', 'Queued'],
    ['deliver-to-genesys', 'Delivering'], ['genesys', 'Genesys'],
  ],
  'inbound-bot': [
    ['teams', 'Teams'], ['activity', 'Told'], ['inbound-bot', 'Received'], ['queue inbound', 'Queued'],
    ['deliver-to-genesys', 'Delivering'], ['genesys', 'Genesys'],
  ],
  outbound: [
    ['genesys', 'Genesys'], ['webhook', 'Webhook'], ['outbound-genesys', 'Received'], ['queue outbound', 'Queued'],
    ['deliver-to-teams', 'Delivering'], ['teams', 'Teams'], ['receipt', 'Receipt'],
  ],
};

let latest = [];

export async function refresh() {
  const answer = await api.journeys();
  const all = answer.journeys ?? [];
  for (const journey of all) {
    journey.hops.sort((one, other) => new Date(one.at) - new Date(other.at));
    journeys.set(journey.correlation, journey);
  }
  const begin = (leg) => new Date(leg.hops[0]?.at ?? 0);
  latest = all.flatMap(legs).sort((one, other) => begin(other) - begin(one)).slice(0, SHOWN);
}

/**
 * A customer's message goes the whole way once more for each change of it: `change` is what was done, if it is not the
 * message itself. The first leg has the journey's own key.
 */
function legs(journey) {
  if (journey.direction === 'outbound') return [{ ...journey, key: journey.correlation }];
  const parts = [];
  for (const hop of journey.hops) {
    if (hop.hop === 'teams' || parts.length === 0) parts.push([]);
    parts.at(-1).push(hop);
  }
  return parts.map((hops, place) => ({
    ...journey, hops,
    key: place === 0 ? journey.correlation : `${journey.correlation} ${place + 1}`,
    change: hops[0].hop === 'teams' && hops[0].outcome !== 'written' ? hops[0].outcome : undefined,
  }));
}

export function render() {
  const list = byId('journeys');
  if (latest.length === 0) {
    list.replaceChildren(element('p', { class: 'empty' }, 'Send a message on either side and watch its way here.'));
    return;
  }
  if (!list.querySelector('.trip')) list.replaceChildren();
  syncList(list, latest, (journey) => journey.key,
    (journey) => JSON.stringify([journey.hops, texts.get(journey.correlation)]), trip);
}

/** Brings a journey into view and marks it for a moment. */
export function show(correlation) {
  const card = byId('journeys').querySelector(`[data-key="${CSS.escape(correlation)}"]`);
  if (!card) return;
  card.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  card.classList.remove('marked');
  requestAnimationFrame(() => card.classList.add('marked'));
  card.querySelector('summary').focus({ preventScroll: true });
}

function trip(journey, before) {
  const inbound = journey.direction !== 'outbound';
  const stops = stations(journey);
  const begin = new Date(journey.hops[0]?.at ?? Date.now());
  const end = new Date(journey.hops.at(-1)?.at ?? begin);
  const state = stateOf(journey, stops);
  const told = { failed: 'failed', retrying: 'trying again', done: duration(end - begin), stopped: 'not passed on', echo: 'stopped', moving: 'under way' };
  const way = state === 'echo' ? ['echo', 'Echo'] : inbound ? ['in', 'Customer → agent'] : ['out', 'Agent → customer'];
  const text = state === 'echo' ? 'Our own message came back from Teams' : texts.get(journey.correlation);
  return element('article', { class: 'trip', 'data-journey': journey.correlation, 'data-direction': journey.direction, 'data-state': state },
    element('header', {},
      element('span', { class: `way ${way[0]}` }, way[1]),
      journey.change ? element('span', { class: 'change' }, journey.change) : null,
      state === 'echo' ? element('span', { class: 'echo-text' }, text) : null,
      element('span', { class: 'trip-time' }, told[state])),
    state === 'echo' ? null : element('p', { class: 'trip-text' }, text || (inbound ? /installed$/.test(journey.change) ? 'The Teams app' : 'A customer’s message' : 'An agent’s message')),
    state === 'echo' ? null : element('ol', { class: 'stations' }, ...stops.map((stop) => station(stop, begin))),
    details(journey, begin, before?.querySelector('details')?.open));
}

/** What the host, Graph, the connector or Genesys calls once more by itself after a failure. */
const TRIED_AGAIN = /^deliver-|^notification$|^activity$|^webhook$/;

/** Echoes and messages that are not for the agent end at the delivery, on purpose. */
function stateOf(journey, stops) {
  const state = (hop) => stops.find((stop) => stop.hop === hop)?.state;
  const bad = stops.filter((stop) => stop.state === 'failed');
  if (bad.length > 0) return bad.every((stop) => TRIED_AGAIN.test(stop.hop)) ? 'retrying' : 'failed';
  if (stops.every((stop) => stop.state !== 'ahead')) return 'done';
  const ended = journey.direction !== 'outbound' && state('deliver-to-genesys') !== 'ahead' && state('genesys') === 'ahead';
  if (!ended) return 'moving';
  return state('teams') === 'ahead' ? 'echo' : 'stopped';
}

/** The expected stations with what happened at each, and unexpected hops (`failed`, say) after them. */
function stations(journey) {
  const throughBot = journey.hops.some((hop) => hop.hop === 'activity');
  const expected = STATIONS[throughBot ? 'inbound-bot' : journey.direction] ?? [];
  const names = new Map(expected);
  const others = journey.hops.map((hop) => hop.hop).filter((hop) => !names.has(hop));
  for (const hop of others) names.set(hop, hop[0].toUpperCase() + hop.slice(1));
  const stops = [...names].map(([hop, label]) => {
    const visits = journey.hops.filter((one) => one.hop === hop);
    const last = visits.at(-1);
    const bad = visits.filter((one) => isBad(one.outcome)).length;
    let state = 'ahead';
    if (last) state = isBad(last.outcome) || hop === 'failed' ? 'failed' : bad > 0 ? 'retried' : 'done';
    return { hop, label, visits, last, bad, state, at: last && new Date(last.at) };
  });
  // A call is recorded when it is answered, which can be after the next hop: it was passed by then at the latest.
  let next;
  for (const stop of stops.toReversed()) {
    if (!stop.at) continue;
    if (next && next < stop.at) stop.at = next;
    next = stop.at;
  }
  return stops;
}

function station({ hop, label, visits, last, bad, state, at }, begin) {
  const told = last ? `${label}: ${last.outcome}${visits.length > 1 ? `, ${visits.length} times` : ''}` : `${label}: not yet`;
  return element('li', {
    class: 'station', 'data-state': state, title: `${hop} · ${told}`,
    'data-hop': last ? hop : undefined, 'data-expected': last ? undefined : hop, 'data-attempt': last?.attempt, 'data-outcome': last?.outcome,
  },
  element('span', { class: 'stop', 'aria-hidden': 'true' }, { done: '✓', retried: '✓', failed: '!' }[state] ?? '',
    bad > 0 && visits.length > 1 ? element('span', { class: 'count' }, `×${visits.length}`) : null),
  element('span', { class: 'station-name' }, label),
  element('span', { class: 'station-time' }, last ? `+${duration(at - begin)}` : '', element('span', { class: 'hidden' }, last ? String(last.outcome) : 'not yet')));
}

function details(journey, begin, open) {
  return element('details', { open },
    element('summary', {}, `${journey.hops.length} ${journey.hops.length === 1 ? 'hop' : 'hops'}`),
    element('table', {},
      element('caption', {}, 'Correlation ', element('code', {}, journey.correlation)),
      element('thead', {}, element('tr', {}, ...['After', 'Hop', 'Try', 'Outcome'].map((name) => element('th', { scope: 'col' }, name)))),
      element('tbody', {}, ...journey.hops.map((hop) => element('tr', { class: isBad(hop.outcome) ? 'bad' : null },
        element('td', { class: 'after', title: hop.at }, duration(new Date(hop.at) - begin)),
        element('td', {}, hop.hop),
        element('td', {}, String(hop.attempt ?? '')),
        element('td', {}, String(hop.outcome ?? '')))))));
}
