//! `turnstone monitor` and `turnstone subscription` against a server: from a document to a rewound cursor.

use std::process::Command;

use serde_json::{Value, json};

use super::{World, monitor, next, told};
use crate::bench::{Receiver, turnstone, wait_for};
use crate::harness::{Ended, ended};

/// A folder to command the world's server from.
pub struct Shell<'w> {
    world: &'w World,
    folder: tempfile::TempDir,
}

impl Shell<'_> {
    pub fn of(world: &World) -> Shell<'_> {
        let shell = Shell { world, folder: tempfile::tempdir().unwrap() };
        shell.write("credentials", &world.token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(shell.folder.path().join("credentials"), mode).unwrap();
        }
        shell
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = turnstone();
        command.current_dir(self.folder.path()).args(args).env("HOME", self.folder.path());
        command.env_remove("XDG_CONFIG_HOME").env_remove("NO_COLOR");
        command
    }

    /// A command that needs no server.
    pub fn local(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    fn to_server(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("TURNSTONE_SERVER", format!("http://{}", self.world.server.address));
        command.args(["--credentials", "credentials"]);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        ended(self.to_server(args))
    }

    /// Standard output of a command that ended well.
    #[track_caller]
    fn text(&self, args: &[&str]) -> String {
        self.run(args).expect_code(0).stdout
    }

    /// The same with `--json`.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.text(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs a subscription to the end of one more run.
    fn one_more_run(&self, name: &str, id: &Value) {
        let runs = format!("/subscriptions/{id}/runs");
        let before = self.world.get(&runs).as_array().unwrap().len();
        let said = self.text(&["subscription", "run", name]);
        assert!(said.contains("is due now"), "{said}");
        wait_for("run", || (self.world.get(&runs).as_array().unwrap().len() > before).then_some(()));
    }
}

#[test]
fn a_monitor_is_saved_deployed_listed_shown_and_removed() {
    let world = World::start();
    let shell = Shell::of(&world);
    shell.write("users.json", &monitor().to_string());
    let list = shell.run(&["monitor", "list"]).expect_code(0).expect_words("there is no monitor");
    assert!(!list.stdout.contains("New users"), "{}", list.stdout);
    assert_eq!(shell.json(&["monitor", "list"]), json!([]));

    let saved = shell.text(&["monitor", "save", "users.json"]);
    assert!(saved.contains("monitor 1 `New users`: draft 1, not deployed"), "{saved}");
    let saved = shell.text(&["monitor", "save", "users.json", "--deploy"]);
    assert!(saved.contains("monitor 1 `New users`: draft 2, version 1"), "{saved}");
    let listed = shell.json(&["monitor", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["version"]), (1, &json!(1)), "{listed}");
    let table = shell.text(&["monitor", "list"]);
    assert!(table.contains("New users") && table.contains("deployed"), "{table}");

    let mut next = monitor();
    next["description"] = json!("the second one");
    shell.write("users.json", &next.to_string());
    let saved = shell.json(&["monitor", "save", "users.json"]);
    assert_eq!(
        (&saved["revision"], &saved["version"], &saved["changed"]),
        (&json!(3), &json!(1), &json!(true))
    );
    assert!(shell.text(&["monitor", "list"]).contains("draft changed"));
    assert_eq!(shell.json(&["monitor", "deploy", "New users"]), json!({"version": 2}));
    assert!(shell.text(&["monitor", "deploy", "1"]).contains("version 2 is deployed"));
    assert_eq!(shell.json(&["monitor", "show", "New users"])["draft"], next);
    let draft: Value = serde_json::from_str(&shell.text(&["monitor", "show", "1"])).unwrap();
    assert_eq!(draft, next);

    // The server keeps a name without markup and blanks around it; the second save finds it again.
    let mut marked = monitor();
    marked["name"] = json!("  All <b>users</b> ");
    shell.write("marked.json", &marked.to_string());
    for revision in [1, 2] {
        let saved = shell.json(&["monitor", "save", "marked.json"]);
        assert_eq!((&saved["name"], &saved["revision"]), (&json!("All users"), &json!(revision)));
    }
    shell.run(&["monitor", "delete", "All users", "--yes"]).expect_code(0);

    shell
        .run(&["monitor", "show", "Old users"])
        .expect_code(2)
        .expect_words("there is no monitor `Old users`");
    let mut faulty = monitor();
    faulty["cards"][2]["card"] = json!("control.cursr");
    shell.write("faulty.json", &faulty.to_string());
    shell.run(&["monitor", "save", "faulty.json"]).expect_code(2).expect_words("control.cursr");
    shell.write("empty.yaml", " \n");
    shell
        .run(&["monitor", "save", "empty.yaml"])
        .expect_code(2)
        .expect_words("is empty; write a document in YAML");
    shell.run(&["monitor", "delete", "New users"]).expect_code(7).expect_words("nobody can be asked");
    shell.run(&["monitor", "delete", "New users", "--yes"]).expect_code(0).expect_words("is removed");
    assert_eq!(world.get("/monitors"), json!([]));
}

