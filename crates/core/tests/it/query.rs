//! `where` clauses in, trees, forms and verdicts out.

use turnstone_core::query::{Comparison, Expression, Literal};

#[track_caller]
fn reads(text: &str, expect: &str) {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(show(&expression), expect, "{text}");
}

/// The tree with every parenthesis, and texts in quotes.
fn show(expression: &Expression) -> String {
    let join = |parts: &[Expression], word: &str| {
        format!("({})", parts.iter().map(show).collect::<Vec<_>>().join(word))
    };
    match expression {
        Expression::All(parts) => join(parts, " AND "),
        Expression::Any(parts) => join(parts, " OR "),
        Expression::Is(Comparison { field, comparator, values }) => {
            let value = |value: &Literal| match value.quoted {
                true => format!("'{}'", value.text),
                false => value.text.clone(),
            };
            let values: Vec<String> = values.iter().map(value).collect();
            format!("[{field} {} {}]", comparator.sign(), values.join("|"))
        }
    }
}

#[test]
fn comparisons_are_read() {
    reads("a='x'", "[a = 'x']");
    reads("a=\"x\"", "[a = 'x']");
    reads("a = 'x'", "[a = 'x']");
    reads("  a='x'  ", "[a = 'x']");
    reads("a!='x'", "[a != 'x']");
    reads("a <> 'x'", "[a != 'x']");
    reads("a == 1", "[a = 1]");
    reads("a<1", "[a < 1]");
    reads("a>1", "[a > 1]");
    reads("a<=1", "[a <= 1]");
    reads("a >= 1.50", "[a >= 1.50]");
    reads("a=true", "[a = true]");
    reads("a=-3", "[a = -3]");
    reads("a=''", "[a = '']");
    reads("a='it''s'", "[a = 'it's']");
    reads("a='C:\\'", "[a = 'C:\\']");
    reads("a=\"say \"\"x\"\"\"", "[a = 'say \"x\"']");
    reads("a='x and y or (z)'", "[a = 'x and y or (z)']");
    reads("a.b.c=1", "[a.b.c = 1]");
    reads("`Last Name`='x'", "[Last Name = 'x']");
    reads("'Modified Date'>='x'", "[Modified Date >= 'x']");
    reads("\"a b\"=1", "[a b = 1]");
    reads("updated_date__gte='2020'", "[updated_date__gte = '2020']");
    reads("@a:b/c-d$=1", "[@a:b/c-d$ = 1]");
    reads("naïve='é'", "[naïve = 'é']");
    reads("and=1", "[and = 1]");
    reads("mdate>=2017-02-28T16:11:29-06:00", "[mdate >= 2017-02-28T16:11:29-06:00]");
    reads("d>=2017-02-28 16:11:29 and b=1", "([d >= 2017-02-28 16:11:29] AND [b = 1])");
    reads("a=f(x)", "[a = f(x)]");
}

#[test]
fn words_are_operators_in_any_letter_case() {
    reads("a LIKE '%x%'", "[a LIKE '%x%']");
    reads("a like 'x%'", "[a LIKE 'x%']");
    reads("a NOT LIKE 'x'", "[a NOT LIKE 'x']");
    reads("a IN ('x','y')", "[a IN 'x'|'y']");
    reads("key in ( 'sfdc' , 'box' )", "[key IN 'sfdc'|'box']");
    reads("a in (1,2, 3)", "[a IN 1|2|3]");
    reads("a not in('x')", "[a NOT IN 'x']");
    reads("a IS NULL", "[a IS NULL ]");
    reads("a is not null", "[a IS NOT NULL ]");
    reads("a='x' is_b=1".split(' ').next().unwrap(), "[a = 'x']");
}

