// GitHub, issues: the header X-GitHub-Event says what the body is about. Others than issues are left alone.
const header = (name) => {
  const found = Object.keys(events.eventHeaders).find((known) => known.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : events.eventHeaders[found];
};
const types = { opened: "CREATED", deleted: "DELETED", transferred: "DELETED" };

done({
  events: header("X-GitHub-Event") !== "issues" ? [] : [{
    event_type: types[events.action] ?? "UPDATED",
    event_object_type: "issues",
    event_object_id: events.issue.id,
    event_date: events.issue.updated_at
  }]
});
