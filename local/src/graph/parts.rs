//! What a message is made of, before it has an id. Its hosted contents are the images in it and the code of its snippets
//! (Microsoft Learn, "chatMessageHostedContent resource type").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shared::content::Content;

/// Body, attachments and hosted contents of a message. Addresses of hosted contents are relative until the message's own
/// address is known.
#[derive(Clone, Default)]
pub struct Parts {
    pub html: String,
    /// Files, quotations and cards, as Graph shows them.
    pub attachments: Vec<Value>,
    /// Images, and the code of snippets.
    pub hosted: Vec<Hosted>,
}

impl Parts {
    /// The parts of the message with this address.
    pub fn at(mut self, message: &str) -> Self {
        for hosted in &self.hosted {
            let own = relative(&hosted.id);
            let whole = hosted.address(message);
            self.html = self.html.replace(&own, &whole);
            for attachment in &mut self.attachments {
                if let Value::String(content) = &mut attachment["content"] {
                    *content = content.replace(&own, &whole);
                }
            }
        }
        self
    }

    /// Adds an attachment whose marker stands at the end of the body.
    pub fn attach(&mut self, attachment: Value) {
        self.html.push_str(&marker(&attachment));
        self.attachments.push(attachment);
    }

    /// Adds an attachment whose marker stands at the front of the body.
    pub fn attach_in_front(&mut self, attachment: Value) {
        self.html.insert_str(0, &marker(&attachment));
        self.attachments.push(attachment);
    }

    /// Adds the attachments that the message had before. Where the new body does not say, each stands where it stood.
    pub fn keep(&mut self, former: Vec<Value>) {
        let (mut front, mut end) = (String::new(), String::new());
        for attachment in &former {
            let id = attachment["id"].as_str().unwrap_or_default();
            if !markers(&self.html).contains(&id) {
                let quotation = attachment["contentType"] == "messageReference";
                let place = if quotation { &mut front } else { &mut end };
                place.push_str(&marker(attachment));
            }
        }
        self.html = format!("{front}{}{end}", self.html);
        self.attachments.extend(former);
    }
}

/// One hosted content of a message.
#[derive(Clone)]
pub struct Hosted {
    /// Its id, unique in the world.
    pub id: String,
    pub content_type: HeaderValue,
    pub content: Content,
}

impl Hosted {
    pub fn new(content_type: HeaderValue, content: Content) -> Self {
        let id = format!("id=x_0-local-{},type=1", Uuid::new_v4().simple());
        Self {
            id: URL_SAFE_NO_PAD.encode(id),
            content_type,
            content,
        }
    }

    /// Its address below the message's.
    pub fn address(&self, message: &str) -> String {
        format!("{message}/hostedContents/{}/$value", self.id)
    }
}

/// The address of a hosted content while its message has none.
pub fn relative(id: &str) -> String {
    format!("../hostedContents/{id}/$value")
}

/// An attachment with all properties that Graph shows, absent ones as null, and an id when it has none.
pub fn complete(given: &Value) -> Value {
    let mut attachment = json!({
        "id": Uuid::new_v4().to_string(),
        "contentType": null,
        "contentUrl": null,
        "content": null,
        "name": null,
        "thumbnailUrl": null,
        "teamsAppId": null,
    });
    if let (Some(all), Some(given)) = (attachment.as_object_mut(), given.as_object()) {
        all.extend(given.clone());
    }
    attachment
}

fn marker(attachment: &Value) -> String {
    let id = attachment["id"].as_str().unwrap_or_default();
    format!("<attachment id=\"{}\"></attachment>", escaped(id))
}

/// The ids of all attachments that the body marks.
pub fn markers(html: &str) -> Vec<&str> {
    html.match_indices("<attachment ")
        .filter_map(|(start, _)| {
            let tag = &html[start..];
            attribute(&tag[..=tag.find('>')?], "id")
        })
        .collect()
}

/// The value of a tag's attribute.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    ['"', '\''].into_iter().find_map(|quote| {
        let start = format!(" {name}={quote}");
        let from = tag.find(&start)? + start.len();
        let length = tag[from..].find(quote)?;
        Some(&tag[from..from + length])
    })
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The text of a body without its elements, as a quotation shows it.
pub fn plain(html: &str) -> String {
    let mut pieces = html.split('<');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (tag, after) = piece.split_once('>').unwrap_or((piece, ""));
        if ["br", "/p", "/div"].iter().any(|end| tag.starts_with(end)) {
            text.push(' ');
        }
        text.push_str(after);
    }
    let text = text
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_shows_no_elements() {
        let html = "<p>a &lt;b&gt;&nbsp;<b>c</b></p><p>d &amp;amp;<br>e</p>";
        assert_eq!(plain(html), "a <b> c d &amp; e");
    }

    #[test]
    fn attributes_and_markers_are_found() {
        let html = "<attachment id=\"1\"></attachment><p>x</p><attachment id='2'></attachment>";
        assert_eq!(markers(html), ["1", "2"]);
        assert_eq!(attribute("<img alt=\"a\" src=\"b\">", "src"), Some("b"));
        assert_eq!(attribute("<img data-src=\"b\">", "src"), None);
    }

    #[test]
    fn former_attachments_stay_where_they_stood() {
        let mut parts = Parts {
            html: "new <attachment id=\"b\"></attachment>".to_owned(),
            ..Parts::default()
        };
        let kinds = [
            ("a", "messageReference"),
            ("b", "x"),
            ("c", "x"),
            ("d", "x"),
        ];
        let former = kinds.map(|(id, kind)| complete(&json!({ "id": id, "contentType": kind })));
        parts.keep(former.to_vec());
        assert_eq!(markers(&parts.html), ["a", "b", "c", "d"]);
        assert_eq!(parts.attachments, former);
    }
}