#[test]
fn and_binds_before_or() {
    reads("a=1 and b=2", "([a = 1] AND [b = 2])");
    reads("a=1 AND b=2 OR c=3", "(([a = 1] AND [b = 2]) OR [c = 3])");
    reads("a=1 or b=2 and c=3", "([a = 1] OR ([b = 2] AND [c = 3]))");
    reads("(a=1 or b=2) and c=3", "(([a = 1] OR [b = 2]) AND [c = 3])");
    reads("((a=1))", "[a = 1]");
    reads("(a='x')AND(b='y')", "([a = 'x'] AND [b = 'y'])");
    reads("a='1'and b='2'", "([a = '1'] AND [b = '2'])");
    reads("(a in (1,2) and b is null)", "([a IN 1|2] AND [b IS NULL ])");
    reads(
        "channel='webhook' and status='queued' and config.url='https://x'",
        "([channel = 'webhook'] AND [status = 'queued'] AND [config.url = 'https://x'])",
    );
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    let error = Expression::parse(text).expect_err(text).to_string();
    assert_eq!(error, expect, "{text}");
}

#[test]
fn what_cannot_be_read_is_said_with_place_and_remedy() {
    let begin = "begin a comparison with a field, as in `name='x'`";
    refused("", &format!("cannot read the `where` clause at its end: a comparison is missing; {begin}"));
    refused(
        "a=1 and",
        &format!("cannot read the `where` clause at its end: a comparison is missing; {begin}"),
    );
    refused("=1", &format!("cannot read the `where` clause at `=1`: a field's name is missing; {begin}"));
    refused("''=1", &format!("cannot read the `where` clause at `=1`: a field's name is empty; {begin}"));
    refused(
        "a='x",
        "cannot read the `where` clause at `'x`: a quote is not closed; close it with '; a ' inside a value is written \
         twice",
    );
    let operators = "write `=`, `!=`, `<`, `>`, `<=`, `>=`, `IN`, `LIKE` or `IS NULL` after it";
    refused(
        "a b=1",
        &format!("cannot read the `where` clause at `b=1`: an operator is missing after `a`; {operators}"),
    );
    refused(
        "a",
        &format!("cannot read the `where` clause at its end: an operator is missing after `a`; {operators}"),
    );
    refused(
        "a=",
        "cannot read the `where` clause at its end: a value is missing; write one, in quotes when it holds \
                   blanks or is empty",
    );
    refused(
        "a is x",
        "cannot read the `where` clause at `x`: `NULL` is missing after `IS`; write `IS NULL` or `IS NOT \
                       NULL`",
    );
    refused(
        "a in 1",
        "cannot read the `where` clause at `1`: a list is missing after `IN`; write `IN ('a', 'b')`",
    );
    refused(
        "a in (1 2)",
        "cannot read the `where` clause at `2)`: the list after `IN` is not closed; separate values \
                           with `,` and close with `)`",
    );
    refused("(a=1", "cannot read the `where` clause at its end: a `)` is missing; close every `(`");
    let join = "join comparisons with `AND` or `OR`, and quote values with blanks";
    refused(
        "a='1' b='2'",
        &format!("cannot read the `where` clause at `b='2'`: `AND` or `OR` is missing before it; {join}"),
    );
    refused("a='1')", &format!("cannot read the `where` clause at `)`: a `)` has no `(`; {join}"));
    refused(
        &"(".repeat(40),
        "cannot read the `where` clause at `(((((((`: it is nested too deeply; nest at most 32 deep",
    );
    assert!(
        Expression::parse(&"a=1 and ".repeat(2_000))
            .unwrap_err()
            .to_string()
            .contains("shorten it to 8192 bytes")
    );
    assert!(
        Expression::parse(&"a=1 or ".repeat(300)).unwrap_err().to_string().contains("too many comparisons")
    );
}

#[track_caller]
fn parameters(text: &str, expect: &str) {
    let form = Expression::parse(text).unwrap().to_query_parameters();
    let form = form.map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    });
    assert_eq!(form.unwrap_or_else(|error| error.to_string()), expect, "{text}");
}

#[test]
fn comparisons_become_query_parameters() {
    parameters("updated_since='2020'", "updated_since=2020");
    parameters("startDate='a' and endDate='b'", "startDate=a&endDate=b");
    parameters("updated>'x'", "updated=x");
    parameters("a in ('x','y') and (b>=1 and c<2)", "a=x,y&b=1&c=2");
    let remedy = "use comparisons joined by `AND`, or let a pre-request hook write the provider's query";
    let sentence =
        |problem: &str| format!("the `where` clause cannot be sent as query parameters: {problem}; {remedy}");
    parameters("a=1 or b=2", &sentence("`OR` has no such form"));
    parameters("a!=1", &sentence("`a !=` has no such form"));
    parameters("a like 'x%'", &sentence("`a LIKE` has no such form"));
    parameters("a is null", &sentence("`a IS NULL` has no such form"));
}

