//! Cards that work on texts, numbers, truth values, JSON, hashes and URLs.

use super::super::spec::{CardSpec, Group, InputSpec, input, output};
use super::values::{In, OBJECT_OUT, Out, TEXT_OUT, VALUE};
use crate::flow::value::Type;

const TEXT_IN: InputSpec = input("string", Type::TEXT).label("text");
const NUMBER_OUT: Out = &[output("output", Type::NUMBER)];
const TRUTH_OUT: Out = &[output("output", Type::BOOLEAN)];

const fn text(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Text, inputs, outputs, about)
}

const LOOK_IN: InputSpec = TEXT_IN.label("look in");
const TARGET: InputSpec = input("target", Type::TEXT).label("look for");
const GLOBAL: InputSpec = input("global", Type::BOOLEAN).or("true");
const SENSITIVE: InputSpec = input("sensitive", Type::BOOLEAN).label("case sensitive").or("true");

pub(super) const TEXT: &[CardSpec] = &[
    text(
        "string.compose",
        "Compose",
        &[TEXT_IN],
        TEXT_OUT,
        "writes a text in which every `{{name}}` is replaced by the author's input of that name, as text",
    )
    .alias(&["text.compose"])
    .author_inputs(),
    text(
        "string.concat",
        "Concatenate",
        &[input("text", Type::ANY).optional().repeated()],
        TEXT_OUT,
        "puts texts one after the other",
    )
    .alias(&["text.concat", "text.concatenate"]),
    text(
        "string.split",
        "Split",
        &[TEXT_IN, input("delimiter", Type::TEXT)],
        &[output("output", Type::TEXT.list())],
        "cuts a text at every delimiter; an empty one cuts between all characters",
    )
    .alias(&["text.split"]),
    text(
        "string.replace",
        "Replace",
        &[
            LOOK_IN,
            input("src", Type::TEXT).label("look for"),
            input("dest", Type::TEXT).label("replace with"),
            GLOBAL,
            SENSITIVE,
        ],
        TEXT_OUT,
        "replaces a text by another: everywhere, or the first",
    )
    .alias(&["text.replace"]),
    text(
        "string.replacePatterns",
        "Replace Patterns",
        &[
            LOOK_IN,
            input("replacement", Type::TEXT),
            GLOBAL,
            SENSITIVE,
            input("pattern", Type::TEXT).repeated(),
        ],
        TEXT_OUT,
        "replaces what regular expressions match, one after the other; `$1` is a group",
    )
    .alias(&["text.replacePatterns"]),
    text(
        "string.find",
        "Find",
        &[LOOK_IN, TARGET, SENSITIVE],
        NUMBER_OUT,
        "gives the position of a text's first appearance, from 0; −1 when there is none",
    )
    .alias(&["text.find"]),
    text(
        "string.findLast",
        "Find Last",
        &[LOOK_IN, TARGET, SENSITIVE],
        NUMBER_OUT,
        "gives the position of a text's last appearance; −1 when there is none",
    )
    .alias(&["text.findLast"]),
    text(
        "string.match",
        "Find Pattern",
        &[LOOK_IN, TARGET, SENSITIVE],
        NUMBER_OUT,
        "gives the position of a regular expression's first match; −1 when there is none",
    )
    .alias(&["text.findPattern", "string.findPattern", "text.match"]),
    text(
        "string.substr",
        "Text Segment",
        &[TEXT_IN, input("start", Type::NUMBER).or("0"), input("end", Type::NUMBER).optional()],
        TEXT_OUT,
        "gives the characters from `start` up to, and without, `end`; negative positions count from the end",
    )
    .alias(&["text.segment", "text.substr", "string.segment"]),
    text("string.trim", "Trim", &[TEXT_IN], TEXT_OUT, "drops blanks at both ends").alias(&["text.trim"]),
    text("string.toLower", "To Lower Case", &[TEXT_IN], TEXT_OUT, "writes it in small letters").alias(&[
        "text.toLower",
        "text.toLowerCase",
        "string.toLowerCase",
    ]),
    text("string.toUpper", "To Upper Case", &[TEXT_IN], TEXT_OUT, "writes it in capital letters").alias(&[
        "text.toUpper",
        "text.toUpperCase",
        "string.toUpperCase",
    ]),
    text("string.length", "Length", &[TEXT_IN], NUMBER_OUT, "counts the characters").alias(&["text.length"]),
    text(
        "string.pad",
        "Pad",
        &[
            TEXT_IN,
            input("length", Type::NUMBER),
            input("pad", Type::TEXT).or("\" \""),
            input("side", Type::TEXT).or("\"left\""),
        ],
        TEXT_OUT,
        "fills a text up to a length, on the left or the right",
    )
    .alias(&["text.pad"]),
    text(
        "string.random",
        "Random",
        &[input("length", Type::NUMBER).or("16"), input("characters", Type::TEXT).optional()],
        TEXT_OUT,
        "gives a text by chance, of letters and digits or of given characters; not for secrets",
    )
    .alias(&["text.random"]),
    text("string.base64Encode", "Base64", &[TEXT_IN], TEXT_OUT, "encodes UTF-8 with Base64").alias(&[
        "text.base64",
        "text.base64Encode",
        "string.base64",
    ]),
    text(
        "string.base64Decode",
        "Base64 Decode",
        &[TEXT_IN],
        TEXT_OUT,
        "decodes Base64, usual or for URLs, to UTF-8",
    )
    .alias(&["text.base64Decode"]),
];

