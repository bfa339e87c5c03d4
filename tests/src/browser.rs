//! A person's browser, as far as a sign-in needs one: it follows redirects, shows a page and presses a button of its form. It keeps
//! no cookies.

use reqwest::Url;

use crate::Platform;

/// What the browser shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is, after all redirects.
    pub url: Url,
    /// The status of its answer.
    pub status: u16,
    /// Its HTML.
    pub text: String,
}

impl Page {
    /// Goes to an address.
    pub async fn open(platform: &Platform, address: &str) -> Self {
        Self::of(platform.client().get(address)).await
    }

    /// Sends the page's form, to the address that it came from, by the button with this name and value.
    pub async fn press(&self, platform: &Platform, name: &str, value: &str) -> Self {
        let button = format!("<button name=\"{name}\" value=\"{value}\">");
        assert!(self.text.contains(&button), "no {button}: {}", self.text);
        let mut form = hidden(&self.text);
        form.push((name.to_owned(), value.to_owned()));
        Self::of(platform.client().post(self.url.clone()).form(&form)).await
    }

    async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let (url, status) = (answer.url().clone(), answer.status().as_u16());
        let text = answer.text().await.expect("a page");
        Self { url, status, text }
    }
}

/// The hidden fields of a form.
fn hidden(page: &str) -> Vec<(String, String)> {
    let fields = page.split("<input type=\"hidden\" name=\"").skip(1);
    let quoted = |text: &str| {
        let text = text.split('"').next().unwrap_or_default();
        let text = text.replace("&quot;", "\"").replace("&lt;", "<");
        text.replace("&amp;", "&")
    };
    fields
        .filter_map(|field| {
            let (name, rest) = field.split_once("\" value=\"")?;
            Some((name.to_owned(), quoted(rest)))
        })
        .collect()
}
