//! What is kept for somebody to fetch, at addresses that need no token, because they carry a proof of their own for an hour.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::locked::Locked;

/// A proof serves this long, in seconds.
const LIFE: i64 = 3_600;

/// Things by id, and a random key of this run that signs the proofs.
pub struct Kept<T> {
    key: hmac::Key,
    all: Locked<HashMap<String, Arc<T>>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system has random numbers");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            all: Locked::new(HashMap::new()),
        }
    }
}

impl<T> Kept<T> {
    /// Keeps a thing under this id.
    pub fn keep(&self, id: &str, thing: T) {
        self.all.lock().insert(id.to_owned(), Arc::new(thing));
    }

    /// The thing with this id.
    pub fn get(&self, id: &str) -> Option<Arc<T>> {
        self.all.lock().get(id).cloned()
    }

    /// A thing that is like this.
    pub fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        self.all.lock().values().find(|it| wanted(it)).cloned()
    }

    /// Until when an address that is given out now serves, and the proof of it. Times are in seconds since 1970.
    pub fn proof(&self, id: &str, now: i64) -> (i64, String) {
        let until = now + LIFE;
        (until, self.sign(id, until))
    }

    /// Whether the proof is genuine, for this thing and this time, and the time has not come.
    pub fn opens(&self, id: &str, until: &str, proof: &str, now: i64) -> bool {
        let until = until.parse();
        until.is_ok_and(|until| now < until && proof == self.sign(id, until))
    }

    fn sign(&self, id: &str, until: i64) -> String {
        let text = format!("{id}\n{until}");
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_thing_and_one_hour() {
        let kept = Kept::<()>::default();
        let (_, proof) = kept.proof("a", 10_000);
        assert!(kept.opens("a", "13600", &proof, 10_000));
        assert!(kept.opens("a", "13600", &proof, 13_599));
        assert!(!kept.opens("a", "13600", &proof, 13_600));
        assert!(!kept.opens("b", "13600", &proof, 10_000));
        assert!(!kept.opens("a", "13600", "", 10_000));
        assert!(!kept.opens("a", "13601", &proof, 10_000));
        assert!(!kept.opens("a", "", &proof, 10_000));
        assert!(!Kept::<()>::default().opens("a", "13600", &proof, 10_000));
    }
}
