//! Planted bugs: proof that the simulation can see. Without the feature `mutants`, which no release has, [`Mutant::is_planted`]
//! is the constant `false` and the compiler leaves nothing of them.

macro_rules! mutants {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// One planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant { $($(#[$doc])* $variant,)* }

        impl Mutant {
            /// Every one.
            pub const ALL: &[Mutant] = &[$(Mutant::$variant,)*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Mutant::$variant => $name,)* }
            }
        }
    };
}

mutants! {
    /// Entries are acknowledged before their fsync.
    AcknowledgeBeforeSync = "acknowledge-before-fsync";
    /// A vote is not synced.
    VoteNotSynced = "vote-not-synced";
    /// A restarted leader resumes its term.
    LeaderRestore = "leader-restore";
    /// A linearizable read is answered from whatever is here.
    LocalAsLinearizable = "local-as-linearizable";
    /// The age of a state counts from the probe's answer, not from when it was sent.
    BoundFromAnswer = "bound-from-answer";
    /// A snapshot lacks the kept answers to requests.
    SnapshotWithoutRequests = "snapshot-without-requests";
    /// A failed fsync of the log is taken for a good one.
    SyncErrorIgnored = "fsync-error-ignored";
    /// A node with another disk under its old id is taken for the old one.
    WipedDiskAccepted = "wiped-disk-accepted";
    /// The leadership goes to a node that lacks entries.
    TransferWithoutCatchUp = "transfer-without-catch-up";
    /// A node votes before it has the log.
    VoterWithoutLearner = "voter-without-learner";
    /// A feed goes on one change too late.
    FeedOffByOne = "feed-off-by-one";
    /// Index entries are written after the state that they belong to.
    IndexInSecondBatch = "index-in-second-batch";
    /// A repeated call comes under a new request id.
    RetryWithoutRequestId = "retry-without-request-id";
    /// The pointer to the state in use is renamed without an fsync of its directory.
    PointerNotSynced = "pointer-without-directory-fsync";
    /// A follower shows what the caller may not know of.
    FilterSkippedOnFollower = "filter-skipped-on-follower";
    /// An erased alert stays in the index.
    ErasedKeyLeft = "erased-key-left";
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

impl Mutant {
    /// True on a thread where it was planted.
    #[inline]
    pub fn is_planted(self) -> bool {
        #[cfg(feature = "mutants")]
        return PLANTED.get() == Some(self);
        #[cfg(not(feature = "mutants"))]
        false
    }

    /// From now on this thread's nodes have this bug, and no other.
    #[cfg(feature = "mutants")]
    pub fn plant(mutant: Option<Mutant>) {
        PLANTED.set(mutant);
    }
}
