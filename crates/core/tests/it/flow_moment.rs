//! The date cards against moment.js: committed cases, made by `node tests/moment/cases.mjs 1 8000`.
//!
//! The program's tests make the same ones anew and more with another seed.

#[path = "../flow/oracle.rs"]
mod oracle;

use oracle::{assert_sound, compare};

const CASES: &str = include_str!("../golden/dates-moment.tsv");

#[test]
fn moment_agrees() {
    let tally = compare(CASES);
    assert_sound(&tally);
    assert!(tally.sum() >= 8_000 && tally.reads >= 1_500 && tally.refused >= 500, "{tally:?}");
    let meant: usize = tally.classes.values().sum();
    assert!(meant * 50 < tally.sum(), "meant differences are the exception: {:?}", tally.classes);
}

#[test]
fn a_wrong_case_is_found() {
    let faults = |case: &str| compare(case).faults.len();
    assert_eq!(faults("P\tYYYY\tUTC\t0\t1970\nR\tYYYY\tUTC\t0\tstrict\t1971\t31536000000"), 0);
    assert_eq!(faults("P\tYYYY\tUTC\t0\t1971"), 1);
    assert_eq!(faults("R\tYYYY\tUTC\t0\tstrict\t1971\t-"), 1);
    assert_eq!(faults("R\tYYYY\tUTC\t0\tstrict\tx\t0"), 1);
    assert_eq!(faults("A\t0\t1\tdays\t86400001"), 1);
    assert_eq!(faults("D\t0\t86400000\t0\t0\t2\t24"), 1);
    assert_eq!(faults("nonsense"), 1);
}
