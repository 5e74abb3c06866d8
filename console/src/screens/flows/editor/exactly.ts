// Answers whose numbers keep their digits: they are read as text, and understood here.
import { Failure } from "../../../api/failure";
import { told } from "../../../api/client";
import { parseJson } from "../model/exact";

/** What came of a call that was made with `parseAs: "text"`. */
export async function exactly<T>(call: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<T> {
  const text = (await told(call)) as string;
  try {
    return parseJson(text) as T;
  } catch {
    throw new Failure(502, { message: "The answer is no JSON; is something else than Turnstone in between?" });
  }
}
