//! Rust source as flat tokens with lines, tests set apart.
//!
//! Rules about words read tokens and not text, so that a comment which explains
//! `Instant::now` is no use of it, while a macro's arguments are code like any
//! other. Does not resolve names: the rules match spellings.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// One word, sign, bracket or literal of a source file.
#[derive(Clone, Debug)]
pub struct Token {
    /// As written; a bracket is `{`, `)` and so on.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// True inside an item marked `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
    pub kind: Kind,
    span: Span,
}

/// What a token is, as far as a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    Sign,
    Literal,
    /// The text of a doc comment.
    Doc,
}

/// A parsed file.
pub struct Code {
    pub tokens: Vec<Token>,
    pub syntax: syn::File,
}

impl Code {
    /// Parses a file. Fails with the line and the parser's words.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let at = |error: syn::Error| (error.span().start().line, error.to_string());
        let syntax = syn::parse_file(text).map_err(at)?;
        let stream: TokenStream =
            syn::parse_str(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(at)?;
        let mut tokens = Vec::new();
        flatten(stream, false, &mut tokens);
        Ok(Self { tokens, syntax })
    }

    /// Tokens of the product: not in tests, not docs.
    pub fn product(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| !token.in_test && token.kind != Kind::Doc)
    }

    /// Lines that hold code of the product: no blank lines, comments, docs or tests.
    pub fn product_lines(&self) -> usize {
        let mut lines = BTreeSet::new();
        for token in self.product() {
            lines.extend(token.span.start().line..=token.span.end().line);
        }
        lines.len()
    }

    /// The text with every literal blanked out, comments and docs kept, line by line.
    pub fn without_literals(&self, text: &str) -> Vec<String> {
        let mut lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        for token in self.tokens.iter().filter(|token| token.kind == Kind::Literal) {
            let (start, end) = (token.span.start(), token.span.end());
            for number in start.line..=end.line {
                let Some(line) = lines.get_mut(number - 1) else { continue };
                let from = if number == start.line { start.column } else { 0 };
                let to = if number == end.line { end.column.min(line.len()) } else { line.len() };
                for place in line.get_mut(from..to).unwrap_or_default() {
                    *place = ' ';
                }
            }
        }
        lines.into_iter().map(String::from_iter).collect()
    }
}

/// Lines where `words` stand one after another, such as `["Instant", "::", "now"]`.
pub fn find_words<'a>(tokens: impl Iterator<Item = &'a Token>, words: &[&str]) -> Vec<usize> {
    let tokens: Vec<&Token> = tokens.collect();
    tokens
        .windows(words.len())
        .filter(|window| {
            window.iter().zip(words).all(|(token, word)| token.kind != Kind::Literal && token.text == *word)
        })
        .map(|window| window[0].line)
        .collect()
}

/// Appends the tokens of `stream`. An item after `#[cfg(test)]` or `#[test]` lasts
/// to its braces or its semicolon.
fn flatten(stream: TokenStream, in_test: bool, tokens: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut whole_is_test = in_test;
    let mut item_is_test = false;
    let mut index = 0;
    while index < trees.len() {
        let is_inner = matches!(trees.get(index + 1), Some(TokenTree::Punct(sign)) if sign.as_char() == '!');
        let after_sign = index + if is_inner { 2 } else { 1 };
        let attribute = attribute_at(&trees, index, after_sign);
        if let Some(attribute) = attribute {
            let marks_test = is_test_mark(&attribute);
            whole_is_test |= marks_test && is_inner;
            item_is_test |= marks_test && !is_inner;
            let mut inside = Vec::new();
            flatten(attribute.clone(), whole_is_test || item_is_test, &mut inside);
            mark_docs(&attribute, &mut inside);
            let is_doc = inside.iter().any(|token| token.kind == Kind::Doc);
            if !is_doc {
                push_signs(&trees[index..after_sign], whole_is_test || item_is_test, tokens);
                push_bracketed(&trees[after_sign], inside, whole_is_test || item_is_test, tokens);
            } else {
                tokens.extend(inside.into_iter().filter(|token| token.kind == Kind::Doc));
            }
            index = after_sign + 1;
            continue;
        }
        let tree = &trees[index];
        let is_test = whole_is_test || item_is_test;
        push(tree, is_test, tokens);
        if ends_item(tree) {
            item_is_test = false;
        }
        index += 1;
    }
    join_paths(tokens);
}

/// The content of `#[…]` or `#![…]` when one starts at `index`.
fn attribute_at(trees: &[TokenTree], index: usize, after_sign: usize) -> Option<TokenStream> {
    match (&trees[index], trees.get(after_sign)) {
        (TokenTree::Punct(sign), Some(TokenTree::Group(group)))
            if sign.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            Some(group.stream())
        }
        _ => None,
    }
}

