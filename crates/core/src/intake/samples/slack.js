// Slack's Events API: {"type": "event_callback", "event": {"type": "message", "channel": "C…", "ts": "…"}}.
// A message is known by its channel and its time. The question of the address is answered by the preset.
const { event } = events;
const changed = event.message ?? event.previous_message ?? event;
const types = { message_changed: "UPDATED", message_deleted: "DELETED" };

done({
  events: event.type !== "message" ? [] : [{
    event_type: types[event.subtype] ?? "CREATED",
    event_object_type: "messages",
    event_object_id: event.channel + ":" + (event.deleted_ts ?? changed.ts),
    event_date: Math.floor(Number(event.event_ts ?? event.ts) * 1000)
  }]
});
