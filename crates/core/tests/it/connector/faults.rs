//! Every fault of a connector's document, named by its place.

use super::*;

#[test]
fn what_is_no_document_is_said() {
    let said = |text: &str| Document::parse(text).unwrap_err().to_string();
    assert_eq!(
        said("[]"),
        "the connector's document is a list and not an object; write it as `{\"name\": …, \"resources\": […]}`"
    );
    assert!(
        said("{").starts_with("the connector's document cannot be read: it is not well-formed JSON (EOF")
    );
    assert!(said(&"[".repeat(1_000)).contains("nested more than 128 deep; flatten it"));
    assert!(said(&format!("\"{}\"", "x".repeat(9_000_000))).contains("split the connector"));
}

#[test]
fn every_fault_of_the_whole_is_named() {
    let words = "write `none`, `basic`, `apiKey`, `oauth2`, `oauth2ClientCredentials`, `oauth2Password`, `oauth1` or `custom`";
    faulty(json!({"name": null}), &["name: `name` is missing; give the connector a name"]);
    faulty(json!({"name": 7}), &["name: a number is not a text; write a text in quotes"]);
    faulty(
        json!({"key": "a b"}),
        &[
            "key: `a b` cannot be a key; use letters, digits, `-`, `_` and `.`, because it stands in addresses",
        ],
    );
    let missing = "authentication: `authentication` is missing; write `\"authentication\": {\"type\": …}` with `none`, \
                   `basic`, `apiKey`, `oauth2`, `oauth2ClientCredentials`, `oauth2Password`, `oauth1` or `custom`";
    faulty(json!({"authentication": null}), &[missing]);
    faulty(json!({"authentication": {}}), &[&format!("authentication.type: `type` is missing; {words}")]);
    faulty(
        json!({"authentication": {"type": "kerberos"}}),
        &[&format!(
            "authentication.type: `kerberos` is not a way to authenticate that is known here; {words}"
        )],
    );
    faulty(
        json!({"authentication": "oauth2"}),
        &["authentication: a text stands where an object is expected; write it in braces"],
    );
    faulty(
        json!({"configuration": {}}),
        &["configuration: an object stands where a list is expected; write it in brackets"],
    );
    faulty(json!({"active": "perhaps"}), &["active: it is neither true nor false; write true or false"]);
    faulty(
        json!({"resources": ["x"], "hooks": [7]}),
        &[
            "hooks[0]: a number stands where an object is expected; write it in braces",
            "resources[0]: a text stands where an object is expected; write it in braces",
        ],
    );
}

#[test]
fn every_fault_of_a_configuration_entry_is_named() {
    faulty(
        json!({"configuration": [{}]}),
        &["configuration[0].key: `key` is missing; name the key that instances set"],
    );
    faulty(
        json!({"configuration": [{"key": "a", "type": "TEXT"}]}),
        &[
            "configuration[0].type: `TEXT` is not a type of an entry; write BOOLEAN, PASSWORD, TEXTAREA, COMBO, or \
           TEXTFIELD_ and a length, such as TEXTFIELD_128",
        ],
    );
    faulty(
        json!({"configuration": [{"key": "a", "defaultValue": {"x": 1}, "required": 7}]}),
        &[
            "configuration[0].defaultValue: an object is not a text; write a text in quotes",
            "configuration[0].required: it is neither true nor false; write true or false",
        ],
    );
    faulty(
        json!({"configuration": [{"key": "a"}, {"key": "b"}, {"key": "a"}]}),
        &[
            "configuration[2].key: the key `a` is there already, at configuration[0]; keep one of the two entries",
        ],
    );
    let checked = checked(&small(json!({"configuration": [{"key": "event.poller.config"}]})));
    let said = checked.faults[0].to_string();
    assert!(
        said.starts_with("configuration[0].key: `event.poller.config` is not a key of the event framework"),
        "{said}"
    );
    assert!(said.contains("`event.poller.configuration`"), "{said}");
}

