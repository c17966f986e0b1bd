//! Liveness and readiness as named checks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// The outcome of one named check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Fulfilled.
    pub ok: bool,
    /// Why, or how far: one sentence.
    pub detail: String,
}

/// The checks of this node. Cheap to clone; all clones are one.
///
/// A node is *live* while nothing has broken that only a restart or an operator can mend, and *ready* when it can
/// answer callers as well.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    live: BTreeMap<&'static str, Check>,
    ready: BTreeMap<&'static str, Check>,
}

impl Health {
    /// Sets a check of liveness.
    pub fn set_live(&self, name: &'static str, ok: bool, detail: impl Into<String>) {
        self.lock().live.insert(name, Check { ok, detail: detail.into() });
    }

    /// Sets a check of readiness.
    pub fn set_ready(&self, name: &'static str, ok: bool, detail: impl Into<String>) {
        self.lock().ready.insert(name, Check { ok, detail: detail.into() });
    }

    /// All checks of liveness hold, and which they are.
    pub fn live(&self) -> (bool, Vec<(&'static str, Check)>) {
        verdict(&self.lock().live)
    }

    /// Live, and all checks of readiness hold. Not ready before the first check is set.
    pub fn ready(&self) -> (bool, Vec<(&'static str, Check)>) {
        let inner = self.lock();
        let (live, mut checks) = verdict(&inner.live);
        let (ready, more) = verdict(&inner.ready);
        checks.extend(more);
        (live && ready && !inner.ready.is_empty(), checks)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it holds the checks")
    }
}

fn verdict(checks: &BTreeMap<&'static str, Check>) -> (bool, Vec<(&'static str, Check)>) {
    (checks.values().all(|check| check.ok), checks.iter().map(|(name, check)| (*name, check.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_not_ready_before_its_checks_say_so() {
        let health = Health::default();
        assert!(health.live().0);
        assert!(!health.ready().0);
        health.set_ready("quorum", true, "confirmed");
        assert!(health.ready().0);
        health.set_live("log", false, "fsync failed");
        assert!(!health.ready().0);
        assert_eq!(health.ready().1.len(), 2);
    }
}
