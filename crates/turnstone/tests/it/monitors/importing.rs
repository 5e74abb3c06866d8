//! An export of flows becomes a monitor, over HTTP and on the command line. The file is made from the documented
//! structure of exports.

use serde_json::{Value, json};

use super::World;
use super::commands::Shell;

const EXPORT: &str = include_str!("new-users.flopack.json");
/// The card of the export that nobody here knows.
const STRANGER: &str = "flow `New-users`: Create contact (`bigcrm.createContact`)";

fn export() -> Value {
    serde_json::from_str(EXPORT).unwrap()
}

/// The export without that card.
fn known_cards_only() -> Value {
    let mut export = export();
    let flow = &mut export["data"]["flos"]["main"]["data"];
    let methods = flow["methods"].as_array_mut().unwrap();
    let before = methods.len();
    methods.retain(|method| method["uuid"] != "m5");
    assert_eq!(methods.len() + 1, before);
    for method in methods {
        for targets in method["pins"].as_object_mut().unwrap().values_mut() {
            targets.as_object_mut().unwrap().remove("m5");
        }
    }
    flow["orderings"]["e3"] = json!(["m4", "m6"]);
    flow["orderings"].as_object_mut().unwrap().remove("e4");
    export
}

fn cards(document: &Value) -> Vec<&str> {
    document["cards"].as_array().unwrap().iter().map(|card| card["card"].as_str().unwrap()).collect()
}

#[test]
fn known_cards_become_a_document_and_unknown_ones_are_named() {
    let world = World::start();
    let imported = world.ask("POST", "/monitors/import", &export()).expect(200);
    assert_eq!(imported["unknown"], json!([STRANGER]));
    let document = &imported["document"];
    assert_eq!((&document["name"], &document["cursor"]), (&json!("New users"), &json!("date")));
    assert_eq!(document["outputs"], json!({"User": {"ID": "text", "Name": "text"}}));
    let expect = [
        "date.now",
        "http.get",
        "list.map",
        "bigcrm.createContact",
        "control.cursor",
        "control.returnOutputs",
    ];
    assert_eq!(cards(document), expect, "{document:#}");
    assert_eq!(document["cards"][1]["inputs"]["url"], json!("https://api.example.com/users"));
    assert_eq!(document["cards"][2]["flow"], json!("Shape-a-user"));
    assert_eq!(cards(&document["flows"]["Shape-a-user"]).len(), 5, "{document:#}");
    let faults = imported["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].to_string().contains("there is no card `bigcrm.createContact`"), "{faults:#?}");
    world.ask("POST", "/monitors", &json!({"document": document})).expect(400);

    let imported = world.ask("POST", "/monitors/import?main=New%20users", &known_cards_only()).expect(200);
    assert_eq!((&imported["unknown"], &imported["faults"]), (&json!([]), &json!([])), "{imported:#}");
    let helper = world.ask("POST", "/monitors/import?main=nobody", &export()).expect(400);
    assert!(helper["message"].as_str().unwrap().contains("no flow `nobody`"), "{helper}");
    assert_eq!(world.get("/monitors"), json!([]), "nothing is kept");
    let saved = world.ask("POST", "/monitors", &json!({"document": imported["document"]})).expect(200);
    assert_eq!(saved["draft"], imported["document"]);
    world.ask("POST", &format!("/monitors/{}/deploy", saved["id"]), &Value::Null).expect(200);
}

#[test]
fn an_export_becomes_a_file_that_is_checked_and_saved() {
    let world = World::start();
    let shell = Shell::of(&world);
    shell.write("strange.flopack", EXPORT);
    let imported = shell.local(&["flow", "import", "strange.flopack"]).expect_code(0);
    let imported = imported.expect_words(&format!("not known: {STRANGER}")).expect_words("one fault is left");
    shell.write("strange.json", &imported.stdout);
    let checked = shell.local(&["flow", "check", "strange.json"]).expect_code(2);
    assert!(checked.stdout.contains("bigcrm.createContact"), "{}", checked.stdout);
    shell.run(&["monitor", "save", "strange.json"]).expect_code(2).expect_words("bigcrm.createContact");

    shell.write("known.flopack", &known_cards_only().to_string());
    let imported = shell.local(&["flow", "import", "known.flopack"]).expect_code(0);
    assert!(
        !imported.stderr.contains("not known") && !imported.stderr.contains("fault"),
        "{}",
        imported.stderr
    );
    shell.write("known.json", &imported.stdout);
    shell.local(&["flow", "check", "known.json"]).expect_code(0);
    let saved = shell.json(&["monitor", "save", "known.json", "--deploy"]);
    assert_eq!((&saved["name"], &saved["version"]), (&json!("New users"), &json!(1)));
}
