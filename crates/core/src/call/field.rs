//! A member of a body as a mapping names it: `contact.email`, `lines[0].qty`, or `lines[*].qty` for every line.

use crate::json_path::{JsonPath, Segment};
use crate::json_text;
use crate::json_tree::Tree;
use crate::limits::MAPPING_DEPTH_MAX;

/// A place in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPlace {
    steps: Vec<FieldStep>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FieldStep {
    One(Segment),
    Each,
}

/// Reads a place. The error says what is wrong with it, without a remedy.
pub fn field_place(text: &str) -> Result<FieldPlace, String> {
    // A marker that no name can hold stands for "every item" while the path is read.
    const EACH: &str = "['\u{0}']";
    let path = JsonPath::parse(&text.replace("[*]", EACH)).map_err(|_| format!("`{text}` is not a place"))?;
    if path.segments().len() > MAPPING_DEPTH_MAX {
        return Err(format!("it is more than {MAPPING_DEPTH_MAX} steps deep"));
    }
    let step = |segment: &Segment| match segment {
        Segment::Key(key) if key == "\u{0}" => FieldStep::Each,
        other => FieldStep::One(other.clone()),
    };
    Ok(FieldPlace { steps: path.segments().iter().map(step).collect() })
}

impl FieldPlace {
    /// Where this place really is in a body: once, or once per item; with the positions that `[*]` stood for.
    fn spots(&self, body: &mut Tree<'_>) -> Vec<(Vec<Segment>, Vec<usize>)> {
        let mut spots: Vec<(Vec<Segment>, Vec<usize>)> = vec![(Vec::new(), Vec::new())];
        for step in &self.steps {
            match step {
                FieldStep::One(segment) => spots.iter_mut().for_each(|(way, _)| way.push(segment.clone())),
                FieldStep::Each => {
                    let mut inner = Vec::new();
                    for (way, positions) in spots {
                        let count = match body.get(&way).map(Tree::open) {
                            Some(Tree::List(items)) => items.len(),
                            _ => 0,
                        };
                        for position in 0..count {
                            let mut way = way.clone();
                            way.push(Segment::Index(position));
                            let mut positions = positions.clone();
                            positions.push(position);
                            inner.push((way, positions));
                        }
                    }
                    spots = inner;
                }
            }
        }
        spots
    }

    /// This place with positions for its `[*]`; missing ones are the first.
    fn filled(&self, positions: &[usize]) -> Vec<Segment> {
        let mut positions = positions.iter();
        self.steps
            .iter()
            .map(|step| match step {
                FieldStep::One(segment) => segment.clone(),
                FieldStep::Each => Segment::Index(positions.next().copied().unwrap_or(0)),
            })
            .collect()
    }

    /// The value here; of several the first.
    pub(super) fn read(&self, body: &mut Tree<'_>) -> Option<String> {
        let (way, _) = self.spots(body).into_iter().next()?;
        body.get(&way).map(|value| value.write())
    }

    /// Takes the value here out of the body; of several the first.
    pub(super) fn take(&self, body: &mut Tree<'_>) -> Option<String> {
        let (way, _) = self.spots(body).into_iter().next()?;
        body.take(&way).map(|value| value.write())
    }

    /// Puts a value here.
    pub(super) fn put(&self, body: &mut Tree<'_>, value: String) -> Result<(), String> {
        body.put(&self.filled(&[]), Tree::raw(value)).map_err(|error| error.to_string())
    }

    /// Moves what stands here to another place of the same body, for every `[*]`, through `change`.
    pub(super) fn move_to(
        &self,
        to: &FieldPlace,
        body: &mut Tree<'_>,
        mut change: impl FnMut(String) -> Result<String, String>,
    ) -> Result<(), String> {
        for (way, positions) in self.spots(body) {
            let Some(value) = body.take(&way) else { continue };
            let raw = value.write();
            let value = if json_text::kind(&raw) == Some(json_text::Kind::Null) { raw } else { change(raw)? };
            body.put(&to.filled(&positions), Tree::raw(value)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
