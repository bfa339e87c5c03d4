//! What follows from the settings together.

use bridge::conversation::case::Policy;
use bridge::ids::SupportAccountName;
use bridge::notices::{Language, NoticeKind};
use services::files::Origin;

use super::{HOST_NAME, NoticeText, SettingError, Settings, SupportAccount};

impl Settings {
    /// What a notice says in a language; nothing where customers are not told.
    #[must_use]
    pub fn notice(&self, kind: NoticeKind, language: Option<Language>) -> Option<&str> {
        let text = match kind {
            NoticeKind::Failed => &self.failure_notice,
            NoticeKind::Delayed => &self.delay_notice,
            NoticeKind::TurnedAway => &self.tenant_notice,
            NoticeKind::Greeting => &self.bot_greeting,
            NoticeKind::Ended => &self.ended_notice,
            NoticeKind::Transferred => &self.transfer_notice,
        };
        match text {
            NoticeText::Off => None,
            NoticeText::Standard => Some(language.unwrap_or(self.notice_language).text(kind)),
            NoticeText::Own(text) => Some(text),
        }
    }

    /// Adds what follows from other settings: Genesys' endpoints, and the origins of files.
    pub(super) fn complete(&mut self) {
        let domain = &self.genesys_domain;
        for (endpoint, host) in [
            (&mut self.genesys_api_endpoint, "api"),
            (&mut self.genesys_login_endpoint, "login"),
        ] {
            if endpoint.is_empty() {
                *endpoint = format!("https://{host}.{domain}");
            }
        }
        let mut further = vec![
            self.graph_endpoint.clone(),
            self.genesys_api_endpoint.clone(),
        ];
        if self.file_origins.is_empty() {
            further.push(format!("https://api-downloads.{domain}"));
        }
        let further = further
            .iter()
            .filter_map(|address| Origin::of(&address.parse().ok()?));
        self.file_origins.extend(further);
        if self.bot_app_id.is_some() {
            let connectors = self.bot_connector_origins.iter().cloned();
            self.file_origins.extend(connectors);
        }
    }

    /// Scheme and host under which the app is reached, for what cannot be done without.
    ///
    /// # Errors
    /// The platform does not tell; the log says so.
    pub fn own_address(&self) -> Result<&str, SettingError> {
        self.address.as_deref().ok_or_else(|| {
            let error = SettingError {
                name: HOST_NAME,
                problem: "missing or no host name, although the platform sets it".to_owned(),
                expects: "the host name of the Function App, e.g. my-app.azurewebsites.net",
            };
            tracing::error!(event = "setting_missing", setting = error.name, "{error}");
            error
        })
    }

    /// What they say about conversations.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let accounts = self.support_accounts.iter();
        let accounts = accounts.map(|account| (account.name.clone(), account.user.clone()));
        // Whoever mentions the bot means it as one means a Support User.
        let bot = self.bot_app_id.as_ref();
        let bot = bot.and_then(|id| format!("28:{id}").parse().ok());
        let bot = bot.map(|user| (self.bot_account.clone(), user));
        Policy {
            accounts: accounts.chain(bot).collect(),
            home: self.tenant.clone(),
            tenants: self.customer_tenants.clone(),
            groups: self.group_chats,
            window: self.thread_window,
            window_policy: self.thread_window_policy,
            replies: self.reply_context,
            reactions: self.reactions,
        }
    }

    /// Whether the name is the bot's, and there is one.
    #[must_use]
    pub fn is_bot(&self, name: &SupportAccountName) -> bool {
        self.bot_app_id.is_some() && *name == self.bot_account
    }

    /// The Support User with this name, if one is configured.
    #[must_use]
    pub fn support_account(&self, name: &SupportAccountName) -> Option<&SupportAccount> {
        self.support_accounts
            .iter()
            .find(|account| account.name == *name)
    }
}
