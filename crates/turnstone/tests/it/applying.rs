//! Configuration as code: connectors, instances and organisations from the command line, and a folder applied to a
//! real server, again and again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use turnstone_provider::{ProviderConfig, RecordKind, ResourceConfig};

use crate::bench::{Server, wait_for};
use crate::harness::{Crm, Ended, Running, ended};

const OPEN: [&str; 3] = ["--allow-private", "--interval-minimum", "0.05"];

/// A server, and a folder to command it from.
struct Office {
    server: Server,
    token: String,
    data: tempfile::TempDir,
    desk: tempfile::TempDir,
}

impl Office {
    fn open() -> Office {
        let (data, desk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = Server::start(data.path(), &OPEN);
        let token = server.token.clone().expect("the first start shows a token");
        write(&desk.path().join("credentials"), &token);
        owner_only(&desk.path().join("credentials"));
        Office { server, token, data, desk }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    /// The program in this folder, speaking to this server.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.desk.path());
        command.args(args).env("TURNSTONE_SERVER", format!("http://{}", self.server.address));
        command.arg("--credentials").arg(self.path("credentials"));
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    fn run_with(&self, variables: &[(&str, &str)], args: &[&str]) -> Ended {
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        ended(command)
    }

    /// What an apply tells, as JSON.
    fn apply(&self, variables: &[(&str, &str)], more: &[&str]) -> Value {
        let args = [&["apply", "conf", "--json"], more].concat();
        json_of(&self.run_with(variables, &args).expect_code(0))
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        self.server.ask(&self.token, method, path, None).expect(200)
    }

    fn instances(&self) -> Vec<Value> {
        self.ask("GET", "/instances?hydrate=true").as_array().unwrap().clone()
    }

    /// A poller of an instance after at least one pass.
    fn polled(&self, instance: &Value) -> Value {
        let path = format!("/instances/{instance}/pollers/customers");
        wait_for("completed pass", || {
            Some(self.ask("GET", &path)).filter(|poller| poller["passes"].as_u64() > Some(0))
        })
    }
}

/// The program in a folder, with nothing of this process's settings.
fn command(desk: &Path) -> Command {
    let mut command = crate::bench::turnstone();
    command.current_dir(desk).env("HOME", desk).env_remove("XDG_CONFIG_HOME").env_remove("NO_COLOR");
    command
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn owner_only(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// The object of this name in what an apply told.
fn object<'a>(told: &'a Value, name: &str) -> &'a Value {
    let objects = told["objects"].as_array().unwrap();
    objects.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no `{name}` in {told}"))
}

fn paths(object: &Value) -> Vec<&str> {
    object["members"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect()
}

/// A connector in a form that nobody would write, with members that nobody knows.
const CRM: &str = r#"{ "name":"The CRM" ,"key": "crm",
  "description": "d",  "hub": "crm", "x-unknown": {"kept": [1.0, 12345678901234567890, "\u00e9"]},
  "authentication": { "type":"none" },
  "configuration": [ ], "parameters": [], "hooks": [],
  "resources": [ {"path": "/hubs/crm/customers", "method": "GET", "vendorPath": "/v1/customers",
    "vendorMethod": "GET", "type": "api", "hooks": [], "parameters": [] } ]
}
"#;

fn crm() -> Crm {
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_initial(10);
    Crm::start(ProviderConfig { paused: true, ..ProviderConfig::of(7, vec![customers]) })
}

/// An instance of the fake CRM as YAML, with a secret from the environment and a shared callback.
fn instance(crm: &Crm, name: &str, interval: &str) -> String {
    let resource = crm.document(json!({}))["configuration"]["event.poller.configuration"].to_string();
    format!(
        "element: {{key: crm}}\nname: {name}\nendpoint: app\nconfiguration:\n  \
         event.notification.enabled: true\n  event.poller.refresh_interval: {interval}\n  \
         http.headers: {{X-Key: 'env:CRM_KEY'}}\n  event.poller.configuration: {resource}\n"
    )
}

const ENDPOINT: &str =
    "url: http://127.0.0.1:9/events\nsignatureKey: env:CALLBACK_KEY\nheaders: {X-Tenant: 7}\n";
const SECRETS: [(&str, &str); 2] = [("CRM_KEY", "canary-one"), ("CALLBACK_KEY", "canary-two")];

#[test]
fn connectors_come_back_byte_by_byte() {
    let office = Office::open();
    office.write("crm.json", CRM);
    let told = json_of(&office.run(&["connector", "import", "crm.json", "--json"]).expect_code(0));
    assert_eq!(told["connectors"][0]["done"], "created", "{told}");
    let export = office.run(&["connector", "export", "crm"]).expect_code(0);
    assert_eq!(export.stdout, CRM);
    office.run(&["connector", "export", "crm", "-o", "again.json"]).expect_code(0);
    assert_eq!(std::fs::read_to_string(office.path("again.json")).unwrap(), CRM);
    let again = office.run(&["connector", "import", "crm.json"]).expect_code(0);
    assert!(again.stdout.contains("unchanged  crm"), "{}", again.stdout);

    office.write("crm.json", &CRM.replace("The CRM", "Our CRM"));
    office.run(&["connector", "import", "crm.json"]).expect_code(2).expect_words("--replace replaces it");
    assert_eq!(office.run(&["connector", "export", "crm"]).stdout, CRM, "nothing was sent");
    let replaced = office.run(&["connector", "import", "crm.json", "--replace"]).expect_code(0);
    assert!(replaced.stdout.contains("replaced  crm"), "{}", replaced.stdout);
    let list = office.run(&["connector", "list"]).expect_code(0).stdout;
    assert!(list.contains("crm") && list.contains("active") && list.contains("Our CRM"), "{list}");
    let none = office.run(&["connector", "list", "--where", "key = 'other'", "--json"]).expect_code(0);
    assert_eq!(json_of(&none), json!([]));
    office
        .run(&["connector", "export", "other"])
        .expect_code(2)
        .expect_words("there is no connector `other`");
}

#[test]
fn connectors_are_checked_without_a_server_and_all_at_once() {
    let desk = tempfile::tempdir().unwrap();
    let hook = r#"{"type": "preRequest", "mimeType": "application/javascript", "body": "require('http')"}"#;
    write(
        &desk.path().join("hooked.json"),
        &CRM.replace("\"hooks\": [],\n", &format!("\"hooks\": [{hook}],\n")),
    );
    write(&desk.path().join("broken.json"), &CRM.replace("\"none\"", "\"magic\"").replace("/hubs/crm", "7"));
    write(&desk.path().join("torn.json"), "{\"name\": ");
    let run = |more: &[&str]| {
        let mut command = command(desk.path());
        command.args(["connector", "check", "hooked.json", "broken.json", "torn.json"]).args(more);
        ended(command)
    };
    let told = json_of(&run(&["--json"]).expect_code(2).expect_words("2 of 3 connectors are not sound"));
    assert_eq!(told["sound"], json!(false));
    assert_eq!(told["connectors"][0]["sound"], json!(true), "{told}");
    let warnings = told["connectors"][0]["warnings"].to_string();
    assert!(warnings.contains("the hook requires `http`"), "{warnings}");
    assert_eq!(told["connectors"][1]["faults"][0]["path"], "authentication.type", "{told}");
    let text = run(&["--color", "always"]).expect_code(2).stdout;
    for words in ["\u{1b}[31;1mfault\u{1b}[0m: broken.json", "fault\u{1b}[0m: torn.json", "sound\u{1b}[0m: "]
    {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }

    // Nothing is sent when one of them is faulty.
    let office = Office::open();
    office.write("crm.json", CRM);
    office.write("broken.json", &CRM.replace("\"none\"", "\"magic\"").replace("\"crm\"", "\"other\""));
    office
        .run(&["connector", "import", "crm.json", "broken.json"])
        .expect_code(2)
        .expect_words("nothing was sent");
    assert_eq!(office.ask("GET", "/elements"), json!([]));
}

#[test]
fn instances_are_made_listed_switched_and_removed() {
    let (office, crm) = (Office::open(), crm());
    let text = instance(&crm, "North", "60").replace("endpoint: app\n", "tags: [production]\n");
    office.write("north.yaml", &text);
    office
        .run(&["instance", "create", "north.yaml"])
        .expect_code(2)
        .expect_words("the environment variable `CRM_KEY` is not set");
    let made = office.run_with(&SECRETS, &["instance", "create", "north.yaml", "--json"]).expect_code(0);
    let made = json_of(&made);
    assert!(made["token"].is_string() && !made.to_string().contains("canary"), "{made}");
    office.run_with(&SECRETS, &["instance", "create", "north.yaml"]).expect_code(0);

    let list = json_of(&office.run(&["instance", "list", "--tag", "production", "--json"]).expect_code(0));
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(json_of(&office.run(&["instance", "list", "--tag", "x", "--json"])), json!([]));
    let id = made["id"].to_string();
    office.run(&["instance", "show", "North"]).expect_code(2).expect_words("give an id: 1, 2");
    office.polled(&made["id"]);
    let shown = office.run(&["instance", "show", &id]).expect_code(0).stdout;
    for words in ["North", "polls", "production", "customers  ok", "60 min", "********"] {
        assert!(shown.contains(words), "`{words}` is not in:\n{shown}");
    }
    let off = office.run(&["instance", "disable", &id]).expect_code(0);
    assert!(off.stdout.contains("disabled"), "{}", off.stdout);
    let list = office.run(&["instance", "list"]).expect_code(0).stdout;
    assert!(list.contains("disabled") && list.contains("polls"), "{list}");
    assert!(office.run(&["instance", "enable", &id]).expect_code(0).stdout.contains("polls"));
    office.run(&["instance", "delete", &id]).expect_code(7).expect_words("nobody can be asked");
    office.run(&["instance", "delete", &id, "--yes"]).expect_code(0);
    office.run(&["instance", "show", &id]).expect_code(2).expect_words("there is no instance");
    office.run(&["instance", "show", "North"]).expect_code(0);
}

#[test]
fn a_server_that_is_not_there_or_does_not_know_us_is_told_in_a_sentence() {
    let office = Office::open();
    let run = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = command(office.desk.path());
        command.args(args).envs(variables.iter().copied());
        ended(command)
    };
    let here = format!("http://{}", office.server.address);
    let list = ["instance", "list", "--server", &here];
    run(&[], &list).expect_code(6).expect_words("there are no credentials; set TURNSTONE_USER_TOKEN");
    run(&[("TURNSTONE_USER_TOKEN", "wrong-secret-0123456789")], &list)
        .expect_code(6)
        .expect_words("does not know these credentials");
    let (_, user) = office.token.split_once("User ").unwrap();
    let user = user.split(',').next().unwrap();
    run(&[("TURNSTONE_USER_TOKEN", user)], &list).expect_code(0);
    let config = office.path(".config/turnstone/credentials");
    write(&config, &format!("# mine\n{}\n", office.token));
    run(&[], &list).expect_code(2).expect_words("chmod 600");
    owner_only(&config);
    run(&[], &list).expect_code(0);

    run(&[], &["instance", "list", "--server", "http://127.0.0.1:9"])
        .expect_code(6)
        .expect_words("start it with `turnstone serve`");
    run(&[], &["instance", "list", "--server", "nowhere"])
        .expect_code(2)
        .expect_words("write it as `https://");
    let peer = crate::harness::Peer::start(|_, _| {
        crate::harness::answer("404 Not Found", "text/html", "<h1>nothing here</h1>")
    });
    run(&[], &["instance", "list", "--server", &peer.url("")])
        .expect_code(6)
        .expect_words("is not Turnstone's API");
    run(&[], &["connector", "list", "--server", &here, "--where", "key ~ 1"])
        .expect_code(2)
        .expect_words("the list of connectors: ");
}

#[test]
fn organisations_are_made_through_a_server_and_without_one() {
    let office = Office::open();
    let made = json_of(&office.run(&["org", "create", "North", "--json"]).expect_code(0));
    let north = made["authorization"].as_str().unwrap();
    let me = office.server.ask(north, "GET", "/session", None).expect(200);
    assert_eq!((&me["role"], &me["name"]), (&json!("owner"), &json!("owner")), "{me}");
    office.run(&["org", "create", "North"]).expect_code(2).expect_words("there is an organisation `North`");
    let list = office.run(&["org", "list"]).expect_code(0).stdout;
    assert!(list.contains("default") && list.contains("North"), "{list}");
    office.write("north", north);
    owner_only(&office.path("north"));
    let mut command = command(office.desk.path());
    command.args(["org", "create", "East", "--credentials", "north"]);
    ended({
        command.env("TURNSTONE_SERVER", format!("http://{}", office.server.address));
        command
    })
    .expect_code(6)
    .expect_words("not allowed");

    // Without a server: only while none runs there.
    let data = office.data.path().to_str().unwrap().to_owned();
    let offline = |name: &str, data: &str| {
        let mut command = self::command(office.desk.path());
        command.args(["org", "create", name, "--owner", "Ann", "--data", data, "--json"]);
        ended(command)
    };
    offline("South", &data).expect_code(5);
    offline("South", office.desk.path().to_str().unwrap())
        .expect_code(5)
        .expect_words("there is no database");
    let Office { server, data: kept, .. } = &office;
    assert_eq!(kept.path().to_str(), Some(data.as_str()));
    assert!(server.address.port() > 0);
    let Office { server, data: _kept, desk: _desk, .. } = office;
    assert!(server.terminate());
    let made = {
        let mut command = self::command(Path::new("/"));
        command.args(["org", "create", "South", "--owner", "Ann", "--data", &data, "--json"]);
        json_of(&ended(command).expect_code(0))
    };
    let server = Server::start(Path::new(&data), &OPEN);
    let me = server.ask(made["authorization"].as_str().unwrap(), "GET", "/session", None).expect(200);
    assert_eq!((&me["role"], &me["name"]), (&json!("owner"), &json!("Ann")), "{me}");
}

#[test]
fn a_folder_is_applied_and_then_there_is_nothing_to_do() {
    let (office, crm) = (Office::open(), crm());
    office.write("conf/connectors/crm.json", CRM);
    office.write("conf/endpoints/app.yaml", ENDPOINT);
    office.write("conf/instances/north.yaml", &instance(&crm, "North", "60"));

    // The plan of everything, before anything is there; secrets need not be set for it.
    let plan = office.run(&["apply", "conf", "--plan"]).expect_code(0).stdout;
    for words in ["+ connector crm", "+ instance North (crm)", "place of customers: new", "2 to create"] {
        assert!(plan.contains(words), "`{words}` is not in:\n{plan}");
    }
    assert!(plan.contains("`CRM_KEY` is not set; it is not compared"), "{plan}");
    office.run(&["apply", "conf", "--yes"]).expect_code(2).expect_words("nothing was changed");
    office.run_with(&SECRETS, &["apply", "conf"]).expect_code(7).expect_words("nobody can be asked");
    assert_eq!((office.ask("GET", "/elements"), office.instances()), (json!([]), vec![]));

    let told = office.apply(&SECRETS, &["--yes", "--tokens", "tokens"]);
    assert_eq!((&told["applied"], &told["done"]), (&json!(true), &json!(2)), "{told}");
    let tokens = std::fs::read_to_string(office.path("tokens")).unwrap();
    assert!(tokens.contains("\"token\":") && !told.to_string().contains("\"token\""), "{tokens}");
    let made = office.instances();
    let configuration = &made[0]["configuration"];
    assert_eq!(configuration["event.notification.callback.url"], "http://127.0.0.1:9/events");
    assert_eq!(configuration["http.headers"]["X-Key"], "********");
    let id = &made[0]["id"];
    let before = office.polled(id);

    let again = office.run_with(&SECRETS, &["apply", "conf"]).expect_code(0);
    assert!(again.stdout.contains("nothing to do: 2 unchanged"), "{}", again.stdout);
    assert_eq!(office.apply(&SECRETS, &["--yes"])["summary"]["unchanged"], 2);

    // Another interval: shown, and the place is kept.
    office.write("conf/instances/north.yaml", &instance(&crm, "North", "30"));
    let plan = office.apply(&SECRETS, &["--plan"]);
    let north = object(&plan, "North");
    assert_eq!(paths(north), ["configuration.\"event.poller.refresh_interval\""], "{north}");
    assert_eq!((&north["members"][0]["from"], &north["members"][0]["to"]), (&json!(60), &json!(30)));
    assert_eq!(north["cursors"][0]["cursor"], "kept", "{north}");
    office.apply(&SECRETS, &["--yes"]);
    let after = office.polled(id);
    assert_eq!((&after["watermark"], &after["intervalSeconds"]), (&before["watermark"], &json!(1800.0)));

    // Another secret: it is seen that it changed, and not what it is.
    let rotated = [("CRM_KEY", "canary-three"), SECRETS[1]];
    let plan = office.run_with(&rotated, &["apply", "conf", "--plan"]).expect_code(0);
    assert!(plan.stdout.contains("http.headers") && plan.stdout.contains("********"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("canary") && !plan.stderr.contains("canary"), "{plan:?}");
    office.apply(&rotated, &["--yes"]);
    assert_eq!(office.apply(&rotated, &["--yes"])["done"], 0);
    assert_eq!(office.polled(id)["watermark"], before["watermark"]);

    // Versions told by another date: the plan says that the place begins anew.
    let other =
        instance(&crm, "North", "30").replace("\"idField\"", "\"filterByUpdatedDate\":false,\"idField\"");
    office.write("conf/instances/north.yaml", &other);
    let plan = office.run_with(&rotated, &["apply", "conf", "--plan"]).expect_code(0).stdout;
    assert!(plan.contains("place of customers: begins anew: versions were told by"), "{plan}");
    assert_eq!(office.apply(&rotated, &["--plan"])["summary"]["cursorsLost"], 1);
    office.apply(&rotated, &["--yes"]);
    assert_eq!(office.apply(&rotated, &["--yes"])["done"], 0);
}

#[test]
fn instances_follow_the_connector_of_the_folder_and_prune_removes_the_rest() {
    let (office, crm) = (Office::open(), crm());
    office.write("conf/connectors/crm.json", CRM);
    office.write("conf/endpoints/app.yaml", ENDPOINT);
    for name in ["North", "South"] {
        office.write(&format!("conf/instances/{name}.yaml"), &instance(&crm, name, "60"));
    }
    office.apply(&SECRETS, &["--yes"]);
    office
        .write("conf/connectors/crm.json", &CRM.replace("\"description\": \"d\"", "\"description\": \"e\""));
    let plan = office.run_with(&SECRETS, &["apply", "conf", "--plan"]).expect_code(0).stdout;
    assert!(plan.contains("description: \"d\" → \"e\""), "{plan}");
    assert!(plan.contains("element: takes the connector as it is now"), "{plan}");
    assert_eq!(office.apply(&SECRETS, &["--yes"])["done"], 3);
    assert_eq!(office.apply(&SECRETS, &["--yes"])["done"], 0);
    assert!(office.instances().iter().all(|one| one["element"]["revision"] == 2));

    std::fs::remove_file(office.path("conf/instances/South.yaml")).unwrap();
    let kept = office.run_with(&SECRETS, &["apply", "conf"]).expect_code(0).stdout;
    assert!(kept.contains("nothing to do") && kept.contains("? instance 2 South (crm)"), "{kept}");
    assert_eq!(office.apply(&SECRETS, &["--prune", "--plan"])["summary"]["remove"], 1);
    assert_eq!(office.instances().len(), 2, "a plan changes nothing");
    office.apply(&SECRETS, &["--prune", "--yes"]);
    assert_eq!(office.instances().len(), 1);
    assert_eq!(office.ask("GET", "/elements").as_array().unwrap().len(), 1);

    // A part that is not there at all is not emptied.
    std::fs::remove_dir_all(office.path("conf/instances")).unwrap();
    office.apply(&SECRETS, &["--prune", "--yes"]);
    assert_eq!(office.instances().len(), 1);
}

#[test]
fn every_fault_of_every_file_is_told_at_once_and_nothing_is_sent() {
    let (office, crm) = (Office::open(), crm());
    let good = instance(&crm, "North", "60");
    office.write("conf/connectors/crm.json", CRM);
    office.write(
        "conf/connectors/broken.json",
        &CRM.replace("\"none\"", "\"magic\"").replace("\"crm\",", "\"b\","),
    );
    office.write("conf/endpoints/app.yaml", ENDPOINT);
    office.write("conf/instances/good.yaml", &good);
    office.write("conf/instances/twin.yaml", &good);
    office.write("conf/instances/torn.yaml", "element: {key: crm\n");
    office.write(
        "conf/instances/lost.yaml",
        &good.replace("endpoint: app", "endpoint: ap").replace("North", "L"),
    );
    office.write(
        "conf/instances/wrong.yaml",
        &good.replace("North", "W").replace("\"idField\":\"id\"", "\"idField\":7,\"sort\":\"up\""),
    );
    // Only the server knows that it may not.
    let metadata = "element: {key: other}\nname: M\nconfiguration:\n  base.url: http://169.254.169.254/\n  \
                    event.poller.configuration: {a: {url: /a, idField: id}}\n";
    office.write("conf/instances/metadata.yaml", metadata);
    let ended = office.run_with(&SECRETS, &["apply", "conf", "--yes", "--json"]).expect_code(2);
    let told = json_of(&ended);
    let text = told["files"].to_string();
    for words in [
        "authentication.type",
        "conf/instances/".trim_start_matches("conf/"),
        "instances/twin.yaml",
        "instances/torn.yaml",
        "there is no endpoint",
        "customers.idField",
        "customers.sort",
        "169.254.169.254",
    ] {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
    assert!(ended.stderr.contains("nothing was changed"), "{}", ended.stderr);
    assert_eq!((office.ask("GET", "/elements"), office.instances()), (json!([]), vec![]));
    // The same without a server, as far as it can be told.
    let mut alone = office.command(&["apply", "conf"]);
    alone.env("TURNSTONE_SERVER", "http://127.0.0.1:9");
    crate::harness::ended(alone).expect_code(2).expect_words("nothing was changed");
    office.run(&["apply", "nowhere"]).expect_code(2).expect_words("holds none of");
}

#[test]
fn two_of_a_name_on_the_server_are_a_fault_that_names_them() {
    let (office, crm) = (Office::open(), crm());
    office.write("conf/instances/north.yaml", &instance(&crm, "North", "60").replace("endpoint: app\n", ""));
    for _ in 0..2 {
        office.run_with(&SECRETS, &["instance", "create", "conf/instances/north.yaml"]).expect_code(0);
    }
    let told = office.run_with(&SECRETS, &["apply", "conf", "--plan"]).expect_code(2);
    assert!(told.stdout.contains("the server has several instances of this name: 1, 2"), "{}", told.stdout);
}

#[test]
fn an_apply_that_is_killed_goes_on_where_it_stopped() {
    const INSTANCES: usize = 40;
    let (office, crm) = (Office::open(), crm());
    office.write("conf/connectors/crm.json", CRM);
    office.write("conf/endpoints/app.yaml", ENDPOINT);
    for number in 0..INSTANCES {
        let name = format!("Shop {number:02}");
        office.write(&format!("conf/instances/{number:02}.yaml"), &instance(&crm, &name, "60"));
    }
    let mut command = office.command(&["apply", "conf", "--yes"]);
    command.envs(SECRETS);
    let mut running = Running::start(command);
    running.wait_for("(6 of 41)");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let made = office.instances().len();
    assert!((5..INSTANCES).contains(&made), "{made} were made before it was killed");
    let told = office.apply(&SECRETS, &["--yes"]);
    // What was under way when it was killed may have been made after we looked.
    let created = told["summary"]["create"].as_u64().unwrap() as usize;
    assert!(created <= INSTANCES - made && created + 2 >= INSTANCES - made, "{created} after {made}");
    assert_eq!(office.instances().len(), INSTANCES, "none is missing, and none is there twice");
    assert_eq!(office.apply(&SECRETS, &["--yes"])["done"], 0);
}

#[test]
fn what_stops_an_apply_is_told_with_what_was_done() {
    let (office, crm) = (Office::open(), crm());
    office.write("conf/connectors/crm.json", CRM);
    office.write("conf/endpoints/app.yaml", ENDPOINT);
    office.write("conf/instances/north.yaml", &instance(&crm, "North", "60"));
    // A member may make instances and no connectors.
    let body = json!({"name": "Ann", "role": "member"});
    let ann = office.server.ask(&office.token, "POST", "/users", Some(&body)).expect(200);
    office.write("credentials", &format!("User {}", ann["secret"].as_str().unwrap()));
    owner_only(&office.path("credentials"));
    let ended = office.run_with(&SECRETS, &["apply", "conf", "--yes"]);
    let ended = ended.expect_code(6).expect_words("not allowed");
    assert!(ended.stderr.contains("0 of 2 changes were made; run it again"), "{}", ended.stderr);
    assert_eq!(office.instances(), [] as [Value; 0]);
}

/// The files of a folder by their paths.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_is_exported_applies_to_the_same_server_and_to_another_one() {
    let (office, crm) = (Office::open(), crm());
    office.write("src/connectors/crm.json", CRM);
    office.write("src/endpoints/app.yaml", ENDPOINT);
    for name in ["North", "north"] {
        office.write(&format!("src/instances/{name}-1.yaml"), &instance(&crm, name, "60"));
    }
    office.run_with(&SECRETS, &["apply", "src", "--yes"]).expect_code(0);
    let told = json_of(&office.run(&["export", "conf", "--json"]).expect_code(0));
    assert_eq!((&told["connectors"], &told["instances"]), (&json!(1), &json!(2)), "{told}");
    let written = files(&office.path("conf"));
    assert_eq!(written["connectors/crm.json"], CRM);
    assert!(
        !written.values().any(|text| text.contains("canary") || text.contains("********")),
        "{written:#?}"
    );
    let variables: Vec<String> = told["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["variable"].as_str().unwrap().to_owned())
        .collect();
    // Every header may hold a credential, so the plain one is left out as well.
    assert_eq!(variables.len(), 6, "{variables:?}");
    for name in &variables {
        assert!(written[".env.example"].contains(&format!("\n{name}=\n")), "{}", written[".env.example"]);
    }
    office.run(&["export", "conf"]).expect_code(2).expect_words("--force");
    office.run(&["export", "conf", "--force"]).expect_code(0);

    let plan = office.run(&["apply", "conf", "--plan"]).expect_code(0).stdout;
    assert!(plan.contains("nothing to do: 3 unchanged") && plan.contains("is not set"), "{plan}");
    let value = |name: &str| match name {
        name if name.contains("SIGNATURE") => "canary-two",
        name if name.contains("TENANT") => "7",
        _ => "canary-one",
    };
    let set: Vec<(&str, &str)> = variables.iter().map(|name| (name.as_str(), value(name))).collect();
    let told = office.apply(&set, &["--yes"]);
    assert_eq!((&told["done"], &told["summary"]["unchanged"]), (&json!(0), &json!(3)), "{told}");

    let other = Office::open();
    for (name, text) in &written {
        other.write(&format!("conf/{name}"), text);
    }
    assert_eq!(other.apply(&set, &["--yes"])["summary"]["create"], 3);
    other.run(&["export", "again"]).expect_code(0);
    assert_eq!(files(&other.path("again")), written);
}
