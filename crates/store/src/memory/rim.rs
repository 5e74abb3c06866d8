//! Settings, date formats, the audit, answers given; and when such things go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use turnstone_core::id::{AuditId, DateFormatId, OrgId};

use super::state::{State, micros, next};
use crate::api::*;
use crate::directory::*;

impl State {
    pub fn setting(&self, org: OrgId, key: &str) -> Option<String> {
        self.directory.settings.get(&(org, key.to_string())).cloned()
    }

    pub fn put_setting(&mut self, org: OrgId, key: &str, value: &str) -> Result<()> {
        self.known_org(org)?;
        self.directory.settings.insert((org, key.to_string()), value.to_string());
        Ok(())
    }

    pub fn date_formats(&self, org: OrgId) -> Vec<DateFormatRow> {
        let own = self.directory.date_formats.values().filter(|(owner, _)| *owner == org);
        own.map(|(_, row)| row.clone()).collect()
    }

    pub fn add_date_format(
        &mut self,
        org: OrgId,
        pattern: &str,
        zone: Option<&str>,
        now: Timestamp,
    ) -> Result<DateFormatId> {
        self.known_org(org)?;
        let is_same = |row: &DateFormatRow| row.pattern == pattern && row.zone.as_deref() == zone;
        if let Some(known) = self.date_formats(org).into_iter().find(is_same) {
            return Ok(known.id);
        }
        let id = DateFormatId(next(&mut self.numbers.date_format));
        let (pattern, zone) = (pattern.to_string(), zone.map(str::to_string));
        let row = DateFormatRow { id, pattern, zone, created_at: micros(now) };
        self.directory.date_formats.insert(id, (org, row));
        Ok(id)
    }

    pub fn remove_date_format(&mut self, org: OrgId, id: DateFormatId) -> Result<()> {
        match self.directory.date_formats.get(&id) {
            Some((owner, _)) if *owner == org => {
                self.directory.date_formats.remove(&id);
                Ok(())
            }
            _ => Err(StoreError::NotFound("date format")),
        }
    }

    pub fn audit(&mut self, new: NewAudit) -> Result<AuditId> {
        self.known_org(new.org)?;
        let id = AuditId(next(&mut self.numbers.audit));
        self.directory.audit.insert(id, NewAudit { at: micros(new.at), ..new });
        Ok(id)
    }

    pub fn audit_entries(&self, org: OrgId, before: Option<AuditId>, limit: u32) -> Vec<AuditRow> {
        let own = self.directory.audit.iter().rev().filter(|(_, entry)| entry.org == org);
        let older = own.filter(|(id, _)| before.is_none_or(|before| **id < before));
        older.take(limit as usize).map(|(id, entry)| AuditRow { id: *id, entry: entry.clone() }).collect()
    }

    pub fn remember_answer(&mut self, new: NewAnswer, now: Timestamp) -> Result<()> {
        self.known_org(new.org)?;
        let key = (new.org, new.key);
        if self.directory.answers.contains_key(&key) {
            return Err(StoreError::Conflict("this key is taken".into()));
        }
        let answer = RememberedAnswer {
            request_hash: new.request_hash,
            status: new.status,
            answer: new.answer,
            created_at: micros(now),
        };
        self.directory.answers.insert(key, answer);
        Ok(())
    }

    pub fn remembered(&self, org: OrgId, key: &str) -> Option<RememberedAnswer> {
        self.directory.answers.get(&(org, key.to_string())).cloned()
    }

    pub fn prune_directory(&mut self, retention: &DirectoryRetention) -> Kept {
        let rows_max = retention.rows_max as usize;
        let (ended, before) = (micros(retention.ended_by), micros(retention.answers_before));
        let rows = &mut self.directory;
        let counts = [
            remove_oldest(&mut rows.sessions, rows_max, |session| {
                (session.expires_at <= ended).then_some(session.expires_at)
            }),
            remove_oldest(&mut rows.codes, rows_max, |code| {
                (code.expires_at <= ended).then_some(code.expires_at)
            }),
            remove_oldest(&mut rows.answers, rows_max, |answer| {
                (answer.created_at < before).then_some(answer.created_at)
            }),
        ];
        Kept {
            removed: counts.iter().map(|count| *count as u64).sum(),
            more: counts.iter().any(|count| *count >= rows_max),
        }
    }
}

/// Removes the first of those that have an age, by age and then by key; how many.
fn remove_oldest<K: Clone + Ord, V>(
    rows: &mut BTreeMap<K, V>,
    rows_max: usize,
    age: impl Fn(&V) -> Option<Timestamp>,
) -> usize {
    let mut goes: Vec<(Timestamp, K)> =
        rows.iter().filter_map(|(key, row)| age(row).map(|age| (age, key.clone()))).collect();
    goes.sort();
    goes.truncate(rows_max);
    for (_, key) in &goes {
        rows.remove(key);
    }
    goes.len()
}
