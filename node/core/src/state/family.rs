//! The column families of the state, by name, and how each of their keys is built. One file, so that the layout on
//! disk can be read in one place; golden bytes in the tests keep it from changing unseen.

use crate::alert::{AlertId, attachment::ContentHash};

/// Version of the layout on disk. A node refuses a directory of another version.
pub const LAYOUT_VERSION: u32 = 3;

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $primary:literal;)*) => {
        /// A column family of the state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Family { $($(#[$doc])* $variant,)* }

        impl Family {
            /// Every family.
            pub const ALL: &[Family] = &[$(Family::$variant,)*];

            /// Its name on disk.
            pub const fn name(self) -> &'static str {
                match self { $(Family::$variant => $name,)* }
            }

            /// True when all of it counts in the state hash. Indexes do not: they follow from the alerts and are rebuilt
            /// under new normalisers at each node's own pace.
            pub const fn is_primary(self) -> bool {
                match self { $(Family::$variant => $primary,)* }
            }
        }
    };
}

families! {
    /// Alert id -> the current version of the record.
    Alerts = "alerts", true;
    /// What hangs on an alert: (alert id, 'l', link id) -> link; (link id) -> link; (parent id, 'c', child id) and
    /// (blocking id, 'w', waiting id) -> nothing.
    Links = "links", true;
    /// (alert id, version) -> a version that was superseded.
    History = "history", true;
    /// Revision -> when and what changed: the feed.
    Changes = "changes", true;
    /// (time, kind, alert id, discriminator) -> nothing: what falls due when.
    Expiry = "expiry", true;
    /// ('a', caller, session, sequence) -> the kept answer; ('f', caller, session) -> sequences that are closed;
    /// ('t', time, ...) -> when an answer may go; ('s', time, caller, session) -> when a session was last closed.
    Requests = "requests", true;
    /// Hash of (source system, reference) -> alert id and source version; stays after a deletion.
    Sources = "sources", true;
    /// Hit id -> hit; (alert id, hit id) -> nothing.
    Hits = "hits", true;
    /// Agreement id -> agreement.
    Agreements = "agreements", true;
    /// Rule kind -> the rules in force; (kind, 'n') -> those that wait for their index.
    Rules = "rules", true;
    /// Identifier, with look-alikes folded.
    Number = "number", false;
    /// Day of birth, one entry for each name.
    Born = "born", false;
    /// (class of a person's name token, month and day, year of birth).
    NameDay = "name_day", false;
    /// (class pair, year of birth).
    NamePair = "name_pair", false;
    /// (class, year of birth).
    NameOne = "name_one", false;
    /// Delete-1 neighbourhoods of the names in use, reference-counted.
    Lexicon = "lexicon", false;
    /// (alert id, content hash, chunk number) -> a chunk of an attachment; (alert id, content hash) -> that all of it is
    /// there.
    Attachments = "attachments", true;
    /// Single values: applied index, membership, revision, time, hash, counters, labels.
    Sys = "sys", false;
}

/// Keys of [`Family::Sys`].
pub mod sys {
    /// The state machine's own counters (`state::Meta`), in each batch.
    pub const META: &[u8] = b"meta";
    /// What consensus needs (`applied`, membership), written by the node in the same batch.
    pub const RAFT: &[u8] = b"raft";
    /// Prefix: label id (4 bytes, big-endian) -> label.
    pub const LABEL_BY_ID: &[u8] = b"l/";
    /// Prefix: BLAKE3 of the label's bytes -> label id.
    pub const LABEL_BY_HASH: &[u8] = b"h/";
    /// Prefix: (agreement, caller) -> how far that caller's copy is.
    pub const FEED_ACK: &[u8] = b"f/";
    /// Prefix: node id -> the newest anchor of its audit log.
    pub const AUDIT_ANCHOR: &[u8] = b"a/";
    /// Prefix: (node id, replicated time) -> an anchor that is kept.
    pub const AUDIT_ANCHORS: &[u8] = b"A/";
    /// Prefix: erasure list, by revision.
    pub const ERASED: &[u8] = b"e/";
    /// How far this node has built the index of the next normaliser: a node's own, no part of what is replicated.
    pub const INDEX_BUILD: &[u8] = b"index";
    /// Prefix: id of a node that is or was a member (8 bytes, big-endian) -> incarnation of its data directory. Written
    /// by the node with each membership; never removed, so that no id is used twice.
    pub const USED_NODE_ID: &[u8] = b"n/";

    /// Prefixes of what the commands of the log alone make.
    pub const REPLICATED: [&[u8]; 6] = [LABEL_BY_ID, LABEL_BY_HASH, FEED_ACK, AUDIT_ANCHOR, AUDIT_ANCHORS, ERASED];

    /// A key under [`USED_NODE_ID`].
    pub fn used_node_id(node_id: u64) -> Vec<u8> {
        [USED_NODE_ID, &node_id.to_be_bytes()].concat()
    }
}

