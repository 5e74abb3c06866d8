//! Event hooks to start from, each with a request as its provider sends it and the verification that goes with it.
//!
//! Every sample is complete: its request passes its verification with [`SECRET`] at [`SENT_AT`], and its script makes
//! events of it in the real sandbox (tests of the engine). Addresses in them are [`ADDRESS`].
//!
//! Not here: showing samples and making hooks of them (the binary).

/// The secret of every sample whose scheme takes any text.
pub const SECRET: &str = "sample-secret";

/// When the requests of the samples were sent.
pub const SENT_AT: &str = "2026-01-31T09:30:00Z";

/// The address that the requests of the samples were sent to, without a query.
pub const ADDRESS: &str = "https://turnstone.example/events/sample";

/// An event hook to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its name: small letters and hyphens.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is an example of, in a sentence or two.
    pub about: &'static str,
    /// The hook.
    pub script: &'static str,
    /// Whether the hook is an older one that returns its result.
    pub is_legacy: bool,
    /// The method of the request.
    pub method: &'static str,
    /// Its query parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// Its headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// Its body.
    pub body: &'static str,
    /// The setting `event.webhook.verification` that goes with it, as JSON; empty where the hook checks by itself.
    pub verification: &'static str,
    /// The secret that the request was signed with.
    pub secret: &'static str,
}

impl Sample {
    const POST: Sample = Sample {
        name: "",
        title: "",
        about: "",
        script: "",
        is_legacy: false,
        method: "POST",
        query: &[],
        headers: &[],
        body: "",
        verification: "",
        secret: SECRET,
    };
}

/// The sample of this name.
pub fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}

