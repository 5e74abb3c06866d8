// Standard Webhooks: {"type": "user.updated", "timestamp": "…", "data": {…}}.
const [object, ...what] = events.type.split(".");
const types = { created: "CREATED", updated: "UPDATED", deleted: "DELETED" };

done({
  events: [{
    event_type: types[what.at(-1)] ?? "UNKNOWN",
    event_object_type: object,
    event_object_id: events.data.id,
    event_date: events.timestamp
  }]
});