#[test]
fn every_fault_of_a_parameter_is_named() {
    let one = |parameter: Value| json!({"parameters": [parameter]});
    faulty(
        one(json!({"type": "query"})),
        &["parameters[0].name: `name` is missing; name the parameter, or the value of a `value` parameter"],
    );
    let places = "write one of configuration, header, path, query, body, bodyField, form, multipart, file, value, \
                  customValue, prevBody, prevBodyField, bodyToken, no-op";
    faulty(one(json!({"name": "a"})), &[&format!("parameters[0].type: `type` is missing; {places}")]);
    faulty(
        one(json!({"name": "a", "type": "query", "source": "both"})),
        &["parameters[0].source: `both` is not one of its values; write `request`, `response`"],
    );
    faulty(
        one(json!({"name": "a", "type": "query", "converter": "toSql"})),
        &[
            "parameters[0].converter: there is no converter `toSql`; use `toQueryParameters` or `toODataFilter`, or a \
           hook",
        ],
    );
    faulty(
        one(json!({"name": "where", "type": "query", "vendorName": "converter: toSql"})),
        &["parameters[0].vendorName: there is no converter `toSql`; use `toQueryParameters` or \
           `toODataFilter`, or a hook"],
    );
    faulty(
        one(json!({"name": "a..b", "type": "bodyField"})),
        &["parameters[0].name: `a..b` is not a place; write the place of a member, such as `contact.email`"],
    );
    warned(
        one(json!({"name": "a", "type": "cookie", "vendorType": "header"})),
        &[&format!(
            "parameters[0].type: `cookie` is not a place that we know, so the parameter is not sent; {places}"
        )],
    );
}

#[test]
fn every_fault_of_a_hook_is_named() {
    let one = |hook: Value| json!({"hooks": [hook]});
    faulty(
        one(json!({})),
        &[
            "hooks[0].type: `type` is missing; write preRequest, postRequest or event",
            "hooks[0].body: `body` is missing; write the JavaScript of the hook",
        ],
    );
    faulty(
        one(json!({"type": "midRequest", "body": ""})),
        &[
            "hooks[0].type: `midRequest` is not one of its values; write `preRequest`, `postRequest`, `event`, `events`",
        ],
    );
    faulty(
        one(json!({"type": "event", "body": "", "mimeType": "text/x-python"})),
        &["hooks[0].mimeType: `text/x-python` is not JavaScript; write `application/javascript`"],
    );
    faulty(
        one(json!({"type": "event", "body": "x".repeat(300_000)})),
        &["hooks[0].body: the hook has 300000 bytes; shorten it to 262144 bytes"],
    );
    let remedy = "the calls around it fail until the hook does without: `lodash` and `util` are there";
    let body = "const h = require('https'), l = require(\"lodash\"), f = require('lodash/fp');\nrequire( 'http' ); require('https'); notify.email('a');";
    warned(
        one(json!({"type": "preRequest", "body": body})),
        &[
            &format!(
                "hooks[0].body: the hook requires `https`, and hooks have no network and no files; {remedy}"
            ),
            &format!(
                "hooks[0].body: the hook requires `http`, and hooks have no network and no files; {remedy}"
            ),
            "hooks[0].body: the hook calls `notify.email`, and hooks cannot send mail; the calls around it fail there; \
             let a callback send the mail",
        ],
    );
}

