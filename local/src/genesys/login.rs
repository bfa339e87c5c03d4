//! The OAuth clients: their secrets, their tokens, what they may do, and how many requests each may send.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::shared::locked::Locked;
use crate::shared::random_text;
use crate::world::Config;

/// Life of a token in seconds: the default of an OAuth client.
pub const TOKEN_SECONDS: u64 = 86_400;
/// The window in which requests are counted: 300 in any minute unless Genesys raised it (Genesys Cloud Developer Center, "Limits",
/// `client.credentials.token.rate.per.minute`).
const WINDOW: Duration = Duration::from_secs(60);

/// What the bridge's role has.
const BRIDGE: [&str; 2] = ["conversation:message:receive", "messaging:integration:view"];
/// What it has besides where customers may end conversations, as they may here from the start.
const ENDS: [&str; 2] = [
    "conversation:message:view",
    "conversation:communication:disconnect",
];
/// What it has besides where it may replace its secrets.
const ROTATES: [&str; 2] = ["messaging:integration:edit", "oauth:client:edit"];
/// What an administrator's client has besides.
const ADMINISTRATES: [&str; 1] = ["oauth:client:view"];

/// One client.
pub struct Client {
    pub id: String,
    pub name: String,
    pub secret: String,
    /// From when on the secret is taken.
    taken_from: Instant,
    rights: Vec<&'static str>,
    /// Ids of the roles that it has besides.
    roles: Vec<String>,
    /// A person, who has a token and no secret, signs in elsewhere.
    is_person: bool,
    is_active: bool,
    /// The permissions that its calls took.
    pub used: BTreeSet<String>,
    /// When each token ends.
    tokens: HashMap<String, Instant>,
    /// When the requests of the last window came, at most as many as pass within it.
    lately: VecDeque<Instant>,
    /// Requests that passed since the start.
    pub passed: u64,
    /// Requests that came too often since the start.
    pub refused: u64,
}

impl Client {
    fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            secret: random_text(),
            taken_from: Instant::now(),
            rights: Vec::new(),
            roles: Vec::new(),
            is_person: false,
            is_active: true,
            used: BTreeSet::new(),
            tokens: HashMap::new(),
            lately: VecDeque::new(),
            passed: 0,
            refused: 0,
        }
    }

    fn tokened(&mut self) -> String {
        let (token, now) = (random_text(), Instant::now());
        self.tokens.retain(|_, expires| *expires > now);
        let expires = now + Duration::from_secs(TOKEN_SECONDS);
        self.tokens.insert(token.clone(), expires);
        token
    }
}

pub struct Login {
    clients: Locked<Vec<Client>>,
    /// Requests of a client that pass within the window.
    limit: usize,
    /// Whether a client's tokens end with its secret.
    ends_tokens: bool,
    /// How long a new secret is not known yet.
    propagation: Locked<Duration>,
}

/// Why there is no token.
pub enum NoToken {
    UnknownClient,
    WrongSecret,
}

impl Login {
    /// The bridge's clients, the spare one where there is one, and an administrator's, with new secrets and without tokens.
    pub fn new(config: &Config) -> Self {
        let client = |id: &str, name: &str, rights: &[&'static str]| Client {
            rights: rights.to_vec(),
            ..Client::new(id, name)
        };
        let administrator = Uuid::from_u128(0xad).to_string();
        let all = [&BRIDGE[..], &ENDS, &ROTATES, &ADMINISTRATES].concat();
        let bridge = [BRIDGE, ENDS].concat();
        let mut clients = vec![client(&administrator, "administrator", &all)];
        for (index, id) in config.genesys_client_ids.iter().enumerate() {
            let name = match index {
                0 => "bridge".to_owned(),
                _ => format!("bridge {}", index + 1),
            };
            clients.push(client(id, &name, &bridge));
        }
        if let Some(id) = &config.genesys_spare_client_id {
            clients.push(client(id, "bridge, spare", &bridge));
        }
        Self {
            clients: Locked::new(clients),
            limit: config.genesys_rate_limit,
            ends_tokens: config.speed == 1,
            propagation: Locked::default(),
        }
    }

    /// Shows a client, where there is one of this id.
    pub fn client<T>(&self, id: &str, show: impl FnOnce(&Client) -> T) -> Option<T> {
        self.clients.lock().iter().find(|it| it.id == id).map(show)
    }

    /// Shows all clients.
    pub fn all<T>(&self, show: impl FnMut(&Client) -> T) -> Vec<T> {
        self.clients.lock().iter().map(show).collect()
    }

    /// The same for the client of this name.
    pub fn named<T>(&self, name: &str, show: impl FnOnce(&Client) -> T) -> Option<T> {
        let clients = self.clients.lock();
        clients.iter().find(|it| it.name == name).map(show)
    }

