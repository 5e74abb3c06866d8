//! The cases of one sender: its request as it was sent, and in every way that it could be altered.
//!
//! What must come of a case follows from the declaration, which is written by hand from the provider's documentation:
//! a scheme that leaves the address out cannot notice another address, and the table says so.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::declarations::declaration;
use super::{Case, Sender, Sent, Try, Verdict};

/// Seconds of a year, for schemes without a time.
const YEAR: i64 = 365 * 86_400;

enum Time {
    Header(String),
    Pair(String),
    Body,
}

enum Form {
    Plain(String),
    Pairs { name: String, separator: char },
    Words(String),
}

/// What a declaration says, as far as the cases differ by it.
struct Facts {
    is_token: bool,
    time: Option<(Time, i64)>,
    form: Form,
    encoding: String,
    signed: String,
    id_header: Option<String>,
}

impl Facts {
    fn of(name: &str) -> Facts {
        let declared = declaration(name);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let signature = &declared["signature"];
        let separator = text(&signature["separator"]).unwrap_or(",".to_owned()).chars().next().unwrap();
        let form = match (text(&signature["pair"]), text(&signature["wordPrefix"])) {
            (Some(name), _) => Form::Pairs { name, separator },
            (_, Some(prefix)) => Form::Words(prefix),
            _ => Form::Plain(text(&signature["prefix"]).unwrap_or_default()),
        };
        let time = &declared["timestamp"];
        let place = match (text(&time["header"]), text(&time["pair"]), text(&time["field"])) {
            (Some(header), ..) => Some(Time::Header(header)),
            (_, Some(pair), _) => Some(Time::Pair(pair)),
            (.., Some(_)) => Some(Time::Body),
            _ => None,
        };
        let tolerance = if name == "linear" { 60 } else { 300 };
        Facts {
            is_token: declared.get("token").is_some(),
            time: place.map(|place| (place, tolerance)),
            form,
            encoding: text(&signature["encoding"]).unwrap_or("hex".to_owned()),
            signed: text(&declared["signed"]).unwrap_or("{body}".to_owned()),
            id_header: text(&declared["deliveryId"]["header"]),
        }
    }

    fn signs(&self, piece: &str) -> bool {
        !self.is_token && self.signed.contains(piece)
    }

    /// What must come of a change that only a signature notices.
    fn noticed(&self, is_signed: bool) -> Verdict {
        if is_signed { Verdict::Wrong } else { Verdict::Accepted }
    }

    /// A signature's header in what stands before the signature, and the signature.
    fn split<'h>(&self, header: &'h str) -> (&'h str, &'h str) {
        let at = match &self.form {
            Form::Plain(prefix) | Form::Words(prefix) => prefix.len(),
            Form::Pairs { name, .. } => header.find(&format!("{name}=")).unwrap() + name.len() + 1,
        };
        header.split_at(at)
    }
}

struct Table<'a> {
    sender: &'a Sender,
    facts: Facts,
    cases: Vec<Case>,
}

/// The cases of one sender.
pub fn of(sender: &Sender) -> Vec<Case> {
    let facts = Facts::of(&sender.sent.preset);
    let mut table = Table { sender, facts, cases: Vec::new() };
    table.whole();
    table.body();
    table.signature();
    table.writing();
    table.secrets();
    table.headers();
    table.time();
    table.names();
    table.several();
    table.address();
    table.cases
}

/// The text with one bit of one byte exchanged, at every place.
fn altered(text: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..text.len()).map(|at| {
        let mut altered = text.to_vec();
        altered[at] ^= 1;
        (at, altered)
    })
}

