//! Cards that work on objects, lists and dates.

use super::super::spec::{CardSpec, Group, InputSpec, OutputSpec, input, output};
use crate::flow::value::Type;

const OBJECT_IN: InputSpec = input("object", Type::OBJECT);
const LIST_IN: InputSpec = input("list", Type::LIST);
const PATH: InputSpec = input("path", Type::TEXT);
pub(super) const VALUE: InputSpec = input("value", Type::ANY).nullable();
const ITEM_IN: InputSpec = input("item", Type::ANY).nullable();
const FLOW: InputSpec = input("flo", Type::FLOW).label("flow");
const CONCURRENCY: InputSpec = input("concurrency", Type::NUMBER).or("1");
const LIST_OUT: OutputSpec = output("list", Type::LIST).typed_by_author();
const ITEM_OUT: OutputSpec = output("item", Type::ANY).typed_by_author();
pub(super) const OBJECT_OUT: Out = &[output("output", Type::OBJECT)];
pub(super) const TEXT_OUT: Out = &[output("output", Type::TEXT)];
const NUMBER_OUT: &[OutputSpec] = &[output("output", Type::NUMBER)];
const DATE_OUT: &[OutputSpec] = &[output("output", Type::DATE)];

pub(super) type In = &'static [InputSpec];
pub(super) type Out = &'static [OutputSpec];

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