    /// A new token for whoever has a client's secret.
    pub fn issue(&self, id: &str, secret: &str) -> Result<String, NoToken> {
        let now = Instant::now();
        let mut clients = self.clients.lock();
        let client = clients.iter_mut().find(|it| it.id == id && !it.is_person);
        let client = client.ok_or(NoToken::UnknownClient)?;
        if client.secret != secret || now < client.taken_from || !client.is_active {
            return Err(NoToken::WrongSecret);
        }
        Ok(client.tokened())
    }

    /// The client whose token this is, where it has not expired.
    pub fn holder(&self, token: &str) -> Option<String> {
        let now = Instant::now();
        let clients = self.clients.lock();
        let is_holder = |client: &&Client| {
            client
                .tokens
                .get(token)
                .is_some_and(|expires| *expires > now)
        };
        clients.iter().find(is_holder).map(|it| it.id.clone())
    }

    /// Adds a client that has these roles, and its secret.
    pub fn add(&self, id: &str, name: &str, roles: Vec<String>) -> String {
        let client = Client {
            roles,
            ..Client::new(id, name)
        };
        let secret = client.secret.clone();
        self.clients.lock().push(client);
        secret
    }

    /// Adds a person who has these roles, and their token.
    pub fn add_person(&self, id: &str, name: &str, roles: Vec<String>) -> String {
        let mut person = Client {
            roles,
            is_person: true,
            ..Client::new(id, name)
        };
        let token = person.tokened();
        self.clients.lock().push(person);
        token
    }

    /// Whether this is a person, not a client.
    pub fn is_person(&self, id: &str) -> bool {
        self.client(id, |it| it.is_person) == Some(true)
    }

    /// Takes a client away.
    pub fn remove(&self, id: &str) {
        self.clients.lock().retain(|it| it.id != id);
    }

    /// Changes the roles of a client or person, and whether it may sign in.
    pub fn change(&self, id: &str, roles: Vec<String>, is_active: bool) {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.iter_mut().find(|it| it.id == id) {
            client.roles = roles;
            client.is_active = is_active;
        }
    }

    /// What a client may do by itself, and the ids of the roles that let it do more.
    pub fn rights(&self, id: &str) -> (Vec<&'static str>, Vec<String>) {
        let rights = self.client(id, |it| (it.rights.clone(), it.roles.clone()));
        rights.unwrap_or_default()
    }

    /// Notes that a call of a client took this permission.
    pub fn note_use(&self, id: &str, right: &str) {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.iter_mut().find(|it| it.id == id) {
            client.used.insert(right.to_owned());
        }
    }

    /// Makes a new secret for a client. The one before ends at once; so do the tokens that were given for it, which Genesys does not
    /// say and which is the stricter guess. Where time passes faster they do not: then a token is still in use that would have been
    /// replaced long before.
    pub fn renew(&self, id: &str) -> Option<String> {
        let mut clients = self.clients.lock();
        let client = clients.iter_mut().find(|it| it.id == id)?;
        client.secret = random_text();
        client.taken_from = Instant::now() + *self.propagation.lock();
        if self.ends_tokens {
            client.tokens.clear();
        }
        Some(client.secret.clone())
    }

    /// How long a new secret is not known yet, from now on.
    pub fn set_propagation(&self, propagation: Duration) {
        *self.propagation.lock() = propagation;
    }

    /// Gives the bridge's role the rights to replace its secrets, or takes them.
    pub fn let_bridge_rotate(&self, is_allowed: bool) {
        self.let_bridge(&ROTATES, is_allowed);
    }

    /// Gives the bridge's role the rights to end a customer's conversation, or takes them.
    pub fn let_customers_end(&self, is_allowed: bool) {
        self.let_bridge(&ENDS, is_allowed);
    }

    fn let_bridge(&self, rights: &[&'static str], is_allowed: bool) {
        let mut clients = self.clients.lock();
        for client in clients
            .iter_mut()
            .filter(|it| it.name.starts_with("bridge"))
        {
            client.rights.retain(|right| !rights.contains(right));
            if is_allowed {
                client.rights.extend(rights);
            }
        }
    }

    /// Counts a request of a client; for one that does not pass, the whole seconds until the next would. Whether Genesys counts what
    /// it refuses is not documented; counting it is the stricter guess.
    pub fn admit(&self, id: &str) -> Result<(), u64> {
        let now = Instant::now();
        let mut clients = self.clients.lock();
        let Some(client) = clients.iter_mut().find(|it| it.id == id) else {
            return Ok(());
        };
        let lately = &mut client.lately;
        while lately.front().is_some_and(|at| now - *at >= WINDOW) {
            lately.pop_front();
        }
        lately.push_back(now);
        if lately.len() <= self.limit {
            client.passed += 1;
            return Ok(());
        }
        client.refused += 1;
        lately.pop_front();
        let oldest = lately.front().map_or(WINDOW, |oldest| now - *oldest);
        let left = WINDOW.saturating_sub(oldest);
        Err(left.as_secs_f64().ceil().max(1.0) as u64)
    }
}
