//! Settings, date formats, the audit, answers, upkeep.

use std::sync::Arc;

use turnstone_core::id::{AuditId, DateFormatId, OrgId, UserId};

use super::Whole;
use super::world::{STRANGE, World, is_missing, is_taken, new_answer, new_audit};
use crate::api::Kept;
use crate::directory::*;
use crate::suite::world::at;

pub async fn settings_are_replaced(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    assert_eq!(world.store.setting(world.org, "a").await.unwrap(), None);
    for value in ["1", "2", ""] {
        world.store.put_setting(world.org, "a", value).await.unwrap();
        assert_eq!(world.store.setting(world.org, "a").await.unwrap().as_deref(), Some(value));
    }
    world.store.put_setting(other, "a", "theirs").await.unwrap();
    world.store.put_setting(world.org, "A", "apart").await.unwrap();
    assert_eq!(world.store.setting(world.org, "a").await.unwrap().as_deref(), Some(""));
    assert_eq!(world.store.setting(other, "A").await.unwrap(), None);
}

pub async fn settings_need_an_organisation(store: Arc<dyn Whole>) {
    is_missing(store.put_setting(OrgId(9), "a", "b").await, "organisation");
    assert_eq!(store.setting(OrgId(9), "a").await.unwrap(), None);
}

pub async fn date_formats_are_kept_once(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (store, org) = (&world.store, world.org);
    let first = store.add_date_format(org, "yyyy", None, at(1)).await.unwrap();
    assert_eq!(store.add_date_format(org, "yyyy", None, at(2)).await.unwrap(), first);
    let second = store.add_date_format(org, "YYYY", None, at(3)).await.unwrap();
    assert!(second > first);
    let row = |id, pattern: &str, seconds| DateFormatRow {
        id,
        pattern: pattern.into(),
        zone: None,
        created_at: at(seconds),
    };
    assert_eq!(store.date_formats(org).await.unwrap(), [row(first, "yyyy", 1), row(second, "YYYY", 3)]);
}

