// What the page knows, shared by its three panels.

const TENANTS = [
  { id: '3f1c2a90-8a4e-4d57-9c1b-5f0a7d2e1101', company: 'Northwind Traders', domain: 'northwind.example' },
  { id: '7b9d4e21-06c3-4f8a-b2d5-1c8e9a3f2202', company: 'Fabrikam', domain: 'fabrikam.example' },
  { id: 'c5e8a1f4-2d70-4b96-8e3f-6a4b0c9d3303', company: 'Adventure Works', domain: 'adventure-works.example' },
  { id: 'e1b07f3d-94a6-4c2e-8f15-b6d2c0a84404', company: 'Big Customer', domain: 'bigcustomer.example' },
];

const SUPPORT_USER = '00000000-0000-0000-0000-000000000004';

function person(name, user, tenant) {
  const upn = `${name.toLowerCase().normalize('NFD').replace(/[^a-z ]/g, '').trim().replace(/ +/g, '.')}@${tenant.domain}`;
  return { user, name, tenant: tenant.id, upn };
}

function oneToOneChatId(user) {
  return `19:${user}_${SUPPORT_USER}@unq.gbl.spaces`;
}

/** The person's chat with the app. */
function appChatOf(who) {
  return { id: `a:${who.user}`, type: 'personal', title: who.name, people: [who] };
}

function firstChats() {
  const ada = person('Ada Kovács', '9a6f0c1d-4b3e-4f27-a8d1-0e5b7c6a1a01', TENANTS[0]);
  const jonas = person('Jonas Lindqvist', 'b27e5d90-1c84-4a6b-93f0-7d2c8e4f1b02', TENANTS[1]);
  const mei = person('Mei Tanaka', 'e41a7b36-5f09-4c8d-8b2e-9f1d3a6c1c03', TENANTS[2]);
  return [
    { id: oneToOneChatId(ada.user), type: 'oneOnOne', title: ada.name, people: [ada] },
    { id: oneToOneChatId(jonas.user), type: 'oneOnOne', title: jonas.name, people: [jonas] },
    { id: '19:5d0e8c7b4a2f4e91b6d3c2a1f0e9d8c7@thread.v2', type: 'group', title: 'Project room', people: [mei, ada] },
    appChatOf(ada),
    appChatOf(jonas),
  ];
}

const KEY = 'graph-to-open.chats';

function storedChats() {
  try {
    const chats = JSON.parse(sessionStorage.getItem(KEY));
    if (Array.isArray(chats) && chats.length > 0 && chats.every((chat) => chat.id && chat.people?.length > 0)) return chats;
  } catch {
    // Nothing usable is stored: begin with the examples.
  }
  return firstChats();
}

export const tenants = TENANTS;
export const chats = storedChats();

/** Journeys by correlation id. */
export const journeys = new Map();

/** What each correlation id says, for the journeys' headings. */
export const texts = new Map();

export function companyOf(tenant) {
  return TENANTS.find((known) => known.id === tenant)?.company;
}

/** The name of a customer that this page made, by user id. */
export function nameOf(user) {
  for (const chat of chats) {
    const known = chat.people.find((one) => one.user === user);
    if (known) return known.name;
  }
  return undefined;
}

/** Adds a chat with one new customer and returns it. */
export function addChat({ type, name, upn, tenant, support }) {
  const customer = person(name, crypto.randomUUID(), TENANTS.find((known) => known.id === tenant) ?? TENANTS[0]);
  if (upn) customer.upn = upn;
  const chat = type === 'personal' ? appChatOf(customer) : {
    id: type === 'group' ? `19:${crypto.randomUUID().replaceAll('-', '')}@thread.v2` : oneToOneChatId(customer.user),
    type,
    title: type === 'group' ? `${name} and others` : name,
    people: type === 'group' ? [customer, ...firstChats()[0].people] : [customer],
    support: support || undefined,
  };
  chats.push(chat);
  sessionStorage.setItem(KEY, JSON.stringify(chats));
  return chat;
}

/** Takes in the chats that others began, by script for example; returns whether there were any. */
export function adoptChats(known) {
  const before = chats.length;
  for (const { chat: id, type, members } of known) {
    const people = members.filter((one) => one.user !== SUPPORT_USER && one.name !== 'Support');
    if (people.length === 0 || chats.some((chat) => chat.id === id)) continue;
    chats.push({ id, type, title: people.length > 1 ? `${people[0].name} and others` : people[0].name, people });
  }
  return chats.length > before;
}

/** Milliseconds from a journey's first hop to the named one, or undefined. */
export function timeTo(correlation, hop) {
  const hops = journeys.get(correlation)?.hops ?? [];
  const reached = hops.find((one) => one.hop === hop && !isBad(one.outcome));
  return reached ? new Date(reached.at) - new Date(hops[0].at) : undefined;
}

/** Whether an outcome (a status code or a word) is a failed attempt. */
export function isBad(outcome) {
  return /^[45]\d\d\b|fail|error|abandon|time.?out|timed|refus|unanswered|cut|lost|killed|dead|reject/i.test(String(outcome));
}
