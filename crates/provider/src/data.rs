//! Believable English records: pure functions of seed, key and version.
//!
//! A record's lasting parts (name, address) follow from seed and key, its changing parts (status, balance, note) from
//! the version too; so no field is stored and any version can be written again. The chance that drives the world is
//! here as well: a small generator of our own, because a seed must mean the same on every machine and for years.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::dates::write_int;

/// What the records of a resource look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// People with a company, an address and a balance.
    Customers,
    /// Sales orders with lines and a total.
    Orders,
    /// Support tickets with a subject and a last message.
    Tickets,
}

/// How the ids of a resource are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdStyle {
    /// `1042`, a number.
    Number,
    /// `9007199254741034`, a number that a double cannot hold.
    BigNumber,
    /// `"ord_00s7zk1"`, a text.
    Text,
}

const NUMBER_BASE: u64 = 1_000;
const BIG_NUMBER_BASE: u64 = 9_007_199_254_740_992;
const TEXT_MASK: u64 = 0x2_5DEE_CE6D;

impl IdStyle {
    /// The id of a key, without quotes.
    pub fn id(self, key: u32) -> String {
        match self {
            Self::Number => (NUMBER_BASE + u64::from(key)).to_string(),
            Self::BigNumber => (BIG_NUMBER_BASE + u64::from(key)).to_string(),
            Self::Text => {
                let mut digits = [b'0'; 7];
                let mut left = u64::from(key) ^ TEXT_MASK;
                for digit in digits.iter_mut().rev() {
                    *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(left % 36) as usize];
                    left /= 36;
                }
                format!("ord_{}", String::from_utf8_lossy(&digits))
            }
        }
    }

    /// The key of an id; `None` where no record could have that id.
    pub fn key(self, id: &str) -> Option<u32> {
        let number = match self {
            Self::Number => id.parse::<u64>().ok()?.checked_sub(NUMBER_BASE)?,
            Self::BigNumber => id.parse::<u64>().ok()?.checked_sub(BIG_NUMBER_BASE)?,
            Self::Text => u64::from_str_radix(id.strip_prefix("ord_")?, 36).ok()? ^ TEXT_MASK,
        };
        let key = u32::try_from(number).ok()?;
        (self.id(key) == id).then_some(key)
    }

    pub(crate) fn write_json(self, out: &mut Vec<u8>, key: u32, is_quoted: bool) {
        let number = match self {
            Self::Number => NUMBER_BASE + u64::from(key),
            Self::BigNumber => BIG_NUMBER_BASE + u64::from(key),
            Self::Text => {
                out.push(b'"');
                out.extend_from_slice(self.id(key).as_bytes());
                out.push(b'"');
                return;
            }
        };
        out.extend_from_slice(if is_quoted { b"\"" } else { b"" });
        write_int(out, number.cast_signed());
        out.extend_from_slice(if is_quoted { b"\"" } else { b"" });
    }
}

