//! Receipts of an agent's message: `POST …/inbound/open/receipt`, `OpenInboundNormalizedReceipt`. The endpoint knows two final
//! states, Delivered and Failed.

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use super::time_text;
use crate::ids::GenesysMessageId;

/// Why a message failed; the thirteen codes that Genesys knows, as it spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Genesys' own")]
pub enum ReasonCode {
    MessageExpired,
    RateLimited,
    MessageNotAllowed,
    GeneralError,
    UnsupportedMessage,
    UnknownMessage,
    InvalidMessageStructure,
    InvalidDestination,
    ServerError,
    MediaTypeNotAllowed,
    InvalidMediaContentLength,
    RecipientOptedOut,
    DataFiltered,
}

/// How an agent's message ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum ReceiptOutcome {
    /// It is in the customer's chat.
    Delivered,
    /// It will never be.
    Failed {
        /// Why.
        code: ReasonCode,
        /// What the agent is told.
        message: String,
    },
}

impl ReceiptOutcome {
    /// The request's body for the agent's message of this id, out of the webhook; `to` is its addressee, the thread id, and
    /// `time` when it ended so.
    #[must_use]
    pub fn to_json(&self, message: &GenesysMessageId, to: &str, time: OffsetDateTime) -> Vec<u8> {
        let mut body = json!({
            "id": message.as_str(),
            "channel": { "to": { "id": to, "idType": "Opaque" }, "time": time_text(time) },
            "isFinalReceipt": true,
        });
        match self {
            Self::Delivered => body["status"] = json!("Delivered"),
            Self::Failed { code, message } => {
                body["status"] = json!("Failed");
                body["reasons"] = json!([{ "code": code, "message": message }]);
            }
        }
        body.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn receipts_as_genesys_gets_them() {
        let failed = ReceiptOutcome::Failed {
            code: ReasonCode::InvalidDestination,
            message: "The customer's chat was not found.".to_owned(),
        };
        let written = [ReceiptOutcome::Delivered, failed].map(|outcome| {
            let message = "b71f5f0c0000400080000000000000aa".parse().expect("an id");
            let to = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
            let time = datetime!(2026-01-02 03:04:05.678 UTC);
            let json = outcome.to_json(&message, to, time);
            serde_json::from_slice::<serde_json::Value>(&json).expect("JSON")
        });
        insta::assert_json_snapshot!(written);
    }
}
