// Microsoft Graph: {"value": [{"changeType": "updated", "resourceData": {"@odata.type": "#Microsoft.Graph.Message", …}}]}.
// Only the id comes; the record is read with a call. The preset answers the question and compares `clientState`.
const types = { created: "CREATED", updated: "UPDATED", deleted: "DELETED" };

done({
  events: events.value
    .filter((one) => one.resourceData !== undefined && one.resourceData !== null)
    .map((one) => ({
      event_type: types[one.changeType] ?? "UNKNOWN",
      event_object_type: one.resourceData["@odata.type"].split(".").at(-1).toLowerCase() + "s",
      event_object_id: one.resourceData.id
    }))
});