/// A seeded generator of 64-bit numbers (a counter whose value is scrambled).
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// A generator whose numbers follow from the parts.
    pub fn new(parts: &[u64]) -> Chance {
        let mut chance = Chance { state: 0x6A09_E667_F3BC_C908 };
        for part in parts {
            chance.state ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            chance.state = chance.next();
        }
        chance
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "an endless source is not an iterator")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.state;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with the given probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const FIRST: [&str; 32] = [
    "Amelia", "Oliver", "Isla", "George", "Ava", "Harry", "Grace", "Leo", "Freya", "Arthur", "Lily", "Noah",
    "Ivy", "Theo", "Rosie", "Jack", "Evie", "Henry", "Ella", "Thomas", "Sophie", "James", "Alice", "Daniel",
    "Maya", "Samuel", "Nora", "Adam", "Priya", "Omar", "Ingrid", "Mateo",
];
const LAST: [&str; 32] = [
    "Abbott",
    "Barnes",
    "Carver",
    "Dawson",
    "Ellis",
    "Fletcher",
    "Garner",
    "Hobbs",
    "Irwin",
    "Jarvis",
    "Keane",
    "Lockwood",
    "Marsh",
    "Norris",
    "Osborne",
    "Pratt",
    "Quinn",
    "Ramsey",
    "Shaw",
    "Thorpe",
    "Underhill",
    "Vance",
    "Whitaker",
    "Yates",
    "Okafor",
    "Novak",
    "Haddad",
    "Lindqvist",
    "Moreau",
    "Castillo",
    "Tanaka",
    "Iyer",
];
const COMPANY: [&str; 24] = [
    "Harbour & Pine",
    "Northgate Tools",
    "Bright Kettle",
    "Larkfield Logistics",
    "Copper Lane Print",
    "Tidewater Foods",
    "Maple Row Dental",
    "Greyfriars Books",
    "Ashdown Cycles",
    "Quarry Street Coffee",
    "Fenwick Marine",
    "Silver Birch Care",
    "Millbrook Glass",
    "Red Door Interiors",
    "Union Wharf Supply",
    "Orchard Analytics",
    "Beacon Hill Travel",
    "Stonebridge Legal",
    "Kingfisher Labs",
    "Summit Bakery",
    "Willow Park Vets",
    "Foundry Nine",
    "Eastcliff Energy",
    "Plainview Roofing",
];
const STREET: [&str; 16] = [
    "Mill Lane",
    "High Street",
    "Station Road",
    "Church Walk",
    "Orchard Avenue",
    "Bridge Street",
    "Park Crescent",
    "Victoria Road",
    "Elm Grove",
    "Harbour View",
    "King Street",
    "Cedar Drive",
    "Market Place",
    "Spring Hill",
    "North Parade",
    "Garden Close",
];
const CITY: [&str; 16] = [
    "Portland",
    "Bristol",
    "Austin",
    "Leeds",
    "Denver",
    "Cork",
    "Dundee",
    "Madison",
    "Halifax",
    "Boise",
    "Perth",
    "Norwich",
    "Tacoma",
    "Wellington",
    "Galway",
    "Savannah",
];
const PRODUCT: [&str; 16] = [
    "oak desk",
    "desk lamp",
    "task chair",
    "filing cabinet",
    "whiteboard",
    "label printer",
    "monitor arm",
    "standing mat",
    "bookshelf",
    "cable tray",
    "paper ream",
    "coffee grinder",
    "footrest",
    "notice board",
    "storage crate",
    "wall clock",
];
const SUBJECT: [&str; 16] = [
    "Invoice shows the wrong address",
    "Cannot sign in after the password reset",
    "Delivery arrived a day late",
    "Please change the billing contact",
    "Export stops at row five hundred",
    "Two items missing from the parcel",
    "How do we add a second user?",
    "Refund has not reached the account",
    "Calendar shows the wrong time zone",
    "Report loads but the chart is blank",
    "Request for a copy of the contract",
    "Card was charged twice",
    "Printer driver asks for a licence",
    "Search does not find old orders",
    "Need a quote for forty chairs",
    "App closes when a photo is attached",
];
const NOTE: [&str; 16] = [
    "Called back and left a message with reception.",
    "Asked to be contacted in the new quarter.",
    "Happy with the last delivery, wants a catalogue.",
    "Sent the revised quote, waiting for approval.",
    "Prefers email in the mornings.",
    "Moved the review meeting to next week.",
    "Confirmed the new purchase order number.",
    "Wants to compare the yearly plan first.",
    "Forwarded the question to the warehouse.",
    "Checked the account, everything is settled.",
    "Agreed a discount on the next order.",
    "Needs the documents signed by two people.",
    "Reported the fault as fixed, keeping an eye on it.",
    "Promised an answer before the weekend.",
    "Updated the contact after a phone call.",
    "Requested a demonstration for the team.",
];

/// Appends the members of a record after its dates, without the closing brace; about 380 bytes.
pub(crate) fn write_members(out: &mut String, kind: RecordKind, seed: u64, key: u32, version: u32) {
    let mut lasting = Chance::new(&[seed, u64::from(key)]);
    let mut changing = Chance::new(&[seed, u64::from(key), u64::from(version)]);
    let outcome = match kind {
        RecordKind::Customers => write_customer(out, key, &mut lasting, &mut changing),
        RecordKind::Orders => write_order(out, &mut lasting, &mut changing),
        RecordKind::Tickets => write_ticket(out, &mut lasting, &mut changing),
    };
    outcome.expect("writing to a text cannot fail");
}

