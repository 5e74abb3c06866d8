-- The first shape of the database.
--
-- Conventions: instants are whole microseconds UTC in columns that end in `_at`, `_due` or `_until`; `org_id` stands on
-- every row; ids that leave the house are `autoincrement`, because an id that is used again would derive the event ids
-- of somebody else; hashes and ids of events, runs and attempts are blobs of 16 bytes; JSON is opaque text.

-- What the program remembers of the database itself.
create table store_meta (
    id integer primary key,
    open_epoch integer not null,
    constraint one_row check (id = 1)
) strict;

insert into store_meta (id, open_epoch)
values (1, 0);

-- Numbers handed out in commit order. `autoincrement` would cost a second write for every row.
create table counter (
    name text primary key,
    value integer not null,
    constraint counter_grows_from_zero check (value >= 0)
) strict, without rowid;

insert into counter (name, value)
values ('event', 0), ('notification', 0), ('part', 0), ('inbound', 0);

-- Who.

create table org (
    id integer primary key autoincrement,
    name text not null unique,
    created_at integer not null
) strict;

create table account (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    name text not null,
    created_at integer not null,
    unique (org_id, name)
) strict;

create table app_user (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    account_id integer references account (id),
    name text not null,
    email text not null,
    role text not null,
    created_at integer not null,
    unique (org_id, name),
    constraint role_known check (role in ('owner', 'admin', 'member', 'reader'))
) strict;

create index user_of_org on app_user (org_id, id);

create index owner_of_org on app_user (org_id, id)
where role = 'owner';

-- Tokens of organisations and users; only hashes are kept. An instance's hash stands with the instance.
create table token (
    id integer primary key autoincrement,
    token_hash blob not null unique,
    org_id integer not null references org (id),
    user_id integer references app_user (id) on delete cascade,
    created_at integer not null,
    constraint token_hash_is_sha256 check (length(token_hash) = 32)
) strict;

create index token_of_org on token (org_id, id);

-- A user has one token at a time.
create unique index token_of_user on token (user_id);

-- Browsers that somebody signed in with. The change token goes with every request that changes something.
create table session (
    session_hash blob primary key,
    org_id integer not null references org (id),
    user_id integer not null references app_user (id) on delete cascade,
    change_hash blob not null,
    created_at integer not null,
    expires_at integer not null,
    constraint session_hash_is_sha256 check (length(session_hash) = 32),
    constraint change_hash_is_sha256 check (length(change_hash) = 32)
) strict, without rowid;

create index session_of_user on session (user_id);

create index session_expired on session (expires_at);

-- Links that open a session once.
create table sign_in_code (
    code_hash blob primary key,
    org_id integer not null references org (id),
    user_id integer not null references app_user (id) on delete cascade,
    created_at integer not null,
    expires_at integer not null,
    constraint code_hash_is_sha256 check (length(code_hash) = 32)
) strict, without rowid;

create index sign_in_code_of_user on sign_in_code (user_id);

create index sign_in_code_expired on sign_in_code (expires_at);

-- What waits for somebody to come back from a provider: found by its state, or by its application.
create table authorization_wait (
    org_id integer not null references org (id),
    state_hash blob not null,
    client_hash blob not null,
    sealed text not null,
    expires_at integer not null,
    primary key (org_id, state_hash),
    constraint state_hash_is_sha256 check (length(state_hash) = 32),
    constraint client_hash_is_sha256 check (length(client_hash) = 32)
) strict, without rowid;

create index authorization_wait_expired on authorization_wait (expires_at);

-- What an organisation has set for itself.
create table setting (
    org_id integer not null references org (id),
    key text not null,
    value text not null,
    primary key (org_id, key)
) strict, without rowid;

-- Connectors.

create table element (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    key text not null,
    name text not null,
    revision integer not null,
    document text not null,
    -- Which numbers its parts (configuration entries, resources, parameters, hooks) have on the wire: the document is
    -- kept as it was imported, and holds none.
    ids text not null,
    active integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (org_id, key),
    constraint active_is_flag check (active in (0, 1))
) strict;

create index element_of_org on element (org_id, id);

