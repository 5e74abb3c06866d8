//! Chance that can be replayed: a stream of numbers from the run's seed and the card's place in the run.
//!
//! Good enough to sample and to spread; not for secrets, since the seed is kept with the run.

use super::Context;

/// The stream of one evaluation.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(context: &Context) -> Chance {
        let mut chance = Chance(context.seed ^ context.counter.wrapping_mul(0xD1B5_4A32_D192_ED03));
        chance.next();
        chance
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, each as likely as any other to one in 2^64; 0 for an empty range.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, counter: u64) -> Vec<u64> {
        let context = Context { now: jiff::Timestamp::UNIX_EPOCH, zones: Default::default(), seed, counter };
        let mut chance = Chance::of(&context);
        (0..1_000).map(|_| chance.below(10)).collect()
    }

    #[test]
    fn the_same_place_draws_the_same_and_another_one_does_not() {
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        for face in 0..10 {
            let count = draw(7, 0).iter().filter(|drawn| **drawn == face).count();
            assert!((60..140).contains(&count), "{face} was drawn {count} times of 1000");
        }
    }
}
