// The model behind the canvas: documents in, documents out, with nothing lost.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { CATALOGUE, catalogue } from "../scripts/cards.ts";
import { CARDS, choices, specOf } from "../src/screens/flows/model/catalogue.ts";
import { allCards, type Card, cardsPath, everyCard, topCards } from "../src/screens/flows/model/document.ts";
import * as edit from "../src/screens/flows/model/edit.ts";
import { byPlace, sorted, tookMs } from "../src/screens/flows/model/findings.ts";
import { get, type Json, type Path } from "../src/screens/flows/model/json.ts";
import { dropPlace, laidOut } from "../src/screens/flows/model/layout.ts";
import { inputRows, laneRows, mayRefer, nextRepeated, outputRows, sourcesFor } from "../src/screens/flows/model/pins.ts";
import { referencesIn } from "../src/screens/flows/model/references.ts";
import { read, written } from "../src/screens/flows/model/text.ts";
import { wiresOf } from "../src/screens/flows/model/wires.ts";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "monitors", "new-users.yaml");
const PROGRAM = process.env["TURNSTONE_BIN"] ?? join(import.meta.dirname, "..", "..", "target", "debug", "turnstone");

function doc(source: string): Json {
  const found = read(source, "yaml");
  assert.ok("doc" in found, JSON.stringify(found));
  return found.doc;
}

const example = doc(await readFile(EXAMPLE, "utf8"));

function card(document: Json, id: string): Card {
  const found = everyCard(document).find((card) => card.id === id);
  assert.ok(found, `there is a card ${id}`);
  return found;
}

/** Every reference of a document. */
function references(document: Json): string[] {
  return everyCard(document).flatMap(({ value }) => [value["inputs"], value["values"]].flatMap((inputs) => (inputs === undefined ? [] : Object.values(inputs as object).flatMap((input) => referencesIn(input as Json)))));
}

test("the catalogue is what the manual lists, and what the program knows", async () => {
  assert.equal(await readFile(CATALOGUE, "utf8"), await catalogue(), "run: npm run cards");
  if (!existsSync(PROGRAM)) return;
  const known = JSON.parse(execFileSync(PROGRAM, ["flow", "cards", "--json"], { encoding: "utf8" })) as { id: string; name: string; inputs: string[]; outputs: string[] }[];
  for (const { id, name, inputs, outputs } of known) {
    const spec = specOf(id);
    assert.deepEqual([spec?.label, spec?.inputs.map(({ key }) => key), spec?.outputs.map(({ key }) => key)], [name, inputs, outputs], id);
  }
  assert.deepEqual(CARDS.map(({ id }) => id), known.map(({ id }) => id));
});

test("a document comes back from the canvas' texts as it was, what the canvas does not know included", () => {
  const odd = { ...(example as object), future: { a: [1, { b: null }] }, cards: [...((example as { cards: Json[] }).cards), { card: "nobody.knows", odd: [1], inputs: { x: { literal: { from: "a.b" } } } }] } as Json;
  for (const language of ["yaml", "json"] as const) {
    const back = read(written(odd, language), language);
    assert.ok("doc" in back);
    assert.equal(JSON.stringify(back.doc), JSON.stringify(odd), language);
  }
  const changed = edit.setInput(edit.setId(odd, card(odd, "saved"), "start"), ["cards", 1, "inputs", "x"], 1);
  assert.equal(JSON.stringify(get(changed, ["future"])), JSON.stringify(get(odd, ["future"])));
  assert.equal(JSON.stringify(get(changed, ["cards", 8])), JSON.stringify(get(odd, ["cards", 8])));
  assert.deepEqual(Object.keys(changed as object), Object.keys(odd as object), "members keep their order");
});

test("a text that is no document is told, and a text that repeats a name", () => {
  for (const source of ["[1]", "a: [", "name: a\nname: b", "just words"]) assert.ok("fault" in read(source, "yaml"), source);
  assert.ok("fault" in read("{", "json"));
});

