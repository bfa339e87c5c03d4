// The local platform's control interface.

/** `body` is what becomes JSON, or a text that is JSON already. */
async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${reason(text).slice(0, 200)}`.trim());
  return text ? JSON.parse(text) : {};
}

/** The reason in a refusal: `{"error": …}`, or whatever the text is. */
function reason(text) {
  try {
    const { error } = JSON.parse(text);
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

/** An object with JSON under this name that is not read on the way: numbers, for one, would not all come back the same. */
function around(name, json, others) {
  const rest = JSON.stringify(others).slice(1);
  return `{${JSON.stringify(name)}:${json}${rest === '}' ? '' : ','}${rest}`;
}

const segment = encodeURIComponent;
const messagePath = (chat, message) => `/local/teams/chats/${segment(chat)}/messages/${segment(message)}`;

/** Where the page gets a conversation message's attachment. */
export const mediaPath = (message) => `/local/genesys/media/${segment(message)}`;

export const teamsChats = () => call('GET', '/local/teams/chats');
export const chatMessages = (chat) => call('GET', `/local/teams/chats/${segment(chat)}/messages`);
export const customerWrites = (chat, message) => call('POST', `/local/teams/chats/${segment(chat)}/messages`, message);
export const customerEdits = (chat, message, change) => call('PATCH', messagePath(chat, message), change);
export const customerDeletes = (chat, message) => call('DELETE', messagePath(chat, message));
export const customerRestores = (chat, message) => call('POST', `${messagePath(chat, message)}/restore`);
export const customerReacts = (chat, message, from, reaction) => call('POST', `${messagePath(chat, message)}/reactions`, { from, reaction });
export const customerTakesReactionBack = (chat, message, from, reaction) => call('DELETE', `${messagePath(chat, message)}/reactions`, { from, reaction });
export const appChats = () => call('GET', '/local/bot/chats');
export const appChat = (chat) => call('GET', `/local/bot/chats/${segment(chat)}`);
/** What somebody does in a chat with the app, by the word in `do`. */
export const appDoes = (chat, deed) => call('POST', `/local/bot/chats/${segment(chat)}`, deed);
export const agentTypes = (thread) => call('POST', `/local/genesys/threads/${segment(thread)}/typing`, {});
export const conversations = () => call('GET', '/local/genesys/conversations');
export const agentWrites = (thread, message) => call('POST', `/local/genesys/threads/${segment(thread)}/messages`, message);
/** A message as it is, as JSON, in a chat; `order` is what else the control interface takes. */
export const graphShows = (chat, message, order) => call('POST', `/local/teams/chats/${segment(chat)}/raw`, around('message', message, order));
/** A webhook as it is, as JSON, about a thread. */
export const genesysSends = (thread, webhook) => call('POST', `/local/genesys/threads/${segment(thread)}/raw`, around('webhook', webhook, {}));
/** Has Graph know a tenant, so that the bridge can ask which company it is. */
export const makeTenantKnown = ({ id, company, domain }) => call('PUT', `/local/graph/tenants/${segment(id)}`, { name: company, domains: [domain] });
export const journeys = () => call('GET', '/local/journeys');
export const queues = () => call('GET', '/local/queues');
export const faults = () => call('GET', '/local/faults');
export const orderFaults = (rules) => call('PUT', '/local/faults', { rules });
export const killHandler = () => call('POST', '/local/handler/kill', {});
export const subscriptions = () => call('GET', '/local/graph/subscriptions');
/** What Graph does to a subscription on its own: tells its owner of an event, holds or loses what it would send, removes it. */
export const tellLifecycle = (id, event) => call('POST', `/local/graph/subscriptions/${segment(id)}/lifecycle`, { event });
export const setSubscriptionState = (id, state) => call('PUT', `/local/graph/subscriptions/${segment(id)}/state`, { state });
export const removeSubscription = (id) => call('DELETE', `/local/graph/subscriptions/${segment(id)}`);

/** Calls `onChange` at each event, and once after every (re)connection; `onState` with `live` or `waiting`. */
export function listen(onChange, onState) {
  const source = new EventSource('/local/events');
  source.addEventListener('open', () => {
    onState('live');
    onChange();
  });
  source.addEventListener('error', () => onState('waiting'));
  for (const kind of ['message', 'journey', 'chat', 'conversation', 'queues', 'faults', 'handler', 'failed', 'subscriptions']) {
    source.addEventListener(kind, onChange);
  }
}

/**
 * A refresh that runs at most once at a time: calls while it runs lead to one more run after it.
 * Waits a moment first, so that a burst of events costs one request.
 */
export function refresher(work, onError) {
  let wanted = false;
  let running = false;
  async function run() {
    running = true;
    while (wanted) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      wanted = false;
      try {
        await work();
      } catch (error) {
        onError(error);
      }
    }
    running = false;
  }
  return () => {
    wanted = true;
    if (!running) run();
  };
}

/** The GUID that follows a message through the bridge: the first half of a SHA-256 over where it came from. */
const correlations = new Map();
export async function correlationOf(...parts) {
  const text = parts.join('\n');
  if (!correlations.has(text)) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
    const hex = [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    correlations.set(text, hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
  }
  return correlations.get(text);
}