#[test]
fn a_subscription_is_made_run_switched_and_its_cursor_looked_after() {
    let world = World::start();
    world.users(&[1, 2]);
    let shell = Shell::of(&world);
    shell.write("users.json", &monitor().to_string());
    shell.text(&["monitor", "save", "users.json", "--deploy"]);
    assert_eq!(shell.json(&["subscription", "list"]), json!([]));
    shell.run(&["subscription", "list"]).expect_code(0).expect_words("there is no subscription");

    shell.run(&create(&[])).expect_code(2).expect_words("the option `Group` is required");
    shell.run(&create(&["--option", "Group"])).expect_code(2).expect_words("has no `=`");
    let broken = shell.run(&create(&["--option", "Group=all", "--cursor", "{nope"]));
    broken.expect_code(2).expect_words("--cursor is no JSON");
    shell.run(&create(&["--interval", "5m", "--cron", "0 6 * * *"])).expect_code(64);
    let made = shell.json(&create(&[
        "--option",
        "Group=staff",
        "--name",
        "staff",
        "--cron",
        "0 6 * * *",
        "--zone",
        "Europe/Berlin",
        "--run-mode",
        "everyTime",
        "--cursor",
        r#"{"last": 0}"#,
        "--inactive",
    ]));
    assert_eq!(
        (&made["name"], &made["active"], &made["runMode"]),
        (&json!("staff"), &json!(false), &json!("everyTime"))
    );
    assert_eq!(made["schedule"], json!({"cron": "0 6 * * *", "zone": "Europe/Berlin"}));
    assert_eq!((&made["cursor"], &made["options"]), (&json!({"last": 0}), &json!({"Group": "staff"})));
    let said = shell.text(&create(&["--option", "Group=all", "--interval", "10m"]));
    assert!(said.contains("`New users`: version 1, next run 2"), "{said}");

    let listed = shell.json(&["subscription", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let id = listed[1]["id"].clone();
    let table = shell.text(&["subscription", "list"]);
    assert!(table.contains("inactive") && table.contains("New users") && table.contains("1 v1"), "{table}");
    let shown = shell.json(&["subscription", "show", "New users"]);
    assert_eq!((&shown["id"], &shown["schedule"]), (&id, &json!({"interval": "10m"})));
    let shown: Value = serde_json::from_str(&shell.text(&["subscription", "show", &id.to_string()])).unwrap();
    assert_eq!(shown["name"], json!("New users"));

    shell.one_more_run("New users", &id);
    cursors(&shell, &id);

    let off = shell.text(&["subscription", "deactivate", "New users"]);
    assert!(off.contains("is not active"), "{off}");
    shell.run(&["subscription", "run", "New users"]).expect_code(2).expect_words("is switched off");
    assert_eq!(shell.json(&["subscription", "activate", "New users"])["active"], json!(true));
    shell.run(&["subscription", "delete", "staff"]).expect_code(7);
    shell.run(&["subscription", "delete", "staff", "--yes"]).expect_code(0).expect_words("is removed");
    shell
        .run(&["subscription", "show", "staff"])
        .expect_code(2)
        .expect_words("there is no subscription `staff`");
    let refused = shell.run(&["monitor", "delete", "New users", "--yes"]).expect_code(2);
    refused.expect_words("subscription");
}

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["subscription", "create", "New users", "--instance", "main"], more].concat()
}

fn cursor<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["subscription", "cursor", "New users"], more].concat()
}

