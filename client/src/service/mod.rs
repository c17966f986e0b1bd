//! The calls of each service, one file each: thin and typed. What they share is in `call/` and `stream/`.

mod alerts;
mod attachments;
mod audit;
mod hits;
mod policy;
mod search;

pub use self::attachments::{Attachment, NewAttachment};
