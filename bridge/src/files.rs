//! Files that people send: what they are, what they may be called, and which of them the other side takes.

mod kind;
mod name;
mod types;

pub use kind::{FileKind, Mismatch, identify};
pub use name::{clean_name, content_disposition, file_name_for, readable_size};
pub use types::{InvalidMediaTypes, MediaTypes};

/// How many bytes of a file's beginning [`identify`] wants to see.
pub const HEAD: usize = 8 * 1024;

/// Largest image that a Teams message holds itself, in bytes (Microsoft Learn, "Send message with inline images": 4 MB of hosted
/// content).
pub const LARGEST_INLINE_IMAGE: usize = 4 * 1024 * 1024;
