//! Decides which addresses may be dialled.
//!
//! A tenant writes URLs, and a provider answers with more of them; neither may make this machine talk to its own
//! network. Every address is judged by what it *is*, never by how it is spelled: a literal in the URL (after the URL
//! parser has undone decimal, octal, hex and bracketed spellings), and every address that a name resolves to. The
//! resolver hands only judged addresses to the connector, so the address that was checked is the one that is dialled,
//! and a name that changes its mind between two lookups gains nothing.
//!
//! | class | `Public` | `AllowPrivate` | allow list may open it |
//! |---|---|---|---|
//! | ordinary | yes | yes | - |
//! | loopback, private, shared (100.64/10), unique local | no | yes | yes |
//! | benchmarking, documentation, reserved, unassigned | no | no | yes |
//! | link-local, site-local, metadata services | no | no | no |
//! | unspecified, multicast, broadcast | no | no | no |
//!
//! IPv6 forms that carry an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo) are judged by the one
//! that they carry.
//!
//! Not here: redirects (each hop comes back to [`Guard::check_url`]) and credentials; both are the client's.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use turnstone_core::run::FetchErrorKind;
use url::{Host, Url};

/// Addresses of one name that are looked at. Some names have hundreds; the connector never needs that many.
const ADDRESSES_MAX: usize = 32;

/// Bytes of a URL. Longer ones are refused by most servers and proxies anyway.
const URL_BYTES_MAX: usize = 16 * 1024;

/// What may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Only addresses of the public internet: for a server that serves others.
    Public,
    /// Private and loopback addresses too: for a person at their own machine. Link-local and metadata never.
    AllowPrivate,
}

/// Judges addresses. See the module's table.
#[derive(Clone, Debug)]
pub struct Guard {
    policy: Policy,
    allowed: Vec<IpNet>,
}

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An address of the public internet.
    Ordinary,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, unique local IPv6, local NAT64).
    Private,
    /// Shared between a carrier and its customers (100.64/10).
    Shared,
    /// For measuring devices (198.18/15).
    Benchmarking,
    /// For examples in documents.
    Documentation,
    /// Reserved or not assigned to anybody.
    Reserved,
    /// The local link, or the retired site-local range.
    LinkLocal,
    /// A cloud's metadata service.
    Metadata,
    /// No address at all.
    Unspecified,
    /// A group of receivers.
    Multicast,
    /// Everybody on the link.
    Broadcast,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Ordinary => "an ordinary address",
            Class::Loopback => "a loopback address",
            Class::Private => "a private address",
            Class::Shared => "a carrier's shared address",
            Class::Benchmarking => "a benchmarking address",
            Class::Documentation => "a documentation address",
            Class::Reserved => "a reserved address",
            Class::LinkLocal => "a link-local address",
            Class::Metadata => "a metadata service",
            Class::Unspecified => "the unspecified address",
            Class::Multicast => "a multicast address",
            Class::Broadcast => "the broadcast address",
        })
    }
}

/// Why an address or URL is refused. Names the host, never a path, query or secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Not an absolute URL.
    #[error("the URL cannot be read: {0}")]
    BadUrl(String),
    /// Only `http` and `https` go out.
    #[error("the scheme `{0}` is not allowed; use https or http")]
    Scheme(String),
    /// User name or password inside the URL.
    #[error("the URL of `{0}` holds a user name or password; put credentials into the connection instead")]
    UserInfo(String),
    /// The host is, or resolves only to, addresses that may not be dialled.
    #[error("`{host}` is {class}, which may not be reached from here")]
    Forbidden {
        /// The host as the URL names it.
        host: String,
        /// What its address is.
        class: Class,
    },
    /// The name does not resolve.
    #[error("the name `{host}` cannot be resolved: {reason}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
}

impl GuardError {
    /// The kind of failure that this is for a run.
    pub fn kind(&self) -> FetchErrorKind {
        match self {
            GuardError::BadUrl(_) | GuardError::Scheme(_) | GuardError::UserInfo(_) => FetchErrorKind::BadUrl,
            GuardError::Forbidden { .. } => FetchErrorKind::Forbidden,
            GuardError::Unresolved { .. } => FetchErrorKind::Dns,
        }
    }
}

impl Guard {
    /// A guard with this policy and no exceptions.
    pub fn new(policy: Policy) -> Self {
        Guard { policy, allowed: Vec::new() }
    }

    /// Lets these networks be dialled as well, as far as the module's table says that a list may open them.
    pub fn with_allowed(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.allowed.extend(networks);
        self
    }

