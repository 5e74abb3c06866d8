-- What people look for: one record's story, runs and notifications of a whole organisation, what needs somebody.
--
-- Indexes of what is written often are kept to columns that never change, or to rows that are few: an index whose
-- columns an update names is written again with every such update.

-- The events of one record, in log order.
create index event_of_record on event (org_id, object_id);

-- What runs decided about one record.
create index decision_of_record on decision (poller_id, object_id);

create index run_of_org on run (org_id, started_at, id);

-- Most runs are completed.
create index run_not_completed on run (org_id, started_at, id)
where outcome <> 'completed';

create index poller_of_org on poller (org_id, id);

create index notification_of_instance on notification (instance_id, id);

-- What waits for its time or for somebody. A notification that is accepted at its first attempt never stands here. The
-- endpoint goes along so that counting reads nothing else.
create index notification_aside on notification (org_id, state, id, endpoint_id)
where state in ('retry', 'dead', 'queued');

-- Whether instances are on stands behind their documents, which counting need not read past.
create index instance_enabled on instance (org_id, enabled);