create table element_revision (
    element_id integer not null references element (id) on delete cascade,
    revision integer not null,
    org_id integer not null,
    document text not null,
    created_at integer not null,
    primary key (element_id, revision)
) strict, without rowid;

create table configuration (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    element_id integer not null references element (id) on delete cascade,
    key text not null,
    document text not null,
    unique (element_id, key)
) strict;

create table resource (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    element_id integer not null references element (id) on delete cascade,
    name text not null,
    document text not null
) strict;

create index resource_of_element on resource (element_id, name);

create table hook (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    element_id integer not null references element (id) on delete cascade,
    resource_id integer references resource (id) on delete cascade,
    kind text not null,
    revision integer not null,
    body text not null,
    created_at integer not null,
    updated_at integer not null
) strict;

create index hook_of_element on hook (element_id);

create table hook_revision (
    hook_id integer not null references hook (id) on delete cascade,
    revision integer not null,
    org_id integer not null,
    body text not null,
    created_at integer not null,
    primary key (hook_id, revision)
) strict, without rowid;

create table date_format (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    pattern text not null,
    zone text,
    created_at integer not null,
    unique (org_id, pattern, zone)
) strict;

-- Two rows without a zone are not equal to the constraint above.
create unique index date_format_without_zone on date_format (org_id, pattern)
where zone is null;

create index date_format_of_org on date_format (org_id, id);

-- Instances.

create table instance (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    element_key text not null,
    -- The connector that it was made from, as it was then; none where the document brings its own.
    element_id integer references element (id),
    element_revision integer,
    name text not null,
    token_hash blob not null unique,
    document text not null,
    enabled integer not null,
    created_at integer not null,
    constraint revision_iff_element check ((element_id is null) = (element_revision is null)),
    constraint enabled_is_flag check (enabled in (0, 1)),
    constraint token_hash_is_sha256 check (length(token_hash) = 32)
) strict;

create index instance_of_org on instance (org_id, id);

create index instance_of_element on instance (element_id, id);

create table instance_tag (
    instance_id integer not null references instance (id) on delete cascade,
    ordinal integer not null,
    org_id integer not null,
    tag text not null,
    primary key (instance_id, ordinal)
) strict, without rowid;

create index instance_tag_of_org on instance_tag (org_id, tag, instance_id);

-- Where an instance's provider sends its notifications. Whoever knows the address may send, so it is sealed, and found
-- by its hash.
create table intake_address (
    instance_id integer primary key references instance (id) on delete cascade,
    org_id integer not null,
    address_hash blob not null unique,
    sealed text not null,
    created_at integer not null,
    constraint address_hash_is_sha256 check (length(address_hash) = 32)
) strict;

-- By which values a connector's common address finds an instance. Its connector's key stands with the instance.
create table intake_match (
    value_hash blob not null,
    instance_id integer not null references instance (id) on delete cascade,
    org_id integer not null,
    primary key (value_hash, instance_id),
    constraint value_hash_is_sha256 check (length(value_hash) = 32)
) strict, without rowid;

create index intake_match_of_instance on intake_match (instance_id);

-- What one instance shares with its provider: how fast it may ask, which tokens are the present ones, and whether
-- somebody is fetching the next ones. That claim stands here and not in memory, because a request that is under way
-- outlives the process that sent it, and a provider may take a grant only once.
create table connection (
    instance_id integer primary key references instance (id) on delete cascade,
    org_id integer not null,
    token_generation integer not null default 0,
    tokens_sealed text,
    tokens_expire_at integer,
    state text not null default 'connected',
    reason text not null default '',
    refresh_epoch integer not null default 0,
    refresh_until integer,
    throttled_until integer,
    throttle text,
    constraint state_known check (state in ('connected', 'reconnect needed')),
    constraint generation_counts_tokens check ((token_generation = 0) = (tokens_sealed is null))
) strict;

-- Monitors.

create table monitor (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    name text not null,
    draft text not null,
    -- Number of the draft; grows with every change.
    revision integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (org_id, name)
) strict;

