//! Cards that work on values: objects, lists, dates, texts, numbers, truth values, JSON, hashes and URLs.

use super::super::spec::{CardSpec, Group, InputSpec, OutputSpec, input, output};
use crate::flow::value::Type;

const OBJECT_IN: InputSpec = input("object", Type::OBJECT);
const LIST_IN: InputSpec = input("list", Type::LIST);
const PATH: InputSpec = input("path", Type::TEXT);
const VALUE: InputSpec = input("value", Type::ANY).nullable();
const ITEM_IN: InputSpec = input("item", Type::ANY).nullable();
const FLOW: InputSpec = input("flo", Type::FLOW).label("flow");
const CONCURRENCY: InputSpec = input("concurrency", Type::NUMBER).or("1");
const TEXT_IN: InputSpec = input("string", Type::TEXT).label("text");
const LIST_OUT: OutputSpec = output("list", Type::LIST).typed_by_author();
const ITEM_OUT: OutputSpec = output("item", Type::ANY).typed_by_author();
const OBJECT_OUT: &[OutputSpec] = &[output("output", Type::OBJECT)];
const TEXT_OUT: &[OutputSpec] = &[output("output", Type::TEXT)];
const NUMBER_OUT: &[OutputSpec] = &[output("output", Type::NUMBER)];
const TRUTH_OUT: &[OutputSpec] = &[output("output", Type::BOOLEAN)];
const DATE_OUT: &[OutputSpec] = &[output("output", Type::DATE)];

type In = &'static [InputSpec];
type Out = &'static [OutputSpec];

const fn object(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Object, inputs, outputs, about)
}

pub(super) const OBJECT: &[CardSpec] = &[
    object("object.construct", "Construct", &[], OBJECT_OUT, "makes an object of the author's inputs")
        .author_inputs(),
    object(
        "object.get",
        "Get",
        &[OBJECT_IN.nullable(), input("path", Type::ANY)],
        &[output("output", Type::ANY).typed_by_author()],
        "gives the value at a dotted path (`a.2.b`, positions from 0), or at a list of literal keys; nothing where nothing stands",
    ),
    object(
        "object.pick",
        "Get Multiple",
        &[OBJECT_IN.nullable()],
        &[],
        "gives the values at several paths, each as the output that is called like the path",
    )
    .author_outputs(),
    object(
        "object.merge",
        "Merge",
        &[
            input("start", Type::OBJECT).nullable(),
            input("sink", Type::OBJECT).nullable(),
            input("object", Type::OBJECT).optional().repeated(),
        ],
        OBJECT_OUT,
        "gives the members of all objects; of members of one name the last counts, in the place of the first; not inside members",
    ),
    object(
        "object.set",
        "Set",
        &[OBJECT_IN.nullable(), PATH, VALUE],
        OBJECT_OUT,
        "gives the object with the value at the path; objects on the way are made",
    ),
    object(
        "object.unset",
        "Unset",
        &[OBJECT_IN, PATH],
        OBJECT_OUT,
        "gives the object without what stands at the path",
    ),
    object(
        "object.move",
        "Move",
        &[OBJECT_IN, input("from", Type::TEXT), input("to", Type::TEXT)],
        OBJECT_OUT,
        "gives the object with a value moved from one path to another; nothing at `from` changes nothing",
    ),
    object("object.keys", "Keys", &[OBJECT_IN], &[output("keys", Type::TEXT.list())], "gives the keys in order"),
    object(
        "object.values",
        "Values",
        &[OBJECT_IN],
        &[output("values", Type::LIST).typed_by_author()],
        "gives the values in order",
    ),
    object("object.size", "Size", &[OBJECT_IN], &[output("size", Type::NUMBER)], "counts the keys"),
    object(
        "object.filter",
        "Filter",
        &[OBJECT_IN],
        OBJECT_OUT,
        "drops members that are empty (nothing, an empty text, list or object), not inside members",
    ),
    object(
        "object.clearEmpty",
        "Clear Empty",
        &[OBJECT_IN, input("recursive", Type::BOOLEAN).or("true")],
        OBJECT_OUT,
        "drops members that are empty, also inside members, and what becomes empty by it",
    ),
    object(
        "object.zip",
        "Zip",
        &[input("keys", Type::TEXT.list()), input("values", Type::LIST)],
        OBJECT_OUT,
        "makes an object of two lists of the same length",
    ),
    object(
        "object.unzip",
        "Unzip",
        &[OBJECT_IN],
        &[output("keys", Type::TEXT.list()), output("values", Type::LIST).typed_by_author()],
        "gives the keys and the values as two lists",
    ),
    object(
        "object.collapse",
        "Collapse",
        &[input("list", Type::OBJECT.list()).repeated()],
        OBJECT_OUT,
        "makes one object of lists of `{key, value}`",
    ),
    object(
        "object.split",
        "Split",
        &[OBJECT_IN],
        &[output("list", Type::OBJECT.list())],
        "makes a list of `{key, value}` of an object",
    ),
    object(
        "object.map",
        "Map to List",
        &[OBJECT_IN, FLOW, CONCURRENCY],
        &[output("new list", Type::LIST).typed_by_author()],
        "calls a helper flow for every key and value and lists what it returns",
    )
    .alias(&["object.mapToList"])
    .by_run()
    .author_inputs(),
    object(
        "object.process",
        "Map",
        &[OBJECT_IN, FLOW, CONCURRENCY],
        OBJECT_OUT,
        "calls a helper flow for every key and value and makes an object of the `key` and `value` that it returns",
    )
    .by_run()
    .author_inputs(),
    object(
        "object.expand",
        "Expand",
        &[OBJECT_IN.nullable()],
        &[],
        "gives the members as outputs of their own; an export has it where an object was unfolded on a card",
    )
    .author_outputs(),
];