test("cards, blocks and helper flows are found at the places that the API names", () => {
  assert.deepEqual(allCards(example, null).map(({ place }) => place), ["cards.saved", "cards.now", "cards.fetch", "cards.fetch.try.query", "cards.fetch.try.call", "cards.fetch.try[2]", "cards.fetch.ifError[0]", "cards[3]", "cards.records", "cards.cursor", "cards[6]", "cards[7]"]);
  assert.deepEqual(allCards(example, "asRecord").map(({ place }) => place), ["flows.asRecord.cards.fields", "flows.asRecord.cards[1]"]);
});

test("every wire of the example leads from a card or the event to an input", () => {
  const wires = wiresOf(example, null);
  assert.equal(wires.length, 10);
  const boxes = new Set(laidOut(example, null, new Map()).boxes.map(({ key }) => key));
  for (const wire of wires) assert.ok(boxes.has(wire.from) && boxes.has(wire.to), wire.key);
  assert.deepEqual(wires.filter(({ from }) => from === "event").map(({ output }) => output), ["monitor.cursor"]);
});

test("inputs come from the catalogue, from the called flow, and from the author", () => {
  const call = inputRows(example, card(example, "call"));
  assert.deepEqual(call.map(({ key, type }) => `${key} ${type}`), ["relative_url text", "request_method text", "query object", "headers object", "body any"]);
  const records = inputRows(example, card(example, "records"));
  assert.deepEqual(records.map(({ place }) => place), ["cards.records.inputs.list", "cards.records.inputs.concurrency", "cards.records.values.user"]);
  assert.equal(records[2]?.call, "items");
  const condition = allCards(example, null)[7] as Card;
  assert.deepEqual(inputRows(example, condition).map(({ key, label }) => `${key}=${label}`), ["value a=value a", "comparison=comparison", "value b=value b", "message=message"]);
  const list = doc("{cards: [{card: list.union, inputs: {list 1: [], list 2: []}}]}");
  assert.deepEqual(inputRows(list, topCards(list, null)[0] as Card).map(({ key }) => key), ["list 1", "list 2"]);
  assert.equal(nextRepeated(topCards(list, null)[0] as Card), "list 3");
});

test("a card may take from earlier cards of its block and of those around, and from nothing else", () => {
  const labels = (id: string, at?: number) => sourcesFor(example, at === undefined ? card(example, id) : (allCards(example, null)[at] as Card)).map(({ source }) => source);
  assert.deepEqual(labels("call"), ["query", "now", "saved", "monitor"]);
  assert.deepEqual(labels("", 6), ["error", "now", "saved", "monitor"]);
  assert.deepEqual(labels("cursor"), ["records", "", "fetch", "now", "saved", "monitor"].map((source) => (source === "" ? undefined : source)));
  assert.deepEqual(sourcesFor(example, card(example, "records"), "items")[0]?.outputs.map(({ name }) => name), ["item", "index"]);
  assert.ok(mayRefer(example, card(example, "call").path, card(example, "saved").path));
  assert.ok(!mayRefer(example, card(example, "saved").path, card(example, "now").path));
  assert.ok(!mayRefer(example, card(example, "records").path, card(example, "query").path));
});