fn ends_item(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(sign) => sign.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

/// `test`, `tokio::test`, `cfg(test)` and `cfg(all(test, …))`; not `cfg(not(test))`.
fn is_test_mark(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().split_whitespace().collect();
    text == "test"
        || text.ends_with("::test")
        || text == "cfg(test)"
        || text.starts_with("cfg(all(test,")
        || text.starts_with("tokio::test(")
}

fn mark_docs(attribute: &TokenStream, inside: &mut [Token]) {
    let is_doc =
        matches!(attribute.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc");
    if is_doc {
        for token in inside.iter_mut().filter(|token| token.kind == Kind::Literal) {
            token.kind = Kind::Doc;
        }
    }
}

fn push(tree: &TokenTree, in_test: bool, tokens: &mut Vec<Token>) {
    match tree {
        TokenTree::Group(group) => {
            let mut inside = Vec::new();
            flatten(group.stream(), in_test, &mut inside);
            push_bracketed(tree, inside, in_test, tokens);
        }
        TokenTree::Ident(word) => tokens.push(token(word.to_string(), Kind::Word, word.span(), in_test)),
        TokenTree::Punct(sign) => {
            tokens.push(token(sign.as_char().to_string(), Kind::Sign, sign.span(), in_test));
        }
        TokenTree::Literal(literal) => {
            tokens.push(token(literal.to_string(), Kind::Literal, literal.span(), in_test));
        }
    }
}

fn push_signs(trees: &[TokenTree], in_test: bool, tokens: &mut Vec<Token>) {
    for tree in trees {
        push(tree, in_test, tokens);
    }
}

fn push_bracketed(tree: &TokenTree, inside: Vec<Token>, in_test: bool, tokens: &mut Vec<Token>) {
    let TokenTree::Group(group) = tree else { return };
    let (open, close) = match group.delimiter() {
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::None => ("", ""),
    };
    tokens.push(token(open.to_owned(), Kind::Sign, group.span_open(), in_test));
    tokens.extend(inside);
    tokens.push(token(close.to_owned(), Kind::Sign, group.span_close(), in_test));
}

/// Makes one `::` of two colons, so that paths read as they are written.
fn join_paths(tokens: &mut Vec<Token>) {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        match joined.last_mut() {
            Some(last) if last.text == ":" && token.text == ":" && touches(last, &token) => {
                last.text.push(':');
            }
            _ => joined.push(token),
        }
    }
    *tokens = joined;
}

fn touches(first: &Token, second: &Token) -> bool {
    let (end, start) = (first.span.end(), second.span.start());
    end.line == start.line && end.column == start.column
}

fn token(text: String, kind: Kind, span: Span, in_test: bool) -> Token {
    Token { text, line: span.start().line, in_test, kind, span }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(text: &str) -> String {
        let code = Code::parse(text).unwrap();
        code.product().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_docs_are_no_code_and_macros_are() {
        let text =
            "//! Says `Instant::now`.\n/// And here.\nfn f() { /* hidden */ p!(Instant::now(), \"x\"); }\n";
        assert_eq!(product(text), "fn f ( ) { p ! ( Instant :: now ( ) , \"x\" ) ; }");
    }

    #[test]
    fn tests_are_set_apart() {
        let cases = [
            ("fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}", "fn a ( ) { } fn c ( ) { }"),
            ("#[cfg(test)]\nuse a::b;\nfn c() {}", "fn c ( ) { }"),
            ("#![cfg(test)]\nfn c() {}", ""),
            ("#[test]\n#[should_panic]\nfn a() {}\nconst B: u8 = 1;", "const B : u8 = 1 ;"),
            ("#[tokio::test]\nasync fn a() {}\nstruct B;", "struct B ;"),
            ("mod a { #[cfg(test)] fn b() {} }", "mod a { }"),
            ("#[cfg(not(test))]\nuse a::b;", "# [ cfg ( not ( test ) ) ] use a :: b ;"),
        ];
        for (text, expected) in cases {
            assert_eq!(product(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_found_with_their_line() {
        let code = Code::parse("fn a() {}\nfn b() {\n    let _ = time::Instant::now();\n}\n").unwrap();
        assert_eq!(find_words(code.product(), &["Instant", "::", "now"]), [3]);
        assert_eq!(find_words(code.product(), &["Instant", "::", "then"]), [0; 0]);
    }

    #[test]
    fn lines_of_code_exclude_blanks_comments_docs_and_tests() {
        let text = "//! Doc.\n\n// Why.\nfn a() {\n    b(\"x\n  y\");\n}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(Code::parse(text).unwrap().product_lines(), 4);
    }

    #[test]
    fn literals_are_blanked_and_comments_kept() {
        let text = "// One.\nfn a() { b(\"two\"); } // three\n";
        let lines = Code::parse(text).unwrap().without_literals(text);
        assert_eq!(lines, ["// One.", "fn a() { b(     ); } // three"]);
    }

    #[test]
    fn a_file_that_does_not_parse_names_the_line() {
        assert_eq!(Code::parse("fn a() {}\nfn {}\n").err().map(|(line, _)| line), Some(2));
    }
}