const fn number(id: &'static str, label: &'static str, inputs: In, about: &'static str) -> CardSpec {
    CardSpec::new(id, label, Group::Number, inputs, NUMBER_OUT, about)
}

const NUMBER_A: InputSpec = input("a", Type::NUMBER);
const NUMBER_B: InputSpec = input("b", Type::NUMBER);
const TERMS: In = &[input("number", Type::NUMBER).repeated()];
const NUMBER_IN: InputSpec = input("number", Type::NUMBER);
const DECIMALS: InputSpec = input("decimals", Type::NUMBER);

pub(super) const NUMBER: &[CardSpec] = &[
    number("math.add", "Add", TERMS, "adds numbers").alias(&["number.add"]),
    number("math.subtract", "Subtract", &[NUMBER_A, NUMBER_B], "takes b from a").alias(&["number.subtract"]),
    number("math.multiply", "Multiply", TERMS, "multiplies numbers").alias(&["number.multiply"]),
    number(
        "math.divide",
        "Divide",
        &[NUMBER_A, NUMBER_B, DECIMALS.optional(), input("percentage", Type::BOOLEAN).or("false")],
        "divides a by b, rounded to so many decimals; as a percentage times 100",
    )
    .alias(&["number.divide"]),
    number(
        "math.mod",
        "Remainder",
        &[NUMBER_A, NUMBER_B],
        "gives what remains of a divided by b, with the sign of a",
    )
    .alias(&["number.mod", "number.remainder"]),
    number(
        "math.round",
        "Round",
        &[NUMBER_IN, DECIMALS.or("0")],
        "rounds to the nearest, halves away from zero",
    )
    .alias(&["number.round"]),
    number("math.ceil", "Round Up", &[NUMBER_IN, DECIMALS.or("0")], "rounds up").alias(&[
        "number.roundUp",
        "math.roundUp",
        "number.ceil",
    ]),
    number("math.floor", "Round Down", &[NUMBER_IN, DECIMALS.or("0")], "rounds down").alias(&[
        "number.roundDown",
        "math.roundDown",
        "number.floor",
    ]),
    number("math.abs", "Absolute", &[NUMBER_IN], "drops the sign").alias(&["number.abs"]),
    number(
        "math.random",
        "Random Integer",
        &[input("min", Type::NUMBER).or("0"), input("max", Type::NUMBER).or("100")],
        "gives a whole number by chance, both ends included",
    )
    .alias(&["number.random", "number.randomInteger", "math.randomInteger"]),
    number(
        "math.expression",
        "Formula",
        &[input("expression", Type::TEXT).label("formula")],
        "reckons a formula of numbers, the author's inputs by name, `+ - * / % ^`, brackets and functions",
    )
    .alias(&["number.formula", "math.formula", "number.expression"])
    .author_inputs(),
];

const fn logic(id: &'static str, label: &'static str, inputs: In, about: &'static str) -> CardSpec {
    CardSpec::new(id, label, Group::Logic, inputs, TRUTH_OUT, about)
}