-- Deployed versions. They never change.
create table monitor_version (
    monitor_id integer not null references monitor (id) on delete cascade,
    version integer not null,
    org_id integer not null,
    -- The draft that it was made of.
    revision integer not null,
    document text not null,
    created_at integer not null,
    primary key (monitor_id, version)
) strict, without rowid;

create table subscription (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    instance_id integer not null references instance (id) on delete cascade,
    monitor_id integer not null references monitor (id),
    monitor_version integer not null,
    -- Its name, and when it is due, stand with its poller.
    options text not null,
    run_mode text not null,
    active integer not null,
    created_at integer not null,
    constraint active_is_flag check (active in (0, 1)),
    constraint run_mode_known check (run_mode in ('eachRecord', 'noNewData', 'everyTime'))
) strict;

create index subscription_of_org on subscription (org_id, id);

create index subscription_of_monitor on subscription (monitor_id);

create index subscription_of_instance on subscription (instance_id);

-- Pollers.

create table poller (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    instance_id integer not null references instance (id) on delete cascade,
    subscription_id integer references subscription (id) on delete cascade,
    -- `intake` is never due: it keeps the numbers of records that only its provider's notifications tell of.
    kind text not null default 'resource',
    resource text not null,
    revision integer not null,
    interval_us integer not null,
    cron text,
    zone text,
    jitter_us integer not null default 0,
    next_due integer not null,
    -- When it would be due, had not a notification of its provider made it due earlier.
    regular_due integer,
    -- The largest `hint.inbound_id` that was ever given out for it.
    hinted integer not null default 0,
    runnable integer not null,
    paused text,
    status_code text not null,
    status_sentence text not null,
    needs_attention integer not null,
    watermark integer,
    state text not null,
    -- Claims live in memory while one process owns the file, so here the epoch is that of the last finished run; a
    -- database that several nodes share keeps the whole claim in such columns.
    lease_node text,
    lease_epoch integer not null default 0,
    lease_until integer,
    unique (instance_id, kind, resource),
    constraint kind_known check (kind in ('resource', 'subscription', 'intake')),
    constraint subscription_iff_kind check ((kind = 'subscription') = (subscription_id is not null)),
    constraint intake_is_not_runnable check (kind <> 'intake' or runnable = 0),
    constraint interval_not_negative check (interval_us >= 0),
    constraint zone_only_with_cron check (zone is null or cron is not null),
    constraint runnable_is_flag check (runnable in (0, 1)),
    constraint paused_is_not_runnable check (paused is null or runnable = 0),
    constraint attention_is_flag check (needs_attention in (0, 1))
) strict;

create unique index poller_of_subscription on poller (subscription_id)
where subscription_id is not null;

create index poller_due on poller (next_due, id)
where runnable = 1;

create index poller_due_of_org on poller (org_id, next_due, id)
where runnable = 1;

create table poller_revision (
    poller_id integer not null references poller (id) on delete cascade,
    revision integer not null,
    org_id integer not null,
    created_at integer not null,
    primary key (poller_id, revision)
) strict, without rowid;

-- The open pass of a poller; none while it waits for its next one.
create table pass (
    poller_id integer primary key references poller (id) on delete cascade,
    org_id integer not null,
    revision integer not null,
    checkpoint text not null,
    updated_at integer not null
) strict;

create table cursor_history (
    id integer primary key autoincrement,
    org_id integer not null,
    poller_id integer not null references poller (id) on delete cascade,
    state text not null,
    watermark integer,
    replaced_at integer not null
) strict;

create index cursor_history_of_poller on cursor_history (poller_id, id);

-- Pollers that are gone and left a ledger too large to be removed in one transaction. Their ids are never used again.
create table removed_poller (
    poller_id integer primary key,
    org_id integer not null,
    removed_at integer not null
) strict;

-- The ledger. No foreign keys here: these are the rows that a poll writes by the thousand.

