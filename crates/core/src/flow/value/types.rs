//! The types that inputs and outputs declare, under the names of exported flows.

use std::fmt;

/// What one value is, lists aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text; `string` in an export.
    Text,
    /// Number.
    Number,
    /// True/False.
    Boolean,
    /// Date & Time; `Date` in an export.
    Date,
    /// Object.
    Object,
    /// File.
    File,
    /// A reference to another flow, by its name or id; `flo` in an export. Its values are texts.
    Flow,
    /// Anything.
    Any,
}

/// A declared type: a kind, or a list of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What a value, or each item, is.
    pub kind: Kind,
    /// Whether it is a list; `collection` in an export.
    pub collection: bool,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Text,
        Kind::Number,
        Kind::Boolean,
        Kind::Date,
        Kind::Object,
        Kind::File,
        Kind::Flow,
        Kind::Any,
    ];

    /// The name in an exported flow. Anything has none there; `any` is ours.
    pub fn export_name(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Date => "Date",
            Kind::Object => "object",
            Kind::File => "file",
            Kind::Flow => "flo",
            Kind::Any => "any",
        }
    }

    /// The name that people see.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Text => "Text",
            Kind::Number => "Number",
            Kind::Boolean => "True/False",
            Kind::Date => "Date & Time",
            Kind::Object => "Object",
            Kind::File => "File",
            Kind::Flow => "Flow",
            Kind::Any => "Any",
        }
    }
}

impl Type {
    /// Text.
    pub const TEXT: Type = Type::of(Kind::Text);
    /// Number.
    pub const NUMBER: Type = Type::of(Kind::Number);
    /// True/False.
    pub const BOOLEAN: Type = Type::of(Kind::Boolean);
    /// Date & Time.
    pub const DATE: Type = Type::of(Kind::Date);
    /// Object.
    pub const OBJECT: Type = Type::of(Kind::Object);
    /// File.
    pub const FILE: Type = Type::of(Kind::File);
    /// A reference to another flow.
    pub const FLOW: Type = Type::of(Kind::Flow);
    /// Anything, lists included.
    pub const ANY: Type = Type::of(Kind::Any);
    /// A list of anything.
    pub const LIST: Type = Type::ANY.list();

    /// One value of this kind.
    pub const fn of(kind: Kind) -> Type {
        Type { kind, collection: false }
    }

    /// A list of it.
    pub const fn list(self) -> Type {
        Type { kind: self.kind, collection: true }
    }

    /// One item of it.
    pub const fn item(self) -> Type {
        Type { kind: self.kind, collection: false }
    }

    /// Reads a type as an export or a person writes it: `string` or `Text`, in any letter case; `Array` and `list`
    /// are a list of anything, `list of NAME` and `NAME[]` a list of it, and an object with a schema is an object.
    pub fn parse(name: &str) -> Option<Type> {
        let name = name.trim();
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        if is("array") || is("list") {
            return Some(Type::LIST);
        }
        if let Some(of) = name.strip_suffix("[]") {
            return Type::parse(of).filter(|of| !of.collection).map(Type::list);
        }
        if let Some((list, of)) = name.split_at_checked("list of ".len())
            && list.eq_ignore_ascii_case("list of ")
        {
            return Type::parse(of).filter(|of| !of.collection).map(Type::list);
        }
        if is("*") {
            return Some(Type::ANY);
        }
        let named = |kind: &Kind| is(kind.export_name()) || is(kind.label());
        let loose = [("date & time", Kind::Date), ("datetime", Kind::Date), ("true/false", Kind::Boolean)];
        let kind = Kind::ALL.iter().copied().find(named);
        kind.or_else(|| loose.iter().find(|(word, _)| is(word)).map(|(_, kind)| *kind)).map(Type::of)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.collection {
            f.write_str("List of ")?;
        }
        f.write_str(self.kind.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_exports_and_people_write_them() {
        let cases = [
            ("string", Some(Type::TEXT)),
            ("Text", Some(Type::TEXT)),
            ("Date", Some(Type::DATE)),
            ("date & time", Some(Type::DATE)),
            ("True/False", Some(Type::BOOLEAN)),
            ("Array", Some(Type::LIST)),
            ("list of object", Some(Type::OBJECT.list())),
            ("List of Date & Time", Some(Type::DATE.list())),
            ("number[]", Some(Type::NUMBER.list())),
            ("number[][]", None),
            ("flo", Some(Type::FLOW)),
            ("*", Some(Type::ANY)),
            ("texts", None),
            ("", None),
        ];
        for (name, expect) in cases {
            assert_eq!(Type::parse(name), expect, "{name}");
        }
        for kind in Kind::ALL {
            for of in [Type::of(kind), Type::of(kind).list()] {
                assert_eq!(Type::parse(&of.to_string()), Some(of));
            }
        }
    }
}