fn write_customer(
    out: &mut String,
    key: u32,
    lasting: &mut Chance,
    changing: &mut Chance,
) -> std::fmt::Result {
    let (first, last, company) = (lasting.pick(&FIRST), lasting.pick(&LAST), lasting.pick(&COMPANY));
    write!(
        out,
        r#""name":"{first} {last}","email":"{}.{}{key}@example.com","company":"{company}","#,
        first.to_lowercase(),
        last.to_lowercase()
    )?;
    write!(out, r#""phone":"+1 555 {:03} {:04}","#, lasting.below(1_000), lasting.below(10_000))?;
    write!(
        out,
        r#""address":{{"street":"{} {}","city":"{}","postal_code":"{:05}"}},"#,
        lasting.below(240) + 1,
        lasting.pick(&STREET),
        lasting.pick(&CITY),
        lasting.below(100_000)
    )?;
    write!(
        out,
        r#""status":"{}","tier":"{}","balance":{}.{:02},"newsletter":{},"tags":["{}","{}"],"note":"{}""#,
        changing.pick(&["lead", "active", "active", "active", "on_hold", "former"]),
        lasting.pick(&["basic", "plus", "premium"]),
        changing.below(9_000),
        changing.below(100),
        changing.happens(0.5),
        lasting.pick(&["retail", "wholesale", "education", "public"]),
        changing.pick(&["renewal", "new-contact", "at-risk", "reference"]),
        changing.pick(&NOTE)
    )
}

fn write_order(out: &mut String, lasting: &mut Chance, changing: &mut Chance) -> std::fmt::Result {
    write!(
        out,
        r#""customer_id":{},"status":"{}","currency":"{}","lines":["#,
        NUMBER_BASE + 1 + lasting.below(500),
        changing.pick(&["open", "paid", "packed", "shipped", "delivered", "returned"]),
        lasting.pick(&["USD", "EUR", "GBP"])
    )?;
    let mut total_cents = 0;
    for line in 0..3 {
        let (quantity, cents) = (lasting.below(6) + 1, 500 + lasting.below(40_000));
        total_cents += quantity * cents;
        let comma = if line == 0 { "" } else { "," };
        write!(
            out,
            r#"{comma}{{"item":"{}","quantity":{quantity},"price":{}.{:02}}}"#,
            lasting.pick(&PRODUCT),
            cents / 100,
            cents % 100
        )?;
    }
    write!(
        out,
        r#"],"total":{}.{:02},"ship_to":"{} {}, {}","paid":{},"note":"{}""#,
        total_cents / 100,
        total_cents % 100,
        lasting.below(240) + 1,
        lasting.pick(&STREET),
        lasting.pick(&CITY),
        changing.happens(0.6),
        changing.pick(&NOTE)
    )
}

fn write_ticket(out: &mut String, lasting: &mut Chance, changing: &mut Chance) -> std::fmt::Result {
    write!(
        out,
        r#""subject":"{}","requester":"{} {}","company":"{}","channel":"{}","#,
        lasting.pick(&SUBJECT),
        lasting.pick(&FIRST),
        lasting.pick(&LAST),
        lasting.pick(&COMPANY),
        lasting.pick(&["email", "phone", "chat", "portal"])
    )?;
    write!(
        out,
        r#""status":"{}","priority":"{}","assignee":"{} {}","replies":{},"satisfaction":{},"#,
        changing.pick(&["new", "open", "pending", "solved", "closed"]),
        changing.pick(&["low", "normal", "high", "urgent"]),
        changing.pick(&FIRST),
        changing.pick(&LAST),
        changing.below(14),
        if changing.happens(0.5) { "null" } else { "4.50" }
    )?;
    let message = [changing.pick(&NOTE), changing.pick(&NOTE)].join(" ");
    write!(
        out,
        r#""tags":["{}"],"last_message":"{message}""#,
        lasting.pick(&["billing", "delivery", "product"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_to_one() {
        for style in [IdStyle::Number, IdStyle::BigNumber, IdStyle::Text] {
            for key in [0, 1, 35, 36, 99_999, u32::MAX] {
                assert_eq!(style.key(&style.id(key)), Some(key), "{style:?}");
            }
            for wrong in ["", "0", "ord_", "ord_zzzzzzz", "01042", "+1042", "ord_00S7ZK1"] {
                assert_eq!(style.key(wrong), None, "{style:?} {wrong}");
            }
        }
    }

    #[test]
    fn members_are_json_of_the_promised_size() {
        for kind in [RecordKind::Customers, RecordKind::Orders, RecordKind::Tickets] {
            let mut bytes = 0;
            for key in 0..200 {
                let mut out = String::from("{");
                write_members(&mut out, kind, 7, key, 1);
                out.push('}');
                serde_json::from_str::<serde_json::Value>(&out).expect("valid JSON");
                bytes += out.len();
            }
            let mean = bytes / 200;
            assert!((300..430).contains(&mean), "{kind:?} has {mean} bytes");
        }
    }

    #[test]
    fn a_seed_always_means_the_same() {
        let mut chance = Chance::new(&[1, 2]);
        let first = [chance.next(), chance.next()];
        let mut again = Chance::new(&[1, 2]);
        assert_eq!(first, [again.next(), again.next()]);
        assert_ne!(first[0], Chance::new(&[2, 1]).next());
    }
}