create table record (
    poller_id integer not null,
    id text not null,
    org_id integer not null,
    incarnation integer not null,
    sequence integer not null,
    compared_text text not null,
    compared integer,
    hash blob not null,
    shape integer not null,
    recurrence integer not null,
    first_read_at integer not null,
    last_sweep integer not null,
    deleted_at integer,
    has_body integer not null,
    primary key (poller_id, id),
    constraint hash_is_128_bits check (length(hash) = 16),
    constraint has_body_is_flag check (has_body in (0, 1))
) strict, without rowid;

-- The latest entries, in the order of their writing; they stand for those of the same id in `record`, and are moved
-- there by the thousand.
create table record_recent (
    number integer primary key,
    poller_id integer not null,
    id text not null,
    org_id integer not null,
    incarnation integer not null,
    sequence integer not null,
    compared_text text not null,
    compared integer,
    hash blob not null,
    shape integer not null,
    recurrence integer not null,
    first_read_at integer not null,
    last_sweep integer not null,
    deleted_at integer,
    has_body integer not null
) strict;

create index record_deleted on record (deleted_at)
where deleted_at is not null;

-- Last bodies, where they are kept: apart, so that the ledger's pages hold many records.
create table record_body (
    poller_id integer not null,
    id text not null,
    org_id integer not null,
    body text not null,
    primary key (poller_id, id)
) strict;

-- Clustered by the compared value: new versions go to the end, and pruning removes one range at the front.
create table version (
    poller_id integer not null,
    dated integer not null,
    compared integer not null,
    record_id text not null,
    hash blob not null,
    org_id integer not null,
    primary key (poller_id, dated, compared, record_id, hash),
    constraint dated_is_flag check (dated in (0, 1)),
    constraint undated_has_no_value check (dated = 1 or compared = 0),
    constraint hash_is_128_bits check (length(hash) = 16)
) strict, without rowid;

-- Records of a poller that its provider's notifications named: once each, however often they were named. One that is
-- not open was looked at; it stays for a while, to tell which changes the provider kept to itself.
create table hint (
    poller_id integer not null references poller (id) on delete cascade,
    object_id text not null,
    org_id integer not null,
    event_type text not null,
    dated integer,
    -- The request that named it last, or a larger number: a later naming has the larger one, also where requests are
    -- run again out of their order.
    inbound_id integer not null,
    announced_at integer not null,
    looks integer not null default 0,
    open integer not null,
    primary key (poller_id, object_id),
    constraint type_known check (event_type in ('CREATED', 'UPDATED', 'DELETED', 'UNKNOWN')),
    constraint open_is_flag check (open in (0, 1))
) strict, without rowid;

create index hint_open on hint (poller_id, inbound_id, object_id)
where open = 1;

create index hint_announced on hint (announced_at)
where open = 0;

-- Runs.

create table run (
    id blob primary key,
    org_id integer not null,
    poller_id integer not null,
    poller_revision integer not null,
    hook_revision integer,
    element_revision integer,
    monitor_version integer,
    lease_epoch integer not null,
    kind text not null,
    outcome text not null,
    started_at integer not null,
    finished_at integer not null,
    error text,
    counts text not null,
    story text not null,
    trace_id blob,
    constraint id_is_128_bits check (length(id) = 16),
    constraint kind_known check (kind in ('poll', 'sweep', 'look', 'flow')),
    constraint outcome_known check (outcome in ('completed', 'yielded', 'failed'))
) strict, without rowid;

create index run_of_poller on run (poller_id, started_at, id);

create index run_finished on run (finished_at);

-- What the cards of a run did; of each poller the last ones.
create table run_trace (
    number integer primary key autoincrement,
    run_id blob not null unique references run (id) on delete cascade,
    org_id integer not null,
    poller_id integer not null,
    trace text not null
) strict;

create index run_trace_of_poller on run_trace (poller_id, number);

-- Single decisions. They are written while the run has no record yet, so they name its claim.
create table decision (
    poller_id integer not null,
    lease_epoch integer not null,
    ordinal integer not null,
    org_id integer not null,
    object_id text not null,
    verdict text not null,
    reason text not null,
    compared text not null,
    page integer not null,
    primary key (poller_id, lease_epoch, ordinal)
) strict, without rowid;

-- The log.

