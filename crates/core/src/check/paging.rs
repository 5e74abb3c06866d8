//! How pages follow each other: `pagination` and the settings that must agree with it.

use serde_json::Value;

use crate::resource::{Pagination, PaginationKind, Place};

use super::section::{Findings, Section, parse_field};

pub(super) const KNOWN: [&str; 9] =
    ["type", "size", "page", "start", "offset", "token", "param", "next", "more"];

/// The declared type of pagination.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    None,
    Page,
    Offset,
    Cursor,
    Link,
    Next,
}

const TYPES: [(&str, Type); 6] = [
    ("page", Type::Page),
    ("offset", Type::Offset),
    ("cursor", Type::Cursor),
    ("link", Type::Link),
    ("next", Type::Next),
    ("none", Type::None),
];

impl Type {
    /// The members that say something for this type, beside `type`, `size` and `more`.
    fn members(self) -> &'static [&'static str] {
        match self {
            Type::None | Type::Link => &[],
            Type::Page => &["page", "start"],
            Type::Offset => &["offset"],
            Type::Cursor => &["token", "param"],
            Type::Next => &["next"],
        }
    }

    fn word(self) -> &'static str {
        TYPES.iter().find(|(_, one)| *one == self).map_or("none", |(word, _)| word)
    }
}

/// Reads `pagination`. A fault leaves it undeclared.
pub(super) fn read(resource: &mut Section<'_>, findings: &mut Findings) -> Pagination {
    let undeclared = Pagination { kind: PaginationKind::Undeclared, size_param: None, more: None };
    if let Some(Value::String(word)) = resource.get("pagination", findings) {
        let remedy = format!("write {{\"type\": {word:?}}} and what belongs to it");
        findings.fault(&resource.path_of("pagination"), "a text is not an object", remedy);
        return undeclared;
    }
    let Some(mut section) = resource.object("pagination", findings) else {
        return undeclared;
    };
    let Some(kind) = section.choice("type", &TYPES, findings) else {
        if !section.has("type") {
            let guess = TYPES.iter().find(|(_, one)| one.members().iter().any(|key| section.has(key)));
            let remedy = match guess {
                Some((word, _)) => format!("add `\"type\": \"{word}\"`"),
                None => "add `type`: `page`, `offset`, `cursor`, `link`, `next` or `none`".to_string(),
            };
            findings.fault(section.path(), "`type` is missing", remedy);
        }
        return undeclared;
    };
    let size_param = section.text("size", findings).map(str::to_string);
    let more = place(&mut section, "more", findings);
    let found = read_kind(kind, &mut section, findings);
    for (name, _) in section.rest() {
        if KNOWN.contains(&name) {
            section.take(name);
            let problem = format!("`{name}` has no effect with the type `{}`", kind.word());
            findings.warn(
                &section.path_of(name),
                problem,
                "remove it, or choose the type that it belongs to",
            );
        }
    }
    section.finish(&KNOWN, findings);
    found.map_or(undeclared, |kind| Pagination { kind, size_param, more })
}

fn read_kind(kind: Type, section: &mut Section<'_>, findings: &mut Findings) -> Option<PaginationKind> {
    match kind {
        Type::None => Some(PaginationKind::None),
        Type::Link => Some(PaginationKind::Link),
        Type::Page => {
            let start = section.count("start", 0..=1_000_000, findings).unwrap_or(1);
            let param = required(section, "page", "the parameter that takes the page's number", findings)?;
            Some(PaginationKind::Page { param, start })
        }
        Type::Offset => {
            let param = required(
                section,
                "offset",
                "the parameter that takes the number of records to skip",
                findings,
            )?;
            Some(PaginationKind::Offset { param })
        }
        Type::Cursor => {
            let param = section.text("param", findings).map(str::to_string);
            if param.is_none() {
                let problem = "`param` is missing, so the token must be an object of parameters";
                findings.warn(
                    section.path(),
                    problem,
                    "name the parameter that takes the token, if it is one value",
                );
            }
            let token = required_place(section, "token", "where the token stands", findings)?;
            Some(PaginationKind::Cursor { token, param })
        }
        Type::Next => {
            let url = required_place(section, "next", "where the next page's url stands", findings)?;
            Some(PaginationKind::Next { url })
        }
    }
}

