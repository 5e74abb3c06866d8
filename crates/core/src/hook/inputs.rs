//! What a hook may read: the documented names, each with a JSON text.
//!
//! Not here: where the values come from; the caller of a hook knows.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::HookKind;

macro_rules! input_names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A documented input of a hook.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the name of each is its documentation")]
        pub enum InputName {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl InputName {
            /// Every name, in the order of the field's documentation.
            pub const ALL: &'static [InputName] = &[$(InputName::$variant),*];

            /// The name as a hook spells it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(InputName::$variant => $name,)*
                }
            }
        }
    };
}

input_names! {
    RequestBody = "request_body",
    RequestBodyMap = "request_body_map",
    RequestHeaders = "request_headers",
    RequestPath = "request_path",
    RequestPathVariables = "request_path_variables",
    RequestParameters = "request_parameters",
    RequestMethod = "request_method",
    RequestVendorBody = "request_vendor_body",
    RequestVendorBodyMap = "request_vendor_body_map",
    RequestVendorHeaders = "request_vendor_headers",
    RequestVendorParameters = "request_vendor_parameters",
    RequestVendorPath = "request_vendor_path",
    RequestVendorMethod = "request_vendor_method",
    RequestVendorUrl = "request_vendor_url",
    RequestExpression = "request_expression",
    RequestPreviousResponse = "request_previous_response",
    RequestPreviousResponseHeaders = "request_previous_response_headers",
    ObjectName = "object_name",
    MetaData = "meta_data",
    Configuration = "configuration",
    ResponseBody = "response_body",
    ResponseHeaders = "response_headers",
    ResponseStatusCode = "response_status_code",
    ResponseIsError = "response_iserror",
    Events = "events",
}

impl InputName {
    /// The input with this name.
    pub fn parse(name: &str) -> Option<InputName> {
        InputName::ALL.iter().copied().find(|input| input.as_str() == name)
    }

    /// Whether hooks of this kind are documented to have it.
    pub fn is_for(self, kind: HookKind) -> bool {
        match self {
            InputName::Configuration => true,
            InputName::Events => kind == HookKind::Event,
            InputName::ResponseBody
            | InputName::ResponseHeaders
            | InputName::ResponseStatusCode
            | InputName::ResponseIsError => kind == HookKind::PostRequest,
            InputName::RequestBody
            | InputName::RequestBodyMap
            | InputName::RequestHeaders
            | InputName::RequestPath
            | InputName::RequestPathVariables
            | InputName::RequestParameters
            | InputName::RequestMethod
            | InputName::RequestVendorBody
            | InputName::RequestVendorBodyMap
            | InputName::RequestVendorHeaders
            | InputName::RequestVendorParameters
            | InputName::RequestVendorPath
            | InputName::RequestVendorMethod
            | InputName::RequestVendorUrl
            | InputName::RequestExpression
            | InputName::RequestPreviousResponse
            | InputName::RequestPreviousResponseHeaders
            | InputName::ObjectName
            | InputName::MetaData => kind != HookKind::Event,
        }
    }
}

/// The inputs of one run: names with JSON texts. A name that is not set is `undefined` in the script.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HookInputs(Vec<(InputName, Box<RawValue>)>);

impl HookInputs {
    /// None yet.
    pub fn new() -> Self {
        HookInputs::default()
    }

    /// Gives the input its JSON text; a later text replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: InputName, json: Box<RawValue>) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, json));
        self
    }

    /// Gives the input a text as its value.
    #[must_use]
    pub fn with_text(self, name: InputName, text: &str) -> Self {
        let json = serde_json::value::to_raw_value(text).expect("a text is always JSON");
        self.with(name, json)
    }

    /// Names and JSON texts, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (InputName, &RawValue)> {
        self.0.iter().map(|(name, json)| (*name, json.as_ref()))
    }

    /// Bytes of all texts together.
    pub fn len_bytes(&self) -> usize {
        self.0.iter().map(|(_, json)| json.get().len()).sum()
    }

    /// Reads an object whose members are inputs by name. Fails with the sentence to show.
    pub fn from_json(text: &str, kind: HookKind) -> Result<Self, String> {
        let members: super::outcome::Members<'_> = serde_json::from_str(text).map_err(|error| {
            format!("the inputs are not a JSON object ({error}); write {{\"name\": value}}")
        })?;
        let mut inputs = HookInputs::new();
        for (name, json) in members.0 {
            match InputName::parse(&name) {
                Some(input) if input.is_for(kind) => inputs = inputs.with(input, json.to_owned()),
                Some(_) => {
                    return Err(format!(
                        "`{name}` is no input of a hook of type {}, leave it out",
                        kind.as_str()
                    ));
                }
                None => {
                    return Err(format!("`{name}` is no input of a hook, see docs/hooks.md for their names"));
                }
            }
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for &input in InputName::ALL {
            assert_eq!(InputName::parse(input.as_str()), Some(input));
        }
        assert_eq!(InputName::parse("response_error"), None);
        assert_eq!(InputName::ALL.len(), 25);
    }

    #[test]
    fn each_kind_has_its_inputs() {
        let count = |kind| InputName::ALL.iter().filter(|input| input.is_for(kind)).count();
        assert_eq!(count(HookKind::PreRequest), 20);
        assert_eq!(count(HookKind::PostRequest), 24);
        assert_eq!(count(HookKind::Event), 2);
    }

    #[test]
    fn inputs_keep_their_text() {
        let inputs =
            HookInputs::from_json(r#"{"events": {"id": 12345678901234567890, "a": 1.0}}"#, HookKind::Event);
        let inputs = inputs.unwrap();
        let texts: Vec<_> = inputs.iter().map(|(name, json)| (name.as_str(), json.get())).collect();
        assert_eq!(texts, [("events", r#"{"id": 12345678901234567890, "a": 1.0}"#)]);
        let sent = serde_json::to_string(&inputs).unwrap();
        let back: HookInputs = serde_json::from_str(&sent).unwrap();
        assert_eq!(back.iter().next().unwrap().1.get(), r#"{"id": 12345678901234567890, "a": 1.0}"#);
    }

    #[test]
    fn unknown_and_misplaced_inputs_are_named() {
        let refused = |text, kind| HookInputs::from_json(text, kind).unwrap_err();
        assert!(refused(r#"{"event": 1}"#, HookKind::Event).contains("`event` is no input"));
        assert!(refused(r#"{"response_body": 1}"#, HookKind::PreRequest).contains("type preRequest"));
        assert!(refused("[1]", HookKind::Event).contains("not a JSON object"));
    }
}