    /// Whether this address may be dialled; otherwise what it is.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Class> {
        // Every address that this one stands for must be allowed, or a gateway would do what we refuse.
        for meant in meanings(address) {
            let class = classify(meant);
            if !self.permits(class, address, meant) {
                return Err(class);
            }
        }
        Ok(())
    }

    /// Reads a URL and refuses what can be refused without resolving its name. For saving a URL, and before each hop.
    pub fn check_url(&self, text: &str) -> Result<Url, GuardError> {
        if text.len() > URL_BYTES_MAX {
            return Err(GuardError::BadUrl(format!("it is longer than {URL_BYTES_MAX} bytes")));
        }
        // The parser would drop these silently, and then the address is not the one that a person reads.
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(GuardError::BadUrl("it holds control characters".to_owned()));
        }
        let url = Url::parse(text).map_err(|error| GuardError::BadUrl(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(GuardError::Scheme(url.scheme().to_owned()));
        }
        let name = url.host_str().unwrap_or_default().to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardError::UserInfo(name));
        }
        let literal = match url.host() {
            None => return Err(GuardError::BadUrl("it names no host".to_owned())),
            Some(Host::Domain(domain)) if domain.trim_end_matches('.').is_empty() => {
                return Err(GuardError::BadUrl("it names no host".to_owned()));
            }
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if let Some(Err(class)) = literal.map(|address| self.check_address(address)) {
            return Err(GuardError::Forbidden { host: name, class });
        }
        Ok(url)
    }

    /// Keeps the addresses of a name that may be dialled; an error when none is left.
    pub fn filter(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, GuardError> {
        let mut refused = None;
        let mut kept = Vec::new();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match self.check_address(address) {
                Ok(()) => kept.push(address),
                Err(class) => refused = refused.or(Some(class)),
            }
        }
        match (kept.is_empty(), refused) {
            (false, _) => Ok(kept),
            (true, Some(class)) => Err(GuardError::Forbidden { host: host.to_owned(), class }),
            (true, None) => Err(GuardError::Unresolved {
                host: host.to_owned(),
                reason: "it has no addresses".to_owned(),
            }),
        }
    }

    fn permits(&self, class: Class, address: IpAddr, meant: IpAddr) -> bool {
        let listed =
            || self.allowed.iter().any(|network| network.contains(&address) || network.contains(&meant));
        match class {
            Class::Ordinary => true,
            Class::Loopback | Class::Private | Class::Shared => match self.policy {
                Policy::AllowPrivate => true,
                Policy::Public => listed(),
            },
            Class::Benchmarking | Class::Documentation | Class::Reserved => listed(),
            Class::LinkLocal | Class::Metadata | Class::Unspecified | Class::Multicast | Class::Broadcast => {
                false
            }
        }
    }
}

/// The addresses that an address stands for: itself, or those that it carries.
fn meanings(address: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(v6) = address else { return vec![address] };
    let bits = v6.to_bits();
    let carried: Vec<Ipv4Addr> = match v6.segments() {
        // Unspecified and loopback look like compatible addresses and are none.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // Compatible, mapped, and translated (SIIT).
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => vec![last_32(bits)],
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => vec![last_32(bits)],
        // The local NAT64 range does not say where the address lies: all places that RFC 6052 knows are judged, but
        // for those that hold only padding (0/8 is nobody's address).
        [0x64, 0xff9b, 1, ..] => {
            let places = [48, 56, 64, 96].map(|prefix| nat64(bits, prefix));
            let places = places.into_iter().filter(|place| place.octets()[0] != 0).map(IpAddr::V4);
            return std::iter::once(address).chain(places).collect();
        }
        [0x2002, ..] => vec![at(bits, 16)],
        // Teredo: the server in clear, the client inverted.
        [0x2001, 0, ..] => vec![at(bits, 32), Ipv4Addr::from_bits(!(bits as u32))],
        _ => Vec::new(),
    };
    if carried.is_empty() { vec![address] } else { carried.into_iter().map(IpAddr::V4).collect() }
}

fn last_32(bits: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(bits as u32)
}

/// The 32 bits that begin `skip` bits into the address.
fn at(bits: u128, skip: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits((bits << skip >> 96) as u32)
}

