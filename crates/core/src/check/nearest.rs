//! The known name that a misspelt one is nearest to.

/// The nearest known name, if one is near enough to be meant: a third of the letters may differ.
pub(crate) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let wanted = name.to_ascii_lowercase();
    // Longer names are nobody's typing error, and the comparison is quadratic.
    if wanted.len() > 64 {
        return None;
    }
    let distance_to = |candidate: &&'n str| (distance(&wanted, &candidate.to_ascii_lowercase()), *candidate);
    let (distance, candidate) = known.iter().map(distance_to).min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= candidate.len().max(3)).then_some(candidate)
}

/// Letters to insert, remove, replace or exchange with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut best = replaced.min(last[column + 1] + 1).min(line[column] + 1);
            let exchanged = row > 0 && column > 0 && left[row - 1] == *other && *letter == right[column - 1];
            if exchanged {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expect: Option<&str>) {
        let known = ["pageSize", "pollDelay", "idField", "url", "overlap", "startFrom"];
        assert_eq!(nearest(name, &known), expect, "{name}");
    }

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        check("pagesize", Some("pageSize"));
        check("pageSzie", Some("pageSize"));
        check("pollDelays", Some("pollDelay"));
        check("ulr", Some("url"));
        check("id", None);
        check("colour", None);
        check("", None);
        check(&"x".repeat(10_000), None);
    }
}