pub async fn a_zone_makes_another_date_format(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for zone in [None, Some(""), Some("UTC"), Some("utc"), Some("-8:00")] {
        let id = world.store.add_date_format(world.org, "yyyy", zone, at(1)).await.unwrap();
        assert_eq!(world.store.add_date_format(world.org, "yyyy", zone, at(2)).await.unwrap(), id);
        let row = world.store.date_formats(world.org).await.unwrap().pop().unwrap();
        assert_eq!((row.id, row.zone.as_deref()), (id, zone));
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

pub async fn removed_date_formats_are_gone(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let id = world.store.add_date_format(world.org, "yyyy", Some("UTC"), at(1)).await.unwrap();
    world.store.remove_date_format(world.org, id).await.unwrap();
    is_missing(world.store.remove_date_format(world.org, id).await, "date format");
    is_missing(world.store.remove_date_format(world.org, DateFormatId(99)).await, "date format");
    assert_eq!(world.store.date_formats(world.org).await.unwrap(), []);
    let again = world.store.add_date_format(world.org, "yyyy", Some("UTC"), at(2)).await.unwrap();
    assert!(again > id, "ids are not used again");
}

pub async fn date_formats_belong_to_their_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    let id = world.store.add_date_format(world.org, "yyyy", None, at(1)).await.unwrap();
    is_missing(world.store.remove_date_format(other, id).await, "date format");
    is_missing(world.store.add_date_format(OrgId(99), "yyyy", None, at(1)).await, "organisation");
    assert_eq!(world.store.date_formats(other).await.unwrap(), []);
    assert_ne!(world.store.add_date_format(other, "yyyy", None, at(1)).await.unwrap(), id);
    assert_eq!(world.store.date_formats(world.org).await.unwrap().len(), 1);
}

/// What was done, in the order of the answer.
async fn actions(world: &World, before: Option<AuditId>, limit: u32) -> Vec<String> {
    let rows = world.store.audit_entries(world.org, before, limit).await.unwrap();
    rows.into_iter().map(|row| row.entry.action).collect()
}

pub async fn audits_are_read_newest_first(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let entry = NewAudit {
        org: world.org,
        user: Some(UserId(7)),
        at: at(9),
        action: "a".into(),
        target_kind: "connector".into(),
        target_id: "12".into(),
        detail: r#"{"n": 1.10}"#.into(),
    };
    let first = world.store.audit(entry.clone()).await.unwrap();
    let second = world.store.audit(new_audit(world.org, "b")).await.unwrap();
    assert!(second > first);
    let rows = world.store.audit_entries(world.org, None, 9).await.unwrap();
    assert_eq!(rows[1], AuditRow { id: first, entry });
    assert_eq!(rows[0], AuditRow { id: second, entry: new_audit(world.org, "b") });
    assert_eq!(rows.len(), 2, "ids decide about the order, not instants");
}

pub async fn audits_are_read_in_pages(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for action in ["a", "b", "c", "d", "e"] {
        ids.push(world.store.audit(new_audit(world.org, action)).await.unwrap());
    }
    assert_eq!(actions(&world, None, 2).await, ["e", "d"]);
    assert_eq!(actions(&world, Some(ids[3]), 2).await, ["c", "b"]);
    assert_eq!(actions(&world, Some(ids[1]), 2).await, ["a"]);
    assert!(actions(&world, Some(ids[0]), 2).await.is_empty());
    assert!(actions(&world, None, 0).await.is_empty());
    assert!(actions(&world, Some(AuditId(i64::MIN)), 9).await.is_empty());
    assert_eq!(actions(&world, Some(AuditId(i64::MAX)), u32::MAX).await.len(), 5);
}

pub async fn audits_outlive_their_user(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Member, 1).await;
    let entry = NewAudit { user: Some(ann), ..new_audit(world.org, "a") };
    world.store.audit(entry.clone()).await.unwrap();
    world.store.remove_user(world.org, ann).await.unwrap();
    world.store.audit(entry.clone()).await.unwrap();
    let rows = world.store.audit_entries(world.org, None, 9).await.unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row.entry == entry));
}

pub async fn audits_belong_to_their_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    world.store.audit(new_audit(other, "theirs")).await.unwrap();
    world.store.audit(new_audit(world.org, "ours")).await.unwrap();
    assert_eq!(actions(&world, None, 9).await, ["ours"]);
    is_missing(world.store.audit(new_audit(OrgId(99), "nobody's")).await, "organisation");
    assert_eq!(world.store.audit_entries(OrgId(99), None, 9).await.unwrap(), []);
}

pub async fn answers_are_remembered_once(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    assert_eq!(world.store.remembered(world.org, "k").await.unwrap(), None);
    let new = NewAnswer { status: u16::MAX, ..new_answer(world.org, "k", 1) };
    world.store.remember_answer(new, at(3)).await.unwrap();
    is_taken(world.store.remember_answer(new_answer(world.org, "k", 1), at(4)).await);
    is_taken(world.store.remember_answer(new_answer(world.org, "k", 2), at(4)).await);
    let expect = RememberedAnswer {
        request_hash: [1; 32],
        status: u16::MAX,
        answer: "answer 1".into(),
        created_at: at(3),
    };
    assert_eq!(world.store.remembered(world.org, "k").await.unwrap(), Some(expect));
    assert_eq!(world.store.remembered(world.org, "K").await.unwrap(), None);
}

pub async fn answers_belong_to_their_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    world.store.remember_answer(new_answer(world.org, "k", 1), at(0)).await.unwrap();
    assert_eq!(world.store.remembered(other, "k").await.unwrap(), None);
    world.store.remember_answer(new_answer(other, "k", 2), at(0)).await.unwrap();
    assert_eq!(world.store.remembered(world.org, "k").await.unwrap().unwrap().request_hash, [1; 32]);
    is_missing(world.store.remember_answer(new_answer(OrgId(99), "k", 1), at(0)).await, "organisation");
}

