//! Work on threads: in its turn among its class and its callers, and only while somebody waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alert_core::state::{Cursor, View, ViewError, family::Family};

use super::{
    admission::Class,
    call::Call,
    core::Api,
    errors::{ApiError, ApiResult, ErrorCode},
};
use crate::seam::{Lane, run};

/// Held by whoever waits; dropped with the call.
struct Present(Arc<AtomicBool>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Held by the work: tells it that nobody waits for it any more. By default there is always somebody.
#[derive(Clone, Default)]
pub struct Gone(Arc<AtomicBool>);

impl Gone {
    /// True when the work may stop.
    pub fn is_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stops work that nobody waits for.
    ///
    /// # Errors
    /// Its caller has gone.
    pub fn check(&self) -> ApiResult<()> {
        if self.is_gone() { Err(ApiError::plain(ErrorCode::DeadlineExceeded)) } else { Ok(()) }
    }

    /// Does `work` on a view that fails it from the moment that nobody waits for it: so whatever it is, its next read is
    /// its last.
    ///
    /// # Errors
    /// Those of `work`; its caller has gone.
    pub fn watch<T>(&self, view: &dyn View, work: impl FnOnce(&dyn View) -> Result<T, ViewError>) -> ApiResult<T> {
        let done = work(&Watched { view, gone: self });
        self.check()?;
        Ok(done?)
    }

    fn check_view(&self) -> Result<(), ViewError> {
        if self.is_gone() { Err(ViewError("nobody waits for the answer".into())) } else { Ok(()) }
    }
}

/// A view that work reads through while somebody waits for it.
struct Watched<'a> {
    view: &'a dyn View,
    gone: &'a Gone,
}

struct WatchedCursor<'a> {
    cursor: Box<dyn Cursor + 'a>,
    gone: &'a Gone,
}

impl View for Watched<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.gone.check_view()?;
        self.view.get(family, key)
    }

    fn may_contain(&self, family: Family, key: &[u8]) -> Result<bool, ViewError> {
        self.gone.check_view()?;
        self.view.may_contain(family, key)
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(WatchedCursor { cursor: self.view.cursor(family), gone: self.gone })
    }
}

impl Cursor for WatchedCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.gone.check_view()?;
        self.cursor.seek(key, prefix)
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.cursor.entry()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.cursor.next()
    }
}

impl Api {
    /// Runs `work` on the lane of reads once it is its turn. When the call is dropped before, it is never begun; when it
    /// is dropped meanwhile, `work` finds out by [`Gone`]. Its turn lasts until the thread is free again, whether or not
    /// its caller still waits.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        call: &Call,
        class: Class,
        work: impl FnOnce(&Gone) -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let turn = self.admission().turn(class, call.caller_key(), call.deadline).await?;
        let left = Arc::new(AtomicBool::new(false));
        let (present, gone) = (Present(Arc::clone(&left)), Gone(left));
        let done = run(&*self.host().blocking, Lane::Read, move || {
            let _turn = turn;
            gone.check()?;
            work(&gone)
        });
        let done = done.await;
        drop(present);
        done
    }
}

#[cfg(test)]
mod tests {
    use alert_core::state::MemoryView;

    use super::*;

    #[test]
    fn the_next_read_of_work_that_nobody_waits_for_is_its_last() {
        let left = Arc::new(AtomicBool::new(false));
        let (present, gone) = (Present(Arc::clone(&left)), Gone(left));
        let mut present = Some(present);
        let mut reads = 0;
        let stopped = gone.watch(&MemoryView::default(), |view| {
            let mut cursor = view.cursor(Family::Alerts);
            loop {
                cursor.seek(b"", b"")?;
                view.get(Family::Alerts, b"x")?;
                reads += 1;
                if reads == 3 {
                    drop(present.take());
                }
                if reads > 3 {
                    return Ok(());
                }
            }
        });
        assert_eq!((stopped.unwrap_err().code, reads), (ErrorCode::DeadlineExceeded, 3));
    }

    #[test]
    fn work_finds_out_that_nobody_waits_for_it() {
        let left = Arc::new(AtomicBool::new(false));
        let (present, gone) = (Present(Arc::clone(&left)), Gone(left));
        assert!(gone.check().is_ok());
        drop(present);
        assert_eq!(gone.check().unwrap_err().code, ErrorCode::DeadlineExceeded);
    }
}
