/** Ends a text as a sentence ends. */
export function ended(text: string): string {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A sentence of the API or of a provider: what stands in backticks is shown as code. Text only, whatever it says. */
export function Sentence(props: { text: string }) {
  return (
    <>
      {props.text.split(/(`[^`]+`)/).map((part, index) =>
        part.length > 2 && part.startsWith("`") && part.endsWith("`") ? (
          <code key={index} className="mono">
            {part.slice(1, -1)}
          </code>
        ) : (
          part
        ),
      )}
    </>
  );
}
