//! A connector as the rest of the program sees it: typed, checked, with defaults filled in.
//!
//! The document stays what a person wrote; this is what it means. A [`Connector`] exists only when nothing in it is a
//! fault ([`super::check`]), so a call, a sign-in or a poll that is given one need not ask again.

use std::collections::BTreeMap;

use crate::check::ConnectorDefaults;
use crate::hook::HookKind;

use super::keys;
use super::settings::Settings;

/// A connector, read and understood.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its key: the document's, or its name in lower case without blanks.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The hub it belongs to; calls ignore it.
    pub hub: Option<String>,
    /// How an account signs in.
    pub authentication: AuthenticationKind,
    /// What an account can or must configure.
    pub configuration: Vec<ConfigurationEntry>,
    /// Parameters of every call.
    pub parameters: Vec<Parameter>,
    /// Hooks around every call.
    pub hooks: Vec<Hook>,
    /// What can be called.
    pub resources: Vec<Resource>,
    /// Whether it can be used; absent means yes.
    pub active: bool,
    /// Whether only its organisation sees it.
    pub private: bool,
}

/// What a secret reads back as. A value that comes in as this is the secret that is there already.
pub const SECRET_MASK: &str = "********";

/// How accounts of a connector sign in (`authentication.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationKind {
    /// Not at all.
    None,
    /// User name and password.
    Basic,
    /// A key, placed by a parameter.
    ApiKey,
    /// OAuth 2, authorisation code.
    OAuth2,
    /// OAuth 2, client credentials.
    OAuth2ClientCredentials,
    /// OAuth 2, the owner's password.
    OAuth2Password,
    /// OAuth 1.
    OAuth1,
    /// Amazon's signatures: imported, and refused when a call needs them.
    AwsV4,
    /// By hooks and parameters of the connector alone.
    Custom,
}

/// One entry of `configuration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationEntry {
    /// Its key.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Its value where an account gives none.
    pub default: Option<String>,
    /// How it is entered.
    pub kind: EntryKind,
    /// Whether an account must give it.
    pub required: bool,
    /// Whether its value never leaves: by its type, or by its key.
    pub secret: bool,
}

/// How a configuration value is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A switch.
    Boolean,
    /// A secret text.
    Password,
    /// A long text.
    TextArea,
    /// A short text, with the length that its name declares.
    TextField(u32),
    /// One of several.
    Combo,
}

/// A parameter: where a value comes from and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Our name of it; of a `value` the value itself.
    pub name: String,
    /// The provider's name of it.
    pub vendor_name: String,
    /// Where it is on our side.
    pub place: ParameterPlace,
    /// Where it is on the provider's side.
    pub vendor_place: ParameterPlace,
    /// What it is on our side.
    pub data_type: Option<DataType>,
    /// What it is on the provider's side.
    pub vendor_data_type: Option<DataType>,
    /// Whether it is of the request or of the response.
    pub source: Source,
    /// Whether a call without it is refused.
    pub required: bool,
    /// How the value is rewritten.
    pub converter: Option<Converter>,
    /// What it is for.
    pub description: String,
}

/// The places of parameters (`type`, `vendorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPlace {
    /// A value of the account's configuration.
    Configuration,
    /// A header.
    Header,
    /// A part of the path.
    Path,
    /// A query parameter.
    Query,
    /// The whole body.
    Body,
    /// A member of the body, by a dotted path.
    BodyField,
    /// A field of a form.
    Form,
    /// A field of a multipart body.
    Multipart,
    /// A file.
    File,
    /// A constant: the parameter's own name, with `${…}` filled in.
    Value,
    /// The whole body of the call before this one in a chain.
    PrevBody,
    /// A member of that body.
    PrevBodyField,
    /// A `{name}` inside the body's text.
    BodyToken,
    /// Nowhere: only hooks see it.
    NoOp,
    /// A word that we do not know: nothing is sent, and `check` says so.
    Unknown,
}

/// What a parameter's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A truth value.
    Boolean,
    /// Text as it is: strings, dates, passwords, base64.
    Text,
    /// An object or a list.
    Structure,
}

/// Which side of a call a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From us to the provider.
    Request,
    /// From the provider to us.
    Response,
}

/// How a value is rewritten on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converter {
    /// Every comparison of a `where` becomes a query parameter.
    ToQueryParameters,
    /// The `where` becomes one OData filter.
    ToODataFilter,
}

/// JavaScript around a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it runs.
    pub kind: HookKind,
    /// The function's body.
    pub body: String,
    /// Whether it returns its result instead of calling `done`.
    pub legacy: bool,
}

