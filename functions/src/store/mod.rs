//! What the functions remember: documents in Blob, and bounded caches in memory.

pub mod bounded;
pub mod document;
pub mod keys;
pub mod lanes;
pub mod own_posts;
pub mod threads;
