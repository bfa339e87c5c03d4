//! The contract between the Functions host and a custom handler, held against the stand-in.

mod http_functions;
mod queue_functions;
mod support;
