//! What the inbound endpoints take: the request models `OpenInboundNormalizedMessage` and
//! `OpenInboundNormalizedReceipt` of the Platform API, field by field. Fields that no model names are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::answers::Refusal;
use super::conversations::{Arrival, Attachment, Receipt};
use crate::shared::download::media_type;

/// Kinds of media (Platform API, model `ConversationContentAttachment`).
const MEDIA_TYPES: &str = "Image Video Audio File Link";
/// Longest text in characters. Genesys publishes no limit; this one and the next are stricter than anything seen.
const TEXT_LIMIT: usize = 10_000;
/// Longest `customAttributes` as JSON, in bytes.
const ATTRIBUTES_LIMIT: usize = 2_000;

/// The reason codes of a failed receipt (Genesys Cloud Developer Center, "Inbound receipt messages").
const REASONS: &str = "MessageExpired RateLimited MessageNotAllowed GeneralError UnsupportedMessage UnknownMessage \
    InvalidMessageStructure InvalidDestination ServerError MediaTypeNotAllowed InvalidMediaContentLength RecipientOptedOut \
    DataFiltered";

/// What passed, or why it did not.
pub type Checked<T> = Result<T, Refusal>;

/// Text that must be there and not be empty.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Text(pub String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            Err("a required text is empty")
        } else {
            Ok(Self(text))
        }
    }
}

/// Refuses text that is none of these words.
pub fn one_of(text: &str, allowed: &str) -> Checked<()> {
    if allowed.split(' ').any(|word| word == text) {
        Ok(())
    } else {
        bad(format!("a field must be one of {allowed}"))
    }
}

#[derive(Deserialize)]
enum IdType {
    Email,
    Phone,
    Opaque,
}

/// Who sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only their types are checked")]
pub struct Sender {
    /// The thread.
    pub id: Text,
    id_type: IdType,
    nickname: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    image: Option<String>,
    email: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    custom_attributes: Option<BTreeMap<String, String>>,
}

/// The channel of a message or of the response to a structured one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    from: Sender,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    message_id: Option<String>,
    metadata: Option<Metadata>,
}

impl Channel {
    /// What came over it, with this text and nothing else yet.
    pub fn with_text(self, text: String) -> Checked<Arrival> {
        let metadata = self.metadata.unwrap_or_default();
        let attributes = metadata.custom_attributes.unwrap_or_default();
        let size = serde_json::json!(attributes).to_string().len();
        if size > ATTRIBUTES_LIMIT {
            return bad(format!(
                "customAttributes is larger than {ATTRIBUTES_LIMIT} bytes"
            ));
        }
        Ok(Arrival {
            thread: self.from.id.0,
            text,
            time: self.time,
            message_id: self.message_id,
            attributes,
            attachment: None,
            button: None,
        })
    }
}

#[derive(Deserialize)]
struct Message {
    channel: Channel,
    text: Option<String>,
    content: Option<Vec<Content>>,
    #[expect(dead_code, reason = "only its type is checked")]
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Content {
    attachment: Attachment,
}

/// Reads a body as a model.
pub fn read<'de, T: Deserialize<'de>>(body: &'de Value) -> Checked<T> {
    T::deserialize(body).map_err(|problem| Refusal::bad_request(problem.to_string()))
}

/// A customer's message.
pub fn message(body: &Value) -> Checked<Arrival> {
    let message: Message = read(body)?;
    let text = message.text.unwrap_or_default();
    if text.chars().count() > TEXT_LIMIT {
        return bad(format!("text is longer than {TEXT_LIMIT} characters"));
    }
    let mut content = message.content.unwrap_or_default();
    if content.len() > 1 {
        return bad("content has more than one item");
    }
    let attachment = content.pop().map(|item| item.attachment);
    attachment.as_ref().map(file).transpose()?;
    if text.is_empty() && attachment.is_none() {
        return bad("text or content is required");
    }
    Ok(Arrival {
        attachment,
        ..message.channel.with_text(text)?
    })
}

/// A file lies at an absolute https address without credentials, for it must be fetched without any.
fn file(file: &Attachment) -> Checked<()> {
    one_of(&file.media_type, MEDIA_TYPES)?;
    if media_type(&file.mime).is_err() {
        return bad("attachment.mime is no media type");
    }
    let fetchable = url::Url::parse(&file.url).is_ok_and(|url| {
        url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
    });
    if !fetchable {
        return bad("attachment.url must be an absolute https address");
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptBody {
    id: Text,
    channel: ReceiptChannel,
    status: String,
    #[expect(dead_code, reason = "only its type is checked")]
    is_final_receipt: Option<bool>,
    reasons: Option<Vec<Reason>>,
}

#[derive(Deserialize)]
struct ReceiptChannel {
    to: Addressee,
    #[serde(with = "time::serde::rfc3339")]
    #[expect(dead_code, reason = "only its type is checked")]
    time: OffsetDateTime,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addressee {
    id: Text,
    #[expect(dead_code, reason = "only its type is checked")]
    id_type: Option<IdType>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    #[expect(dead_code, reason = "only its type is checked")]
    message: Text,
}

/// A receipt: message id, addressee, and what is recorded.
pub fn receipt(body: &Value) -> Checked<(String, String, Receipt)> {
    let receipt: ReceiptBody = read(body)?;
    let status = receipt.status;
    one_of(&status, "Delivered Failed")?;
    let reasons = receipt.reasons.unwrap_or_default();
    if status != "Failed" && !reasons.is_empty() {
        return bad("reasons may only be given with the status Failed");
    }
    for reason in &reasons {
        one_of(&reason.code, REASONS)?;
    }
    let reason = reasons.into_iter().next().map(|reason| reason.code);
    let recorded = Receipt { status, reason };
    Ok((receipt.id.0, receipt.channel.to.id.0, recorded))
}

fn bad<T>(message: impl Into<String>) -> Checked<T> {
    Err(Refusal::bad_request(message))
}
