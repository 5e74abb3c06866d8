// GitHub, push: one event for every commit that came, and one for the branch or tag.
const header = (name) => {
  const found = Object.keys(events.eventHeaders).find((known) => known.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : events.eventHeaders[found];
};

done({
  events: header("X-GitHub-Event") !== "push" ? [] : [
    ...events.commits.map((commit) => ({
      event_type: "CREATED",
      event_object_type: "commits",
      event_object_id: commit.id,
      event_date: commit.timestamp
    })),
    {
      event_type: events.created ? "CREATED" : events.deleted ? "DELETED" : "UPDATED",
      event_object_type: "refs",
      event_object_id: events.ref
    }
  ]
});
