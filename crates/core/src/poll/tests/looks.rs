//! Runs that look at what notifications of the provider named, and polls that know of them.

use serde_json::json;

use super::*;
use crate::event::EventType;
use crate::id::InboundId;
use crate::poll::Named;

/// A poll has closed, with `a` and `b` known; reading one record is declared.
fn watching() -> Rig {
    let webhook = json!({"readUrl": "/one/{id}", "gone": [404, 410]});
    let mut rig = Rig::new(&json!({"webhook": webhook}));
    assert_eq!(rig.poll(0, &[("a", -100), ("b", -90)]), ["CREATED a", "CREATED b"]);
    rig
}

fn named(id: &str, event_type: EventType, date: Option<i64>, looks: u32) -> Named {
    Named {
        object_id: id.into(),
        event_type,
        date: date.map(|date| Rig::at(date).parse().unwrap()),
        inbound: InboundId(7),
        announced_at: Rig::at(99).parse().unwrap(),
        looks,
    }
}

fn one(id: &str, at: i64) -> (u16, String) {
    (200, json!({"id": id, "at": Rig::at(at)}).to_string())
}

impl Rig {
    /// A run at 100 s with these notices; the poll is due at 900 s.
    fn look(&mut self, list: Vec<Named>, provider: &mut dyn FnMut(&str) -> (u16, String)) -> Vec<String> {
        self.look_at(100, list, provider)
    }

    fn look_at(
        &mut self,
        at: i64,
        list: Vec<Named>,
        provider: &mut dyn FnMut(&str) -> (u16, String),
    ) -> Vec<String> {
        self.notices = Some(Notices { named: list, regular_due: Rig::at(900).parse().unwrap() });
        self.try_run(at, None, provider)
    }

    #[track_caller]
    fn due(&self, next: i64, regular: Option<i64>) {
        let finish = self.finish.as_ref().unwrap();
        let seconds = |at: Timestamp| at.duration_since(START.parse().unwrap()).as_secs();
        assert_eq!((seconds(finish.next_due), finish.regular_due.map(seconds)), (next, regular));
    }
}

#[test]
fn a_named_record_is_read_and_becomes_one_event() {
    let mut rig = watching();
    let list = vec![named("a", EventType::Updated, Some(95), 0), named("c", EventType::Created, None, 0)];
    let events = rig.look(list, &mut |url| match url {
        "/one/a" => one("a", 95),
        "/one/c" => one("c", 96),
        other => panic!("{other}"),
    });
    assert_eq!(events, ["UPDATED a", "CREATED c"]);
    assert_eq!(rig.heard, ["a", "c"]);
    rig.due(900, None);
    let finish = rig.finish.take().unwrap();
    assert_eq!((finish.run.kind, finish.run.counts.announced), (RunKind::Look, 2));
    assert_eq!(finish.hints_known, InboundId(7));
    assert_eq!(rig.poll(900, &[("a", 95), ("c", 96)]), [""; 0], "the poll finds the same versions");
}

#[test]
fn a_look_does_not_move_the_place_of_the_polls() {
    let mut rig = watching();
    let before = rig.state.clone();
    rig.look(vec![named("a", EventType::Updated, None, 0)], &mut |_| one("a", 95));
    assert_eq!((rig.state.watermark, rig.state.complete_to), (before.watermark, before.complete_to));
    assert_eq!((rig.state.passes, rig.state.starts), (before.passes, before.starts));
}

#[test]
fn a_deletion_is_looked_at_before_it_is_believed() {
    let mut rig = watching();
    let gone = vec![named("a", EventType::Deleted, Some(95), 0)];
    assert_eq!(rig.look(gone.clone(), &mut |_| one("a", -100)), [""; 0], "it is still there");
    assert_eq!(rig.heard, ["a again"]);
    rig.due(105, Some(900));
    assert_eq!(rig.look(gone.clone(), &mut |_| (404, String::new())), ["DELETED a"]);
    assert_eq!(rig.heard, ["a"]);
    assert_eq!(rig.look(gone, &mut |_| (410, String::new())), [""; 0], "it is gone already");
    assert_eq!(rig.heard, ["a"]);
}

#[test]
fn a_deletion_without_a_date_waits_until_no_replica_can_be_behind_it() {
    let mut rig = watching();
    let gone = |looks| vec![named("a", EventType::Deleted, None, looks)];
    assert_eq!(rig.look(gone(0), &mut |_| (404, String::new())), [""; 0], "another one may be behind");
    assert_eq!(rig.heard, ["a again"]);
    rig.due(159, Some(900));
    assert_eq!(rig.look_at(158, gone(7), &mut |_| (404, String::new())), [""; 0]);
    assert_eq!(rig.heard, ["a again"], "however often it was looked at");
    assert_eq!(rig.look_at(159, gone(8), &mut |_| (404, String::new())), ["DELETED a"]);
    assert_eq!(rig.heard, ["a"]);
}

