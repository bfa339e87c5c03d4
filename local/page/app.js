// The console page: starts the panels and keeps them in step with the platform.

import * as agent from './agent.js';
import { listen, makeTenantKnown, refresher } from './api.js';
import { keepPageOnDrop } from './attachments.js';
import * as customer from './customer.js';
import { byId } from './dom.js';
import * as journeys from './journeys.js';
import * as operations from './operations.js';
import { startPaste } from './paste.js';
import { tenants } from './state.js';

const TABS = ['customer', 'journey', 'agent'];

function tell(message) {
  const toast = byId('toast');
  toast.textContent = message instanceof Error ? `That did not work: ${message.message}` : message;
  toast.classList.add('shown');
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => toast.classList.remove('shown'), 6000);
}

function showTab(name, focus) {
  document.body.dataset.tab = name;
  for (const tab of TABS) {
    const button = byId(`tab-${tab}`);
    button.setAttribute('aria-selected', String(tab === name));
    button.tabIndex = tab === name ? 0 : -1;
    if (focus && tab === name) button.focus();
  }
}

function startTabs() {
  for (const [place, tab] of TABS.entries()) {
    const button = byId(`tab-${tab}`);
    button.addEventListener('click', () => showTab(tab));
    button.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) showTab(TABS[(place + step + TABS.length) % TABS.length], true);
    });
  }
}

function showLive(state) {
  byId('live').dataset.state = state;
  byId('live-text').textContent = state === 'live' ? 'Live' : 'Reconnecting';
}

function showJourney(correlation) {
  showTab('journey');
  journeys.show(correlation);
}

tenants.forEach((tenant) => makeTenantKnown(tenant).catch(tell));
startTabs();
keepPageOnDrop();
customer.start({ tell, showJourney });
agent.start({ tell, showJourney });
operations.start({ tell });
startPaste({ customer: customer.pasteTarget, agent: agent.pasteTarget });
journeys.render();

const quietly = () => {};
const refresh = refresher(async () => {
  const outcomes = await Promise.allSettled([journeys.refresh()]);
  const parts = [customer.refresh(), agent.refresh(), operations.refreshQueues(), operations.refreshFaults(), operations.refreshSubscriptions()];
  outcomes.push(...await Promise.allSettled(parts));
  // Times come from the journeys and texts from the messages, so each panel is drawn again when all are there.
  customer.render();
  agent.render();
  journeys.render();
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}, quietly);

listen(refresh, showLive);
refresh();
// Depths can change without an event (a message's time runs out), so they are looked at now and then.
setInterval(() => document.hidden || operations.refreshQueues().catch(quietly), 4000);
