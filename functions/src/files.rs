//! Bringing a file from where somebody put it to where the other side can fetch it: opened, looked at, streamed into Blob with
//! bounded memory, and linked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bridge::files::{FileKind, HEAD, Mismatch, content_disposition, identify, readable_size};
use bridge::ids::Digest;
use bridge::state::blobs::ATTACHMENTS;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use services::blob::{Label, StoreError};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::files::{Download, FetchError};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::app::App;
use crate::log::milliseconds;

/// A file that is stored and linked.
pub struct Rehosted {
    /// Lets anybody read this one file for a while.
    pub link: Url,
    /// When the link ends.
    pub expires: OffsetDateTime,
    /// What it really is.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a file stays where it is: one sentence for whom the file was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfetched {
    #[error("It could not be fetched: it is not shared with our support.")]
    NoAccess,
    #[error("It could not be fetched: our support's account is signed out of Microsoft Teams.")]
    SignedOut,
    #[error("It could not be fetched: it does not exist any more.")]
    Gone,
    /// With the bytes that are allowed.
    #[error("It was not fetched: it is larger than {}.", readable_size(*.limit))]
    TooLarge { limit: u64 },
    #[error(
        "It was not fetched: its host showed a web page instead, as for an infected file or a sign-in."
    )]
    WebPage,
    /// It lies, or leads, where nothing is fetched from.
    #[error("It was not fetched: files are not taken from its address.")]
    NotAllowed,
    #[error("It could not be fetched: its host took too long.")]
    TooSlow,
    #[error("It could not be fetched: its host did not answer properly.")]
    Unreachable,
    #[error("It is empty (0 bytes).")]
    Empty,
}

impl Unfetched {
    /// Stable word for logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoAccess => "no_access",
            Self::SignedOut => "signed_out",
            Self::Gone => "gone",
            Self::TooLarge { .. } => "too_large",
            Self::WebPage => "web_page",
            Self::NotAllowed => "not_allowed",
            Self::TooSlow => "too_slow",
            Self::Unreachable => "unreachable",
            Self::Empty => "empty",
        }
    }
}

/// A file that was not brought over.
#[derive(Debug)]
pub enum NotRehosted {
    /// Another attempt would end the same.
    Finally(Unfetched),
    /// A service that everything depends on did not do its part.
    Later(ServiceError),
}

impl From<Unfetched> for NotRehosted {
    fn from(reason: Unfetched) -> Self {
        Self::Finally(reason)
    }
}

/// A file whose beginning was read.
pub struct Opened {
    /// What it really is.
    pub kind: FileKind,
    /// All its bytes, from the first.
    pub body: BoxStream<'static, Result<Bytes, ServiceError>>,
}

impl Opened {
    /// A file of which all is at hand.
    pub fn of_bytes(bytes: Bytes, kind: FileKind) -> Self {
        let body = stream::iter([Ok(bytes)]).boxed();
        Self { kind, body }
    }
}

/// Waits for a download to begin, reads its beginning and tells what it is.
///
/// # Errors
/// It is not to be had, empty, no file, or broke off.
pub async fn look(
    opening: impl Future<Output = Result<Download, FetchError>>,
    name: &str,
    limit: u64,
    time: &Arc<HostTime>,
) -> Result<Opened, NotRehosted> {
    let started = Instant::now();
    let download = opening.await.map_err(|error| {
        if matches!(&error, FetchError::Service(error) if error.service == Service::Files) {
            time.used(started.elapsed());
        }
        refused(error)
    })?;
    if download.length.is_some_and(|length| length > limit) {
        return Err(Unfetched::TooLarge { limit }.into());
    }
    let claimed = download.content_type.clone();
    let announced = download.length;
    let mut body = timed(download.body(), Arc::clone(time));
    let mut kept: Vec<Bytes> = Vec::new();
    let mut head = BytesMut::new();
    while head.len() < HEAD {
        let piece = body.try_next().await.map_err(broken)?;
        let Some(piece) = piece else { break };
        let wanted = piece.len().min(HEAD - head.len());
        head.extend_from_slice(&piece[..wanted]);
        kept.push(piece);
    }
    if head.is_empty() && announced.unwrap_or_default() == 0 {
        return Err(Unfetched::Empty.into());
    }
    let kind = identify(&head, claimed.as_deref(), name)
        .map_err(|Mismatch::WebPage| Unfetched::WebPage)?;
    let body = stream::iter(kept.into_iter().map(Ok)).chain(body).boxed();
    Ok(Opened { kind, body })
}