/// All samples: the plain shapes first, then providers.
pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "json-body",
        title: "One record in a JSON body",
        about: "The body says what happened and holds the record. A token in a header shows whose request it is.",
        script: include_str!("samples/json-body.js"),
        headers: &[("Content-Type", "application/json"), ("X-Token", SECRET)],
        body: r#"{"action":"updated","contact":{"id":9007199254740993,"updated_at":"2026-01-31T09:29:58Z"}}"#,
        verification: r#"{"token": {"header": "X-Token"}}"#,
        ..Sample::POST
    },
    Sample {
        name: "list-of-records",
        title: "Many records in one body",
        about: "One event for each record of a list. A user name and a password show whose request it is, and the \
                batch has a name that stays when it is sent again.",
        script: include_str!("samples/list-of-records.js"),
        headers: &[("Content-Type", "application/json"), ("Authorization", "Basic c2FtcGxlOnNlY3JldA==")],
        body: r#"{"batch":"b-1704","changes":[{"op":"insert","table":"accounts","row":{"id":"A-1"},"at":"2026-01-31T09:29:50Z"},{"op":"update","table":"accounts","row":{"id":"A-2"},"at":"2026-01-31T09:29:51Z"},{"op":"vacuum","table":"accounts"},{"op":"delete","table":"contacts","row":{"id":77},"at":"2026-01-31T09:29:52Z"}]}"#,
        verification: r#"{"basic": true, "deliveryId": {"field": "batch"}}"#,
        secret: "sample:secret",
        ..Sample::POST
    },
    Sample {
        name: "signature-in-hook",
        title: "The hook checks the signature",
        about: "For schemes that no declaration covers: the field's published pattern, over the members of the body \
                as they came. A request that does not match makes no event.",
        script: include_str!("samples/signature-in-hook.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("X-Signature", "WSmaRUdmUblqKl83SWO849qGbe2tkhGKGKo2weptKh0="),
        ],
        body: r#"{"invoice":{"number":"R-2026-0117","total":119.00,"changed":"2026-01-31T09:29:58Z"}}"#,
        ..Sample::POST
    },
    Sample {
        name: "handshake",
        title: "A question before the first event",
        about: "The provider sends {\"kind\": \"verify\", \"nonce\": \"…\"} and wants {\"nonce\": \"…\"} back. That is \
                declared and answered without the hook, which sees only what comes afterwards.",
        script: include_str!("samples/handshake.js"),
        headers: &[("Content-Type", "application/json"), ("X-Token", SECRET)],
        body: r#"{"kind":"item.removed","item":"i-9","time":"2026-01-31T09:29:58Z"}"#,
        verification: r#"{"token": {"header": "X-Token"}, "challenge": {"when": {"field": "kind", "equals": "verify"}, "answer": {"field": "nonce"}, "member": "nonce"}}"#,
        ..Sample::POST
    },
    Sample {
        name: "form-body",
        title: "A form",
        about: "The fields of a form, all of them texts. The example is the status of a message at Twilio.",
        script: include_str!("samples/form-body.js"),
        headers: &[
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-Twilio-Signature", "4ETCr3Xn08zkwigu9i9ke/A4bYw="),
            ("I-Twilio-Idempotency-Token", "8f5a2c1e"),
        ],
        body: "AccountSid=AC00&MessageSid=SM0c1f5&MessageStatus=delivered&To=%2B14155550199&From=%2B14155550100",
        verification: r#""twilio""#,
        ..Sample::POST
    },
    Sample {
        name: "query-string",
        title: "A query string",
        about: "A GET without a body: the query parameters say it all, and one of them is the secret.",
        script: include_str!("samples/query-string.js"),
        method: "GET",
        query: &[
            ("key", SECRET),
            ("event", "contact.changed"),
            ("id", "42"),
            ("at", "1769851798"),
            ("delivery", "d-55"),
        ],
        verification: r#"{"token": {"parameter": "key"}, "deliveryId": {"parameter": "delivery"}}"#,
        ..Sample::POST
    },
    Sample {
        name: "legacy",
        title: "An older hook",
        about: "A hook with `isLegacy`: it is not strict and returns its result. New hooks hand theirs to `done`.",
        script: include_str!("samples/legacy.js"),
        is_legacy: true,
        headers: &[("Content-Type", "application/json"), ("X-Token", SECRET)],
        body: r#"{"type":"leads","objects":[{"id":1,"modified":"2026-01-31T09:29:57Z"},{"id":2,"modified":"2026-01-31T09:29:58Z","removed":true}]}"#,
        verification: r#"{"token": {"header": "X-Token"}}"#,
        ..Sample::POST
    },
    Sample {
        name: "standard-webhooks",
        title: "Standard Webhooks",
        about: "The body that the standard recommends; Svix and many providers send it.",
        script: include_str!("samples/standard-webhooks.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("webhook-id", "msg_2KWPBg"),
            ("webhook-timestamp", "1769851800"),
            ("webhook-signature", "v1,O9emSJdqdAlxuLZuI4RhFs5wCPKMbIwYJ9CtDThOA64="),
        ],
        body: r#"{"type":"user.updated","timestamp":"2026-01-31T09:29:59Z","data":{"id":"usr_1f81","name":"Ada"}}"#,
        verification: r#""standard-webhooks""#,
        secret: "whsec_c2FtcGxlLXNlY3JldC1vZi0yNC1ieXRl",
        ..Sample::POST
    },
    Sample {
        name: "github-issues",
        title: "GitHub: issues",
        about: "An issue that was opened, changed or deleted; other events of GitHub make none.",
        script: include_str!("samples/github-issues.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("X-GitHub-Event", "issues"),
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            (
                "X-Hub-Signature-256",
                "sha256=5d3bd60638231a52811a8163321d942f7aa421315104a22fdf6806f4c14d9836",
            ),
        ],
        body: r#"{"action":"opened","issue":{"id":2735462144,"number":17,"title":"It stops","updated_at":"2026-01-31T09:29:57Z"},"repository":{"id":1296269,"full_name":"octocat/hello"}}"#,
        verification: r#""github""#,
        ..Sample::POST
    },
    Sample {
        name: "github-push",
        title: "GitHub: push",
        about: "The commits of a push, and the branch or tag that moved.",
        script: include_str!("samples/github-push.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Delivery", "f0a9bd70-cc78-11e3-9e1d-2d5d6a5c2b11"),
            (
                "X-Hub-Signature-256",
                "sha256=5695d59e9a85718810af3efa49e3653cba165ca9e49d8276dd54dbdd2f135619",
            ),
        ],
        body: r#"{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","created":false,"deleted":false,"commits":[{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Mend it","timestamp":"2026-01-31T10:29:30+01:00"}]}"#,
        verification: r#""github""#,
        ..Sample::POST
    },
    Sample {
        name: "stripe",
        title: "Stripe",
        about: "Any event of Stripe about one object.",
        script: include_str!("samples/stripe.js"),
        headers: &[
            ("Content-Type", "application/json"),
            (
                "Stripe-Signature",
                "t=1769851800,v1=a8a16c3560151576a04bb175ed3b13d321f831a1f6622d4aa1f44a6b881f7ea6",
            ),
        ],
        body: r#"{"id":"evt_1Qx2","object":"event","type":"customer.subscription.deleted","created":1769851795,"data":{"object":{"id":"sub_9dK2","object":"subscription","status":"canceled"}}}"#,
        verification: r#""stripe""#,
        ..Sample::POST
    },
    Sample {
        name: "shopify",
        title: "Shopify",
        about: "Any topic whose body is the record: orders, products, customers.",
        script: include_str!("samples/shopify.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("X-Shopify-Topic", "orders/updated"),
            ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
            ("X-Shopify-Hmac-Sha256", "ebKW0cQtQUtFQFMVGhUa3kMmOHAkNFc2afejfo8MxXI="),
        ],
        body: r#"{"id":820982911946154508,"email":"jon@example.com","total_price":"409.94","updated_at":"2026-01-31T04:29:55-05:00"}"#,
        verification: r#""shopify""#,
        ..Sample::POST
    },
    Sample {
        name: "slack",
        title: "Slack: messages",
        about: "Messages that were posted, changed or deleted, from the Events API.",
        script: include_str!("samples/slack.js"),
        headers: &[
            ("Content-Type", "application/json"),
            ("X-Slack-Request-Timestamp", "1769851800"),
            ("X-Slack-Signature", "v0=0bea89abb1c15ff45c30798076c0b6c0a50f346ee5e9a0a0b40beb607f6c1d33"),
        ],
        body: r#"{"token":"none","team_id":"T061EG9R6","type":"event_callback","event_id":"Ev0PV52K25","event_time":1769851798,"event":{"type":"message","subtype":"message_changed","channel":"C2147483705","ts":"1769851798.000200","event_ts":"1769851798.000200","message":{"type":"message","text":"Live long","ts":"1769851700.000100"}}}"#,
        verification: r#""slack""#,
        ..Sample::POST
    },
    Sample {
        name: "microsoft-graph",
        title: "Microsoft Graph",
        about: "Notifications of a subscription: they name records without their content.",
        script: include_str!("samples/microsoft-graph.js"),
        headers: &[("Content-Type", "application/json")],
        body: r##"{"value":[{"subscriptionId":"7f105c7d","clientState":"sample-secret","changeType":"created","resource":"me/messages/AAMk1","resourceData":{"@odata.type":"#Microsoft.Graph.Message","id":"AAMk1"}},{"subscriptionId":"7f105c7d","clientState":"sample-secret","changeType":"deleted","resource":"me/messages/AAMk0","resourceData":{"@odata.type":"#Microsoft.Graph.Message","id":"AAMk0"}}]}"##,
        verification: r#""microsoft-graph""#,
        ..Sample::POST
    },
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::check::check_verification;
    use crate::intake::{ChallengeAnswer, Inbound};

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn every_request_passes_its_own_verification_and_no_other_secret() {
        let now = SENT_AT.parse().unwrap();
        for sample in SAMPLES.iter().filter(|sample| !sample.verification.is_empty()) {
            let setting: Value = serde_json::from_str(sample.verification).unwrap();
            let checked = check_verification("v", &setting);
            assert_eq!((&checked.faults, &checked.warnings), (&vec![], &vec![]), "{}", sample.name);
            let (query, headers) = (owned(sample.query), owned(sample.headers));
            let request = Inbound {
                method: sample.method,
                url: ADDRESS,
                query: &query,
                headers: &headers,
                body: sample.body.as_bytes(),
            };
            let verification = checked.verification.unwrap();
            let verified = verification.verify(&request, &[sample.secret], now);
            assert!(verified.is_ok(), "{}: {verified:?}", sample.name);
            assert_eq!(verified.unwrap().id.is_some(), verification.delivery_id.is_some(), "{}", sample.name);
            assert!(verification.verify(&request, &["another"], now).is_err(), "{}", sample.name);
            if let Some(challenge) = checked.challenge {
                assert_eq!(
                    challenge.answer(&request, &[SECRET]),
                    ChallengeAnswer::NotAsked,
                    "{}",
                    sample.name
                );
            }
        }
    }

    #[test]
    fn the_question_of_the_handshake_is_answered() {
        let setting: Value = serde_json::from_str(sample("handshake").unwrap().verification).unwrap();
        let challenge = check_verification("v", &setting).challenge.unwrap();
        let body = br#"{"kind":"verify","nonce":"n-81c"}"#;
        let request = Inbound { method: "POST", url: ADDRESS, query: &[], headers: &[], body };
        let ChallengeAnswer::Answer { body, .. } = challenge.answer(&request, &[SECRET]) else {
            panic!("it is a question")
        };
        assert_eq!(body, r#"{"nonce":"n-81c"}"#);
    }

    #[test]
    fn names_are_names_and_all_different() {
        for (at, one) in SAMPLES.iter().enumerate() {
            assert!(one.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", one.name);
            assert!(
                !one.title.is_empty() && one.about.ends_with('.') && !one.script.is_empty(),
                "{}",
                one.name
            );
            assert_eq!(SAMPLES.iter().position(|other| other.name == one.name), Some(at), "{}", one.name);
        }
        assert!(sample("stripe").is_some() && sample("Stripe").is_none());
    }
}