/// What ends, or was given, at these seconds.
fn by(ended: i64, answers: i64, rows_max: u32) -> DirectoryRetention {
    DirectoryRetention { ended_by: at(ended), answers_before: at(answers), rows_max }
}

pub async fn what_has_ended_is_removed(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    world.store.open_session(world.session_of(ann, 5), at(0)).await.unwrap();
    world.store.add_sign_in_code(world.code_of(ann, 6), at(0)).await.unwrap();
    world.store.remember_answer(new_answer(world.org, "k", 1), at(50)).await.unwrap();
    world.store.put_setting(world.org, "a", "b").await.unwrap();
    let before = world.everything().await;
    assert_eq!(world.store.prune_directory(&by(99, 50, 9)).await.unwrap(), Kept::default());
    assert!(world.store.session([5; 32], at(99)).await.unwrap().is_some());
    assert!(world.store.remembered(world.org, "k").await.unwrap().is_some());
    let kept = world.store.prune_directory(&by(100, 51, 9)).await.unwrap();
    assert_eq!(kept, Kept { removed: 3, more: false });
    assert_eq!(world.store.session([5; 32], at(0)).await.unwrap(), None);
    assert_eq!(world.store.use_sign_in_code([6; 32], at(0)).await.unwrap(), None);
    assert_eq!(world.store.remembered(world.org, "k").await.unwrap(), None);
    assert_eq!(world.everything().await, before, "nothing else goes");
    world.store.open_session(world.session_of(ann, 5), at(0)).await.unwrap();
    world.store.remember_answer(new_answer(world.org, "k", 2), at(60)).await.unwrap();
}

pub async fn upkeep_is_bounded(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    for number in 0..5 {
        // The last ones are the oldest.
        let ended = NewSession { expires_at: at(20 - i64::from(number)), ..world.session_of(ann, number) };
        world.store.open_session(ended, at(0)).await.unwrap();
        let answer = new_answer(world.org, &format!("{number}"), number);
        world.store.remember_answer(answer, at(20 - i64::from(number))).await.unwrap();
    }
    let kept = world.store.prune_directory(&by(90, 90, 3)).await.unwrap();
    assert_eq!(kept, Kept { removed: 6, more: true });
    for number in 0..5 {
        let is_left = number < 2;
        assert_eq!(world.store.session([number; 32], at(0)).await.unwrap().is_some(), is_left);
        let answer = world.store.remembered(world.org, &format!("{number}")).await.unwrap();
        assert_eq!(answer.is_some(), is_left);
    }
    let kept = world.store.prune_directory(&by(90, 90, 3)).await.unwrap();
    assert_eq!(kept, Kept { removed: 4, more: false });
}

pub async fn everything_holds_any_text(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (store, org) = (&world.store, world.org);
    store.put_setting(org, STRANGE, STRANGE).await.unwrap();
    assert_eq!(store.setting(org, STRANGE).await.unwrap().as_deref(), Some(STRANGE));
    assert_eq!(store.setting(org, "a").await.unwrap(), None);
    let id = store.add_date_format(org, STRANGE, Some(STRANGE), at(0)).await.unwrap();
    assert_eq!(store.add_date_format(org, STRANGE, Some(STRANGE), at(0)).await.unwrap(), id);
    let row = store.date_formats(org).await.unwrap().remove(0);
    assert_eq!((row.pattern.as_str(), row.zone.as_deref()), (STRANGE, Some(STRANGE)));
    let mut entry = new_audit(org, STRANGE);
    for text in [&mut entry.target_kind, &mut entry.target_id, &mut entry.detail] {
        *text = STRANGE.into();
    }
    store.audit(entry.clone()).await.unwrap();
    assert_eq!(store.audit_entries(org, None, 1).await.unwrap()[0].entry, entry);
    let answer = NewAnswer { answer: STRANGE.into(), ..new_answer(org, STRANGE, 1) };
    store.remember_answer(answer, at(0)).await.unwrap();
    assert_eq!(store.remembered(org, STRANGE).await.unwrap().unwrap().answer, STRANGE);
    assert_eq!(store.remembered(org, "a").await.unwrap(), None);
}