#[track_caller]
fn odata(text: &str, expect: &str) {
    let form = Expression::parse(text).unwrap().to_odata_filter();
    assert_eq!(form.unwrap_or_else(|error| error.to_string()), expect, "{text}");
}

#[test]
fn clauses_become_odata_filters() {
    odata("a='it''s'", "a eq 'it''s'");
    odata("a.b!=5 and c=true", "a/b ne 5 and c eq true");
    odata("a>'2020-01-01T00:00:00Z'", "a gt 2020-01-01T00:00:00Z");
    odata("a>=2020-01-01T00:00:00+01:00", "a ge 2020-01-01T00:00:00+01:00");
    odata("a<'5'", "a lt '5'");
    odata("a<=x", "a le 'x'");
    odata("a=1 and (b=2 or c=3)", "a eq 1 and (b eq 2 or c eq 3)");
    odata("a in (1,'x')", "(a eq 1 or a eq 'x')");
    odata("a not in (1)", "not (a eq 1)");
    odata("a like '%x%' or b like 'y%'", "contains(a,'x') or startswith(b,'y')");
    odata("a not like '%z'", "not endswith(a,'z')");
    odata("a like 'z'", "(a eq 'z')");
    odata("a is null and b is not null", "a eq null and b ne null");
    odata(
        "a like 'x%y'",
        "the `where` clause cannot be sent as an OData filter: `LIKE 'x%y'` has a `%` in the middle; \
                           use `x%`, `%x` or `%x%`",
    );
}

#[test]
fn hooks_get_a_list_of_maps() {
    let form = Expression::parse("a.b>='x\"y' and (c in (1,2) or d is null)").unwrap().to_hook_form();
    let expect = concat!(
        r#"[{"attribute":"a.b","operator":">=","value":"x\"y"},"#,
        r#"{"attribute":"c","operator":"IN","value":["1","2"]},"#,
        r#"{"attribute":"d","operator":"IS NULL","value":null}]"#,
    );
    assert_eq!(form, expect);
}

#[track_caller]
fn judges(text: &str, expect: bool) {
    let object = r#"{"key":"box","private":true,"n":10,"big":10000000000000000000001,"price":1.50,"empty":null,
        "config":{"url":"https://x"},"dotted.name":"d","tags":["a","b"],"at":"2020-01-01T01:00:00+01:00","name":"O'B"}"#;
    assert_eq!(Expression::parse(text).unwrap().matches(object), expect, "{text}");
}

#[test]
fn objects_are_judged() {
    for (text, expect) in [
        ("private='true'", true),
        ("private=true and key in ('sfdc','box')", true),
        ("private='false' or key='box'", true),
        ("n=10.0", true),
        ("n>9", true),
        ("n<'9'", false),
        ("n>=10 and n<=10", true),
        ("big=10000000000000000000001", true),
        ("big>10000000000000000000000", true),
        ("price<1.6", true),
        ("config.url='https://x'", true),
        ("dotted.name='d'", true),
        ("tags='b'", true),
        ("tags!='b'", false),
        ("at='2020-01-01T00:00:00Z'", true),
        ("at>'2020-01-01T00:00:01Z'", false),
        ("name='O''B'", true),
        ("key like 'b%'", true),
        ("key like '%o%' and key like '%x'", true),
        ("key not like 'x%'", true),
        ("key like 'b'", false),
        ("key like '%%'", true),
        ("key like 'b%b%'", false),
        ("empty is null and missing is null", true),
        ("key is not null", true),
        ("missing!='x'", true),
        ("missing='x'", false),
        ("missing not in ('x')", true),
        ("key not in ('box')", false),
    ] {
        judges(text, expect);
    }
    assert!(!Expression::parse("a=1").unwrap().matches("[]"));
    assert!(Expression::parse("a is null").unwrap().matches(""));
}
