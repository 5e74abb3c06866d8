// Many records in one body: {"changes": [{"op": "insert", "table": "accounts", "row": {…}}, …]}.
// One event per record, at most 1,000; the order is kept. What says nothing about a record is left out.
const types = { insert: "CREATED", update: "UPDATED", delete: "DELETED" };

done({
  events: events.changes
    .filter((change) => change.op in types)
    .map((change) => ({
      event_type: types[change.op],
      event_object_type: change.table,
      event_object_id: change.row.id,
      event_date: change.at
    }))
});