impl Table<'_> {
    /// A case of one request under the first secret.
    fn case(&mut self, name: &str, sent: Sent, verdict: Verdict) -> &mut Case {
        let one = self.attempt(name, sent);
        self.tries(name, vec![one], verdict)
    }

    fn attempt(&self, what: &str, sent: Sent) -> Try {
        Try { what: what.to_owned(), sent, secrets: vec![self.sender.sent.secret.clone()], away: 0 }
    }

    fn tries(&mut self, name: &str, tries: Vec<Try>, verdict: Verdict) -> &mut Case {
        let id = self.sender.sent.id.clone();
        let name = format!("{}: {name}", self.sender.sent.preset);
        self.cases.push(Case { name, tries, verdict, id });
        self.cases.last_mut().unwrap()
    }

    /// The signature's header in another form.
    fn signed(&self, value: impl Into<String>) -> Sent {
        self.sender.sent.with(&self.sender.sent.header, value)
    }

    fn header(&self) -> &str {
        self.sender.sent.value(&self.sender.sent.header)
    }

    fn whole(&mut self) {
        let Sender { sent, other, .. } = self.sender;
        self.case("as it was sent", sent.clone(), Verdict::Accepted);
        self.case("another delivery", other.clone(), Verdict::Accepted).id.clone_from(&other.id);
        for (name, change) in [
            ("headers in capitals", str::to_ascii_uppercase as fn(&str) -> String),
            ("headers in small letters", str::to_ascii_lowercase),
        ] {
            let mut changed = sent.clone();
            changed.headers.iter_mut().for_each(|(name, _)| *name = change(name));
            self.case(name, changed, Verdict::Accepted);
        }
        let mut more = sent.clone();
        more.headers.insert(0, ("X-Forwarded-For".into(), "203.0.113.7".into()));
        more.headers.push(("X-Forwarded-For".into(), "203.0.113.8".into()));
        self.case("with headers that nobody asks for", more, Verdict::Accepted);
    }

    fn body(&mut self) {
        let sent = self.sender.sent.clone();
        let noticed = self.facts.noticed(!self.facts.is_token);
        let tries = altered(sent.body())
            .map(|(at, body)| self.attempt(&format!("byte {at} of the body"), sent.with_body(body)));
        let tries = tries.collect();
        self.tries("every byte of the body altered", tries, noticed);
        self.case("a byte of the body less", sent.with_body(&sent.body()[1..]), noticed);
        self.case("a byte of the body more", sent.with_body([sent.body(), b" "].concat()), noticed);
        self.case("no body", sent.with_body([]), noticed);
        self.case("the body twice", sent.with_body([sent.body(), sent.body()].concat()), noticed);
        self.case("the body of another delivery", sent.with_body(self.sender.other.body()), noticed);
        if self.facts.signs("{form}") {
            // Its fields are signed and not its bytes.
            let otherwise = sent.body.replace('+', "%20").replace("%2B", "%2b");
            assert_ne!(otherwise, sent.body);
            self.case("the same form with other escapes", sent.with_body(otherwise), Verdict::Accepted);
            let mut fields: Vec<&str> = sent.body.split('&').collect();
            fields.reverse();
            let reversed = fields.join("&");
            self.case("the same form in another order", sent.with_body(reversed), Verdict::Accepted);
        } else {
            let value: Value = serde_json::from_str(&sent.body).unwrap();
            for (name, body) in [
                ("the body read and written again", value.to_string()),
                ("the body written on lines", serde_json::to_string_pretty(&value).unwrap()),
                ("the body with other escapes", sent.body.replace('ë', "\\u00eb")),
                ("the body without a blank", sent.body.replacen(", \"", ",\"", 1)),
                ("the body after a byte order mark", format!("\u{feff}{}", sent.body)),
                ("the body with a line break", format!("{}\n", sent.body)),
            ] {
                assert_ne!(body, sent.body, "{name}");
                self.case(name, sent.with_body(body), noticed);
            }
        }
    }

    fn signature(&mut self) {
        let header = self.header().to_owned();
        let tries = altered(header.as_bytes()).map(|(at, value)| {
            let value = String::from_utf8(value).unwrap();
            self.attempt(&format!("character {at} of `{header}`"), self.signed(value))
        });
        let tries = tries.collect();
        self.tries("every character of the signature altered", tries, Verdict::Refused);
        let (before, signature) = self.facts.split(&header);
        let flipped: String = signature.chars().map(flip).collect();
        let mixed = signature.find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
        let mixed = format!(
            "{}{}{}",
            &signature[..mixed],
            flip(char::from(signature.as_bytes()[mixed])),
            &signature[mixed + 1..]
        );
        let cut = &signature[..signature.len() - 2];
        let mut values = vec![
            ("the signature without its end", format!("{before}{cut}")),
            ("the signature without its beginning", format!("{before}{}", &signature[2..])),
            ("the signature and more", format!("{before}{signature}00")),
            ("half of the signature", format!("{before}{}", &signature[..signature.len() / 2])),
            ("an empty signature", before.to_owned()),
            ("an empty header", String::new()),
            ("the signature after a blank", format!("{before} {signature}")),
            ("one letter of the signature in the other case", format!("{before}{mixed}")),
            ("zeros for a signature", format!("{before}{}", "0".repeat(signature.len()))),
        ];
        if self.facts.encoding != "hex" || self.facts.is_token {
            values.push(("the signature in the other case", format!("{before}{flipped}")));
        }
        for (name, value) in values {
            self.case(name, self.signed(value), Verdict::Refused);
        }
        let noticed = self.facts.noticed(!self.facts.is_token);
        let others = self.sender.other.value(&self.sender.sent.header);
        self.case("the signature of another delivery", self.signed(others), noticed);
        let renewed = self.sender.renewed.value(&self.sender.sent.header);
        self.case("the signature by another secret", self.signed(renewed), Verdict::Wrong);
    }

    /// The right signature under the name of another algorithm, or written in another way.
    fn writing(&mut self) {
        if self.facts.is_token {
            return;
        }
        let header = self.header().to_owned();
        let (before, signature) = self.facts.split(&header);
        let bytes = match self.facts.encoding.as_str() {
            "hex" => (0..signature.len() / 2)
                .map(|at| u8::from_str_radix(&signature[at * 2..at * 2 + 2], 16).unwrap())
                .collect(),
            "base64" => STANDARD.decode(signature).unwrap(),
            _ => URL_SAFE_NO_PAD.decode(signature).unwrap(),
        };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for (encoding, text) in
            [("hex", hex), ("base64", STANDARD.encode(&bytes)), ("base64url", URL_SAFE.encode(&bytes))]
        {
            let is_same = text.trim_end_matches('=') == signature.trim_end_matches('=');
            if encoding != self.facts.encoding && !is_same && !text.eq_ignore_ascii_case(signature) {
                let name = format!("the signature in {encoding}");
                self.case(&name, self.signed(format!("{before}{text}")), Verdict::Refused);
            }
        }
        let mut others = Vec::new();
        for known in ["sha256=", "sha1=", "sha512=", "v0=", "v1=", "h1=", "mac=", "v1,"] {
            if let Some(start) = before.strip_suffix(known) {
                for other in
                    ["md5=", "sha1=", "sha256=", "sha512=", "none=", "v0=", "v1=", "v2=", "v1a,", "v2,", ""]
                {
                    if other != known {
                        others.push((other, format!("{start}{other}{signature}")));
                    }
                }
            }
        }
        for (other, value) in others {
            let name = format!("the signature after `{other}`");
            self.case(&name, self.signed(value), Verdict::Malformed);
        }
        if let Form::Plain(prefix) = &self.facts.form {
            if prefix.is_empty() {
                let value = format!("sha256={signature}");
                self.case("the signature after a prefix", self.signed(value), Verdict::Refused);
            } else {
                let value = format!("{}{signature}", prefix.to_ascii_uppercase());
                self.case("the prefix in capitals", self.signed(value), Verdict::Malformed);
            }
        }
    }

    fn secrets(&mut self) {
        let Sender { sent, renewed, .. } = self.sender;
        let (old, new) = (sent.secret.clone(), renewed.secret.clone());
        let blank = String::new();
        for (name, request, secrets, verdict) in [
            ("another secret", sent, vec![new.clone()], Verdict::Wrong),
            ("the secret in capitals", sent, vec![old.to_uppercase()], Verdict::Wrong),
            ("the secret after a blank", sent, vec![format!(" {old}")], Verdict::Wrong),
            ("half of the secret", sent, vec![old.chars().take(9).collect()], Verdict::Wrong),
            ("an empty secret", sent, vec![blank.clone()], Verdict::NoSecret),
            ("two empty secrets", sent, vec![blank.clone(), blank.clone()], Verdict::NoSecret),
            ("no secret", sent, vec![], Verdict::NoSecret),
            ("the old secret beside the new one", sent, vec![new.clone(), old.clone()], Verdict::Accepted),
            ("the new secret beside the old one", renewed, vec![new.clone(), old.clone()], Verdict::Accepted),
            ("the secrets in the other order", renewed, vec![old.clone(), new.clone()], Verdict::Accepted),
            ("the secret beside an empty one", sent, vec![blank, old.clone()], Verdict::Accepted),
            ("the new secret before it is known", renewed, vec![old], Verdict::Wrong),
            ("the old secret after it is gone", sent, vec![new], Verdict::Wrong),
        ] {
            self.case(name, request.clone(), verdict).tries[0].secrets = secrets;
        }
    }

    fn headers(&mut self) {
        let (sent, header) = (self.sender.sent.clone(), self.sender.sent.header.clone());
        self.case("without its signature", sent.without(&header), Verdict::Missing);
        self.case("without any header", Sent { headers: vec![], ..sent.clone() }, Verdict::Missing);
        let renamed = sent.without(&header).with(&format!("{header}-2"), self.header());
        self.case("the signature under another name", renamed, Verdict::Missing);
        for (name, value) in [
            ("the signature twice", self.header().to_owned()),
            ("a wrong signature after it", "AAAA".to_owned()),
            ("an empty signature after it", String::new()),
        ] {
            let mut twice = sent.clone();
            twice.headers.push((header.to_ascii_lowercase(), value));
            self.case(name, twice, Verdict::Doubled);
        }
        let mut before = sent.clone();
        before.headers.insert(0, (header, "AAAA".into()));
        self.case("a wrong signature before it", before, Verdict::Doubled);
    }

    fn time(&mut self) {
        let sent = self.sender.sent.clone();
        let Some((place, tolerance)) = self.facts.time.as_ref().map(|(place, tolerance)| (place, *tolerance))
        else {
            for (name, away) in
                [("a year later, without a time", YEAR), ("a year ahead, without a time", -YEAR)]
            {
                self.case(name, sent.clone(), Verdict::Accepted).tries[0].away = away;
            }
            return;
        };
        let mut changed: Vec<(&str, Sent, Verdict)> = Vec::new();
        match place {
            Time::Header(header) => {
                changed.push(("without its time", sent.without(header), Verdict::Missing));
                let mut twice = sent.clone();
                twice.headers.push((header.to_ascii_uppercase(), sent.value(header).to_owned()));
                changed.push(("its time twice", twice, Verdict::Doubled));
                for (name, text) in [
                    ("an empty time", ""),
                    ("a word for a time", "now"),
                    ("a time with an exponent", "1e9"),
                    ("a time before 1970", "-5"),
                    ("a time after a blank", " 1795918099"),
                    ("a time of many digits", "17959180990000000000"),
                ] {
                    changed.push((name, sent.with(header, text), Verdict::Malformed));
                }
                changed.push(("a time of long ago", sent.with(header, "1"), Verdict::Refused));
            }
            Time::Pair(pair) => {
                let Form::Pairs { separator, .. } = &self.facts.form else { panic!("a time among no pairs") };
                let header = self.header();
                let (time, rest) = header.split_once(*separator).unwrap();
                assert!(time.starts_with(&format!("{pair}=")), "{header}");
                changed.push(("without its time", self.signed(rest), Verdict::Missing));
                let twice = format!("{time}{separator}{header}");
                changed.push(("its time twice", self.signed(twice), Verdict::Doubled));
                for (name, text) in
                    [("an empty time", ""), ("a word for a time", "now"), ("a time before 1970", "-5")]
                {
                    let value = format!("{pair}={text}{separator}{rest}");
                    changed.push((name, self.signed(value), Verdict::Malformed));
                }
                let value = format!("{pair}=1{separator}{rest}");
                changed.push(("a time of long ago", self.signed(value), Verdict::Stale));
            }
            Time::Body => {}
        }
        let characters = match place {
            Time::Header(header) => {
                let value = sent.value(header).to_owned();
                let tries = altered(value.as_bytes()).map(|(at, value)| {
                    let value = String::from_utf8(value).unwrap();
                    self.attempt(&format!("character {at} of the time"), sent.with(header, value))
                });
                tries.collect()
            }
            _ => Vec::new(),
        };
        if !characters.is_empty() {
            self.tries("every character of the time altered", characters, Verdict::Refused);
        }
        for (name, sent, verdict) in changed {
            self.case(name, sent, verdict);
        }
        for away in [1 - tolerance, -tolerance, 0, tolerance, tolerance - 1] {
            let name = format!("in time: {away} s after it was signed");
            self.case(&name, sent.clone(), Verdict::Accepted).tries[0].away = away;
        }
        for away in [-YEAR, -tolerance - 1, tolerance + 1, YEAR] {
            let name = format!("out of time: {away} s after it was signed");
            self.case(&name, sent.clone(), Verdict::Stale).tries[0].away = away;
        }
    }

    /// Names of deliveries.
    fn names(&mut self) {
        let Some(header) = self.facts.id_header.clone() else { return };
        let Sender { sent, other, .. } = self.sender;
        let is_signed = self.facts.signs(&format!("{{header:{header}}}"));
        let without = if is_signed { Verdict::Missing } else { Verdict::Accepted };
        self.case("without its name", sent.without(&header), without).id = None;
        let mut twice = sent.clone();
        twice.headers.push((header.to_ascii_uppercase(), sent.value(&header).to_owned()));
        self.case("its name twice", twice, Verdict::Doubled);
        let noticed = self.facts.noticed(is_signed);
        let renamed = sent.with(&header, other.value(&header));
        self.case("the name of another delivery", renamed, noticed).id.clone_from(&other.id);
        self.case("an empty name", sent.with(&header, ""), noticed).id = None;
    }

    /// Several signatures in one header.
    fn several(&mut self) {
        let (header, next) =
            (self.header().to_owned(), self.sender.renewed.value(&self.sender.sent.header).to_owned());
        let (old, new) = (self.sender.sent.secret.clone(), self.sender.renewed.secret.clone());
        let (join, unknown) = match &self.facts.form {
            Form::Plain(_) => {
                for (name, value) in [
                    ("two signatures after a comma", format!("{header}, {next}")),
                    ("two signatures after a blank", format!("{header} {next}")),
                ] {
                    self.case(name, self.signed(value), Verdict::Refused);
                }
                return;
            }
            Form::Pairs { name, separator } => {
                let pair = |value: &str| {
                    let (_, signature) = self.facts.split(value);
                    format!("{name}={signature}")
                };
                let both = (format!("{header}{separator}{}", pair(&next)), pair(&header));
                (both, format!("{separator}v9=00"))
            }
            Form::Words(_) => ((format!("{next} {header}"), header.clone()), " v9,AAAA".to_owned()),
        };
        let ((both, one), separator) = (join, unknown.chars().next().unwrap());
        for (name, secret, verdict) in [
            ("two signatures, by the old secret", old, Verdict::Accepted),
            ("two signatures, by the new secret", new, Verdict::Accepted),
            ("two signatures, by neither secret", "d2hzZWNfYW5vdGhlcg==".to_owned(), Verdict::Wrong),
        ] {
            self.case(name, self.signed(both.clone()), verdict).tries[0].secrets = vec![secret];
        }
        let beside = format!("{header}{unknown}");
        self.case("a signature of another scheme beside it", self.signed(beside), Verdict::Accepted);
        let copies = |count: usize| format!("{header}{}", format!("{separator}{one}").repeat(count));
        self.case("sixteen signatures", self.signed(copies(15)), Verdict::Accepted);
        self.case("seventeen signatures", self.signed(copies(16)), Verdict::Malformed);
    }

    fn address(&mut self) {
        let sent = self.sender.sent.clone();
        let url = self.facts.noticed(self.facts.signs("{url}"));
        let method = self.facts.noticed(self.facts.signs("{method}"));
        let at = |url: String| Sent { url, ..sent.clone() };
        self.case("sent to another tenant", at(sent.url.replace("tenant=7", "tenant=8")), url);
        self.case("sent to another host", at(sent.url.replace("turnstone.example", "example.net")), url);
        self.case("by another method", Sent { method: "PUT".into(), ..sent.clone() }, method);
    }
}

fn flip(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}