#[test]
fn every_fault_of_a_resource_is_named() {
    let one = |resource: Value| json!({"resources": [resource]});
    faulty(
        one(json!({})),
        &[
            "resources[0].path: `path` is missing; write it like `/hubs/crm/contacts/{id}`",
            "resources[0].method: `method` is missing; write GET, POST, PUT, PATCH or DELETE",
        ],
    );
    faulty(
        one(json!({"path": "/x/{id", "method": "FETCH", "type": "webhook"})),
        &[
            "resources[0].type: `webhook` is not one of its values; write `api`, `apiElementRequest`, \
             `apiNoDocumentation`, `onProvision`, `onDelete`, `onRefresh`, `provisionAuthValidation`, \
             `oauthOnAuthroizeUrl`, `oauthOnAuthorizeUrl`, `oauthOnTokenExchange`, `oauthOnTokenRefresh`, \
             `oauthOnTokenRevoke`, `oauth1OnTokenRequest`, `oauth2ClientCredentials`, `onProvisionWebhook`, \
             `onDeleteWebhook`",
            "resources[0].path: a brace of `/x/{id` is not closed; write it like `/contacts/{id}`, in at most 2048 bytes",
            "resources[0].method: `FETCH` is not a method; write GET, POST, PUT, PATCH or DELETE",
        ],
    );
    faulty(
        one(json!({"path": "/x", "method": "GET", "rootKey": "a[x]", "model": "m"})),
        &[
            "resources[0].rootKey: `x` is not a position; write it as `data.items`, `data[*]`, `[0]`, or \
             `request|response`",
            "resources[0].model: a text stands where an object is expected; write it in braces",
        ],
    );
    faulty(
        json!({"resources": [
            {"path": "/hubs/crm/x/{id}", "method": "GET"},
            {"path": "/x/{key}/", "method": "GETBYID"},
            {"path": "/x/{key}", "method": "POST"},
        ]}),
        &[
            "resources[1].path: `GET /x/{key}/` answers the same calls as resources[0]; keep one of the two, or give \
           them different paths",
        ],
    );
    faulty(
        one(
            json!({"path": "/x", "method": "GET", "parameters": [{"name": "a", "type": "query", "converter": "x"}],
                   "hooks": [{"type": "y", "body": ""}]}),
        ),
        &[
            "resources[0].parameters[0].converter: there is no converter `x`; use `toQueryParameters` or \
             `toODataFilter`, or a hook",
            "resources[0].hooks[0].type: `y` is not one of its values; write `preRequest`, `postRequest`, `event`, \
             `events`",
        ],
    );
}

#[test]
fn chains_must_lead_somewhere_and_end() {
    let chain = |first: &str, second: &str| {
        json!({"resources": [
            {"path": "/a", "method": "GET", "nextResource": first},
            {"path": "/b", "method": "GET", "nextResource": second, "operationId": "readB"},
        ]})
    };
    assert_eq!(connector(&small(chain("readB", ""))).resources[0].next, Some(1));
    assert_eq!(connector(&small(chain("get /hubs/any/b", ""))).resources[0].next, Some(1));
    faulty(
        chain("GET /c", ""),
        &[
            "resources[0].nextResource: there is no resource `GET /c`; name one as `GET /path`, or by its `operationId`",
        ],
    );
    faulty(
        chain("GET /b", "GET /a"),
        &[
            "resources[0].nextResource: the chain of resources comes back to where it was and never ends; end the chain",
        ],
    );
    faulty(
        chain("GET /a", ""),
        &[
            "resources[0].nextResource: the chain of resources comes back to where it was and never ends; end the chain",
        ],
    );
}

#[test]
fn a_poller_configuration_that_does_not_check_is_a_warning() {
    let poller =
        |text: &str| json!({"configuration": [{"key": "event.poller.configuration", "defaultValue": text}]});
    let said = checked(&small(poller("{\"x\":"))).warnings[0].to_string();
    assert!(
        said.starts_with("configuration[0].defaultValue: the poller configuration is not a JSON object (EOF"),
        "{said}"
    );
    let warnings = checked(&small(poller("{\"deals\":{\"url\":\"/hubs/crm/deals\"}}"))).warnings;
    assert!(
        warnings.iter().any(|fault| {
            fault.path == "configuration[0].defaultValue.deals" && fault.problem == "`idField` is missing"
        }),
        "{warnings:#?}"
    );
    warned(
        json!({"authentication": {"type": "apiKey"}}),
        &["authentication.type: no parameter places a key, so calls carry none; add a parameter of type \
           `configuration` with the key's name, for a header or the query"],
    );
    let aws = checked(&small(json!({"authentication": {"type": "awsv4"}})));
    assert!(aws.connector.is_some() && aws.warnings[0].problem.contains("not signed as Amazon wants it"));
}
