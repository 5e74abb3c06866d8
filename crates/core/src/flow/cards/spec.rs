//! What a card declares.

use super::super::value::Type;

/// A section of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// First cards of a flow (§2).
    Event,
    /// Flow control (§3).
    Control,
    /// Branching (§4).
    Branching,
    /// Errors (§5).
    Errors,
    /// Object (§6).
    Object,
    /// List (§7).
    List,
    /// Date & Time (§8).
    Date,
    /// Text (§9).
    Text,
    /// Number (§9).
    Number,
    /// True/False (§9).
    Logic,
    /// JSON (§9).
    Json,
    /// Hashes and URLs (§9).
    Encoding,
    /// HTTP (§10).
    Http,
}

impl Group {
    /// Every section in the catalogue's order.
    pub const ALL: [Group; 13] = [
        Group::Event,
        Group::Control,
        Group::Branching,
        Group::Errors,
        Group::Object,
        Group::List,
        Group::Date,
        Group::Text,
        Group::Number,
        Group::Logic,
        Group::Json,
        Group::Encoding,
        Group::Http,
    ];

    /// The section's name.
    pub fn label(self) -> &'static str {
        match self {
            Group::Event => "Event",
            Group::Control => "Flow control",
            Group::Branching => "Branching",
            Group::Errors => "Error handling",
            Group::Object => "Object",
            Group::List => "List",
            Group::Date => "Date & Time",
            Group::Text => "Text",
            Group::Number => "Number",
            Group::Logic => "True/False",
            Group::Json => "JSON",
            Group::Encoding => "Encryption and URL",
            Group::Http => "HTTP",
        }
    }
}

/// Who carries out a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runs {
    /// It is a function of its inputs: [`super::evaluate`] does.
    Pure,
    /// It steers the run, calls another flow or asks a provider: the run does.
    Flow,
}

/// One card of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct CardSpec {
    /// Its id in exported flows; ours, in the same style, where no export shows one.
    pub id: &'static str,
    /// Other ids that mean the same card.
    pub aliases: &'static [&'static str],
    /// The name that people see.
    pub label: &'static str,
    /// Its section.
    pub group: Group,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Who carries it out.
    pub runs: Runs,
    /// Its given inputs.
    pub inputs: &'static [InputSpec],
    /// Its given outputs.
    pub outputs: &'static [OutputSpec],
    /// Whether the author adds inputs of his own, of any type.
    pub author_inputs: bool,
    /// Whether the author adds outputs of his own.
    pub author_outputs: bool,
    /// Whether it gives all its inputs again as outputs of the same keys.
    pub mirrored: bool,
}

/// One given input.
#[derive(Clone, Copy, Debug)]
pub struct InputSpec {
    /// Its key in exported flows.
    pub key: &'static str,
    /// The name that people see.
    pub label: &'static str,
    /// Its type.
    pub of: Type,
    /// Whether the author must fill it in.
    pub required: bool,
    /// Whether a required one may turn out to be nothing when the flow runs. Texts always may: they are empty then.
    pub nullable: bool,
    /// The JSON of the value that it has when it is not filled in.
    pub default: Option<&'static str>,
    /// Whether there may be several: `key 1`, `key 2`… (or `key1`), in the order of their numbers. The bare key
    /// counts as the first.
    pub repeated: bool,
}

/// One given output.
#[derive(Clone, Copy, Debug)]
pub struct OutputSpec {
    /// Its key.
    pub key: &'static str,
    /// Its type.
    pub of: Type,
    /// Whether the author chooses a narrower type, to which the value is converted.
    pub typed_by_author: bool,
}

impl CardSpec {
    /// The given input that a key or a label names: `left-operand` or `value a`, and `text 2` for a repeated `text`.
    pub fn input(&self, name: &str) -> Option<&'static InputSpec> {
        let by_name = |input: &&InputSpec| {
            input.key == name || input.label.eq_ignore_ascii_case(name) || input.number_of(name).is_some()
        };
        self.inputs.iter().find(|input| input.key == name).or_else(|| self.inputs.iter().find(by_name))
    }

    /// The given output of this key.
    pub fn output(&self, key: &str) -> Option<&'static OutputSpec> {
        self.outputs.iter().find(|output| output.key == key)
    }

    pub(super) const fn new(
        id: &'static str,
        label: &'static str,
        group: Group,
        inputs: &'static [InputSpec],
        outputs: &'static [OutputSpec],
        about: &'static str,
    ) -> CardSpec {
        CardSpec {
            id,
            aliases: &[],
            label,
            group,
            about,
            runs: Runs::Pure,
            inputs,
            outputs,
            author_inputs: false,
            author_outputs: false,
            mirrored: false,
        }
    }

    pub(super) const fn alias(mut self, aliases: &'static [&'static str]) -> CardSpec {
        self.aliases = aliases;
        self
    }

    pub(super) const fn by_run(mut self) -> CardSpec {
        self.runs = Runs::Flow;
        self
    }

    pub(super) const fn author_inputs(mut self) -> CardSpec {
        self.author_inputs = true;
        self
    }

    pub(super) const fn author_outputs(mut self) -> CardSpec {
        self.author_outputs = true;
        self
    }

    pub(super) const fn mirrored(mut self) -> CardSpec {
        self.mirrored = true;
        self
    }
}

impl InputSpec {
    /// The number in a repeated input's key: 2 for `text 2` and `text2`, 1 for the bare key.
    pub fn number_of(&self, name: &str) -> Option<u32> {
        if !self.repeated {
            return None;
        }
        let rest = name.strip_prefix(self.key)?;
        if rest.is_empty() {
            return Some(1);
        }
        let digits = rest.strip_prefix(' ').unwrap_or(rest);
        (digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 4)
            .then(|| digits.parse().ok())?
    }

    pub(super) const fn label(mut self, label: &'static str) -> InputSpec {
        self.label = label;
        self
    }

    pub(super) const fn optional(mut self) -> InputSpec {
        self.required = false;
        self.nullable = true;
        self
    }

    pub(super) const fn nullable(mut self) -> InputSpec {
        self.nullable = true;
        self
    }

    pub(super) const fn or(mut self, default: &'static str) -> InputSpec {
        self.required = false;
        self.default = Some(default);
        self
    }

    pub(super) const fn repeated(mut self) -> InputSpec {
        self.repeated = true;
        self
    }
}

impl OutputSpec {
    pub(super) const fn typed_by_author(mut self) -> OutputSpec {
        self.typed_by_author = true;
        self
    }
}

/// A required input.
pub(super) const fn input(key: &'static str, of: Type) -> InputSpec {
    InputSpec { key, label: key, of, required: true, nullable: false, default: None, repeated: false }
}

/// An output of a given type.
pub(super) const fn output(key: &'static str, of: Type) -> OutputSpec {
    OutputSpec { key, of, typed_by_author: false }
}
