// Checks the signature itself: what is signed is the body without what was put beside its members.
// A declared verification is better where the scheme allows it: it sees the bytes as they came, this only their JSON.
const copy = { ...events };
delete copy.eventId;
delete copy.eventHeaders;

const name = Object.keys(events.eventHeaders).find((known) => known.toLowerCase() === "x-signature");
const signature = CE.hmac("sha256")("Base64")(configuration["webhook.secret"], JSON.stringify(copy));
if (name === undefined || events.eventHeaders[name] !== signature) {
  throw new Error("the signature is wrong");
}

done({
  events: [{
    event_type: "UPDATED",
    event_object_type: "invoices",
    event_object_id: events.invoice.number,
    event_date: events.invoice.changed
  }]
});