-- `position` grows in commit order, because one writer hands it out inside the transaction. The derived id is unique
-- but the rows are never clustered by it: it is a hash, and would scatter every insert.
create table event (
    position integer primary key,
    org_id integer not null,
    id blob not null,
    poller_id integer not null,
    instance_id integer not null,
    event_type text not null,
    object_type text not null,
    object_id text not null,
    date integer not null,
    sequence integer not null,
    reason text not null,
    recorded_at integer not null,
    -- The request of the provider that brought it; nothing for what a poll saw.
    inbound_id integer,
    constraint id_is_128_bits check (length(id) = 16),
    constraint type_known check (event_type in ('CREATED', 'UPDATED', 'DELETED', 'UNKNOWN'))
) strict;

create unique index event_id on event (id);

-- Events that were written together and follow each other in the log: whose they are, by which run, and under which
-- revisions. Each of them standing on every event would be written once more for every event, as would indexes by
-- instance and organisation.
create table event_batch (
    first integer primary key,
    last integer not null,
    org_id integer not null,
    instance_id integer not null,
    -- Whose endpoint takes them: that of the instance, by its id, or that of a subscription, by its negated id. They
    -- stay there, whatever becomes of the endpoint.
    channel integer not null,
    run_id blob not null,
    element_key text not null,
    poller_revision integer,
    hook_revision integer,
    element_revision integer,
    monitor_version integer,
    trace_id blob,
    constraint batch_is_not_empty check (last >= first),
    constraint run_id_is_128_bits check (length(run_id) = 16)
) strict;

create unique index event_batch_of_instance on event_batch (instance_id, first);

create unique index event_batch_of_channel on event_batch (channel, first);

create unique index event_batch_of_org on event_batch (org_id, first);

-- Bodies have their own retention, and listing events need not read past them.
create table event_body (
    position integer primary key,
    org_id integer not null,
    record text not null
) strict;

-- Requests of providers, in the order of their arrival.

create table inbound (
    id integer primary key,
    org_id integer not null references org (id),
    instance_id integer not null,
    key_hash blob not null,
    -- For how long an equal key means the same delivery, in microseconds; nothing: for good.
    key_window integer,
    method text not null,
    body_bytes integer not null,
    received_at integer not null,
    repeats integer not null default 0,
    state text not null,
    failures integer not null default 0,
    next_due integer,
    quarantine text,
    format text,
    element_revision integer,
    events integer not null default 0,
    hints integer not null default 0,
    -- Events of it that are still in the log: it stays as long as they do.
    events_logged integer not null default 0,
    settled_at integer,
    constraint key_hash_is_sha256 check (length(key_hash) = 32),
    constraint state_known check (state in ('received', 'settled', 'quarantined', 'discarded')),
    constraint settled_iff_not_waiting check ((state = 'received') = (settled_at is null)),
    constraint due_iff_waiting check ((state = 'received') = (next_due is not null))
) strict;

create index inbound_key on inbound (key_hash, id);

-- The organisation stands there for who counts them.
create index inbound_waiting on inbound (instance_id, id, org_id)
where state = 'received';

create index inbound_quarantined on inbound (instance_id, id)
where state = 'quarantined';

create index inbound_aside on inbound (org_id, id)
where state in ('quarantined', 'discarded');

create index inbound_of_org on inbound (org_id, id);

create index inbound_of_instance on inbound (instance_id, id);

create index inbound_settled on inbound (settled_at)
where state in ('settled', 'discarded') and events_logged = 0;

-- What they say: apart, so that listing and counting reads past nothing.
create table inbound_body (
    inbound_id integer primary key references inbound (id) on delete cascade,
    org_id integer not null,
    url text not null,
    query text not null,
    headers text not null,
    body blob not null
) strict;

-- Delivery.

create table endpoint (
    id integer primary key autoincrement,
    org_id integer not null references org (id),
    instance_id integer not null references instance (id) on delete cascade,
    -- The subscription whose own it is; the instance's where this is nothing.
    subscription_id integer references subscription (id) on delete cascade,
    -- Which events it takes: see `event_batch`. Each channel has one endpoint at most.
    channel integer not null unique generated always as (coalesce(-subscription_id, instance_id)) virtual,
    kind text not null,
    config text not null,
    position integer not null,
    state text not null,
    reason text not null,
    accepted_at integer,
    created_at integer not null,
    constraint state_known check (state in ('active', 'deactivated', 'disabled'))
) strict;

