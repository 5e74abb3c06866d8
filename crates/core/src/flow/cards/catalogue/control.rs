//! Cards that begin and steer flows, branch, handle errors, and ask providers.

use super::super::spec::{CardSpec, Group, InputSpec, OutputSpec, input, output};
use crate::flow::value::Type;

const NONE: &[InputSpec] = &[];
const NOTHING: &[OutputSpec] = &[];
const FLOW: InputSpec = input("flo", Type::FLOW).label("flow");
const LEFT: InputSpec = input("left-operand", Type::ANY).label("value a").nullable();
const OPERATOR: InputSpec = input("operator", Type::TEXT).label("comparison");
const RIGHT: InputSpec = input("right-operand", Type::ANY).label("value b").optional();
const STATUS: InputSpec = input("statusCode", Type::NUMBER).label("status code");
const MESSAGE: InputSpec = input("message", Type::TEXT);

const fn event(
    id: &'static str,
    label: &'static str,
    outputs: &'static [OutputSpec],
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Event, NONE, outputs, about).by_run().author_outputs()
}

const CONTEXT: &[OutputSpec] = &[output("context", Type::OBJECT)];

pub(super) const EVENT: &[CardSpec] = &[
    event(
        "control.pollingMonitor",
        "Polling Monitor",
        &[output("Cursor", Type::ANY).typed_by_author()],
        "begins a monitor; gives the cursor that the last committed run saved, nothing on the first run",
    ),
    event(
        "control.callable",
        "Helper Flow",
        CONTEXT,
        "begins a flow that others call; its outputs are its parameters",
    ),
    event("control.scheduled", "Scheduled Flow", CONTEXT, "begins a flow that runs by a schedule"),
    event(
        "control.connectorAction",
        "Connector Action",
        &[output("Selected Outputs", Type::OBJECT)],
        "begins an action that other flows use as a card",
    ),
    event("control.authping", "Authping", NOTHING, "begins `_authping`, which tries a connection"),
    event("control.webhookEvent", "Webhook Event", NOTHING, "begins a flow for each inbound webhook"),
    event(
        "control.webhookRegistration",
        "Webhook Event: Registration",
        NOTHING,
        "begins the flow that registers a webhook with the provider",
    ),
    event(
        "control.webhookDeregistration",
        "Webhook Event: Deregistration",
        NOTHING,
        "begins the flow that takes a webhook back",
    ),
    event(
        "control.apiEndpoint",
        "API Endpoint",
        &[output("raw", Type::OBJECT), output("headers", Type::OBJECT), output("query", Type::OBJECT)],
        "begins a flow that is called over HTTP",
    ),
    event("control.delegated", "Delegated Flow", CONTEXT, "begins a flow that a person starts"),
];

const fn control(
    id: &'static str,
    label: &'static str,
    inputs: &'static [InputSpec],
    outputs: &'static [OutputSpec],
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Control, inputs, outputs, about)
}

pub(super) const CONTROL: &[CardSpec] = &[
    control(
        "control.cursor",
        "Cursor",
        &[input("Properties", Type::ANY)],
        NOTHING,
        "saves a value as the cursor of the next run; only in a monitor",
    )
    .by_run(),
    control(
        "control.returnOutputs",
        "Return Outputs",
        &[input("List", Type::OBJECT.list()).optional()],
        NOTHING,
        "ends a monitor or an action and hands its records over",
    )
    .by_run()
    .author_inputs(),
    control(
        "control.spawn",
        "Call Flow",
        &[FLOW],
        NOTHING,
        "runs a helper flow and waits for what it returns",
    )
    .by_run()
    .author_inputs()
    .author_outputs(),
    control("control.run", "Call Flow Async", &[FLOW], NOTHING, "starts a helper flow and goes on")
        .by_run()
        .author_inputs(),
    control("control.return", "Return", NONE, NOTHING, "ends the flow and gives values to its caller")
        .by_run()
        .author_inputs()
        .mirrored(),
    control(
        "control.returnRaw",
        "Return Raw",
        &[STATUS, input("headers", Type::OBJECT).optional(), input("body", Type::TEXT).optional()],
        NOTHING,
        "ends the flow with an HTTP answer",
    )
    .by_run()
    .mirrored(),
    control(
        "control.close",
        "Close",
        &[STATUS, input("headers", Type::OBJECT).optional(), input("body", Type::TEXT).optional()],
        NOTHING,
        "answers the caller; the flow goes on",
    )
    .alias(&["http.close"])
    .by_run(),
    control("control.let", "Assign", NONE, NOTHING, "gives values a name").author_inputs().mirrored(),
    control(
        "control.wait",
        "Wait For",
        &[input("delay", Type::NUMBER), input("unit", Type::TEXT).or("\"second\"")],
        NOTHING,
        "pauses",
    )
    .by_run(),
    control(
        "control.times",
        "Repeat",
        &[input("count", Type::NUMBER), FLOW, input("concurrency", Type::NUMBER).or("1")],
        NOTHING,
        "calls a helper flow so many times",
    )
    .by_run()
    .author_inputs(),
    control("control.comment", "Comment", &[input("text", Type::TEXT).optional()], NOTHING, "does nothing")
        .author_inputs(),
];