/// Stores an opened file and links it.
///
/// # Errors
/// It is too large or broke off; or Blob did not do its part.
pub async fn store(
    app: &App,
    opened: Opened,
    blob: &str,
    name: &str,
    limit: u64,
) -> Result<Rehosted, NotRehosted> {
    let label = Label {
        content_type: opened.kind.media_type.clone(),
        disposition: content_disposition(opened.kind.is_image, name),
    };
    let stored = app
        .blobs
        .store(ATTACHMENTS, blob, opened.body, limit, &label)
        .await
        .map_err(|error| match error {
            StoreError::TooLarge => Unfetched::TooLarge { limit }.into(),
            StoreError::Source(error) => broken(error),
            StoreError::Blob(error) => NotRehosted::Later(error),
        })?;
    let life = app.settings.attachment_link_life;
    let expires = OffsetDateTime::now_utc() + life;
    let link = app.blobs.read_link(ATTACHMENTS, blob, life).await;
    Ok(Rehosted {
        link: link.map_err(NotRehosted::Later)?,
        expires,
        kind: opened.kind,
        size: stored.size,
        sha256: stored.sha256.map(|byte| format!("{byte:02x}")).concat(),
    })
}

/// What a failed fetch means.
fn refused(error: FetchError) -> NotRehosted {
    match error {
        FetchError::NotAllowed { .. } => Unfetched::NotAllowed.into(),
        FetchError::Redirects => Unfetched::Unreachable.into(),
        // The token could not be had.
        FetchError::Service(error)
            if !matches!(
                error.service,
                Service::Graph | Service::Bot | Service::Files
            ) =>
        {
            NotRehosted::Later(error)
        }
        FetchError::Service(error) => match error.kind {
            ErrorKind::NotFound => Unfetched::Gone.into(),
            ErrorKind::Forbidden => Unfetched::NoAccess.into(),
            // A host that knows no token of ours; what refuses a token itself is about the account.
            ErrorKind::Unauthorized if error.service == Service::Files => {
                Unfetched::NoAccess.into()
            }
            ErrorKind::TooLarge
            | ErrorKind::Rejected
            | ErrorKind::Conflict
            | ErrorKind::Precondition => Unfetched::Unreachable.into(),
            _ => NotRehosted::Later(error),
        },
    }
}

/// A body that broke off: the host's fault, whichever it is, and worth another try.
fn broken(error: ServiceError) -> NotRehosted {
    NotRehosted::Later(ServiceError {
        service: Service::Files,
        ..error
    })
}

/// Waits between tries of a file's own host.
const WAITS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How long the files of a chat or host that kept a lane waiting lately are waited for.
const SLOW_PATIENCE: Duration = Duration::from_secs(5);

/// How long a file's own host may still keep us waiting, over all tries. Time that our own services take does not count: the
/// file is not to blame for it.
#[derive(Debug)]
pub struct HostTime(AtomicU64);

impl HostTime {
    /// What `FILE_TIMEOUT_SECONDS` allows; less for a chat or host whose files kept a lane waiting lately.
    pub fn allowed(app: &App, source: &Digest) -> Arc<Self> {
        let patience = app.settings.file_timeout;
        Self::of(match app.slow_files.contains(source) {
            true => patience.min(SLOW_PATIENCE),
            false => patience,
        })
    }

    fn of(patience: Duration) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(milliseconds(patience))))
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Takes off what the host used.
    pub fn used(&self, time: Duration) {
        let left = self.left().saturating_sub(time);
        self.0.store(milliseconds(left), Ordering::Relaxed);
    }
}

