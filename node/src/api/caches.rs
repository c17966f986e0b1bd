//! What the services keep in memory between calls. All of it follows from the state and can be dropped at any time.

use std::{collections::BTreeMap, sync::Arc};

use alert_core::{
    alert::{Label, LabelId, RuleSet},
    search::LabelSource,
    state::{Meta, RuleCache, View, ViewError, read_label},
};
use parking_lot::{Mutex, RwLock};

use super::errors::{ApiError, ApiResult};

/// Rules by the revision at which they last changed; labels by number.
#[derive(Default)]
pub struct Caches {
    rules: Mutex<RuleCache>,
    /// A label's number is given once and never changes, so what was read once stays true until the store is restored
    /// from a backup: hence the epoch.
    labels: RwLock<(u64, BTreeMap<LabelId, Arc<Label>>)>,
}

impl Caches {
    /// The rules in force in `view`.
    pub fn rules(&self, view: &dyn View, meta: &Meta) -> ApiResult<Arc<RuleSet>> {
        self.rules.lock().get(view, meta)?.ok_or_else(ApiError::not_founded)
    }

    /// Labels as `view` knows them.
    pub fn labels<'a>(&'a self, epoch: u64, view: &'a dyn View) -> Labels<'a> {
        Labels { cache: self, epoch, view }
    }
}

/// Labels of one view, through the cache.
pub struct Labels<'a> {
    cache: &'a Caches,
    epoch: u64,
    view: &'a dyn View,
}

impl Labels<'_> {
    /// One label.
    pub fn get(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        {
            let labels = self.cache.labels.read();
            if labels.0 == self.epoch
                && let Some(label) = labels.1.get(&id)
            {
                return Ok(Arc::clone(label));
            }
        }
        let label = read_label(self.view, id)?;
        let mut labels = self.cache.labels.write();
        if labels.0 != self.epoch {
            *labels = (self.epoch, BTreeMap::new());
        }
        labels.1.insert(id, Arc::clone(&label));
        Ok(label)
    }
}

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        self.get(id)
    }
}
