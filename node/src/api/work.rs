//! Work on threads: in its turn among its class and its callers, and only while somebody waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

/// Held by the work: tells it that nobody waits for it any more.
#[derive(Clone)]
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
    use super::*;

    #[test]
    fn work_finds_out_that_nobody_waits_for_it() {
        let left = Arc::new(AtomicBool::new(false));
        let (present, gone) = (Present(Arc::clone(&left)), Gone(left));
        assert!(gone.check().is_ok());
        drop(present);
        assert_eq!(gone.check().unwrap_err().code, ErrorCode::DeadlineExceeded);
    }
}
