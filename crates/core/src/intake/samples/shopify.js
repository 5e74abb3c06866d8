// Shopify: the body is the record, and the header X-Shopify-Topic says what happened to it: orders/updated.
// Ids have 18 digits and more; they pass unchanged.
const header = (name) => {
  const found = Object.keys(events.eventHeaders).find((known) => known.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : events.eventHeaders[found];
};
const [object, what] = header("X-Shopify-Topic").split("/");
const types = { create: "CREATED", delete: "DELETED" };

done({
  events: [{
    event_type: types[what] ?? "UPDATED",
    event_object_type: object,
    event_object_id: events.id,
    event_date: events.updated_at
  }]
});