/// The IPv4 address behind a NAT64 prefix of this length. Bits 64 to 71 are never part of it.
fn nat64(bits: u128, prefix: u32) -> Ipv4Addr {
    if prefix == 96 {
        return last_32(bits);
    }
    let high = bits >> 64;
    let low = bits << 72 >> 72;
    at((high << 64) | (low << 8), prefix)
}

/// What a plain address is, without regard to anything that it carries.
fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        // Several clouds at 169.254.169.254; containers at 169.254.170.2; Alibaba; Oracle; Azure.
        [169, 254, 169 | 170, _] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => {
            Class::Metadata
        }
        [0, 0, 0, 0] => Class::Unspecified,
        [255, 255, 255, 255] => Class::Broadcast,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [100, 64..=127, ..] => Class::Shared,
        [169, 254, ..] => Class::LinkLocal,
        [198, 18 | 19, ..] => Class::Benchmarking,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Documentation,
        [224..=239, ..] => Class::Multicast,
        // This network; protocol assignments; the retired 6to4 relays; AS112 stays ordinary.
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Class::Reserved,
        _ => Class::Ordinary,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    match address.segments() {
        // Amazon's and Google's metadata services.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, _] | [0xfd20, 0xce, 0, 0, 0, 0, 0, _] => Class::Metadata,
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0xfc00..=0xfdff, ..] | [0x64, 0xff9b, 1, ..] => Class::Private,
        [0xfe80..=0xfeff, ..] => Class::LinkLocal,
        [0xff00..=0xffff, ..] => Class::Multicast,
        [0x2001, 2, 0, ..] => Class::Benchmarking,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Class::Documentation,
        // Protocol assignments, among them overlay identifiers that no one routes.
        [0x2001, 0..=0x1ff, ..] => Class::Reserved,
        [0x2000..=0x3fff, ..] => Class::Ordinary,
        _ => Class::Reserved,
    }
}

/// Turns a name into addresses.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of the name, in the order in which they should be tried.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The resolver of the HTTP client: looks up, judges, and hands on only what may be dialled.
pub(super) struct GuardedResolver {
    pub(super) guard: Arc<Guard>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) time_max: Duration,
}

