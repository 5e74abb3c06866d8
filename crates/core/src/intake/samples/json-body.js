// One record in a JSON body: {"action": "updated", "contact": {"id": 42, "updated_at": "…"}}.
// `events` holds the members of the body, and beside them `eventHeaders` and `eventId`.
const types = { created: "CREATED", updated: "UPDATED", deleted: "DELETED" };

done({
  events: [{
    event_type: types[events.action] ?? "UNKNOWN",
    event_object_type: "contacts",
    event_object_id: events.contact.id,
    event_date: events.contact.updated_at
  }]
});