/// Tries again while only the file's own host fails, as long as it has time left. What everything depends on, Graph's and our
/// own services, is not the file's fault and left to the caller.
///
/// # Errors
/// See [`NotRehosted`]; a failure of [`Service::Files`] never is [`NotRehosted::Later`].
pub async fn persistently<T, F>(
    time: &HostTime,
    mut attempt: impl FnMut() -> F,
) -> Result<T, NotRehosted>
where
    F: Future<Output = Result<T, NotRehosted>>,
{
    let mut waits = WAITS.iter();
    loop {
        let error = match attempt().await {
            Err(NotRehosted::Later(error)) if error.service == Service::Files => error,
            done => return done,
        };
        tracing::info!(
            event = "file_host_failed",
            kind = error.kind.label(),
            status = error.status
        );
        let Some(wait) = waits.next() else {
            return Err(Unfetched::Unreachable.into());
        };
        let wait = error.retry_after.unwrap_or_default().max(*wait);
        if wait >= time.left() {
            return Err(Unfetched::TooSlow.into());
        }
        tokio::time::sleep(wait).await;
        time.used(wait);
    }
}

/// The bytes of a download, as long as the host has time left.
fn timed(
    body: impl Stream<Item = Result<Bytes, ServiceError>> + Send + 'static,
    time: Arc<HostTime>,
) -> BoxStream<'static, Result<Bytes, ServiceError>> {
    stream::try_unfold((body.boxed(), time), |(mut body, time)| async {
        let started = Instant::now();
        let next = timeout(time.left(), body.try_next()).await;
        time.used(started.elapsed());
        let late = |_| ServiceError::new(Service::Files, ErrorKind::TimedOut, Sent::Yes);
        let piece = next.map_err(late)??;
        Ok(piece.map(|piece| (piece, (body, time))))
    })
    .boxed()
}

/// Reads an opened file into memory, at most `most` bytes of it; what is more comes back as an opened file.
///
/// # Errors
/// It broke off.
pub async fn read_up_to(opened: Opened, most: usize) -> Result<Result<Bytes, Opened>, NotRehosted> {
    let Opened { kind, mut body } = opened;
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.try_next().await.map_err(broken)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > most {
            let begun = stream::iter([Ok(bytes.freeze())]);
            let body = begun.chain(body).boxed();
            return Ok(Err(Opened { kind, body }));
        }
    }
    Ok(Ok(bytes.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(service: Service) -> Result<(), NotRehosted> {
        let error = ServiceError::new(service, ErrorKind::Unavailable, Sent::Maybe);
        Err(NotRehosted::Later(error))
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_has_its_time_and_no_more() {
        for (seconds, reason, expected) in
            [(30, Unfetched::Unreachable, 4), (1, Unfetched::TooSlow, 2)]
        {
            let time = HostTime::of(Duration::from_secs(seconds));
            let mut tries = 0;
            let end = persistently(&time, || {
                tries += 1;
                async { failing(Service::Files) }
            });
            let end = end.await;
            assert!(matches!(end, Err(NotRehosted::Finally(it)) if it == reason));
            assert_eq!(tries, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_services_are_not_the_file_s_fault() {
        for service in [Service::Graph, Service::Blob] {
            let time = HostTime::of(Duration::from_secs(5));
            let end = persistently(&time, || async {
                // Longer than the host may take.
                tokio::time::sleep(Duration::from_secs(31)).await;
                failing(service)
            })
            .await;
            assert!(matches!(end, Err(NotRehosted::Later(error)) if error.service == service));
            assert_eq!(time.left(), Duration::from_secs(5));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_waiting_for_the_host_uses_its_time_up() {
        let time = HostTime::of(Duration::from_secs(10));
        let slow = stream::unfold(0, |number| async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            (number < 9).then(|| (Ok(Bytes::from_static(b"x")), number + 1))
        });
        let mut body = timed(slow, Arc::clone(&time));
        for _ in 0..3 {
            body.try_next().await.expect("a piece");
            // As long as a store takes.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(time.left(), Duration::from_secs(1));
        let late = body.try_next().await.expect_err("no time left");
        assert_eq!(
            (late.service, late.kind),
            (Service::Files, ErrorKind::TimedOut)
        );
        assert!(matches!(body.try_next().await, Ok(None)));
    }
}