const fn list(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::List, inputs, outputs, about)
}

const fn with_flow(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    list(id, label, inputs, outputs, about).by_run().author_inputs()
}

const CONDITION: In = &[
    LIST_IN,
    PATH.optional(),
    input("operator", Type::TEXT).label("comparison operator").or("\"==\""),
    input("comparison", Type::ANY).label("value").optional(),
];
const BY_PATH: In = &[LIST_IN, PATH.optional()];
const LISTS: In = &[input("list", Type::LIST).repeated()];

pub(super) const LIST: &[CardSpec] = &[
    with_flow(
        "list.map",
        "Map",
        &[LIST_IN, FLOW, CONCURRENCY],
        &[output("new list", Type::LIST).typed_by_author()],
        "calls a helper flow for every item and lists what it returns",
    ),
    with_flow(
        "list.each",
        "For Each",
        &[LIST_IN, FLOW, CONCURRENCY],
        &[],
        "calls a helper flow for every item",
    ),
    with_flow(
        "list.asyncEach",
        "For Each – Ignore Errors",
        &[LIST_IN, FLOW, CONCURRENCY],
        &[],
        "calls a helper flow for every item; its errors do not stop the loop",
    ),
    with_flow(
        "list.filter",
        "Filter Custom",
        &[LIST_IN, FLOW, CONCURRENCY],
        &[LIST_OUT],
        "keeps the items for which a helper flow returns true",
    ),
    with_flow(
        "list.find",
        "Find Custom",
        &[LIST_IN, FLOW],
        &[ITEM_OUT, output("index", Type::NUMBER)],
        "gives the first item for which a helper flow returns true",
    ),
    with_flow(
        "list.reduce",
        "Reduce",
        &[LIST_IN, FLOW, input("memo", Type::ANY).nullable()],
        &[ITEM_OUT],
        "calls a helper flow for every item with what it returned for the item before",
    ),
    list(
        "list.filterBy",
        "Filter",
        CONDITION,
        &[LIST_OUT],
        "keeps the items whose value at the path satisfies the comparison; an empty path is the item itself",
    ),
    list(
        "list.findBy",
        "Find",
        CONDITION,
        &[ITEM_OUT, output("index", Type::NUMBER)],
        "gives the first item that satisfies the comparison, with its position; else nothing",
    ),
    list(
        "list.pluck",
        "Pluck",
        &[input("list", Type::OBJECT.list()), input("key", Type::TEXT)],
        &[output("values", Type::LIST).typed_by_author()],
        "gives the value at a dotted path of every item",
    ),
    list(
        "list.construct",
        "Construct",
        &[input("item", Type::ANY).optional().repeated()],
        &[LIST_OUT],
        "makes a list of the author's items",
    )
    .author_inputs(),
    list(
        "list.at",
        "At",
        &[LIST_IN, input("index", Type::NUMBER)],
        &[ITEM_OUT],
        "gives the item at a position from 0; a negative one counts from the end; nothing beyond",
    ),
    list("list.length", "Length", &[LIST_IN], &[output("length", Type::NUMBER)], "counts the items"),
    list(
        "list.shift",
        "Get First Item",
        &[LIST_IN],
        &[ITEM_OUT, LIST_OUT],
        "gives the first item, and the rest",
    ),
    list("list.pop", "Get Last Item", &[LIST_IN], &[ITEM_OUT, LIST_OUT], "gives the last item, and the rest"),
    list("list.push", "Add to End", &[LIST_IN.nullable(), ITEM_IN], &[LIST_OUT], "adds an item at the end")
        .alias(&["list.addToEnd"]),
    list(
        "list.unshift",
        "Add to Front",
        &[LIST_IN.nullable(), ITEM_IN],
        &[LIST_OUT],
        "adds an item at the front",
    )
    .alias(&["list.addToFront"]),
    list(
        "list.includes",
        "Includes",
        &[LIST_IN, VALUE],
        &[output("result", Type::BOOLEAN)],
        "whether an item equals the value",
    ),
    list(
        "list.uniqueBy",
        "Remove Duplicates",
        BY_PATH,
        &[output("unique list", Type::LIST).typed_by_author()],
        "keeps the first item of each value at the path; an empty path is the item itself",
    ),
    list(
        "list.sortBy",
        "Sort",
        BY_PATH,
        &[output("sorted list", Type::LIST).typed_by_author()],
        "orders the items by the value at the path, ascending; equal ones keep their order; nothing comes last",
    ),
    list("list.reverse", "Reverse", &[LIST_IN], &[LIST_OUT], "turns the order round"),
    list(
        "list.flatten",
        "Flatten",
        &[input("lists", Type::LIST)],
        &[LIST_OUT],
        "puts the items of inner lists in their list's place, one level",
    ),
    list(
        "list.union",
        "Union",
        LISTS,
        &[output("union", Type::LIST).typed_by_author()],
        "gives the values that are in any list, each once",
    ),
    list(
        "list.intersection",
        "Intersection",
        LISTS,
        &[LIST_OUT],
        "gives the values that are in every list, each once",
    ),
    list(
        "list.difference",
        "Difference",
        LISTS,
        &[LIST_OUT],
        "gives the items of the first list that are in no other",
    ),
    list(
        "list.join",
        "List to Text",
        &[LIST_IN, input("delimiter", Type::TEXT).or("\",\"")],
        &[output("string", Type::TEXT)],
        "writes the items as text, with a delimiter between them",
    ),
    list(
        "list.collapse",
        "Collapse",
        &[input("list", Type::OBJECT.list())],
        OBJECT_OUT,
        "merges a list of objects into one; of members of one name the last counts",
    ),
    list(
        "list.sample",
        "Sample",
        &[LIST_IN],
        &[ITEM_OUT],
        "gives an item by chance; nothing of an empty list",
    ),
    list(
        "list.indexBy",
        "Index By",
        &[LIST_IN, PATH],
        OBJECT_OUT,
        "makes an object of the items, keyed by their value at the path; of equal ones the last counts",
    ),
    list(
        "list.groupBy",
        "Group By",
        &[LIST_IN, PATH.optional()],
        OBJECT_OUT,
        "makes an object of lists of items, keyed by their value at the path",
    ),
    list(
        "list.combineAll",
        "Combine All",
        LISTS,
        &[output("list combined all", Type::LIST).typed_by_author()],
        "puts lists one after the other, duplicates included",
    ),
];