fn required(section: &mut Section<'_>, key: &str, what: &str, findings: &mut Findings) -> Option<String> {
    let faults = findings.faults.len();
    let text = section.text(key, findings);
    if text.is_none() && findings.faults.len() == faults {
        findings.fault(section.path(), format!("`{key}` is missing"), format!("name {what}"));
    }
    text.map(|text| text.trim().to_string())
}

fn required_place(
    section: &mut Section<'_>,
    key: &str,
    what: &str,
    findings: &mut Findings,
) -> Option<Place> {
    let faults = findings.faults.len();
    let found = place(section, key, findings);
    if found.is_none() && findings.faults.len() == faults {
        let remedy = format!("name {what}, like `meta.next` or `header:X-Next`");
        findings.fault(section.path(), format!("`{key}` is missing"), remedy);
    }
    found
}

/// A member of the body, or `header:Name`.
fn place(section: &mut Section<'_>, key: &str, findings: &mut Findings) -> Option<Place> {
    let text = section.text(key, findings)?.trim();
    let path = section.path_of(key);
    match text.split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("header")) {
        Some((_, name)) if is_header_name(name.trim()) => {
            Some(Place::Header(name.trim().to_ascii_lowercase()))
        }
        Some((_, name)) => {
            findings.fault(
                &path,
                format!("`{name}` is not the name of a header"),
                "write it like `header:X-Next`",
            );
            None
        }
        None => parse_field(&path, text, findings).map(Place::Body),
    }
}

