//! The promise under crashes: a seeded simulation of provider, network, store and nodes, and an oracle that knows the
//! truth (design sections 4 and 11).
//!
//! `SEEDS=n` sets the number of seeds, `SEED=n` replays one and prints its trace:
//! `SEED=17 cargo test -p turnstone-engine --test sim -- --nocapture`.

mod fault;
mod hub;
mod oracle;
mod rng;
mod run;
mod scenario;
mod stamp;
mod store;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use oracle::Verdict;
use run::simulate;

/// Seeds of the ordinary test run.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[derive(Default)]
struct Tally {
    broken: Vec<(u64, Verdict)>,
    classes: BTreeMap<String, u64>,
    limits: BTreeMap<&'static str, u64>,
    sums: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, seed: u64, verdict: Verdict) {
        for class in &verdict.classes {
            *self.classes.entry(class.clone()).or_default() += 1;
        }
        for (limit, count) in &verdict.limits {
            *self.limits.entry(limit).or_default() += count;
        }
        for (name, count) in [
            ("events", verdict.events),
            ("requests", verdict.requests),
            ("passes complete", verdict.passes),
            ("versions due and arrived", verdict.arrived),
            ("versions late", verdict.late),
            ("versions late, found by a sweep", verdict.late_found_by_sweep),
        ] {
            *self.sums.entry(name).or_default() += count;
        }
        if verdict.is_broken() {
            self.broken.push((seed, verdict));
        }
    }

    fn print(&self, seeds: u64) {
        println!("{:<60} seeds", "class");
        for (class, count) in &self.classes {
            println!("{class:<60} {count:>6} {:>5.1} %", *count as f64 * 100.0 / seeds as f64);
        }
        for (limit, count) in &self.limits {
            println!("limit: {limit:<53} {count:>6}");
        }
        for (name, count) in &self.sums {
            println!("{name:<60} {count:>6}");
        }
    }
}

#[test]
fn the_promise_holds_in_every_seed() {
    if let Some(seed) = number("SEED") {
        let verdict = simulate(seed, None, true);
        println!("{}", verdict.trace.join("\n"));
        println!("{verdict:#?}", verdict = Verdict { trace: Vec::new(), ..verdict });
        return;
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let verdict = std::panic::catch_unwind(|| simulate(seed, None, false));
                    match verdict {
                        Ok(verdict) => tally.lock().unwrap().add(seed, verdict),
                        Err(_) => panic!("seed {seed} panicked"),
                    }
                }
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.print(seeds);
    println!("{seeds} seeds in {:?}", began.elapsed());
    tally.broken.sort_by_key(|(seed, _)| *seed);
    for (seed, verdict) in tally.broken.iter().take(10) {
        println!(
            "seed {seed}: lost {:?} doubled {:?} disordered {:?} invented {:?}",
            verdict.lost, verdict.doubled, verdict.disordered, verdict.invented
        );
        println!("replay: SEED={seed} cargo test -p turnstone-engine --test sim -- --nocapture");
    }
    assert!(tally.broken.is_empty(), "{} of {seeds} seeds broke the promise", tally.broken.len());
}