impl reqwest::dns::Resolve for GuardedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (guard, lookup, time_max) = (Arc::clone(&self.guard), Arc::clone(&self.lookup), self.time_max);
        Box::pin(async move {
            let host = name.as_str();
            let unresolved = |reason: String| GuardError::Unresolved { host: host.to_owned(), reason };
            let found = tokio::time::timeout(time_max, lookup.lookup(host))
                .await
                .map_err(|_| unresolved(format!("no answer within {time_max:?}")))?
                .map_err(|error| unresolved(error.to_string()))?;
            let kept = guard.filter(host, found)?;
            let addresses: reqwest::dns::Addrs =
                Box::new(kept.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: &str = "";

    #[track_caller]
    fn check(guard: &Guard, url: &str, expect: &str) {
        match guard.check_url(url) {
            Ok(_) => assert_eq!(expect, YES, "{url} was let through"),
            Err(error) => {
                assert!(!expect.is_empty(), "{url} was refused: {error}");
                assert!(error.to_string().contains(expect), "{url}: {error}");
            }
        }
    }

    /// URL; verdict of `Public`; verdict of `AllowPrivate`.
    const URLS: &[(&str, &str, &str)] = &[
        // Ordinary.
        ("https://example.com/a?b=c", YES, YES),
        ("http://8.8.8.8/", YES, YES),
        ("http://8.8.8.8:8080/", YES, YES),
        ("http://172.15.255.255/", YES, YES),
        ("http://172.32.0.0/", YES, YES),
        ("http://100.63.255.255/", YES, YES),
        ("http://100.128.0.0/", YES, YES),
        ("http://192.31.196.1/", YES, YES),
        ("http://198.17.255.255/", YES, YES),
        ("http://198.20.0.0/", YES, YES),
        ("http://223.255.255.255/", YES, YES),
        ("http://[2606:4700:4700::1111]/", YES, YES),
        ("http://[2001:200::1]/", YES, YES),
        // Loopback in all spellings.
        ("http://127.0.0.1/", "loopback", YES),
        ("http://127.255.255.254/", "loopback", YES),
        ("http://127.0.0.1./", "loopback", YES),
        ("http://127.1/", "loopback", YES),
        ("http://2130706433/", "loopback", YES),
        ("http://0x7f000001/", "loopback", YES),
        ("http://0x7f.1/", "loopback", YES),
        ("http://0177.0.0.1/", "loopback", YES),
        ("http://017700000001/", "loopback", YES),
        ("http://127.0.0.1:8080/", "loopback", YES),
        ("http://%31%32%37.0.0.1/", "loopback", YES),
        ("http://127。0。0。1/", "loopback", YES),
        ("http://①②⑦.0.0.1/", "loopback", YES),
        ("http:\\\\127.0.0.1/", "loopback", YES),
        ("http:/127.0.0.1/", "loopback", YES),
        ("HTTP://127.0.0.1/", "loopback", YES),
        ("http://[::1]/", "loopback", YES),
        ("http://[0:0:0:0:0:0:0:1]/", "loopback", YES),
        // Private and shared.
        ("http://10.0.0.1/", "private", YES),
        ("http://10.255.255.255/", "private", YES),
        ("http://167772161/", "private", YES),
        ("http://012.1/", "private", YES),
        ("http://172.16.0.1/", "private", YES),
        ("http://172.31.255.255/", "private", YES),
        ("http://192.168.0.1/", "private", YES),
        ("http://0xc0.0xa8.0x1.0x1/", "private", YES),
        ("http://100.64.0.1/", "shared", YES),
        ("http://100.127.255.255/", "shared", YES),
        ("http://[fc00::1]/", "private", YES),
        ("http://[fdff:ffff::1]/", "private", YES),
        // Never.
        ("http://0.0.0.0/", "unspecified", "unspecified"),
        ("http://0/", "unspecified", "unspecified"),
        ("http://[::]/", "unspecified", "unspecified"),
        ("http://169.254.0.1/", "link-local", "link-local"),
        ("http://169.254.169.254/latest/meta-data/", "metadata", "metadata"),
        ("http://2852039166/", "metadata", "metadata"),
        ("http://0xa9fea9fe/", "metadata", "metadata"),
        ("http://169.254.170.2/", "metadata", "metadata"),
        ("http://100.100.100.200/", "metadata", "metadata"),
        ("http://192.0.0.192/", "metadata", "metadata"),
        ("http://168.63.129.16/", "metadata", "metadata"),
        ("http://[fd00:ec2::254]/", "metadata", "metadata"),
        ("http://[fd20:ce::254]/", "metadata", "metadata"),
        ("http://[fe80::1]/", "link-local", "link-local"),
        ("http://[febf::1]/", "link-local", "link-local"),
        ("http://[fec0::1]/", "link-local", "link-local"),
        ("http://224.0.0.1/", "multicast", "multicast"),
        ("http://239.255.255.255/", "multicast", "multicast"),
        ("http://[ff02::1]/", "multicast", "multicast"),
        ("http://255.255.255.255/", "broadcast", "broadcast"),
        // Only by the allow list.
        ("http://0.1.2.3/", "reserved", "reserved"),
        ("http://192.0.0.8/", "reserved", "reserved"),
        ("http://192.88.99.1/", "reserved", "reserved"),
        ("http://240.0.0.1/", "reserved", "reserved"),
        ("http://255.255.255.254/", "reserved", "reserved"),
        ("http://198.18.0.1/", "benchmarking", "benchmarking"),
        ("http://198.19.255.255/", "benchmarking", "benchmarking"),
        ("http://192.0.2.1/", "documentation", "documentation"),
        ("http://198.51.100.1/", "documentation", "documentation"),
        ("http://203.0.113.1/", "documentation", "documentation"),
        ("http://[2001:db8::1]/", "documentation", "documentation"),
        ("http://[3fff::1]/", "documentation", "documentation"),
        ("http://[2001:2::1]/", "benchmarking", "benchmarking"),
        ("http://[2001:20::1]/", "reserved", "reserved"),
        ("http://[100::1]/", "reserved", "reserved"),
        ("http://[5f00::1]/", "reserved", "reserved"),
        ("http://[4000::1]/", "reserved", "reserved"),
        // IPv4 inside IPv6.
        ("http://[::ffff:8.8.8.8]/", YES, YES),
        ("http://[::ffff:127.0.0.1]/", "loopback", YES),
        ("http://[::ffff:7f00:1]/", "loopback", YES),
        ("http://[::ffff:169.254.169.254]/", "metadata", "metadata"),
        ("http://[::127.0.0.1]/", "loopback", YES),
        ("http://[::8.8.8.8]/", YES, YES),
        ("http://[::ffff:0:10.0.0.1]/", "private", YES),
        ("http://[64:ff9b::8.8.8.8]/", YES, YES),
        ("http://[64:ff9b::10.0.0.1]/", "private", YES),
        ("http://[64:ff9b::169.254.169.254]/", "metadata", "metadata"),
        // Local NAT64, the address at each of its places.
        ("http://[64:ff9b:1:a9fe:a9:fe00::]/", "private", "metadata"),
        ("http://[64:ff9b:1:a9:fe:a9fe::]/", "private", "metadata"),
        ("http://[64:ff9b:1:0:a9:fea9:fe00:0]/", "private", "metadata"),
        ("http://[64:ff9b:1::169.254.169.254]/", "private", "metadata"),
        ("http://[64:ff9b:1::8.8.8.8]/", "private", YES),
        ("http://[2002:808:808::1]/", YES, YES),
        ("http://[2002:7f00:1::1]/", "loopback", YES),
        ("http://[2002:a9fe:a9fe::1]/", "metadata", "metadata"),
        ("http://[2001:0:808:808:0:0:f7f7:f7f7]/", YES, YES),
        ("http://[2001:0:808:808:0:0:80ff:fffe]/", "loopback", YES),
        ("http://[2001:0:7f00:1:0:0:f7f7:f7f7]/", "loopback", YES),
        ("http://[2001:0:808:808:0:0:5601:5601]/", "metadata", "metadata"),
        // What is no address.
        ("ftp://example.com/", "scheme `ftp`", "scheme `ftp`"),
        ("file:///etc/passwd", "scheme `file`", "scheme `file`"),
        ("gopher://127.0.0.1/", "scheme `gopher`", "scheme `gopher`"),
        ("data:text/plain,x", "scheme `data`", "scheme `data`"),
        ("https://user@example.com/", "user name", "user name"),
        ("https://:pass@example.com/", "user name", "user name"),
        ("https://example.com@127.0.0.1/", "user name", "user name"),
        ("/relative", "cannot be read", "cannot be read"),
        ("https://", "cannot be read", "cannot be read"),
        ("https://./", "cannot be read", "cannot be read"),
        ("http://[fe80::1%25eth0]/", "cannot be read", "cannot be read"),
        ("http://1.2.3.4.5/", "cannot be read", "cannot be read"),
        ("http://256.1.1.1/", "cannot be read", "cannot be read"),
        ("http://exam\nple.com/", "control characters", "control characters"),
        ("", "cannot be read", "cannot be read"),
    ];

    #[test]
    fn urls_are_judged_by_what_they_mean() {
        for (url, public, private) in URLS {
            check(&Guard::new(Policy::Public), url, public);
            check(&Guard::new(Policy::AllowPrivate), url, private);
        }
    }

    #[test]
    fn the_list_opens_what_it_may() {
        let everything = ["0.0.0.0/0", "::/0"].map(|network| network.parse().unwrap());
        let guard = Guard::new(Policy::Public).with_allowed(everything);
        for (url, _, private) in URLS {
            let never = ["unspecified", "link-local", "metadata", "multicast", "broadcast"].contains(private);
            let no_address =
                ["scheme", "user", "cannot", "control"].iter().any(|start| private.starts_with(start));
            assert_eq!(guard.check_url(url).is_err(), never || no_address, "{url}");
        }
        let one = Guard::new(Policy::Public).with_allowed(["10.1.0.0/16".parse().unwrap()]);
        check(&one, "http://10.1.2.3/", YES);
        check(&one, "http://[::ffff:10.1.2.3]/", YES);
        check(&one, "http://10.2.2.3/", "private");
    }

    #[test]
    fn a_url_that_is_too_long_is_refused() {
        let url = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        check(&Guard::new(Policy::Public), &url, "longer than");
    }

    #[test]
    fn forbidden_addresses_of_a_name_are_skipped_and_none_left_is_an_error() {
        let guard = Guard::new(Policy::Public);
        let addresses =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1"]);
        assert_eq!(guard.filter("a.test", mixed).unwrap(), addresses(&["8.8.8.8", "2606:4700::1"]));
        let error = guard.filter("a.test", addresses(&["10.0.0.1", "::1"])).unwrap_err();
        assert_eq!(error.to_string(), "`a.test` is a private address, which may not be reached from here");
        assert_eq!(error.kind(), FetchErrorKind::Forbidden);
        assert_eq!(guard.filter("a.test", Vec::new()).unwrap_err().kind(), FetchErrorKind::Dns);
        assert_eq!(guard.filter("a.test", addresses(&["8.8.8.8"; 500])).unwrap().len(), ADDRESSES_MAX);
    }
}
