//! The console's files, as they were built into the program, and the page that says how to build them when they were
//! not.
//!
//! The console is a page of its own that talks to the HTTP API like any other client: nothing here knows what it does.
//! Its scripts and styles carry a hash in their names and are kept by browsers for good; they lie here packed, and are
//! unpacked only for clients that take neither way of packing. Every other address that a browser asks for as a page
//! gets the one page, which reads the address itself.
//!
//! Not here: signing in (`api::access::session`), the API (`api`).

use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use axum::body::Body;
use axum::response::{Html, IntoResponse as _, Response};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rust_embed::RustEmbed;

/// What `npm run build` wrote into `console/dist`; nothing but a note where it was not run.
#[derive(RustEmbed)]
#[folder = "../../console/dist"]
struct Built;

/// Scripts, styles and requests of our own alone; nobody frames the page. Styles may stand in the page because the
/// editor and the component library write them there; scripts may not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// The page that is served when the console was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
     <title>Turnstone</title><body style='font:16px/1.5 system-ui;max-width:36rem;margin:15vh auto;padding:0 1rem'>\
     <h1>Turnstone</h1><p>The service runs; this program was built without its console. To build it, install Node 20 \
     or newer and run <code>make console</code>, then build the program again.</p><p>The HTTP API is complete without \
     it: it is described at <a href=/openapi.json>/openapi.json</a>.</p></body></html>";

/// Where the console's files come from.
#[derive(Clone, Debug, Default)]
pub enum Console {
    /// Those that were built into the program.
    #[default]
    Embedded,
    /// A folder that is read at each request: for work on the console.
    Folder(PathBuf),
}

impl Console {
    /// Whether there is a console.
    pub fn is_built(&self) -> bool {
        self.file("index.html").is_some()
    }

    /// Answers a request that is no other's, if it is for the console: one of its files, or a page.
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        if let Some(name) = path.strip_prefix("/assets/") {
            return Some(self.asset(name, headers));
        }
        if path == "/favicon.svg" {
            return self.file("favicon.svg").map(|bytes| whole(bytes, "image/svg+xml", "max-age=86400"));
        }
        if !wants_page(headers) {
            return None;
        }
        let page = match self.file("index.html") {
            Some(bytes) => whole(bytes, "text/html; charset=utf-8", "no-cache"),
            None => Html(NOT_BUILT).into_response(),
        };
        Some(guarded(page))
    }

    fn asset(&self, name: &str, headers: &HeaderMap) -> Response {
        let Some(kind) = kind(name) else { return StatusCode::NOT_FOUND.into_response() };
        let lasting = "public, max-age=31536000, immutable";
        for (coding, end) in [("br", "br"), ("gzip", "gz")] {
            if takes(headers, coding)
                && let Some(bytes) = self.file(&format!("assets/{name}.{end}"))
            {
                let mut response = whole(bytes, kind, lasting);
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
                response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
                return response;
            }
        }
        let unpacked = self.file(&format!("assets/{name}")).or_else(|| {
            let packed = self.file(&format!("assets/{name}.gz"))?;
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).ok()?;
            Some(Cow::Owned(bytes))
        });
        let Some(bytes) = unpacked else { return StatusCode::NOT_FOUND.into_response() };
        let mut response = whole(bytes, kind, lasting);
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        response
    }

    /// The bytes of one file, by its path below the console's folder.
    fn file(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        match self {
            Console::Embedded => Built::get(path).map(|file| file.data),
            Console::Folder(folder) => {
                let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
                plain.then(|| std::fs::read(folder.join(path)).ok()).flatten().map(Cow::Owned)
            }
        }
    }
}

/// The type of a file by its name; `None` for what the console has none of.
fn kind(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// Whether a client asks for a page, as browsers do.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    kinds.flat_map(|text| text.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

/// Whether a client takes a way of packing (RFC 9110, section 12.5.3; a weight of 0 refuses it).
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let texts = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

fn whole(bytes: Cow<'static, [u8]>, kind: &'static str, keep: &'static str) -> Response {
    let mut response = Body::from(bytes.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A page that nobody frames and that runs no scripts but ours.
fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn folder() -> (tempfile::TempDir, Console) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("assets")).unwrap();
        std::fs::write(dir.path().join("index.html"), "<html>").unwrap();
        std::fs::write(dir.path().join("assets/a-1.js.br"), "packed").unwrap();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, b"let a").unwrap();
        std::fs::write(dir.path().join("assets/a-1.js.gz"), packer.finish().unwrap()).unwrap();
        let console = Console::Folder(dir.path().to_owned());
        (dir, console)
    }

    #[tokio::test]
    async fn scripts_come_packed_or_not_as_the_client_takes_them() {
        let (_dir, console) = folder();
        for (accepts, coding, bytes) in [
            ("gzip, br", Some("br"), Some("packed")),
            ("br;q=0, gzip", Some("gzip"), None),
            ("identity", None, Some("let a")),
        ] {
            let headers = headers(&[("accept-encoding", accepts)]);
            let response = console.answer(&Method::GET, "/assets/a-1.js", &headers).unwrap();
            assert_eq!(response.status(), 200, "{accepts}");
            let said = response.headers().get("content-encoding").map(|value| value.to_str().unwrap());
            assert_eq!(said, coding, "{accepts}");
            assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
            let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
            if let Some(bytes) = bytes {
                assert_eq!(body, bytes);
            }
        }
        let away = console.answer(&Method::GET, "/assets/../index.html", &HeaderMap::new()).unwrap();
        assert_eq!(away.status(), 404);
        let missing = console.answer(&Method::GET, "/assets/b.js", &HeaderMap::new()).unwrap();
        assert_eq!(missing.status(), 404);
    }

    #[test]
    fn a_browser_gets_the_page_everywhere_and_a_client_does_not() {
        let (_dir, console) = folder();
        let page = headers(&[("accept", "text/html,application/xhtml+xml")]);
        let answer = console.answer(&Method::GET, "/instances/7", &page).unwrap();
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self';"));
        assert!(console.answer(&Method::GET, "/instances/7", &headers(&[("accept", "*/*")])).is_none());
        assert!(console.answer(&Method::POST, "/instances/7", &page).is_none());
    }

    #[test]
    fn without_a_console_the_page_says_how_to_build_it() {
        let console = Console::Folder("there-is-none".into());
        assert!(!console.is_built());
        let page = headers(&[("accept", "text/html")]);
        let answer = console.answer(&Method::GET, "/", &page).unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("content-security-policy"));
    }
}