create index endpoint_of_instance on endpoint (instance_id, subscription_id);

create index endpoint_of_subscription on endpoint (subscription_id)
where subscription_id is not null;

create index endpoint_of_org on endpoint (org_id, id);

create index endpoint_active on endpoint (position, id)
where state = 'active';

-- Signing secrets, sealed; several while one is rotated.
create table endpoint_secret (
    endpoint_id integer not null references endpoint (id) on delete cascade,
    ordinal integer not null,
    org_id integer not null,
    secret text not null,
    created_at integer not null,
    retired_at integer,
    primary key (endpoint_id, ordinal)
) strict, without rowid;

-- Events below the endpoint's position that it has not taken yet.
create table held_event (
    endpoint_id integer not null references endpoint (id) on delete cascade,
    position integer not null,
    org_id integer not null,
    primary key (endpoint_id, position)
) strict, without rowid;

create table notification (
    id integer primary key,
    org_id integer not null,
    endpoint_id integer not null,
    instance_id integer not null,
    split_from integer,
    state text not null,
    failures integer not null,
    first_failed_at integer,
    next_due integer,
    created_at integer not null,
    completed_at integer,
    body text not null,
    lease_node text,
    lease_epoch integer not null default 0,
    lease_until integer,
    constraint state_known check (
        state in ('created', 'retry', 'delivered', 'split', 'dead', 'queued', 'cancelled')
    ),
    -- A closed notification has an end time; an open one does not.
    constraint completed_iff_closed check (
        (state in ('created', 'retry', 'queued')) = (completed_at is null)
    ),
    -- Only an open one is ever due, and what waits for somebody's release is not.
    constraint due_iff_active check ((state in ('created', 'retry')) = (next_due is not null))
) strict;

create index notification_due on notification (next_due, id)
where next_due is not null;

create index notification_of_org on notification (org_id, id);

create index notification_of_endpoint on notification (endpoint_id, id);

create index notification_completed on notification (completed_at)
where completed_at is not null;

-- The events of a notification.
create table membership (
    notification_id integer not null references notification (id) on delete cascade,
    ordinal integer not null,
    org_id integer not null,
    position integer not null,
    event_id blob not null,
    primary key (notification_id, ordinal)
) strict, without rowid;

create index membership_of_event on membership (position);

-- Records with an undelivered event at an endpoint: their later events wait. One row per member of an open
-- notification.
create table blocked_record (
    endpoint_id integer not null,
    poller_id integer not null,
    object_id text not null,
    notification_id integer not null references notification (id) on delete cascade,
    org_id integer not null,
    primary key (endpoint_id, poller_id, object_id, notification_id)
) strict, without rowid;

create index blocked_by_notification on blocked_record (notification_id);

create table attempt (
    id blob primary key,
    org_id integer not null,
    notification_id integer not null references notification (id) on delete cascade,
    started_at integer not null,
    duration_ms integer not null,
    status integer,
    error text,
    answer text not null,
    trace_id blob,
    constraint id_is_128_bits check (length(id) = 16)
) strict, without rowid;

create index attempt_of_notification on attempt (notification_id, started_at, id);

create index attempt_started on attempt (started_at);

-- The rim.

create table audit (
    id integer primary key autoincrement,
    org_id integer not null,
    user_id integer,
    at integer not null,
    action text not null,
    target_kind text not null,
    target_id text not null,
    detail text not null
) strict;

create index audit_of_org on audit (org_id, id);

create table idempotency_key (
    org_id integer not null,
    key text not null,
    request_hash blob not null,
    status integer not null,
    answer text not null,
    created_at integer not null,
    primary key (org_id, key),
    constraint request_hash_is_sha256 check (length(request_hash) = 32)
) strict, without rowid;

create index idempotency_key_age on idempotency_key (created_at);
