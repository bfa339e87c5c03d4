//! Receipts of an agent's message: `POST …/inbound/open/receipt`, `OpenInboundNormalizedReceipt`. The endpoint knows two final
//! states, Delivered and Failed.

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use super::time_text;
use crate::ids::GenesysMessageId;

/// Why a message failed; the thirteen codes that Genesys knows.
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

impl ReasonCode {
    /// The code as Genesys spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageExpired => "MessageExpired",
            Self::RateLimited => "RateLimited",
            Self::MessageNotAllowed => "MessageNotAllowed",
            Self::GeneralError => "GeneralError",
            Self::UnsupportedMessage => "UnsupportedMessage",
            Self::UnknownMessage => "UnknownMessage",
            Self::InvalidMessageStructure => "InvalidMessageStructure",
            Self::InvalidDestination => "InvalidDestination",
            Self::ServerError => "ServerError",
            Self::MediaTypeNotAllowed => "MediaTypeNotAllowed",
            Self::InvalidMediaContentLength => "InvalidMediaContentLength",
            Self::RecipientOptedOut => "RecipientOptedOut",
            Self::DataFiltered => "DataFiltered",
        }
    }
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

/// A receipt, ready to be written.
pub struct Receipt<'a> {
    /// Id of the agent's message, out of the webhook.
    pub message: &'a GenesysMessageId,
    /// The addressee of that message: the thread id.
    pub to: &'a str,
    /// When the message ended so.
    pub time: OffsetDateTime,
    /// How it ended.
    pub outcome: ReceiptOutcome,
}

impl Receipt<'_> {
    /// The request's body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let time = time_text(self.time);
        let mut body = json!({
            "id": self.message.as_str(),
            "channel": { "to": { "id": self.to, "idType": "Opaque" }, "time": time },
            "isFinalReceipt": true,
        });
        match &self.outcome {
            ReceiptOutcome::Delivered => body["status"] = json!("Delivered"),
            ReceiptOutcome::Failed { code, message } => {
                body["status"] = json!("Failed");
                body["reasons"] = json!([{ "code": code.as_str(), "message": message }]);
            }
        }
        body.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn written(outcome: ReceiptOutcome) -> serde_json::Value {
        let message = "b71f5f0c0000400080000000000000aa".parse().expect("an id");
        let receipt = Receipt {
            message: &message,
            to: "teams:support:0f0e0d0c-0000-4000-8000-00000000000a",
            time: datetime!(2026-01-02 03:04:05.678 UTC),
            outcome,
        };
        serde_json::from_slice(&receipt.to_json()).expect("JSON")
    }

    #[test]
    fn delivered() {
        insta::assert_json_snapshot!(written(ReceiptOutcome::Delivered));
    }

    #[test]
    fn failed() {
        insta::assert_json_snapshot!(written(ReceiptOutcome::Failed {
            code: ReasonCode::InvalidDestination,
            message: "The customer's chat was not found.".to_owned(),
        }));
    }

    #[test]
    fn codes_are_spelt_as_serde_spells_them() {
        for code in [
            ReasonCode::MessageExpired,
            ReasonCode::DataFiltered,
            ReasonCode::InvalidMediaContentLength,
        ] {
            assert_eq!(json!(code), code.as_str());
        }
    }
}