test("wires follow when cards, outputs, inputs, options and flows get other names", () => {
  const id = edit.setId(example, card(example, "now"), "end");
  assert.ok(!references(id).some((from) => from.startsWith("now.")) && references(id).filter((from) => from.startsWith("end.")).length === 2);
  assert.equal(edit.setId(example, card(example, "now"), "monitor"), example, "reserved");
  assert.equal(edit.setId(example, card(example, "now"), "saved"), example, "taken");

  const block = edit.renameOutput(example, card(example, "fetch"), "newUsersList", "users");
  assert.deepEqual(get(block, ["cards", 2, "outputs"]), { users: "list of object", reached: "boolean" });
  assert.deepEqual(Object.keys(get(block, ["cards", 2, "try", 2, "inputs"]) as object), ["users", "reached"]);
  assert.deepEqual(Object.keys(get(block, ["cards", 2, "ifError", 0, "inputs"]) as object), ["users", "reached"]);
  assert.deepEqual(get(block, ["cards", 4, "inputs", "list"]), { from: "fetch.users" });

  const fixed = edit.renameOutput(example, card(example, "now"), "date", "New end date");
  assert.equal(get(fixed, ["cards", 1, "note"]), "New end date\ndate - New end date");
  assert.equal(outputRows(fixed, card(fixed, "now"))[0]?.label, "New end date");
  assert.deepEqual(references(fixed), references(example), "an output of the catalogue keeps its key");

  const flow = edit.renameFlow(example, "asRecord", "shape");
  assert.equal(get(flow, ["cards", 4, "flow"]), "shape");
  const signature = edit.setSignature(example, "asRecord", "inputs", [{ was: "user", name: "person", type: "object" }]);
  assert.deepEqual(get(signature, ["cards", 4, "values"]), { person: { from: "item" } });
  assert.deepEqual(get(signature, ["flows", "asRecord", "cards", 0, "inputs", "ID"]), { from: "inputs.person.id" });
  assert.deepEqual(Object.keys(get(signature, ["flows", "asRecord"]) as object), ["description", "inputs", "outputs", "cards"]);

  const options = doc("{options: [{label: Team}, {label: Old}], cards: [{card: string.concat, inputs: {text 1: {from: options.Team}, text 2: {from: options.Old}}}]}");
  const set = edit.setOptions(options, [{ label: "Group" }], [{ was: "Team", name: "Group" }]);
  assert.deepEqual(get(set, ["cards", 0, "inputs"]), { "text 1": { from: "options.Group" } });

  const mirror = doc("{cards: [{id: a, card: control.let, inputs: {x: 1}}, {card: object.construct, inputs: {y: {from: a.x.z}, deep: [{from: a.x}]}}]}");
  assert.deepEqual(references(edit.renameInput(mirror, card(mirror, "a"), ["cards", 0, "inputs", "x"], "w")), ["a.w.z", "a.w"]);
});

test("names of outputs and of the record follow the dialog", () => {
  const groups = edit.outputGroups(example).map((group) => ({ ...group, name: "Person", fields: group.fields.map((field) => (field.name === "ID" ? { ...field, name: "Key" } : field)) }));
  const record = edit.followRecord(get(example, ["record"]) as Record<string, Json>, groups);
  assert.deepEqual(record, { group: "Person", id: "Key", updated: "Created", eventType: "byLedger" });
  assert.deepEqual(get(edit.setOutputs(example, groups, record), ["outputs"]), { Person: { Key: "text", Name: "text", Email: "text", Created: "date" } });
});

test("wiring gives a card an id that is free, and a cut wire leaves nothing behind", () => {
  let next: Json = edit.addCard(edit.emptyMonitor("people"), ["cards"], 0, "object.get");
  next = edit.addCard(next, ["cards"], 1, "object.get");
  const from = (at: number) => ({ card: topCards(next, null)[at], source: undefined, output: "output" });
  next = edit.wire(next, ["cards", 1, "inputs", "object"], from(0));
  next = edit.wire(next, ["cards", 2, "inputs", "Properties"], from(1));
  assert.deepEqual([get(next, ["cards", 0, "id"]), get(next, ["cards", 1, "id"])], ["objectGet", "objectGet2"]);
  assert.deepEqual(get(next, ["cards", 2]), { card: "control.cursor", inputs: { Properties: { from: "objectGet2.output" } } });
  assert.deepEqual(get(edit.setInput(next, ["cards", 2, "inputs", "Properties"], undefined), ["cards", 2]), { card: "control.cursor" });
  const gone = edit.removeCard(next, topCards(next, null)[1] as Card);
  assert.deepEqual(get(gone, ["cards", 1]), { card: "control.cursor" }, "the wire went with the card");
});

test("cards move inside their row, into blocks and out of them, and never into themselves", () => {
  const order = (document: Json, list: Path) => (get(document, list) as { id?: string; card: string }[]).map(({ id, card }) => id ?? card);
  const right = edit.moveCard(example, ["cards", 0], ["cards"], 2);
  assert.deepEqual(order(right, ["cards"]).slice(0, 3), ["now", "saved", "fetch"]);
  const into = edit.moveCard(example, ["cards", 0], ["cards", 2, "try"], 0);
  assert.deepEqual([order(into, ["cards"]).slice(0, 2), order(into, ["cards", 1, "try"])[0]], [["now", "fetch"], "saved"]);
  const out = edit.moveCard(into, ["cards", 1, "try", 0], ["cards"], 0);
  assert.equal(JSON.stringify(out), JSON.stringify(example));
  assert.equal(edit.moveCard(example, ["cards", 2], ["cards", 2, "try"], 0), example);
});

