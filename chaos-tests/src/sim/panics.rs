//! A broken invariant panics. A run whose thread panics ends there: what unwinding would destroy on its way (runtimes inside
//! of runtimes) is left where it is, and the run is told as it stood.

use std::{cell::RefCell, sync::Once, thread};

type Told = Box<dyn FnOnce(String)>;

thread_local! {
    static WATCHER: RefCell<Option<Told>> = const { RefCell::new(None) };
}

/// `told` hears of a panic of this thread, with its message and place; the thread then stands still for ever.
pub fn watch(told: impl FnOnce(String) + 'static) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let Some(told) = WATCHER.with(RefCell::take) else { return before(info) };
            if std::env::var_os("ALERT_SIM_BACKTRACE").is_some() {
                before(info);
            }
            told(info.to_string().replace('\n', " "));
            loop {
                thread::park();
            }
        }));
    });
    WATCHER.set(Some(Box::new(told)));
}

/// Panics of this thread are ordinary ones again.
pub fn forget() {
    WATCHER.take();
}
