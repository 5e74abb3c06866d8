//! A person moves the place of a poller back or on.

use serde_json::json;

use super::*;

/// A filtered list: its URL names the bound, which is told in `asked`.
fn filtered(settings: serde_json::Value) -> Rig {
    let mut all = json!({"url": "/list?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "overlap": 0});
    for (name, setting) in settings.as_object().unwrap() {
        all[name] = setting.clone();
    }
    Rig::new(&all)
}

fn micros(at: i64) -> i64 {
    Rig::at(at).parse::<Timestamp>().unwrap().as_microsecond()
}

#[test]
fn what_was_reported_is_not_reported_again_and_what_was_missed_is() {
    let mut rig = filtered(json!({}));
    assert_eq!(rig.poll(0, &[("a", -100)]), ["CREATED a"]);
    assert_eq!(rig.poll(900, &[("a", -100), ("b", 500)]), ["CREATED b"]);
    assert_eq!(rig.poll(1_800, &[]), [""; 0]);
    rig.state = rig.state.moved_to(micros(-200), true);
    assert_eq!(rig.state.complete_to, Some(Rig::at(-200).parse().unwrap()));
    // `c` came into sight long after its date.
    assert_eq!(rig.poll(2_700, &[("a", -100), ("c", 100), ("b", 500)]), ["CREATED c"]);
    assert!(rig.asked.last().unwrap().contains("11:56:40") || rig.asked.last().unwrap().contains("11:56:39"));
    assert!(rig.state.complete_to.unwrap() > Rig::at(1_800).parse().unwrap(), "the next poll closes the gap");
}

#[test]
fn the_start_of_the_first_pass_holds_nothing_back() {
    let mut rig = filtered(json!({"startFrom": "now"}));
    assert_eq!(rig.poll(0, &[]), [""; 0]);
    rig.state = rig.state.moved_to(micros(-5_000), true);
    assert_eq!(rig.poll(900, &[("old", -4_000)]), ["CREATED old"]);
}

#[test]
fn what_lies_between_is_left_out_when_the_place_moves_on() {
    let mut rig = filtered(json!({}));
    rig.poll(0, &[("a", -100)]);
    let before = rig.state.complete_to;
    rig.state = rig.state.moved_to(micros(600), true);
    assert_eq!(rig.state.complete_to, before, "nobody read what lies between");
    assert_eq!(rig.poll(900, &[("between", 300), ("after", 700)]), ["CREATED after"]);
}
