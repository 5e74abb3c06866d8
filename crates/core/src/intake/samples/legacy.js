// An older hook (`isLegacy`: true): it need not declare its variables, and returns its result.
result = getArray();
for (i = 0; i < events.objects.length; i++) {
  result.add({
    event_type: events.objects[i].removed ? "DELETED" : "UPDATED",
    event_object_type: events.type,
    event_object_id: events.objects[i].id,
    event_date: events.objects[i].modified
  });
}
return { events: result };