/// Everything that can be done with the cursor of `New users`, which a run has saved.
fn cursors(shell: &Shell<'_>, id: &Value) {
    let shown = shell.run(&cursor(&[])).expect_code(0).expect_words("10 bytes");
    assert_eq!(shown.stdout, "{\"last\":2}\n");
    assert_eq!(shell.json(&cursor(&[]))["type"], json!("object"));
    let set = shell.run(&cursor(&["--set", r#"{"last": 7}"#])).expect_code(0).expect_words("by hand");
    assert_eq!(set.stdout, "{\"last\":7}\n");
    assert_eq!(shell.json(&cursor(&["--set", r#"{"last": 8}"#]))["cursor"], json!({"last": 8}));
    shell.run(&cursor(&["--set", "{nope"])).expect_code(2).expect_words("--set is no JSON");
    shell.run(&cursor(&["--set", "5"])).expect_code(2).expect_words("Object");
    shell.run(&cursor(&["--set", "5", "--reset"])).expect_code(64);
    assert_eq!(shell.text(&cursor(&["--reset"])), "null\n");
    let former = shell.json(&cursor(&["--history"]));
    let seven = former.as_array().unwrap().iter().find(|one| one["cursor"]["last"] == 7);
    let seven = seven.unwrap_or_else(|| panic!("{former}"))["id"].to_string();
    let table = shell.text(&cursor(&["--history"]));
    assert!(table.contains("REPLACED") && table.contains(r#"{"last":7}"#), "{table}");
    assert_eq!(shell.text(&cursor(&["--rewind", &seven])), "{\"last\":7}\n");
    shell.run(&cursor(&["--rewind", "999999"])).expect_code(2);
    shell.run(&["subscription", "cursor", "Nobody"]).expect_code(2).expect_words("there is no subscription");

    // The audit has every change of it, with the cursor before and after.
    let audit = shell.world.get("/audit");
    let target = format!("/subscriptions/{id}");
    let of_cursor = |entry: &&Value| {
        entry["target"].as_str().is_some_and(|path| path.starts_with(&target))
            && entry["detail"]["cursor"].is_object()
    };
    let mut told: Vec<String> = audit
        .as_array()
        .unwrap()
        .iter()
        .filter(of_cursor)
        .map(|entry| {
            let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
            let cursor = &entry["detail"]["cursor"];
            format!("{} {} {}", entry["action"].as_str().unwrap(), text(&cursor["from"]), text(&cursor["to"]))
        })
        .collect();
    told.reverse();
    let expect = [
        r#"replaceCursor {"last":2} {"last":7}"#,
        r#"replaceCursor {"last":7} {"last":8}"#,
        r#"resetCursor {"last":8} none"#,
        r#"rewindCursor none {"last":7}"#,
    ];
    assert_eq!(told, expect);
}

#[test]
fn a_name_that_several_have_asks_for_an_id() {
    let world = World::start();
    let shell = Shell::of(&world);
    shell.write("users.json", &monitor().to_string());
    shell.text(&["monitor", "save", "users.json", "--deploy"]);
    let other = world.instance_of("people", "other")["id"].to_string();
    for instance in ["main", "other"] {
        let create = ["subscription", "create", "1", "--instance", instance, "--option", "Group=all"];
        shell.text(&create);
    }
    for command in
        [&["subscription", "show", "New users"][..], &["subscription", "delete", "New users", "--yes"]]
    {
        shell.run(command).expect_code(2).expect_words("has several subscriptions; give an id: 1, 2");
    }
    assert_eq!(shell.json(&["subscription", "show", "2"])["instanceId"].to_string(), other);
    world.instance_of("people", "main");
    let create = ["subscription", "create", "New users", "--instance", "main", "--option", "Group=all"];
    shell.run(&create).expect_code(2).expect_words("the name `main` has several instances; give an id: ");
    let nobody = ["subscription", "create", "New users", "--instance", "nobody", "--option", "Group=all"];
    shell.run(&nobody).expect_code(2).expect_words("there is no instance `nobody`");
    let nothing = ["subscription", "create", "Old users", "--instance", "other"];
    shell.run(&nothing).expect_code(2).expect_words("there is no monitor `Old users`");
}

#[test]
fn a_subscription_signs_with_a_named_key_and_moves_to_another_version() {
    let world = World::start();
    let shell = Shell::of(&world);
    shell.write("users.json", &monitor().to_string());
    shell.text(&["monitor", "save", "users.json", "--deploy"]);
    let own = Receiver::start("the key of the staff");
    let url = format!("http://{}/own", own.address);
    let with = |key| create(&["--option", "Group=all", "--callback", &url, "--callback-key", key]);
    shell.run(&with("the key of the staff")).expect_code(2).expect_words("does not belong on a command line");
    shell.run(&with("env:STAFF_KEY")).expect_code(2).expect_words("`STAFF_KEY`");
    shell.run(&create(&["--callback-key", "env:STAFF_KEY"])).expect_code(64);
    let mut command = shell.to_server(&with("env:STAFF_KEY"));
    command.env("STAFF_KEY", "the key of the staff");
    let made = ended(command).expect_code(0);
    assert!(!made.stdout.contains("the key of the staff"), "{}", made.stdout);
    world.users(&[1]);
    world.run(1);
    assert_eq!(told(&next(&own)), ["CREATED 1"]);

    let mut counted = monitor();
    counted["cursor"] = json!("number");
    counted["cards"][0]["inputs"]["query"]["seen"] = json!({"from": "monitor.cursor"});
    counted["cards"][2]["inputs"]["Properties"] = json!({"from": "call.body.mark.last"});
    shell.write("users.json", &counted.to_string());
    shell.text(&["monitor", "save", "users.json", "--deploy"]);
    let change = ["subscription", "change", "New users", "--version", "2"];
    shell.run(&change).expect_code(2).expect_words("this version saves number");
    shell.run(&[&change[..], &["--cursor", "{"]].concat()).expect_code(2).expect_words("--cursor is no JSON");
    shell.run(&["subscription", "change", "New users"]).expect_code(64);
    let moved = shell.text(&[&change[..], &["--cursor", LONG]].concat());
    assert_eq!(moved, format!("subscription 1 `New users`: version 2, cursor {LONG}\n"));
    let back = ["subscription", "change", "1", "--version", "1", "--cursor", "null"];
    let back = shell.json(&back);
    assert_eq!((&back["version"], &back["cursor"]), (&json!(1), &Value::Null));
}

/// More digits than a computer counts with.
const LONG: &str = "12345678901234567890123";

#[test]
fn a_long_number_keeps_its_digits_both_ways() {
    let world = World::start();
    let shell = Shell::of(&world);
    let mut counted = monitor();
    (counted["name"], counted["cursor"]) = (json!("counted"), json!("number"));
    counted["cards"][0]["inputs"]["query"] = json!({"seen": {"from": "monitor.cursor"}});
    counted["cards"][2]["inputs"]["Properties"] = json!({"from": "monitor.cursor"});
    counted["options"] = json!([]);
    shell.write("counted.json", &counted.to_string());
    shell.text(&["monitor", "save", "counted.json", "--deploy"]);
    let create = ["subscription", "create", "counted", "--instance", "main", "--cursor", LONG, "--json"];
    assert!(shell.text(&create).contains(&format!("\"cursor\":{LONG},")));
    let other = LONG.replace('9', "8");
    let cursor = |more: &[&str]| shell.text(&[&["subscription", "cursor", "counted"], more].concat());
    assert_eq!(cursor(&[]), format!("{LONG}\n"));
    assert_eq!(cursor(&["--set", &other]), format!("{other}\n"));
    assert!(cursor(&["--history"]).contains(LONG));
    assert!(cursor(&["--history", "--json"]).contains(&format!("\"cursor\":{LONG},")));
    assert!(cursor(&["--json"]).contains(&format!("\"cursor\":{other},")));
    for more in [&[][..], &["--json"]] {
        let of = |what: &[&str]| shell.text(&[&["subscription"], what, more].concat());
        assert!(of(&["list"]).contains(&other));
        assert!(of(&["show", "counted"]).contains(&other));
    }

    // Over HTTP, and in what a run and a rehearsal tell.
    let shown = world.ask("GET", "/subscriptions/1/cursor", &Value::Null).body;
    assert!(shown.contains(&format!("\"cursor\":{other},")), "{shown}");
    let run = world.run(1);
    // A slow machine may let its schedule run it as well.
    let asked = world.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|path| *path == format!("/users?seen={other}")),
        "{asked:?}"
    );
    let trace = world.ask("GET", &format!("/runs/{}/trace", run["id"].as_str().unwrap()), &Value::Null).body;
    assert!(trace.contains(&format!("\"seen\":{other}")), "{trace}");
    let body = format!(r#"{{"instanceId": {}, "cursor": {LONG}}}"#, world.instance);
    let path = "/elements/api-v2/monitors/1/test";
    let (address, token) = (world.server.address, Some(world.token.as_str()));
    let tested =
        crate::bench::request(address, "POST", path, token, Some("application/json"), body.as_bytes());
    assert!(tested.body.contains(&format!("\"cursor\":{LONG},\"savesCursor\":true")), "{tested:?}");
    let base = world.provider.url("");
    let local = ["flow", "run", "counted.json", "--base-url", &base, "--cursor", LONG, "--json"];
    let told = shell.local(&local).expect_code(0).stdout;
    assert!(told.contains(&format!("\"cursor\":{LONG},\"savesCursor\":true")), "{told}");
}