const fn json(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Json, inputs, outputs, about)
}

const TRUTHS: In = &[input("value", Type::BOOLEAN).nullable().repeated()];

pub(super) const LOGIC_AND_JSON: &[CardSpec] = &[
    logic(
        "boolean.compare",
        "Compare",
        &[
            input("left-operand", Type::ANY).label("value a").nullable(),
            input("operator", Type::TEXT).label("comparison"),
            input("right-operand", Type::ANY).label("value b").optional(),
        ],
        "whether a comparison holds",
    )
    .alias(&["logic.compare"]),
    logic("boolean.and", "And", TRUTHS, "whether all are true; nothing is false").alias(&["logic.and"]),
    logic("boolean.or", "Or", TRUTHS, "whether any is true").alias(&["logic.or"]),
    logic("boolean.xor", "Or (Exclusive)", TRUTHS, "whether exactly one is true").alias(&["logic.xor"]),
    logic("boolean.not", "Not", &[input("value", Type::BOOLEAN).nullable()], "whether it is false")
        .alias(&["logic.not"]),
    json(
        "json.parse",
        "Parse",
        &[TEXT_IN],
        &[output("output", Type::ANY).typed_by_author()],
        "reads JSON text; an empty one is nothing",
    ),
    json("json.stringify", "Stringify", &[VALUE], TEXT_OUT, "writes a value as JSON text"),
];

const fn encoding(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Encoding, inputs, outputs, about)
}

const ALGORITHM: InputSpec = input("algorithm", Type::TEXT).or("\"sha256\"");
const DIGEST: InputSpec = input("digest", Type::TEXT).or("\"hex\"");
const DATA: InputSpec = input("data", Type::TEXT);
const PLAIN: InputSpec = input("text", Type::TEXT);
const QUERY: InputSpec = input("query", Type::OBJECT).optional();

pub(super) const ENCODING: &[CardSpec] = &[
    encoding(
        "encryption.hash",
        "Hash",
        &[ALGORITHM, DATA, DIGEST],
        TEXT_OUT,
        "hashes UTF-8 with md5, sha1, sha256, sha384 or sha512; as hex, base64 or base64url",
    ),
    encoding(
        "encryption.hmac",
        "HMAC",
        &[ALGORITHM, input("key", Type::TEXT), DATA, DIGEST],
        TEXT_OUT,
        "signs UTF-8 with a key by one of these algorithms",
    ),
    encoding(
        "url.encodeComponent",
        "Encode Component",
        &[PLAIN],
        TEXT_OUT,
        "encodes a text for one place of a URL",
    ),
    encoding(
        "url.decodeComponent",
        "Decode Component",
        &[PLAIN],
        TEXT_OUT,
        "decodes percent signs and what they hide",
    ),
    encoding(
        "url.encode",
        "Encode Query",
        &[DATA_OBJECT],
        TEXT_OUT,
        "writes an object as the query of a URL",
    )
    .alias(&["url.encodeQuery"]),
    encoding(
        "url.decode",
        "Decode Query",
        &[input("query", Type::TEXT)],
        OBJECT_OUT,
        "reads the query of a URL as an object; of a name that stands there twice a list",
    )
    .alias(&["url.decodeQuery"]),
    encoding(
        "url.parse",
        "Parse",
        &[input("url", Type::TEXT)],
        &[
            output("protocol", Type::TEXT),
            output("auth", Type::TEXT),
            output("hostname", Type::TEXT),
            output("port", Type::NUMBER),
            output("pathname", Type::TEXT),
            output("query", Type::TEXT),
            output("hash", Type::TEXT),
        ],
        "takes a URL apart",
    ),
    encoding(
        "url.format",
        "Format",
        &[
            input("protocol", Type::TEXT).or("\"https\""),
            input("hostname", Type::TEXT),
            input("port", Type::NUMBER).optional(),
            input("pathname", Type::TEXT).optional(),
            QUERY,
            input("hash", Type::TEXT).optional(),
        ],
        TEXT_OUT,
        "puts a URL together",
    ),
];

const DATA_OBJECT: InputSpec = input("data", Type::OBJECT);
