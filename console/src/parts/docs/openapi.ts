// What the viewers need of an OpenAPI document, versions 2 and 3 alike.
import type { Members } from "../../api/trying";
import { asMembers } from "../polling/Resources";

/** A parameter of an operation. */
export interface Parameter {
  name: string;
  place: "path" | "query" | "header" | "body" | "form";
  about: string;
  type: string;
  required: boolean;
}

/** Something that can be called. */
export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  about: string;
  group: string;
  right: string | undefined;
  parameters: Parameter[];
  hasBody: boolean;
  body: unknown;
  answers: { status: string; about: string; schema: unknown }[];
}

const METHODS = ["get", "post", "put", "patch", "delete"];

/** All operations, in the order of the document. */
export function operationsOf(document: unknown): Operation[] {
  const root = asMembers(document);
  const found: Operation[] = [];
  for (const [path, item] of Object.entries(asMembers(root["paths"]))) {
    for (const [method, value] of Object.entries(asMembers(item))) {
      if (!METHODS.includes(method)) continue;
      found.push(operation(root, path, method, asMembers(value), asMembers(item)));
    }
  }
  return found;
}

/** The base of a document's paths. */
export function baseOf(document: unknown): string {
  const base = asMembers(document)["basePath"];
  return typeof base === "string" ? base.replace(/\/$/, "") : "";
}

function operation(root: Members, path: string, method: string, value: Members, item: Members): Operation {
  const raw = [...list(item["parameters"]), ...list(value["parameters"])].map((one) => resolved(root, one));
  const parameters = raw.map((one): Parameter => {
    const schema = asMembers(one["schema"]);
    const place = one["in"] === "formData" ? "form" : one["in"];
    return { name: String(one["name"] ?? ""), place: place as Parameter["place"], about: String(one["description"] ?? ""), type: typeOf(one["type"] ?? schema["type"]), required: one["required"] === true };
  });
  const content = asMembers(asMembers(resolved(root, asMembers(value["requestBody"])))["content"]);
  const own = raw.find((one) => one["in"] === "body");
  const body = own ? own["schema"] : (asMembers(content["application/json"])["schema"] ?? asMembers(Object.values(content)[0])["schema"]);
  const answers = Object.entries(asMembers(value["responses"])).map(([status, answer]) => {
    const said = resolved(root, asMembers(answer));
    const schema = said["schema"] ?? asMembers(asMembers(said["content"])["application/json"])["schema"];
    return { status, about: String(said["description"] ?? ""), schema: schema === undefined ? undefined : example(root, schema, 0) };
  });
  return {
    id: String(value["operationId"] ?? `${method} ${path}`),
    method: method.toUpperCase(),
    path,
    summary: String(value["summary"] ?? ""),
    about: String(value["description"] ?? ""),
    group: String(list(value["tags"])[0] ?? "calls"),
    right: typeof value["x-right"] === "string" ? value["x-right"] : undefined,
    parameters: parameters.filter(({ place }) => place !== "body"),
    hasBody: own !== undefined || Object.keys(content).length > 0,
    body: body === undefined ? undefined : example(root, body, 0),
    answers,
  };
}

function list(value: unknown): Members[] {
  return Array.isArray(value) ? (value as Members[]) : [];
}

function resolved(root: Members, value: Members): Members {
  const reference = value["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return value;
  return asMembers(reference.slice(2).split("/").reduce<unknown>((at, part) => asMembers(at)[part.replaceAll("~1", "/").replaceAll("~0", "~")], root));
}

function typeOf(type: unknown): string {
  return Array.isArray(type) ? type.filter((one) => one !== "null").join(" or ") : typeof type === "string" ? type : "";
}

/** A value that fits a schema: its example, or its shape. */
function example(root: Members, schema: unknown, depth: number): unknown {
  const said = resolved(root, asMembers(schema));
  if (said["example"] !== undefined) return said["example"];
  if (depth > 5) return "…";
  const one = list(said["oneOf"] ?? said["anyOf"]).find((each) => each["type"] !== "null");
  if (one !== undefined) return example(root, one, depth + 1);
  const all = list(said["allOf"]);
  if (all.length > 0) return Object.assign({}, ...all.map((each) => asMembers(example(root, each, depth + 1)))) as unknown;
  const type = typeOf(said["type"]);
  if (type.startsWith("array")) return said["items"] === undefined ? [] : [example(root, said["items"], depth + 1)];
  if (said["properties"] !== undefined) return Object.fromEntries(Object.entries(asMembers(said["properties"])).map(([name, each]) => [name, example(root, each, depth + 1)]));
  if (Array.isArray(said["enum"])) return said["enum"][0];
  if (type.startsWith("integer") || type.startsWith("number")) return 0;
  if (type.startsWith("boolean")) return false;
  if (type.startsWith("object")) return {};
  return type.startsWith("string") ? "text" : {};
}
