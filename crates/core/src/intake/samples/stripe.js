// Stripe: {"type": "customer.subscription.deleted", "created": seconds, "data": {"object": {…}}}.
// Whatever happened to an object that was neither made nor removed is an update of it.
const what = events.type.split(".").at(-1);
const types = { created: "CREATED", deleted: "DELETED" };

done({
  events: [{
    event_type: types[what] ?? "UPDATED",
    event_object_type: events.data.object.object,
    event_object_id: events.data.object.id,
    event_date: events.created * 1000
  }]
});