#[test]
fn an_answer_that_may_be_older_than_what_is_known_deletes_nothing() {
    for date in [None, Some(95)] {
        let mut rig = watching();
        let changed = vec![named("a", EventType::Updated, None, 0)];
        assert_eq!(
            rig.look(changed, &mut |_| one("a", 96)),
            ["UPDATED a"],
            "it came back after its deletion"
        );
        let gone = vec![named("a", EventType::Deleted, date, 0)];
        assert_eq!(rig.look_at(159, gone.clone(), &mut |_| (404, String::new())), [""; 0], "{date:?}");
        rig.due(164, Some(900));
        assert_eq!(rig.look_at(160, gone, &mut |_| (404, String::new())), ["DELETED a"], "it is gone again");
    }
}

#[test]
fn what_is_older_than_its_dated_deletion_does_not_come_back_at_once() {
    let mut rig = watching();
    let gone = vec![named("a", EventType::Deleted, Some(95), 0)];
    assert_eq!(rig.look(gone, &mut |_| (404, String::new())), ["DELETED a"]);
    let changed = || vec![named("a", EventType::Updated, None, 0)];
    assert_eq!(rig.look_at(101, changed(), &mut |_| one("a", 94)), [""; 0], "a stale replica's");
    assert_eq!(rig.look_at(102, changed(), &mut |_| one("a", 96)), ["CREATED a"]);
}

#[test]
fn what_was_just_made_cannot_be_gone() {
    let mut rig = watching();
    let made = |looks| vec![named("z", EventType::Created, None, looks)];
    assert_eq!(rig.look(made(0), &mut |_| (404, String::new())), [""; 0]);
    assert_eq!(rig.heard, ["z again"]);
    rig.due(105, Some(900));
    rig.look(made(2), &mut |_| (404, String::new()));
    rig.due(220, Some(900));
    rig.look(made(3), &mut |_| (404, String::new()));
    assert_eq!(rig.heard, ["z"], "the polls will find it");
    rig.due(900, None);
    let touched = vec![named("a", EventType::Updated, None, 0)];
    assert_eq!(rig.look(touched, &mut |_| (404, String::new())), [""; 0], "nobody said that it is deleted");
}

#[test]
fn an_answer_that_is_older_than_the_notification_is_looked_at_again() {
    let mut rig = watching();
    let list =
        vec![named("a", EventType::Updated, Some(95), 0), named("b", EventType::Updated, Some(-90), 0)];
    let events = rig.look(list, &mut |url| if url == "/one/a" { one("a", -100) } else { one("b", -90) });
    assert_eq!(events, [""; 0]);
    assert_eq!(rig.heard, ["a again", "b"], "of `b` nothing younger was said");
}

#[test]
fn a_look_that_fails_leaves_everything_and_delays_no_poll() {
    let mut rig = watching();
    let list = vec![named("a", EventType::Updated, None, 0)];
    for failure in 1..20 {
        assert_eq!(rig.look(list.clone(), &mut |_| (500, String::new())), [""; 0]);
        assert!(rig.heard.is_empty());
        let finish = rig.finish.as_ref().unwrap();
        assert_eq!(finish.run.error.as_ref().unwrap().code, "providerFailed", "{failure}");
        assert!(finish.next_due <= Rig::at(900).parse().unwrap(), "{failure}");
        assert_eq!((rig.state.look_failures, rig.state.failures), (failure, 0));
    }
}

#[test]
fn one_record_that_cannot_be_read_holds_up_no_other() {
    let mut rig = watching();
    let list = vec![named("a", EventType::Updated, None, 0), named("b", EventType::Updated, None, 0)];
    let mut answer = |url: &str| if url == "/one/a" { (500, String::new()) } else { one("b", 95) };
    assert_eq!(rig.look(list.clone(), &mut answer), ["UPDATED b"]);
    assert_eq!(rig.heard, ["a again", "b"]);
    let mut busy = |url: &str| if url == "/one/a" { (429, String::new()) } else { one("b", 96) };
    assert_eq!(rig.look(list, &mut busy), [""; 0], "who asks for patience gets it");
    assert!(rig.heard.is_empty());
}

#[test]
fn what_answers_another_question_is_left_to_the_polls() {
    for answer in [r#"{"id":"b","at":"2024-03-01T12:01:35Z"}"#, "[]", "oops", r#"{"at":"x"}"#, "{\"id\":"] {
        let mut rig = watching();
        let events = rig.look(vec![named("a", EventType::Updated, None, 0)], &mut |_| (200, answer.into()));
        assert_eq!((events, rig.heard.clone()), (vec![], vec!["a".to_string()]), "{answer}");
        assert_eq!(rig.finish.as_ref().unwrap().run.story.notes.len(), 1, "{answer}");
    }
}

#[test]
fn the_record_may_stand_inside_the_answer() {
    let webhook = json!({"readUrl": "/one/{id}", "record": "data.item"});
    let mut rig = Rig::new(&json!({"webhook": webhook}));
    rig.poll(0, &[("a", -100)]);
    let body = json!({"data": {"item": {"id": "a", "at": Rig::at(95)}}}).to_string();
    assert_eq!(
        rig.look(vec![named("a", EventType::Updated, None, 0)], &mut |_| (200, body.clone())),
        ["UPDATED a"]
    );
}

