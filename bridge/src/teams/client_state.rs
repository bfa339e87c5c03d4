//! The `clientState` of a subscription: `{support account}.{secret}`, so that it names the account without a read.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use crate::ids::SupportAccountName;

/// The support account that a presented `clientState` names, whatever its secret is: what anybody can claim.
#[must_use]
pub fn claimed_account(presented: &str) -> Option<SupportAccountName> {
    presented.split_once('.')?.0.parse().ok()
}

/// The support account that a presented `clientState` names, if its secret is one of ours (current or previous).
///
/// Every secret is compared, in constant time, over digests, so that neither its length nor its place shows.
#[must_use]
pub fn verify(presented: &str, secrets: &[SecretString]) -> Option<SupportAccountName> {
    let (account, secret) = presented.split_once('.')?;
    let presented = digest(&SHA256, secret.as_bytes());
    let matches = secrets
        .iter()
        .filter(|ours| !ours.expose_secret().is_empty())
        .map(|ours| digest(&SHA256, ours.expose_secret().as_bytes()))
        .filter(|ours| verify_slices_are_equal(presented.as_ref(), ours.as_ref()).is_ok())
        .count();
    if matches == 0 {
        return None;
    }
    account.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_claimed_by_name_alone() {
        let claimed = |presented| claimed_account(presented).map(|it| it.as_str().to_owned());
        assert_eq!(claimed("support.whatever").as_deref(), Some("support"));
        for nobody in ["support", ".secret", "Support.secret", ""] {
            assert_eq!(claimed(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn current_and_previous_secrets_are_taken_and_no_others() {
        let secrets = [
            SecretString::from("current.with.dots"),
            SecretString::from("previous"),
        ];
        let account = |presented| verify(presented, &secrets).map(|name| name.as_str().to_owned());
        assert_eq!(
            account("support.current.with.dots").as_deref(),
            Some("support")
        );
        assert_eq!(account("sales.previous").as_deref(), Some("sales"));
        for wrong in [
            "support.other",
            "support.",
            "support",
            ".previous",
            "current.with.dots",
            "",
            "Support.previous",
        ] {
            assert_eq!(account(wrong), None, "{wrong}");
        }
        assert_eq!(verify("support.", &[SecretString::from("")]), None);
        assert_eq!(verify("support.x", &[]), None);
    }
}
