//! An auditor's question to this node's log: one record for each question that was asked here, its attempts together.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use alert_core::{
    alert::time::field_ms,
    audit::{Question, merge_attempts},
    pb,
};

use crate::{
    api::backend::AuditQuestion,
    limits::{AUDIT_ATTEMPTS_WITHIN, AUDIT_RECENT_QUESTIONS},
};

/// Times `[from_ms, until_ms)`, and at most `limit` records whose first attempt has a sequence above `after`.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub from_ms: u64,
    pub until_ms: u64,
    pub after: u64,
    pub limit: usize,
}

/// Gathers one page while the log is read from its beginning.
pub struct Finder {
    question: AuditQuestion,
    page: Page,
    /// Questions met lately, and whether they belong to this page.
    recent: BTreeMap<Question, bool>,
    order: VecDeque<(u64, Question)>,
    found: Vec<pb::AuditRecord>,
    questions: usize,
    /// When the last question of the page was first attempted.
    last_ms: u64,
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

impl Finder {
    /// Nothing found yet.
    pub fn new(question: AuditQuestion, page: Page) -> Self {
        let (recent, order) = (BTreeMap::new(), VecDeque::new());
        Self { question, page, recent, order, found: Vec::new(), questions: 0, last_ms: 0 }
    }

    /// Looks at the next record of the log; false when the page is complete.
    pub fn visit(&mut self, record: pb::AuditRecord) -> bool {
        let at_ms = field_ms(&record.at).unwrap_or(0);
        self.forget(at_ms);
        let is_full = self.questions >= self.page.limit;
        if is_full && at_ms > self.last_ms.saturating_add(ms(AUDIT_ATTEMPTS_WITHIN)) {
            return false;
        }
        if !(self.page.from_ms..self.page.until_ms).contains(&at_ms) || !answers(&self.question, &record) {
            return true;
        }
        let key = Question::of(&record);
        let ours = match self.recent.get(&key) {
            Some(ours) => *ours,
            None => {
                let ours = record.sequence > self.page.after && !is_full;
                if ours {
                    (self.questions, self.last_ms) = (self.questions + 1, at_ms);
                }
                self.recent.insert(key.clone(), ours);
                self.order.push_back((at_ms, key));
                ours
            }
        };
        if ours {
            self.found.push(record);
        }
        true
    }

    /// An attempt that comes so late is a question of its own.
    fn forget(&mut self, now_ms: u64) {
        while let Some((at_ms, _)) = self.order.front()
            && (self.order.len() > AUDIT_RECENT_QUESTIONS || now_ms > at_ms.saturating_add(ms(AUDIT_ATTEMPTS_WITHIN)))
        {
            if let Some((_, key)) = self.order.pop_front() {
                self.recent.remove(&key);
            }
        }
    }

    /// The page's records, each with its attempts, in the order of the log.
    pub fn finish(self) -> Vec<pb::AuditRecord> {
        let mut merged = merge_attempts(self.found);
        merged.sort_by_key(|record| record.sequence);
        merged
    }
}

fn answers(question: &AuditQuestion, record: &pb::AuditRecord) -> bool {
    match question {
        AuditQuestion::WhoSaw { alert_id } => {
            let id = alert_id.to_string();
            record.disclosed.iter().any(|disclosure| disclosure.alert_id == id)
        }
        AuditQuestion::WhatDidAsk { country, authority, system, role } => {
            let caller = record.caller.clone().unwrap_or_default();
            let party = caller.country.map(|party| party.code).unwrap_or_default();
            [(country, &party), (authority, &caller.authority), (system, &caller.system), (role, &caller.role)]
                .into_iter()
                .all(|(asked, held)| asked.is_empty() || asked == held)
        }
        AuditQuestion::Receipt { sequence } => record.sequence == *sequence,
    }
}