#[test]
fn without_a_way_to_read_one_record_the_list_is_polled() {
    let mut rig = Rig::new(&json!({}));
    rig.poll(0, &[("a", -100)]);
    let list = vec![named("a", EventType::Updated, None, 0), named("q", EventType::Updated, None, 0)];
    let events = rig.look(list, &mut |url| {
        assert!(url.starts_with("/list"), "{url}");
        (200, records(&[("a", 95)]))
    });
    assert_eq!(events, ["UPDATED a"]);
    assert_eq!(
        rig.heard,
        ["a", "q"],
        "everything that was named before it began stood in its window, or nowhere"
    );
    let counts = &rig.finish.as_ref().unwrap().run.counts;
    assert_eq!((counts.announced, counts.unannounced), (1, 0));
}

#[test]
fn a_deletion_that_nothing_else_shows_is_believed_if_it_is_dated() {
    let mut rig = Rig::new(&json!({}));
    rig.poll(0, &[("a", -100), ("b", -90)]);
    let list = vec![named("a", EventType::Deleted, Some(95), 0), named("b", EventType::Deleted, None, 0)];
    let events = rig.look(list, &mut |url| panic!("{url}"));
    assert_eq!(events, ["DELETED a"]);
    assert_eq!(rig.heard, ["a", "b"]);
    let notes = &rig.finish.as_ref().unwrap().run.story.notes;
    assert!(notes[0].contains("the deletion of `b` was notified without a date"), "{notes:?}");
    rig.poll(900, &[("b", 800)]);
    for date in [700, 800] {
        let old = vec![named("b", EventType::Deleted, Some(date), 0)];
        assert_eq!(rig.look(old, &mut |url| panic!("{url}")), [""; 0], "what came later denies it, or may");
    }
}

#[test]
fn a_deletion_that_the_list_marks_is_polled_at_once() {
    let mut rig = Rig::new(&json!({"deletedField": "gone"}));
    rig.poll(0, &[("a", -100)]);
    let list = vec![named("a", EventType::Deleted, Some(95), 0)];
    let events = rig.look(list, &mut |url| {
        assert!(url.starts_with("/list"), "{url}");
        (200, json!([{"id": "a", "at": Rig::at(95), "gone": true}]).to_string())
    });
    assert_eq!((events, rig.heard.clone()), (vec!["DELETED a".to_string()], vec!["a".to_string()]));
}

#[test]
fn a_deletion_that_is_dated_ahead_of_its_notification_tells_nothing_of_the_order() {
    let ahead = || vec![named("a", EventType::Deleted, Some(110), 0)];
    let mut rig = Rig::new(&json!({}));
    rig.poll(0, &[("a", -100)]);
    assert_eq!(rig.look(ahead(), &mut |url| panic!("{url}")), [""; 0]);
    let mut rig = watching();
    assert_eq!(rig.look(ahead(), &mut |_| (404, String::new())), [""; 0]);
    assert_eq!(rig.heard, ["a again"], "as one without a date");
}

#[test]
fn the_poll_goes_first_when_it_is_due_and_tells_what_nobody_notified() {
    let mut rig = watching();
    rig.notices = Some(Notices {
        named: vec![named("a", EventType::Updated, None, 0), named("b", EventType::Deleted, None, 1)],
        regular_due: Rig::at(100).parse().unwrap(),
    });
    let events = rig.try_run(100, None, &mut |_| (200, records(&[("a", 95), ("c", 96)])));
    assert_eq!(events, ["UPDATED a", "CREATED c"]);
    assert_eq!(rig.heard, ["a"], "a deletion stands in no list");
    let finish = rig.finish.as_ref().unwrap();
    assert_eq!((finish.run.counts.announced, finish.run.counts.unannounced), (1, 1));
    let reasons: Vec<&str> = finish.batch.events.iter().map(|event| event.reason.as_str()).collect();
    assert!(
        !reasons[0].contains("not notified") && reasons[1].contains("has not notified us"),
        "{reasons:?}"
    );
    rig.due(159, Some(160));
}

#[test]
fn nothing_is_looked_at_before_the_first_poll_or_inside_a_pass() {
    let mut rig = Rig::new(&json!({"webhook": {"readUrl": "/one/{id}"}}));
    let list = || vec![named("a", EventType::Updated, None, 0)];
    assert_eq!(rig.look(list(), &mut |_| (200, records(&[("a", -5)]))), ["CREATED a"]);
    assert_eq!(rig.finish.as_ref().unwrap().run.kind, RunKind::Poll);
    rig.state.brake = Some(Brake { missing: 50, known: 60, released: false });
    rig.look(list(), &mut |_| (200, records(&[("a", -5)])));
    assert_eq!(rig.finish.as_ref().unwrap().run.kind, RunKind::Poll, "a person is asked first");
}
