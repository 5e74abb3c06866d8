//! List cards without a helper flow (catalogue §7).

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::call::{Call, Function, bad, check_items, check_text, one};
use super::chance::Chance;
use super::compare::{Operator, compare, order};
use super::logic::operator;
use super::object::{add_all, count};
use super::path::Path;
use super::{CardError, Object, Outputs};
use crate::flow::value::{Type, Value};

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "filterBy" => filter_by,
        "findBy" => find_by,
        "pluck" => pluck,
        "construct" => construct,
        "at" => at,
        "length" => length,
        "shift" => shift,
        "pop" => pop,
        "push" => push,
        "unshift" => unshift,
        "includes" => includes,
        "uniqueBy" => unique_by,
        "sortBy" => sort_by,
        "reverse" => reverse,
        "flatten" => flatten,
        "union" => union,
        "intersection" => intersection,
        "difference" => difference,
        "join" => join,
        "collapse" => collapse,
        "sample" => sample,
        "indexBy" => index_by,
        "groupBy" => group_by,
        "combineAll" => combine_all,
        _ => return None,
    })
}

/// The comparison of Filter and Find.
struct Condition {
    path: Option<Path>,
    operator: Operator,
    comparison: Value,
}

impl Condition {
    fn of(call: &mut Call<'_>) -> Result<Condition, CardError> {
        Ok(Condition {
            path: Path::parse_if_any("path", &call.text("path"))?,
            operator: operator("operator", &call.text("operator"))?,
            comparison: call.take("comparison"),
        })
    }

    fn holds(&self, at: usize, item: &Value) -> Result<bool, CardError> {
        let missing = Value::Null;
        let value = match &self.path {
            Some(path) => path.find(item).unwrap_or(&missing),
            None => item,
        };
        compare(value, self.operator, &self.comparison, Type::ANY).map_err(|error| CardError {
            message: format!("item {at} of `list`: {}", error.message),
            ..error
        })
    }
}

fn filter_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let condition = Condition::of(call)?;
    let mut kept = Vec::new();
    for (at, item) in call.list("list").iter().enumerate() {
        if condition.holds(at, item)? {
            kept.push(item.clone());
        }
    }
    Ok(one("list", Value::list(kept)))
}

fn find_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let condition = Condition::of(call)?;
    for (at, item) in call.list("list").iter().enumerate() {
        if condition.holds(at, item)? {
            let mut outputs = one("item", item.clone());
            outputs.insert("index".to_owned(), count(at));
            return Ok(outputs);
        }
    }
    let mut outputs = one("item", Value::Null);
    outputs.insert("index".to_owned(), Value::Null);
    Ok(outputs)
}

fn pluck(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse("key", &call.text("key"))?;
    let values = call.list("list").iter().map(|item| path.get(item)).collect();
    Ok(one("values", Value::list(values)))
}

fn construct(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut items: Vec<Value> = call.repeated("item")?.into_iter().map(|(_, value)| value).collect();
    items.extend(call.author().map(|(_, value)| value.clone()));
    Ok(one("list", Value::list(items)))
}

fn at(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let items = call.list("list");
    let index = call.whole("index", i64::MIN, i64::MAX)?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let position = if index < 0 { length.checked_add(index) } else { Some(index) };
    let position = position.and_then(|position| usize::try_from(position).ok());
    let item = position.and_then(|position| items.get(position)).cloned();
    Ok(one("item", item.unwrap_or_default()))
}

fn length(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("length", count(call.list("list").len())))
}

fn item_and_rest(item: Option<Value>, rest: Vec<Value>) -> Outputs {
    let mut outputs = one("item", item.unwrap_or_default());
    outputs.insert("list".to_owned(), Value::list(rest));
    outputs
}

fn shift(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let items = call.list("list");
    Ok(item_and_rest(items.first().cloned(), items.iter().skip(1).cloned().collect()))
}

fn pop(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut rest = Arc::unwrap_or_clone(call.list("list"));
    Ok(item_and_rest(rest.pop(), rest))
}

fn push(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut items = call.list("list");
    check_items("list", items.len() + 1)?;
    Arc::make_mut(&mut items).push(call.take("item"));
    Ok(one("list", Value::List(items)))
}

fn unshift(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut items = call.list("list");
    check_items("list", items.len() + 1)?;
    Arc::make_mut(&mut items).insert(0, call.take("item"));
    Ok(one("list", Value::List(items)))
}

fn includes(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (list, value) = (call.take("list"), call.take("value"));
    let found = match (&list, &value) {
        (Value::List(items), Value::Null) => items.iter().any(Value::is_null),
        _ => compare(&value, Operator::In, &list, Type::ANY)?,
    };
    Ok(one("result", found))
}

/// A text that equal values share and unequal ones do not.
fn identity(value: &Value) -> String {
    let mut out = String::new();
    write_identity(value, &mut out);
    out
}

