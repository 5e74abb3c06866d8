//! The forms that a `where` clause takes on its way to a provider: a list for hooks, query parameters, an OData filter.

use super::{Comparator, Comparison, Expression, Literal};
use crate::json_text::quote;

/// Why a clause has no such form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the `where` clause cannot be sent as {form}: {problem}; {remedy}")]
pub struct FormError {
    form: &'static str,
    problem: String,
    remedy: &'static str,
}

impl Expression {
    /// All comparisons, from left to right, whatever joins them.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Expression::Is(comparison) => vec![comparison],
            Expression::All(parts) | Expression::Any(parts) => {
                parts.iter().flat_map(Expression::comparisons).collect()
            }
        }
    }

    /// The form that hooks get as `request_expression`: a JSON list of objects with `attribute`, `operator` and
    /// `value`. The value is a text; of `IN` a list of texts, of `IS NULL` it is `null`.
    pub fn to_hook_form(&self) -> String {
        let map = |comparison: &&Comparison| {
            let value = match comparison.values.as_slice() {
                [] => "null".to_string(),
                [one] if !comparison.comparator.takes_list() => quote(&one.text),
                many => {
                    let texts: Vec<String> = many.iter().map(|value| quote(&value.text)).collect();
                    format!("[{}]", texts.join(","))
                }
            };
            format!(
                "{{\"attribute\":{},\"operator\":{},\"value\":{value}}}",
                quote(&comparison.field),
                quote(comparison.comparator.sign())
            )
        };
        format!("[{}]", self.comparisons().iter().map(map).collect::<Vec<_>>().join(","))
    }

    /// Each `name op value` as a query parameter (`toQueryParameters`, and what happens without a converter). The
    /// operator is the provider's to know: `updated_since='…'` and `updated>'…'` become parameters alike. `IN` gives a
    /// comma list.
    ///
    /// Fails for what parameters cannot say: `OR`, negations, `LIKE` and nulls.
    pub fn to_query_parameters(&self) -> Result<Vec<(String, String)>, FormError> {
        let refuse = |problem: String| FormError {
            form: "query parameters",
            problem,
            remedy: "use comparisons joined by `AND`, or let a pre-request hook write the provider's query",
        };
        let parts = match self {
            Expression::Is(_) => std::slice::from_ref(self),
            Expression::All(parts) => parts,
            Expression::Any(_) => return Err(refuse("`OR` has no such form".into())),
        };
        let mut parameters = Vec::new();
        for part in parts {
            match part {
                Expression::Is(comparison) => {
                    let Comparison { field, comparator, values } = comparison;
                    match comparator {
                        Comparator::Equal
                        | Comparator::Less
                        | Comparator::Greater
                        | Comparator::AtMost
                        | Comparator::AtLeast
                        | Comparator::In => {
                            let texts: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
                            parameters.push((field.clone(), texts.join(",")));
                        }
                        Comparator::NotEqual
                        | Comparator::Like
                        | Comparator::NotLike
                        | Comparator::NotIn
                        | Comparator::IsNull
                        | Comparator::IsNotNull => {
                            return Err(refuse(format!("`{field} {}` has no such form", comparator.sign())));
                        }
                    }
                }
                Expression::All(_) | Expression::Any(_) => {
                    parameters.extend(part.to_query_parameters()?);
                }
            }
        }
        Ok(parameters)
    }

    /// The clause as an OData 4 filter (`toODataFilter`). Dots in names become slashes; a value in quotes is a text
    /// unless it is an instant; a bare one is a number, a truth value, an instant, or a text.
    ///
    /// Fails for patterns of `LIKE` other than `x`, `x%`, `%x` and `%x%`.
    pub fn to_odata_filter(&self) -> Result<String, FormError> {
        match self {
            Expression::Is(comparison) => odata_comparison(comparison),
            Expression::All(parts) => joined(parts, " and "),
            Expression::Any(parts) => joined(parts, " or "),
        }
    }
}

fn joined(parts: &[Expression], word: &str) -> Result<String, FormError> {
    let inner = |part: &Expression| {
        let text = part.to_odata_filter()?;
        Ok(match part {
            Expression::Is(_) => text,
            Expression::All(_) | Expression::Any(_) => format!("({text})"),
        })
    };
    Ok(parts.iter().map(inner).collect::<Result<Vec<_>, FormError>>()?.join(word))
}

fn odata_comparison(comparison: &Comparison) -> Result<String, FormError> {
    let field = comparison.field.replace('.', "/");
    let first = comparison.values.first().map(odata_literal).unwrap_or_default();
    let compared = |word: &str| Ok(format!("{field} {word} {first}"));
    match comparison.comparator {
        Comparator::Equal => compared("eq"),
        Comparator::NotEqual => compared("ne"),
        Comparator::Less => compared("lt"),
        Comparator::Greater => compared("gt"),
        Comparator::AtMost => compared("le"),
        Comparator::AtLeast => compared("ge"),
        Comparator::IsNull => Ok(format!("{field} eq null")),
        Comparator::IsNotNull => Ok(format!("{field} ne null")),
        Comparator::In | Comparator::NotIn => {
            let each = |value: &Literal| format!("{field} eq {}", odata_literal(value));
            let any = comparison.values.iter().map(each).collect::<Vec<_>>().join(" or ");
            let negated = comparison.comparator == Comparator::NotIn;
            Ok(if negated { format!("not ({any})") } else { format!("({any})") })
        }
        Comparator::Like | Comparator::NotLike => {
            let pattern = comparison.values.first().map(|value| value.text.as_str()).unwrap_or_default();
            let text = odata_like(&field, pattern)?;
            let negated = comparison.comparator == Comparator::NotLike;
            Ok(if negated { format!("not {text}") } else { text })
        }
    }
}

fn odata_like(field: &str, pattern: &str) -> Result<String, FormError> {
    let (head, inner) = pattern.strip_prefix('%').map_or((false, pattern), |rest| (true, rest));
    let (tail, inner) = inner.strip_suffix('%').map_or((false, inner), |rest| (true, rest));
    if inner.contains('%') {
        return Err(FormError {
            form: "an OData filter",
            problem: format!("`LIKE '{pattern}'` has a `%` in the middle"),
            remedy: "use `x%`, `%x` or `%x%`",
        });
    }
    let text = format!("'{}'", inner.replace('\'', "''"));
    Ok(match (head, tail) {
        (true, true) => format!("contains({field},{text})"),
        (false, true) => format!("startswith({field},{text})"),
        (true, false) => format!("endswith({field},{text})"),
        (false, false) => format!("({field} eq {text})"),
    })
}

fn odata_literal(value: &Literal) -> String {
    let text = value.text.as_str();
    let is_instant =
        text.len() >= 17 && text.as_bytes()[10] == b'T' && text.parse::<jiff::Timestamp>().is_ok();
    let is_word = matches!(text, "true" | "false" | "null") || super::matching::is_number(text);
    if is_instant || (is_word && !value.quoted) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
