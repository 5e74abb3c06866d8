// A GET without a body: `events` holds the query parameters, and all of them are texts.
// `at` counts seconds; the date of an event is a text, or a number of milliseconds.
const [object, what] = events.event.split(".");
const types = { added: "CREATED", changed: "UPDATED", removed: "DELETED" };

done({
  events: [{
    event_type: types[what] ?? "UNKNOWN",
    event_object_type: object,
    event_object_id: events.id,
    event_date: Number(events.at) * 1000
  }]
});
