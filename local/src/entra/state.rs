//! Everything that Entra ID remembers, and the tokens it makes and checks.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::authorize::Code;
use super::keys::SigningKeys;
use super::operator;
use super::passwords::Passwords;
use crate::shared::correlation;
use crate::shared::locked::Locked;
use crate::shared::random_text;
use crate::world::World;

/// Life of every token, in seconds.
pub(super) const TOKEN_LIFE: i64 = 3600;

/// What the Support Users' sign-in was granted that the platform begins with, and the agent identities for their users.
pub(super) const SCOPES: &str = "Chat.Read ChatMessage.Send CrossTenantInformation.ReadBasic.All Files.Read.All User.Read User.ReadBasic.All";

/// Audience of a token that proves a client to Entra ID ("Configure an application to trust a managed identity").
pub(super) const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// Audience of a token for the Bot connector ("Authentication with the Bot Connector API").
pub(crate) const BOT_AUDIENCE: &str = "https://api.botframework.com";

/// Object id of the service principal of the managed identity with this client id: as in Entra ID, another than the client id.
pub(super) fn principal(client: &str) -> String {
    correlation::of_text(&format!("principal\n{client}"))
}

/// The simulated Entra ID of one tenant.
pub struct Entra {
    pub(super) world: Arc<World>,
    pub(super) keys: SigningKeys,
    /// The client secrets of the Graph app.
    pub(crate) passwords: Passwords,
    /// The client secrets of the bot's application.
    pub(super) bot_passwords: Passwords,
    /// Refresh token → who signed in. One that was renewed stays good: Entra ID does not revoke it at once either.
    refresh_tokens: Locked<HashMap<String, Session>>,
    /// Authorization codes, redeemed ones included.
    pub(super) codes: Locked<HashMap<String, Code>>,
    /// Delegated permissions that nobody consented to for the Graph app, of those in [`SCOPES`].
    pub(super) withheld: Locked<HashSet<String>>,
    /// Agent users for whom the consent to their agent identity's permissions was withdrawn.
    pub(super) without_consent: Locked<HashSet<String>>,
    /// What whoever is logged in to the Azure CLI holds.
    pub(crate) operator_roles: Locked<BTreeSet<String>>,
}

/// What a refresh token stands for.
struct Session {
    user: String,
    /// What the sign-in was granted, as an access token names it.
    scopes: String,
    revoked: bool,
}

/// Why a refresh token does not count.
pub(super) enum Lapsed {
    /// It is not known, or was not used for long.
    Unknown,
    /// An administrator revoked the user's sessions.
    Revoked,
}

impl Entra {
    /// An Entra ID with a fresh signing key and a fresh client secret of the Graph app; nobody has signed in.
    ///
    /// # Panics
    /// When no RSA key can be made, which only a broken build does.
    #[must_use]
    pub fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            keys: SigningKeys::new(),
            passwords: match world.config.graph_client_authentication.as_str() {
                "secret" => Passwords::with_one(world.clock),
                _ => Passwords::none(world.clock),
            },
            bot_passwords: Passwords::with_one(world.clock),
            world,
            refresh_tokens: Locked::default(),
            codes: Locked::default(),
            withheld: Locked::default(),
            without_consent: Locked::default(),
            operator_roles: Locked::new(operator::roles()),
        })
    }

    /// Our tenant.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.world.config.tenant.clone()
    }

    /// The claims of a token that this Entra ID signed (with a retired key, too), that is current and is meant for one of
    /// the audiences.
    ///
    /// # Errors
    /// A line that says what is wrong with the token.
    pub fn verify(&self, token: &str, audiences: &[&str]) -> Result<Value, String> {
        self.keys.verify(token, audiences)
    }

    /// A token with these claims by the current key. `iat`, `nbf`, `exp` (in 1 h), `tid`, `ver` ("2.0") and `iss` (that of
    /// the version) are added when missing; a null leaves one out.
    ///
    /// # Panics
    /// When the claims are no object.
    #[must_use]
    pub fn issue(&self, claims: Value) -> String {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let tenant = &self.world.config.tenant;
        let issuer = if claims["ver"] == "1.0" {
            format!("https://sts.windows.net/{tenant}/")
        } else {
            self.issuer_v2()
        };
        let mut all = json!({
            "iat": now, "nbf": now, "exp": now + TOKEN_LIFE,
            "tid": tenant, "ver": "2.0", "iss": issuer,
        });
        for (name, value) in claims.as_object().expect("claims are an object") {
            all[name] = value.clone();
        }
        if let Value::Object(all) = &mut all {
            all.retain(|_, value| !value.is_null());
        }
        self.keys.sign(&all)
    }

    /// Registers a sign-in of the Support User with this configured name and returns its refresh token. For anybody else the
    /// returned token is one that the token endpoint does not know.
    #[must_use]
    pub fn refresh_token_for(&self, account: &str) -> String {
        let account = self.world.config.support_account(account);
        let account = account.filter(|it| it.agent_identity.is_none());
        account.map_or_else(random_text, |it| self.new_refresh_token(&it.user, SCOPES))
    }

    /// The newest client secret of the Graph app, valid when `GRAPH_CLIENT_AUTHENTICATION` is `secret`.
    #[must_use]
    pub fn graph_client_secret(&self) -> String {
        let newest = self.passwords.list().pop();
        newest.map(|it| it.secret).unwrap_or_default()
    }

    /// The newest client secret of the bot's application, valid when `BOT_AUTHENTICATION` is `secret`.
    #[must_use]
    pub fn bot_client_secret(&self) -> String {
        let newest = self.bot_passwords.list().pop();
        newest.map(|it| it.secret).unwrap_or_default()
    }

    /// Object id (`oid`) of the service principal of the Function App's identity.
    #[must_use]
    pub fn managed_identity_principal(&self) -> String {
        principal(&self.world.config.managed_identity_client_id)
    }

    pub(super) fn new_refresh_token(&self, user: &str, scopes: &str) -> String {
        let token = random_text();
        let session = Session {
            user: user.to_owned(),
            scopes: scopes.to_owned(),
            revoked: false,
        };
        self.refresh_tokens.lock().insert(token.clone(), session);
        token
    }

    /// Who signed in, and what for.
    pub(super) fn session_of(&self, refresh_token: &str) -> Result<(String, String), Lapsed> {
        let sessions = self.refresh_tokens.lock();
        let session = sessions.get(refresh_token).ok_or(Lapsed::Unknown)?;
        match session.revoked {
            true => Err(Lapsed::Revoked),
            false => Ok((session.user.clone(), session.scopes.clone())),
        }
    }

    /// Ends all sessions of a user, as "Revoke sessions" does: their refresh tokens count no more. Returns how many that were.
    pub fn revoke(&self, user: &str) -> usize {
        let mut sessions = self.refresh_tokens.lock();
        let of_user = sessions
            .values_mut()
            .filter(|it| it.user == user && !it.revoked);
        of_user.map(|session| session.revoked = true).count()
    }

    pub(super) fn issuer_v2(&self) -> String {
        format!(
            "https://login.microsoftonline.com/{}/v2.0",
            self.world.config.tenant
        )
    }
}
