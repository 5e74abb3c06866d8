//! Which types a wire may join: the table of `value::convert`, before there are values.

use super::super::value::{Kind, Type};

/// Whether a value of one type may have a form of the other. A text may turn out unreadable when the flow runs; what
/// is refused here never works.
pub(super) fn join(from: Type, to: Type) -> bool {
    if from.kind == Kind::Any && !from.collection || to.kind == Kind::Any {
        return true;
    }
    match (from.collection, to.collection) {
        (false, false) => kinds(from.kind, to.kind),
        // A text may be a JSON list.
        (false, true) => kinds(from.kind, to.kind) || from.kind == Kind::Text,
        (true, true) => from.kind == Kind::Any || kinds(from.kind, to.kind),
        (true, false) => matches!(to.kind, Kind::Text | Kind::Flow),
    }
}

fn kinds(from: Kind, to: Kind) -> bool {
    if from == Kind::Any {
        return true;
    }
    let is_text = matches!(from, Kind::Text | Kind::Flow);
    match to {
        Kind::Text | Kind::Flow | Kind::Any => true,
        Kind::Number => is_text || matches!(from, Kind::Number | Kind::Boolean | Kind::Date),
        Kind::Boolean => is_text || matches!(from, Kind::Boolean | Kind::Number),
        Kind::Date => is_text || matches!(from, Kind::Date | Kind::Number),
        Kind::Object => is_text || matches!(from, Kind::Object | Kind::File),
        Kind::File => matches!(from, Kind::Object | Kind::File),
    }
}

/// Whether two types are the same as far as both are known.
pub(super) fn same(one: Type, other: Type) -> bool {
    let any = |of: Type| of.kind == Kind::Any && !of.collection;
    any(one)
        || any(other)
        || one.collection == other.collection
            && (one.kind == other.kind || one.kind == Kind::Any || other.kind == Kind::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::value::{File, Object, Value, convert};

    /// One value of a kind that every conversion of that kind can read.
    fn samples(kind: Kind) -> Vec<Value> {
        let file = r#"{"name":"a","contentType":"t","bytes":"aGk="}"#;
        match kind {
            Kind::Text | Kind::Flow => ["1", "true", "2025-01-01T00:00:00Z", file].map(Value::text).to_vec(),
            Kind::Number => vec![Value::whole(1)],
            Kind::Boolean => vec![Value::Boolean(true)],
            Kind::Date => vec![Value::Date(jiff::Timestamp::UNIX_EPOCH)],
            Kind::Object => vec![Value::from_json(file).unwrap(), Value::object(Object::new())],
            Kind::File => {
                let (name, content_type) = ("a".to_string(), "t".to_string());
                vec![Value::File(std::sync::Arc::new(File { name, content_type, bytes: "aGk=".into() }))]
            }
            Kind::Any => vec![Value::whole(1), Value::object(Object::new()), Value::list(Vec::new())],
        }
    }

    #[test]
    fn the_table_is_that_of_the_conversion() {
        for from in Kind::ALL {
            for to in Kind::ALL {
                for (from_list, to_list) in [(false, false), (false, true), (true, true), (true, false)] {
                    let list = |of: Type, is: bool| if is { of.list() } else { of };
                    let (from_type, to_type) = (list(Type::of(from), from_list), list(Type::of(to), to_list));
                    let works = samples(from).into_iter().any(|sample| {
                        let value = if from_list { Value::list(vec![sample]) } else { sample };
                        convert(value, to_type).is_ok()
                    });
                    // A text may hold a JSON list, and a list of anything items of every kind.
                    let may = from == Kind::Text || from == Kind::Flow || from == Kind::Any;
                    assert!(
                        join(from_type, to_type) == works || may && join(from_type, to_type),
                        "{from_type} to {to_type}: {works}"
                    );
                }
            }
        }
    }
}