/// Whether a text can be a header's name.
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Says what `pagination` leaves open or contradicts. `declared_size`: `pageSize` was written.
pub(super) fn agree(
    pagination: &Pagination,
    page_size: u32,
    declared_size: bool,
    url_names: &[String],
    path: &str,
    findings: &mut Findings,
) {
    let at = format!("{path}.pagination");
    match &pagination.kind {
        PaginationKind::Undeclared => {
            let problem = "`pagination` is not declared: `Link: rel=next` is followed where the provider sends it, \
                           otherwise one page is all that is read";
            findings.warn(
                path,
                problem,
                "declare `pagination`; write `{\"type\": \"none\"}` when one page is all there is",
            );
        }
        PaginationKind::Offset { .. } if page_size == 1 => {
            let problem = "pages of one record cannot overlap, so every pass reads the list again until two reads agree";
            findings.warn(&at, problem, "write a `pageSize` of at least 2");
        }
        PaginationKind::Offset { .. }
        | PaginationKind::Page { .. }
        | PaginationKind::None
        | PaginationKind::Cursor { .. }
        | PaginationKind::Link
        | PaginationKind::Next { .. } => {}
    }
    if declared_size && pagination.size_param.is_none() {
        let problem = "`pageSize` is not sent: no parameter takes it";
        findings.warn(path, problem, "name the parameter in `pagination.size`");
    }
    let own = match &pagination.kind {
        PaginationKind::Page { param, .. } | PaginationKind::Offset { param } => Some(param),
        PaginationKind::Cursor { param, .. } => param.as_ref(),
        PaginationKind::Undeclared
        | PaginationKind::None
        | PaginationKind::Link
        | PaginationKind::Next { .. } => None,
    };
    for name in own.into_iter().chain(&pagination.size_param) {
        if url_names.contains(name) {
            let problem = format!("`{name}` is set by `pagination` and stands in the url as well");
            findings.fault(&at, problem, format!("take `{name}` out of the url"));
        }
    }
    if let (Some(own), Some(size)) = (own, &pagination.size_param)
        && own == size
    {
        findings.fault(&at, format!("`{own}` is to take both the page and its size"), "name two parameters");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{clean, read, refused, said, warned};
    use crate::json_path::JsonPath;
    use crate::resource::{Drift, PaginationKind, Place};

    fn pages(pagination: Value) -> Value {
        json!({"pagination": pagination})
    }

    #[test]
    fn every_type_is_read() {
        let body = |path: &str| Place::Body(JsonPath::parse(path).unwrap());
        let kind = |pagination| clean(pages(pagination)).pagination.kind;
        assert_eq!(
            kind(json!({"type": "page", "page": "p", "start": "0"})),
            PaginationKind::Page { param: "p".into(), start: 0 }
        );
        assert_eq!(
            kind(json!({"type": "Offset", "offset": "skip"})),
            PaginationKind::Offset { param: "skip".into() }
        );
        assert_eq!(
            kind(json!({"type": "cursor", "token": "meta.next", "param": "cursor"})),
            PaginationKind::Cursor { token: body("meta.next"), param: Some("cursor".into()) }
        );
        assert_eq!(
            kind(json!({"type": "next", "next": "Header: X-Next-Page"})),
            PaginationKind::Next { url: Place::Header("x-next-page".into()) }
        );
        assert_eq!(kind(json!({"type": "link"})), PaginationKind::Link);
        assert_eq!(kind(json!({"type": "none"})), PaginationKind::None);
        let flagged = clean(pages(json!({"type": "page", "page": "p", "size": "limit", "more": "has_more"})));
        assert_eq!(flagged.pagination.more, Some(body("has_more")));
        assert_eq!(flagged.pagination.size_param.as_deref(), Some("limit"));
    }

    #[test]
    fn only_tokens_are_trusted_without_being_asked() {
        assert_eq!(clean(pages(json!({"type": "cursor", "token": "n", "param": "c"}))).drift, Drift::Trust);
        assert_eq!(clean(pages(json!({"type": "next", "next": "n"}))).drift, Drift::Verify);
        warned(json!({"drift": "trust"}), "customers.drift", "records can be missed");
    }

    #[test]
    fn what_is_missing_is_named() {
        let resource = warned(json!({"pagination": null}), "customers", "`pagination` is not declared");
        assert_eq!(resource.pagination.kind, PaginationKind::Undeclared);
        refused(pages(json!({"type": "page"})), "pagination", "`page` is missing");
        refused(pages(json!({"type": "offset"})), "pagination", "`offset` is missing");
        refused(pages(json!({"type": "next"})), "pagination", "`next` is missing");
        refused(pages(json!({"token": "x"})), "pagination", "add `\"type\": \"cursor\"`");
        refused(pages(json!({"type": "pages"})), "pagination.type", "is not one of its values");
        refused(pages(json!("page")), "pagination", "write {\"type\": \"page\"}");
        refused(
            pages(json!({"type": "next", "next": "header:X Next"})),
            "pagination.next",
            "not the name of a header",
        );
        warned(
            pages(json!({"type": "cursor", "token": "meta"})),
            "pagination",
            "must be an object of parameters",
        );
    }

    #[test]
    fn contradictions_are_named() {
        warned(
            json!({"pageSize": 50, "pagination": {"type": "page", "page": "p"}}),
            "customers",
            "`pageSize` is not sent",
        );
        warned(
            pages(json!({"type": "link", "page": "p"})),
            "pagination.page",
            "no effect with the type `link`",
        );
        let url = json!({"url": "https://x.example/?page=1&a>=${epoch}"});
        refused(url, "customers.pagination", "take `page` out of the url");
        refused(
            pages(json!({"type": "page", "page": "p", "size": "p"})),
            "pagination",
            "name two parameters",
        );
        let single = json!({"pageSize": 1, "pagination": {"type": "offset", "offset": "o", "size": "s"}});
        warned(single, "pagination", "cannot overlap");
        refused(json!({"pageSize": 0}), "pageSize", "from 1 to 50000");
        let checked = read(pages(json!({"type": "none", "sice": "x"})));
        said(&checked.warnings, "pagination.sice", "did you mean `size`?");
    }
}
