// A form: `events` holds its fields, and all of them are texts. Here the status of a message, as Twilio reports it.
const types = { queued: "CREATED", accepted: "CREATED" };

done({
  events: [{
    event_type: types[events.MessageStatus] ?? "UPDATED",
    event_object_type: "messages",
    event_object_id: events.MessageSid
  }]
});