const fn date(
    id: &'static str,
    label: &'static str,
    inputs: In,
    outputs: Out,
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Date, inputs, outputs, about)
}

const START: InputSpec = input("start", Type::DATE);
const ZONE: InputSpec = input("zone", Type::TEXT).optional();
const UNITS: InputSpec = input("units", Type::TEXT);

pub(super) const DATE: &[CardSpec] = &[
    date(
        "date.now",
        "Now",
        &[],
        &[
            output("date", Type::DATE),
            output("iso", Type::TEXT),
            output("full", Type::TEXT),
            output("year", Type::NUMBER),
            output("month", Type::TEXT),
            output("day", Type::NUMBER),
            output("hour", Type::NUMBER),
            output("minute", Type::NUMBER),
            output("time", Type::TEXT),
        ],
        "gives the run's time, to the millisecond, in UTC",
    ),
    date(
        "date.add",
        "Add",
        &[
            input("start", Type::DATE).label("start date"),
            input("scale", Type::NUMBER).label("add").or("0"),
            UNITS,
        ],
        DATE_OUT,
        "gives the date so many units later; months and years end at the month's last day",
    ),
    date(
        "date.subtract",
        "Subtract",
        &[
            input("start", Type::DATE).label("start date"),
            input("scale", Type::NUMBER).label("subtract").or("0"),
            UNITS,
        ],
        DATE_OUT,
        "gives the date so many units earlier",
    ),
    date(
        "date.difference",
        "Difference",
        &[START, input("end", Type::DATE)],
        &[
            output("years", Type::NUMBER),
            output("months", Type::NUMBER),
            output("days", Type::NUMBER),
            output("hours", Type::NUMBER),
            output("minutes", Type::NUMBER),
            output("seconds", Type::NUMBER),
            output("milliseconds", Type::NUMBER),
        ],
        "gives the whole time between two dates, in each unit by itself, cut to whole units; negative when `end` is earlier",
    ),
    date(
        "date.format",
        "Date to Text",
        &[START, input("format", Type::TEXT).optional(), ZONE],
        TEXT_OUT,
        "writes a date in a moment format, in UTC or a zone; without a format ISO 8601",
    ),
    date(
        "date.parse",
        "Text to Date",
        &[
            input("start", Type::TEXT),
            input("format", Type::TEXT).optional(),
            ZONE,
            input("strict", Type::BOOLEAN).or("false"),
        ],
        DATE_OUT,
        "reads a date in a moment format; without a format ISO 8601; without an offset in the text, in UTC or the zone",
    ),
    date(
        "date.fromISO",
        "Convert",
        &[input("start", Type::TEXT), input("format", Type::TEXT).optional(), ZONE],
        &[
            output("date", Type::DATE),
            output("iso", Type::TEXT),
            output("epoch", Type::NUMBER),
            output("unix", Type::NUMBER),
            output("human", Type::TEXT),
            output("custom", Type::TEXT),
        ],
        "gives an ISO 8601 date in several forms; `custom` in the format and zone",
    ),
    date("date.unix", "To UNIX", &[START], NUMBER_OUT, "gives whole seconds since 1970")
        .alias(&["date.toUnix"]),
    date("date.epoch", "To EPOCH", &[START], NUMBER_OUT, "gives milliseconds since 1970")
        .alias(&["date.toEpoch"]),
];

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
const POSITION_OUT: &[OutputSpec] = &[output("output", Type::NUMBER)];

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
        POSITION_OUT,
        "gives the position of a text's first appearance, from 0; −1 when there is none",
    )
    .alias(&["text.find"]),
    text(
        "string.findLast",
        "Find Last",
        &[LOOK_IN, TARGET, SENSITIVE],
        POSITION_OUT,
        "gives the position of a text's last appearance; −1 when there is none",
    )
    .alias(&["text.findLast"]),
    text(
        "string.match",
        "Find Pattern",
        &[LOOK_IN, TARGET, SENSITIVE],
        POSITION_OUT,
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