/// Values are of bounded depth: they were read or bounded before they came here.
fn write_identity(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&number.canonical()),
        Value::Date(_) => {
            out.push('d');
            value.write_json(out);
        }
        Value::List(items) => {
            out.push('[');
            for item in items.iter() {
                write_identity(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in sorted {
                Value::text(key.clone()).write_json(out);
                write_identity(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::File(_) => {
            out.push('f');
            value.write_json(out);
        }
        Value::Null | Value::Boolean(_) | Value::Text(_) => value.write_json(out),
    }
}

fn unique_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse_if_any("path", &call.text("path"))?;
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in call.list("list").iter() {
        let key = path.as_ref().map_or_else(|| item.clone(), |path| path.get(item));
        if seen.insert(identity(&key)) {
            kept.push(item.clone());
        }
    }
    Ok(one("unique list", Value::list(kept)))
}

fn sort_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse_if_any("path", &call.text("path"))?;
    let items = call.list("list");
    let key = |item: &Value| path.as_ref().map_or_else(|| item.clone(), |path| path.get(item));
    let mut keyed: Vec<(usize, Value)> = items.iter().map(key).enumerate().collect();
    // All keys that are something must be of one kind: that is checked once, and the order is total then.
    if let Some((first, sample)) = keyed.iter().find(|(_, key)| !key.is_null())
        && let Some((at, key)) = keyed.iter().find(|(_, key)| order(sample, key).is_none())
    {
        let message = format!(
            "input `list`: item {at} is sorted by {} and item {first} by {}; sort by values of one type, all of them \
             numbers, texts, dates or true/false",
            key.noun(),
            sample.noun()
        );
        return Err(bad("list", message));
    }
    keyed.sort_by(|(_, left), (_, right)| order(left, right).unwrap_or(Ordering::Equal));
    let sorted = keyed.into_iter().map(|(at, _)| items[at].clone()).collect();
    Ok(one("sorted list", Value::list(sorted)))
}

fn reverse(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut items = call.list("list");
    Arc::make_mut(&mut items).reverse();
    Ok(one("list", Value::List(items)))
}

fn flatten(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let lists = call.list("lists");
    let length = |item: &Value| if let Value::List(items) = item { items.len() } else { 1 };
    check_items("lists", lists.iter().map(length).sum())?;
    let mut flat = Vec::new();
    for item in lists.iter() {
        match item {
            Value::List(items) => flat.extend(items.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    Ok(one("list", Value::list(flat)))
}

fn union(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut seen = HashSet::new();
    let lists = call.lists("list")?;
    let all = lists.iter().flat_map(|list| list.iter());
    let each = all.filter(|item| seen.insert(identity(item))).cloned().collect();
    Ok(one("union", Value::list(each)))
}

fn identities(items: &[Value]) -> HashSet<String> {
    items.iter().map(identity).collect()
}

fn intersection(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let lists = call.lists("list")?;
    let Some((first, others)) = lists.split_first() else { return Ok(one("list", Value::list(Vec::new()))) };
    let others: Vec<HashSet<String>> = others.iter().map(|list| identities(list)).collect();
    let mut seen = HashSet::new();
    let is_in_all = |item: &&Value| {
        let identity = identity(item);
        others.iter().all(|other| other.contains(&identity)) && seen.insert(identity)
    };
    Ok(one("list", Value::list(first.iter().filter(is_in_all).cloned().collect())))
}

fn difference(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let lists = call.lists("list")?;
    let Some((first, others)) = lists.split_first() else { return Ok(one("list", Value::list(Vec::new()))) };
    let taken: HashSet<String> = others.iter().flat_map(|list| list.iter().map(identity)).collect();
    let left = first.iter().filter(|item| !taken.contains(&identity(item))).cloned().collect();
    Ok(one("list", Value::list(left)))
}

fn join(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let delimiter = call.text("delimiter");
    let mut text = String::new();
    for (at, item) in call.list("list").iter().enumerate() {
        if at > 0 {
            text.push_str(&delimiter);
        }
        text.push_str(&item.to_text());
        check_text("list", text.len())?;
    }
    Ok(one("string", text))
}

fn collapse(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut merged: Arc<Object> = Arc::default();
    for item in call.list("list").iter() {
        if let Value::Object(members) = item {
            add_all(&mut merged, members);
        }
    }
    Ok(one("output", Value::Object(merged)))
}

fn sample(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let items = call.list("list");
    let drawn = Chance::of(call.context).below(u64::try_from(items.len()).unwrap_or(u64::MAX));
    let drawn = usize::try_from(drawn).unwrap_or(0);
    Ok(one("item", items.get(drawn).cloned().unwrap_or_default()))
}

fn index_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse("path", &call.text("path"))?;
    let items = call.list("list");
    let pairs = items.iter().map(|item| (path.get(item).to_text(), item.clone()));
    Ok(one("output", Value::object(pairs.collect())))
}

fn group_by(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse_if_any("path", &call.text("path"))?;
    let mut groups: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for item in call.list("list").iter() {
        let key = path.as_ref().map_or_else(|| item.clone(), |path| path.get(item));
        groups.entry(key.to_text()).or_default().push(item.clone());
    }
    let members = groups.into_iter().map(|(key, items)| (key, Value::list(items)));
    Ok(one("output", Value::object(members.collect())))
}

fn combine_all(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let lists = call.lists("list")?;
    let all = lists.iter().flat_map(|list| list.iter().cloned()).collect();
    Ok(one("list combined all", Value::list(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_identity() {
        let of = |text: &str| identity(&Value::from_json(text).unwrap());
        assert_eq!(of("1"), of("1.0"));
        assert_eq!(of("100"), of("1e2"));
        assert_eq!(of(r#"{"a":1,"b":[2]}"#), of(r#"{"b":[2.0],"a":1}"#));
        for (left, right) in
            [("1", "\"1\""), ("[1,2]", "[12]"), ("null", "\"null\""), ("{}", "[]"), ("-1", "1")]
        {
            assert_ne!(of(left), of(right), "{left} and {right}");
        }
    }
}
