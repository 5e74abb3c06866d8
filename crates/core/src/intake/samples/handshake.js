// The provider asks a question before its first event. The question is declared beside the verification and answered
// before any hook runs, so nothing of it is here: the body below is what comes after that.
done({
  events: [{
    event_type: events.kind === "item.removed" ? "DELETED" : "UPDATED",
    event_object_type: "items",
    event_object_id: events.item,
    event_date: events.time
  }]
});
