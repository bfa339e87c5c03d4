//! Read links: user delegation SAS ("Create a user delegation SAS", Azure Storage REST API).

use std::sync::Arc;
use std::time::Duration;

use azure_storage_blob::BlobServiceClient;
use azure_storage_blob::models::KeyInfo;
use azure_storage_common::models::UserDelegationKey;
use azure_storage_sas::{SasBuilder, SasProtocol};
use time::OffsetDateTime;
use url::Url;

use super::{call, failed};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::renewal::{Lease, Renewal};

/// Life of a delegation key; the service allows 7 days ("Get User Delegation Key").
const KEY_LIFE: Duration = Duration::from_secs((7 * 24 - 1) * 3600);

/// Age at which a new key is got in the background.
const KEY_RENEWED_AFTER: Duration = Duration::from_secs(12 * 3600);

/// Age at which a key is no longer used for new links, so that a link of 6 days always fits.
const KEY_EXPIRES_AFTER: Duration = Duration::from_secs(22 * 3600);

/// How far links and keys begin in the past, for clocks that are behind ours.
const BACKDATED: Duration = Duration::from_secs(5 * 60);

/// Makes links to the blobs of one account.
pub(super) struct Links {
    account: String,
    endpoint: Url,
    key: Renewal<Arc<Key>>,
}

struct Key {
    delegated: UserDelegationKey,
    ends: OffsetDateTime,
}

impl Links {
    /// `None` for an endpoint that names no account.
    pub(super) fn of(endpoint: &Url, service: &Arc<BlobServiceClient>) -> Option<Self> {
        let mut in_path = endpoint.path_segments()?;
        let account = match in_path.next_back() {
            Some(account) if !account.is_empty() => account,
            _ => endpoint.host_str()?.split('.').next()?,
        };
        let service = Arc::clone(service);
        Some(Self {
            account: account.to_owned(),
            endpoint: endpoint.clone(),
            key: Renewal::new(Service::Blob, move || fetch_key(Arc::clone(&service))),
        })
    }

    pub(super) async fn read(
        &self,
        container: &str,
        name: &str,
        lifetime: Duration,
    ) -> Result<Url> {
        let key = self.key.get().await?;
        let now = OffsetDateTime::now_utc();
        let ends = (now + lifetime).min(key.ends);
        let query = SasBuilder::new(&self.account, &key.delegated, ends)
            .map_err(failed)?
            .start(now - BACKDATED)
            .protocol(SasProtocol::Https)
            .blob(container, name)
            .read()
            .build();
        let mut link = self.endpoint.clone();
        link.path_segments_mut()
            .map_err(|()| ServiceError::new(Service::Blob, ErrorKind::Configuration, Sent::No))?
            .pop_if_empty()
            .push(container)
            .extend(name.split('/'));
        link.set_query(Some(&query));
        Ok(link)
    }
}

async fn fetch_key(service: Arc<BlobServiceClient>) -> Result<Lease<Arc<Key>>> {
    let now = OffsetDateTime::now_utc();
    let ends = now + KEY_LIFE;
    let validity = KeyInfo {
        start: Some(now - BACKDATED),
        expiry: Some(ends),
        ..KeyInfo::default()
    };
    let delegated = call(|| async {
        let validity = validity.clone().try_into().map_err(failed)?;
        let answer = service.get_user_delegation_key(validity, None).await;
        answer.map_err(failed)?.into_model().map_err(failed)
    })
    .await?;
    Ok(Lease {
        value: Arc::new(Key { delegated, ends }),
        renew_after: KEY_RENEWED_AFTER,
        expires_after: KEY_EXPIRES_AFTER,
    })
}