/// True when an entry counts in the state hash: what follows from the log alone and from nothing else that counts.
pub fn is_hashed(family: Family, key: &[u8]) -> bool {
    family.is_primary() || (family == Family::Sys && sys::REPLICATED.iter().any(|prefix| key.starts_with(prefix)))
}

/// Joins parts into one key. Variable-length parts must be closed by [`text`].
pub fn key(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A variable-length text inside a key: closed by a zero byte, which texts must not contain (validation refuses it).
pub fn text(value: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = value.bytes().filter(|&byte| byte != 0).collect();
    bytes.push(0);
    bytes
}

/// [`Family::History`].
pub fn history(id: AlertId, version: u64) -> Vec<u8> {
    key(&[id.as_bytes(), &version.to_be_bytes()])
}

/// [`Family::Changes`]. One revision changes one alert.
pub fn change(revision: u64) -> Vec<u8> {
    revision.to_be_bytes().to_vec()
}

/// [`Family::Sources`]: the first 16 bytes of BLAKE3, so that nothing readable is left when an alert is erased.
pub fn source(system: &str, reference: &str) -> Vec<u8> {
    blake3::hash(&key(&[&text(system), &text(reference)])).as_bytes()[..16].to_vec()
}

/// What hangs on an alert in [`Family::Links`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Hanging {
    /// A link to another alert.
    Link = b'l',
    /// An alert that ends with this one.
    Child = b'c',
    /// An alert that the compatibility rules hold back because of this one.
    Waiting = b'w',
}

/// [`Family::Links`]: prefix of all that hangs on `id` in one way.
pub fn hanging_prefix(id: AlertId, how: Hanging) -> Vec<u8> {
    key(&[id.as_bytes(), &[how as u8]])
}

/// [`Family::Links`]: `other` hangs on `id`.
pub fn hanging(id: AlertId, how: Hanging, other: AlertId) -> Vec<u8> {
    key(&[id.as_bytes(), &[how as u8], other.as_bytes()])
}

/// [`Family::Links`]: the link itself.
pub fn link(id: AlertId) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// [`Family::Hits`]: the hit itself.
pub fn hit(id: AlertId) -> Vec<u8> {
    key(&[b"h", id.as_bytes()])
}

/// [`Family::Hits`]: hits of one alert.
pub fn hit_of_alert(alert: AlertId, hit: AlertId) -> Vec<u8> {
    key(&[b"a", alert.as_bytes(), hit.as_bytes()])
}

/// [`Family::Attachments`]: prefix of one attachment, and the mark that it is complete.
pub fn attachment(alert: AlertId, hash: &ContentHash) -> Vec<u8> {
    key(&[alert.as_bytes(), hash])
}

/// [`Family::Attachments`]: a chunk.
pub fn attachment_chunk(alert: AlertId, hash: &ContentHash, number: u32) -> Vec<u8> {
    key(&[alert.as_bytes(), hash, &number.to_be_bytes()])
}

/// [`Family::Agreements`].
pub fn agreement(id: &str) -> Vec<u8> {
    text(id)
}

/// [`Family::Rules`]: `pb::RuleKind` as a number.
pub fn rules(kind: i32) -> Vec<u8> {
    vec![kind as u8]
}

/// [`Family::Rules`]: rules of one kind that are decided and not yet in force.
pub fn next_rules(kind: i32) -> Vec<u8> {
    vec![kind as u8, b'n']
}

/// What falls due; part of the key of [`Family::Expiry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Due {
    /// A scheduled alert becomes active.
    Activate = 1,
    /// An active alert ends.
    Expire = 2,
    /// A restriction begins or ends.
    Restriction = 3,
    /// The history of a deleted alert goes.
    PurgeHistory = 4,
}

impl Due {
    /// From its byte in a key.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Activate, Self::Expire, Self::Restriction, Self::PurgeHistory].into_iter().find(|due| *due as u8 == byte)
    }
}

/// [`Family::Expiry`]: sorted by time.
pub fn due(at_ms: u64, due: Due, id: AlertId) -> Vec<u8> {
    key(&[&at_ms.to_be_bytes(), &[due as u8], id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_on_disk_does_not_change() {
        let id = AlertId::from_bytes([7; 16]);
        assert_eq!(history(id, 258)[16..], [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(source("A", "b"), blake3::hash(b"A\0b\0").as_bytes()[..16]);
        assert_eq!(hanging(id, Hanging::Child, id)[15..18], [7, b'c', 7]);
        assert_eq!(due(1, Due::Expire, id)[..9], [0, 0, 0, 0, 0, 0, 0, 1, 2]);
        let names: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
        assert_eq!(
            names.join(" "),
            "alerts links history changes expiry requests sources hits agreements rules number born name_day \
             name_pair name_one lexicon attachments sys"
        );
    }
}
