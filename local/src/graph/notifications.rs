//! What Graph tells us of: change notifications, rich and basic (Microsoft Learn, "Set up Microsoft Graph change notifications with resource
//! data").

use serde_json::{Value, json};

use super::changes::ChangeType;
use super::chats::Chat;
use super::state::Graph;
use super::subscriptions::{Notification, Subscription};
use super::views;
use crate::delivery::FirstAttempt;
use crate::entra::PUBLISHER;
use crate::hub::Direction;
use crate::shared::{correlation, time_text};

impl Graph {
    /// Tells of what somebody did to a message in Teams, by this word and, unless `notify` is false, these
    /// notifications.
    pub(super) fn message_changed(
        &self,
        chat: &str,
        id: &str,
        outcome: &str,
        notify: Option<bool>,
        notifications: &[ChangeType],
    ) {
        let hub = &self.world.hub;
        let correlation = correlation::of_teams_message(chat, id);
        let attempt = hub.journeys.next_attempt(&correlation, "teams");
        hub.journey(&correlation, Direction::Inbound, "teams", attempt, outcome);
        let silent = notify == Some(false);
        for change in notifications.iter().filter(|_| !silent) {
            self.notify(chat, id, *change, Some(&correlation));
        }
        hub.event("chat", json!({ "chat": chat }));
    }

    /// Puts the notifications of a change on their way; the first attempt of the last one, when there are any.
    pub(super) fn notify(
        &self,
        chat: &str,
        message: &str,
        change: ChangeType,
        correlation: Option<&str>,
    ) -> Option<FirstAttempt> {
        let mut last = None;
        for (subscription, body) in self.compose(chat, message, change) {
            let notification = Notification {
                chat: chat.to_owned(),
                body: body.to_string().into_bytes(),
                correlation: correlation.map(str::to_owned),
            };
            let sent = self.send_notification(&subscription.id, notification);
            last = sent.or(last);
        }
        last
    }

    /// The collections that tell of a change, one for each subscription to the chats of somebody in this one.
    pub(super) fn compose(
        &self,
        chat: &str,
        message: &str,
        change: ChangeType,
    ) -> Vec<(Subscription, Value)> {
        let (subscriptions, content, second) = {
            let chats = self.chats.lock();
            let place = |chat: &Chat| chat.messages.iter().position(|it| it.id == message);
            let found = chats.get(chat).and_then(|it| Some((it, place(it)?)));
            let Some((chat, place)) = found else {
                return Vec::new();
            };
            let is_there = |user: &str| chat.has_member(user);
            let subscriptions = self.subscriptions.watching(change, is_there);
            let view = match change {
                ChangeType::Deleted => views::deleted_message,
                ChangeType::Created | ChangeType::Updated => views::message,
            };
            // Both versions of the token occur; which one is the app registration's business. Here they take turns.
            let second = place % 2 == 1;
            let content = view(chat, &chat.messages[place]);
            (subscriptions, content, second)
        };
        let content = content.to_string();
        let resource = format!(
            "chats('{}')/messages('{message}')",
            chat.replace('\'', "''")
        );
        let collection = |subscription: Subscription| {
            let terms = &subscription.terms;
            let mut item = json!({
                "subscriptionId": subscription.id,
                "changeType": change,
                "clientState": terms.client_state,
                "subscriptionExpirationDateTime": time_text(terms.ends),
                "resource": resource,
                "resourceData": {
                    "id": message,
                    "@odata.type": "#Microsoft.Graph.chatMessage",
                    "@odata.id": resource,
                },
                "tenantId": self.world.config.tenant,
            });
            let basic = self.world.config.basic_notifications || !terms.with_content;
            let Some(recipient) = terms.recipient.as_ref().filter(|_| !basic) else {
                return Some((subscription, json!({ "value": [item] })));
            };
            item["encryptedContent"] = recipient.encrypted(content.clone().into_bytes())?;
            let token = self.validation_token(second);
            let body = json!({ "value": [item], "validationTokens": [token] });
            Some((subscription, body))
        };
        subscriptions.into_iter().filter_map(collection).collect()
    }

    fn validation_token(&self, second: bool) -> String {
        let version = if second { "2.0" } else { "1.0" };
        let publisher = if second { "azp" } else { "appid" };
        let mut claims = json!({ "ver": version, "aud": self.world.config.graph_client_id });
        claims[publisher] = json!(PUBLISHER);
        self.entra.issue(claims)
    }
}