const fn branching(
    id: &'static str,
    label: &'static str,
    inputs: &'static [InputSpec],
    outputs: &'static [OutputSpec],
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Branching, inputs, outputs, about)
}

pub(super) const BRANCHING: &[CardSpec] = &[
    branching(
        "control.if",
        "If/Else",
        &[LEFT, OPERATOR, RIGHT],
        NOTHING,
        "runs the cards of one of two branches",
    )
    .by_run()
    .author_outputs(),
    branching(
        "control.branch",
        "If/ElseIf",
        &[LEFT, OPERATOR, RIGHT, FLOW.optional()],
        NOTHING,
        "runs the block of the first condition that is true, else that of Else",
    )
    .by_run()
    .author_inputs()
    .author_outputs(),
    branching(
        "control.assignIf",
        "Assign If",
        &[
            LEFT,
            OPERATOR,
            RIGHT,
            input("value if true", Type::ANY).optional(),
            input("value if false", Type::ANY).optional(),
        ],
        &[output("output", Type::ANY).typed_by_author()],
        "gives one of two values, by a condition",
    ),
    branching(
        "control.continueIf",
        "Continue If",
        &[LEFT, OPERATOR, RIGHT, MESSAGE.optional()],
        &[output("message", Type::TEXT)],
        "when the condition is false, ends the flow without an error; inside a block it leaves the block",
    )
    .by_run(),
    branching(
        "control.lookup",
        "Lookup",
        &[input("key", Type::TEXT), input("else", Type::ANY).optional()],
        &[output("result", Type::ANY).typed_by_author()],
        "gives the value of the option that is called like the key, else `else`; options are the author's inputs, or one object `options`",
    )
    .author_inputs(),
];

const fn errors(
    id: &'static str,
    label: &'static str,
    inputs: &'static [InputSpec],
    outputs: &'static [OutputSpec],
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Errors, inputs, outputs, about).by_run()
}

pub(super) const ERRORS: &[CardSpec] = &[
    errors(
        "control.tryCatch",
        "If Error",
        &[input("try", Type::FLOW).optional(), input("catch", Type::FLOW).label("if error").optional()],
        NOTHING,
        "runs the Try block; an error in it runs the If Error block, which gets `error`",
    )
    .author_outputs(),
    errors(
        "control.throw",
        "Return Error",
        &[STATUS.or("500"), MESSAGE.optional()],
        NOTHING,
        "ends the flow with an error",
    )
    .mirrored(),
    errors(
        "control.throwIf",
        "Return Error If",
        &[LEFT, OPERATOR, RIGHT, MESSAGE.optional(), STATUS.or("500")],
        NOTHING,
        "ends the flow with an error when the condition is true",
    ),
];

const fn http(
    id: &'static str,
    label: &'static str,
    inputs: &'static [InputSpec],
    outputs: &'static [OutputSpec],
    about: &'static str,
) -> CardSpec {
    CardSpec::new(id, label, Group::Http, inputs, outputs, about).by_run()
}

const URL: InputSpec = input("url", Type::TEXT).label("URL");
const QUERY: InputSpec = input("query", Type::OBJECT).label("Query").optional();
const HEADERS: InputSpec = input("headers", Type::OBJECT).label("Headers").optional();
const BODY: InputSpec = input("body", Type::OBJECT).label("Body").optional();
const BODY_OUT: OutputSpec = output("body", Type::ANY).typed_by_author();
const ANSWER: &[OutputSpec] =
    &[output("statusCode", Type::NUMBER), output("headers", Type::OBJECT), BODY_OUT];

pub(super) const HTTP: &[CardSpec] = &[
    http(
        "http.raw",
        "Raw Request",
        &[
            URL,
            input("method", Type::TEXT).label("Method").or("\"GET\""),
            QUERY,
            HEADERS,
            input("body", Type::TEXT).label("Body").optional(),
        ],
        &[output("statusCode", Type::NUMBER), output("headers", Type::OBJECT), output("body", Type::TEXT)],
        "sends a request; its body and the answer's are texts",
    )
    .alias(&["httpfunctions.raw"]),
    http("http.get", "Get", &[URL, QUERY, HEADERS], ANSWER, "sends a GET").alias(&["httpfunctions.get"]),
    http("http.post", "Post", &[URL, QUERY, HEADERS, BODY], ANSWER, "sends a POST")
        .alias(&["httpfunctions.post"]),
    http("http.put", "Put", &[URL, QUERY, HEADERS, BODY], ANSWER, "sends a PUT")
        .alias(&["httpfunctions.put"]),
    http("http.patch", "Patch", &[URL, QUERY, HEADERS, BODY], ANSWER, "sends a PATCH")
        .alias(&["httpfunctions.patch"]),
    http("http.delete", "Delete", &[URL, QUERY, HEADERS, BODY], ANSWER, "sends a DELETE")
        .alias(&["httpfunctions.delete"]),
    http(
        "http.paginate",
        "Paginate",
        &[URL, QUERY, HEADERS, FLOW, input("maximum", Type::NUMBER).or("5000")],
        &[output("records", Type::LIST)],
        "calls a helper flow for every page",
    )
    .alias(&["httpfunctions.paginate"])
    .author_inputs(),
];