test("boxes stand from left to right, blocks hold their cards, and a drop finds its place", () => {
  const layout = laidOut(example, null, new Map([["cards/0", 300]]));
  const box = (key: string) => layout.boxes.find((box) => box.key === key) ?? assert.fail(key);
  const tops = topCards(example, null).map((card) => box(card.lanes.length > 0 ? `frame:${card.path.join("/")}` : card.path.join("/")));
  for (const [at, one] of tops.entries()) {
    const next = tops[at + 1];
    if (next) assert.ok(next.x >= one.x + one.width + 20, `${one.key} before ${next.key}`);
  }
  const frame = box("frame:cards/2");
  for (const inner of layout.boxes.filter(({ key }) => key.startsWith("cards/2"))) {
    assert.ok(inner.x > frame.x && inner.x + inner.width < frame.x + frame.width && inner.y > frame.y && inner.y + inner.height < frame.y + frame.height, inner.key);
  }
  const call = box("cards/2/try/1");
  assert.deepEqual(dropPlace(layout, call.x + call.width + 30, call.y + 20), { list: ["cards", 2, "try"], at: 2 });
  assert.deepEqual(dropPlace(layout, 20, 20), { list: ["cards"], at: 0 });
});

test("every finding is shown once, at the nearest input, card or flow", () => {
  const finding = (path: string) => ({ path, problem: "p", remedy: "r" });
  const shown = sorted(example, ["cards.saved.inputs.path", "cards.fetch.try.call.inputs.query.a", "cards[3].inputs.\"value a\"", "cards.fetch.try", "flows.asRecord.cards[1].inputs.record", "flows.asRecord.outputs.record", "record.id", ""].map(finding));
  assert.deepEqual([...shown.inputs.keys()], ["cards.saved.inputs.path", "cards.fetch.try.call.inputs.query", "cards[3].inputs.\"value a\"", "flows.asRecord.cards[1].inputs.record"]);
  assert.deepEqual([...shown.cards.keys()], ["cards.fetch"]);
  assert.deepEqual([...shown.flows.keys()], ["asRecord"]);
  assert.equal(shown.rest.length, 2);
});

test("branches have conditions of their own", () => {
  const branch = doc("{cards: [{card: control.branch, branches: [{inputs: {value a: 1}, then: []}], else: []}]}");
  const [found] = topCards(branch, null) as [Card];
  assert.deepEqual(found.lanes.map(({ label, place }) => `${label} ${place}`), ["If cards[0].branches[0].then", "Else cards[0].else"]);
  assert.deepEqual(laneRows(branch, found, found.lanes[0]!).map(({ place }) => place), ["cards[0].branches[0].inputs.\"value a\"", "cards[0].branches[0].inputs.operator", "cards[0].branches[0].inputs.right-operand"]);
  const more = edit.addBranch(branch, found);
  assert.equal((topCards(more, null)[0] as Card).lanes.length, 3);
  assert.deepEqual(edit.removeBranch(more, (topCards(more, null)[0] as Card).lanes[1]!), branch);
});

test("steps of a run stand at their cards with their time", () => {
  const steps = byPlace([{ place: "cards.now", startedAt: "2025-01-01T00:00:00Z", finishedAt: "2025-01-01T00:00:00.005Z" }, { place: "cards.now", index: 1 }]);
  assert.equal(steps.get("cards.now")?.length, 2);
  assert.equal(tookMs(steps.get("cards.now")![0]!), 5);
  assert.equal(tookMs({}), undefined);
});

test("cards are found by their words, and those that mean nothing here are not offered", () => {
  const ids = (words: string, isMain = true) => choices(words, isMain).flatMap(({ cards }) => cards.map(({ id }) => id));
  assert.ok(ids("object get").includes("object.get"));
  assert.deepEqual(ids("nothing like it at all"), []);
  assert.ok(!ids("").includes("control.pollingMonitor") && !ids("").includes("control.close"));
  assert.ok(ids("").includes("control.cursor") && !ids("", false).includes("control.cursor"));
  assert.deepEqual(cardsPath("a"), ["flows", "a", "cards"]);
});