/// One callable thing.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What it is for.
    pub kind: ResourceKind,
    /// Our method, upper case; `GETBYID` counts as `GET`.
    pub method: String,
    /// Our path as the document has it, hub prefix included.
    pub path: String,
    /// The provider's method, upper case.
    pub vendor_method: String,
    /// The provider's path; below `base.url` unless it is an address of its own.
    pub vendor_path: String,
    /// Parameters of this resource.
    pub parameters: Vec<Parameter>,
    /// Hooks of this resource.
    pub hooks: Vec<Hook>,
    /// Where request and response hold the object, as `rootKey` writes it.
    pub root_key: Option<String>,
    /// Where an answer names its next page.
    pub next_page_key: Option<String>,
    /// How the resource pages.
    pub pagination: ResourcePagination,
    /// The resource that is called next with this one's answer, by position.
    pub next: Option<usize>,
    /// Name of the operation.
    pub operation_id: Option<String>,
    /// What it is for, in words.
    pub description: String,
    /// The model of its body, as the document has it.
    pub model: Option<String>,
    /// An example of its answer, as the document has it.
    pub sample: Option<String>,
}

/// What a resource is for (`type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// Called by people.
    Api,
    /// Called by people, not shown in the docs.
    ApiNoDocumentation,
    /// When an account is connected.
    OnProvision,
    /// When it is disconnected.
    OnDelete,
    /// When its token is renewed (custom authentication).
    OnRefresh,
    /// To see whether its credentials work.
    ProvisionAuthValidation,
    /// Instead of building the authorisation URL (spelt so by the field).
    OAuthOnAuthorizeUrl,
    /// Instead of the code exchange.
    OAuthOnTokenExchange,
    /// Instead of the refresh.
    OAuthOnTokenRefresh,
    /// Instead of the revocation.
    OAuthOnTokenRevoke,
    /// Instead of the OAuth 1 request token.
    OAuth1OnTokenRequest,
    /// Instead of the client credentials exchange.
    OAuth2ClientCredentials,
    /// To make a webhook at the provider.
    OnProvisionWebhook,
    /// To remove it.
    OnDeleteWebhook,
}

/// How a resource pages (`paginationType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourcePagination {
    /// The provider pages, by the connector's `pagination.type` (also when nothing is said).
    VendorSupported,
    /// The provider answers everything at once: we cut the pages.
    NotSupported,
}

impl Connector {
    /// The configuration entry of this key.
    pub fn entry(&self, key: &str) -> Option<&ConfigurationEntry> {
        self.configuration.iter().find(|entry| entry.key == key)
    }

    /// What an account's calls are made with: its own values over the defaults. Values that are empty count as absent
    /// where there is a default.
    pub fn settings(&self, own: &BTreeMap<String, String>) -> Settings {
        let mut settings = Settings::default();
        for entry in &self.configuration {
            if let Some(default) = &entry.default {
                settings.set(&entry.key, default);
            }
            if entry.secret {
                settings.mark_secret(&entry.key);
            }
        }
        for (key, value) in own {
            if !value.is_empty() || settings.get(key).is_none() {
                settings.set(key, value);
            }
        }
        settings
    }

    /// What the connector brings to an instance that leaves its polling to it.
    pub fn defaults(&self) -> ConnectorDefaults {
        let base_url = self.entry(keys::BASE_URL).and_then(|entry| entry.default.clone());
        let poller = self.entry(keys::POLLER_CONFIGURATION).and_then(|entry| entry.default.as_deref());
        let resources = poller.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        ConnectorDefaults { base_url: base_url.filter(|url| !url.contains('{')), resources, calls: None }
    }

    /// Keys whose values never leave: those of passwords and of the platform's own secrets.
    pub fn secret_keys(&self) -> impl Iterator<Item = &str> {
        self.configuration.iter().filter(|entry| entry.secret).map(|entry| entry.key.as_str())
    }

    /// A configuration value as it is read back: a secret that is set is [`SECRET_MASK`] (platform-api §3).
    pub fn shown_value<'v>(&self, key: &str, value: &'v str) -> &'v str {
        let is_secret = self.entry(key).map_or(keys::is_secret(key), |entry| entry.secret);
        if is_secret && !value.is_empty() { SECRET_MASK } else { value }
    }

    /// The first resource of a kind, for the steps of a sign-in.
    pub fn resource_of(&self, kind: ResourceKind) -> Option<usize> {
        self.resources.iter().position(|resource| resource.kind == kind)
    }
}
