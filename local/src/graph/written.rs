//! What a customer writes, as the control interface takes it, made into the parts of a message.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::chats::Person;
use super::parts::{self, Hosted, Parts, relative};
use super::state::Graph;
use super::views;
use crate::shared::content::{self, Content};
use crate::shared::download::{self, media_type};

/// Characters of a quoted message that are shown with the answer.
const PREVIEW: usize = 100;

#[derive(Deserialize)]
pub struct Image {
    content_type: String,
    #[serde(flatten)]
    content: content::Ordered,
}

/// A file from the customer's OneDrive.
#[derive(Deserialize)]
pub struct File {
    #[serde(flatten)]
    download: download::Ordered,
    /// Whose OneDrive it lies in.
    #[serde(default)]
    owner: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Owner {
    /// One that the Support User may read.
    #[default]
    Same,
    /// One of another tenant.
    OtherTenant,
}

#[derive(Deserialize)]
pub struct Snippet {
    language: String,
    code: String,
}

/// What stands in a message besides its text.
#[derive(Default, Deserialize)]
pub struct Extras {
    #[serde(default)]
    images: Vec<Image>,
    pub files: Option<Vec<File>>,
    snippet: Option<Snippet>,
    /// Ids of the messages that are answered.
    #[serde(default)]
    reply_to: Vec<String>,
    /// Attachments as Graph shall show them.
    pub attachments: Option<Vec<Map<String, Value>>>,
}

impl Graph {
    /// The parts of a message with this text. Files are in OneDrive from here on.
    ///
    /// # Errors
    /// A line that says what cannot be sent.
    pub(super) async fn compose_parts(
        &self,
        chat: &str,
        author: &Person,
        html: String,
        extras: Extras,
    ) -> Result<Parts, String> {
        let mut parts = Parts {
            html,
            ..Parts::default()
        };
        for (number, image) in extras.images.into_iter().enumerate() {
            add_image(&mut parts, number, image).await?;
        }
        for quoted in extras.reply_to.iter().rev() {
            let quotation = self.quotation(chat, quoted);
            parts.attach_in_front(quotation.ok_or("there is no such message to reply to")?);
        }
        parts.attachments.reverse();
        for file in extras.files.unwrap_or_default() {
            let foreign = file.owner == Owner::OtherTenant;
            let tenant = if foreign {
                &author.tenant
            } else {
                &self.world.config.tenant
            };
            let download = file.download.download().await?;
            parts.attach(self.drive.share(chat, author, tenant, foreign, download));
        }
        if let Some(snippet) = extras.snippet {
            add_snippet(&mut parts, snippet)?;
        }
        for attachment in extras.attachments.unwrap_or_default() {
            parts.attach(parts::complete(&Value::Object(attachment)));
        }
        Ok(parts)
    }

    fn quotation(&self, chat: &str, quoted: &str) -> Option<Value> {
        let chats = self.chats.lock();
        let message = chats.get(chat)?.message(quoted)?;
        let preview: String = parts::plain(&message.parts.html)
            .chars()
            .take(PREVIEW)
            .collect();
        let content = json!({
            "messageId": message.id,
            "messagePreview": preview,
            "messageSender": {
                "application": null,
                "device": null,
                "user": views::identity(&message.from),
            },
        });
        Some(parts::complete(&json!({
            "id": message.id,
            "contentType": "messageReference",
            "content": content.to_string(),
        })))
    }
}

/// The image stands where the text names its number, else in a last paragraph of its own.
async fn add_image(parts: &mut Parts, number: usize, image: Image) -> Result<(), String> {
    let content = image.content.content().await?;
    let hosted = Hosted::new(media_type(&image.content_type)?, content);
    let (source, id) = (relative(&hosted.id), &hosted.id);
    let size = "width=\"250\" height=\"250\"";
    let tag = format!("<img alt=\"image\" src=\"{source}\" itemid=\"{id}\" {size}>");
    let place = format!("{{image {number}}}");
    if parts.html.contains(&place) {
        parts.html = parts.html.replace(&place, &tag);
    } else {
        parts.html.push_str(&format!("<p>{tag}</p>"));
    }
    parts.hosted.push(hosted);
    Ok(())
}

fn add_snippet(parts: &mut Parts, snippet: Snippet) -> Result<(), String> {
    let hosted = Hosted::new(media_type("text/plain")?, Content::given(snippet.code));
    let content = json!({
        "language": snippet.language,
        "codeSnippetUrl": relative(&hosted.id),
    });
    parts.attach(parts::complete(&json!({
        "contentType": "application/vnd.microsoft.card.codesnippet",
        "content": content.to_string(),
    })));
    parts.hosted.push(hosted);
    Ok(())
}
