//! Every bound of the system, each with its reason.
//!
//! A bound stands here when crossing it changes what the program does; tuning knobs of one module stay there.

use std::time::Duration;

/// Pages that one run may fetch. A provider whose `next` link never ends would otherwise hold the lease forever.
/// Reaching it yields the lease at the last commit; the next run resumes the pass there.
pub const PAGES_PER_RUN_MAX: u32 = 1_000;

/// Time that one run may take before it yields, so that other pollers of the instance get their turn.
pub const RUN_TIME_MAX: Duration = Duration::from_secs(300);

/// Records of one page. A page is read, classified and committed as one; this bounds all three.
pub const RECORDS_PER_PAGE_MAX: usize = 50_000;

/// Bytes of one decoded answer. Larger ones are cut off while they stream.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of one record inside a page. An event must fit a notification, and a notification a callback.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of all answers held in memory at once, over all runs. A fetch waits for its share before it is sent.
pub const BODIES_BYTES_SUM_MAX: usize = 256 * 1024 * 1024;

/// How much larger than its compressed form an answer may be. Ordinary JSON stays below 40.
pub const COMPRESSION_RATIO_MAX: usize = 200;

/// Nesting of a record. Deeper JSON is nobody's data and would cost stack.
pub const JSON_DEPTH_MAX: usize = 128;

/// Requests of one `Fetch` step.
pub const REQUESTS_PER_STEP_MAX: usize = 16;

/// Redirects that one request may follow, all inside its origin.
pub const REDIRECTS_MAX: usize = 3;

/// Reads of one pass before a provider that keeps shifting is called unstable.
pub const READS_PER_PASS_MAX: u32 = 4;

/// Reads of the pages under one bound of a key-set pass.
pub const READS_PER_BOUND_MAX: u32 = 8;

/// Steps back over a broken page border before the pass starts over.
pub const STEPS_BACK_MAX: u32 = 3;

/// Starts of a pass without one completing before the poller reports that it makes no progress.
pub const STARTS_WITHOUT_COMPLETING_MAX: u32 = 10;

/// Versions that a pass remembers in order to compare its reads with each other.
pub const SIGHTINGS_MAX: usize = 1_000_000;

/// Passes during which an open superseded version holds the lower bound back.
pub const SUPERSEDED_HOLD_PASSES: u32 = 3;

/// Single decisions about ignored records that a run keeps; further ones are only counted.
pub const IGNORED_DECISIONS_PER_RUN_MAX: usize = 1_000;

/// Known records of one poller.
pub const RECORDS_PER_POLLER_MAX: u64 = 20_000_000;

/// Share (in percent) of the known ids that a sweep may find missing without asking a person.
pub const SWEEP_BRAKE_PERCENT: u64 = 5;

/// Number of ids that a sweep may find missing without asking a person, whatever their share.
pub const SWEEP_BRAKE_COUNT: u64 = 20;

/// Events of one notification: polling, as the field does it.
pub const EVENTS_PER_NOTIFICATION_POLLING: usize = 10;

/// Events of one notification: webhooks.
pub const EVENTS_PER_NOTIFICATION_WEBHOOK: usize = 20;

/// Time that a callback may take to answer.
pub const CALLBACK_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of a callback's answer that are read and kept. Never interpreted.
pub const CALLBACK_ANSWER_BYTES_MAX: usize = 1_024;

/// Polling interval, shortest and longest, in minutes (mission: 1 to 43,200).
pub const INTERVAL_MINUTES: std::ops::RangeInclusive<f64> = 1.0..=43_200.0;

/// Cursor of a monitor, serialised (mission: 10 KB).
pub const CURSOR_BYTES_MAX: usize = 10_240;

/// Bytes of a hook's script. The largest in published connectors have some tens of kilobytes.
pub const HOOK_SCRIPT_BYTES_MAX: usize = 256 * 1024;

/// Bytes of all inputs of one run. As objects they take about ten times as much of the script's memory.
pub const HOOK_INPUT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of what a hook hands to `done`. A response may grow in a hook, but not without end.
pub const HOOK_OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a provider's notification. Those of GitHub, the largest in the field, reach 25 MB in theory; every event of
/// one carries it whole.
pub const INBOUND_BODY_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Bytes of the names and values of its headers that are kept, and of its query.
pub const INBOUND_HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long equal content may count as the same delivery. Longer, and two real changes would be taken for one.
pub const REPEAT_WINDOW_MAX: Duration = Duration::from_secs(72 * 3600);

/// Kinds of objects that the notifications of one instance may tell of, besides the polled ones: each has a row.
pub const NOTIFIED_RESOURCES_MAX: usize = 200;

/// Instances that one notification may be for.
pub const INBOUND_INSTANCES_MAX: usize = 50;

/// Records that notifications named and that one run looks at.
pub const HINTS_PER_RUN_MAX: u32 = 256;

/// Time of one run. A caller waits for it, and a worker is busy with nothing else.
pub const HOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// What a run may take beyond its time before its process is killed: the engine looks at the clock only between steps,
/// and some of its steps never end.
pub const HOOK_GRACE: Duration = Duration::from_millis(500);

/// Memory of one run's script. The largest input takes about 20 times its bytes when all its numbers keep their text.
pub const HOOK_MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Memory of a worker process beyond its script's: the call, the answer, and the program itself are added to it.
pub const HOOK_PROCESS_BYTES_SPARE: usize = 128 * 1024 * 1024;

/// Stack of one run. Far below that of the process, so that the engine notices first.
pub const HOOK_STACK_BYTES_MAX: usize = 512 * 1024;

/// Lines that a run may say with `console.log`; further ones are only counted.
pub const HOOK_LOG_LINES_MAX: usize = 100;

/// Bytes of all these lines together.
pub const HOOK_LOG_BYTES_MAX: usize = 32 * 1024;

/// Events that one run of an event hook may report: one request must not become a million events.
pub const HOOK_EVENTS_MAX: usize = 1_000;

/// Calls that may wait for a worker. Beyond it a caller is better told at once.
pub const HOOK_QUEUE_MAX: usize = 256;

/// Processor time of one worker, over all its runs. It is replaced long before; a worker whose parent died ends by it.
pub const HOOK_WORKER_CPU_MAX: Duration = Duration::from_secs(60);

/// Runs of one worker before it is replaced, so that whatever leaks does not add up.
pub const HOOK_RUNS_PER_WORKER_MAX: u32 = 1_000;

/// Time that a worker may take to start.
pub const HOOK_START_MAX: Duration = Duration::from_secs(10);

/// Bytes of the name of a delivery that a provider gave it. Names of providers are identifiers of some dozen
/// characters; what is longer would only fill the store, and is no name.
pub const DELIVERY_ID_BYTES_MAX: usize = 512;

/// How far before the lower bound the ledger keeps versions.
pub const LEDGER_MARGIN: Duration = Duration::from_secs(24 * 3600);

/// What our clock may be ahead of a provider that sends no `Date`.
pub const UNDATED_PROVIDER_MARGIN: Duration = Duration::from_secs(20 * 60);

/// Longest wait for a provider inside a run; anything longer ends the run and becomes its next due time.
pub const WAIT_IN_RUN_MAX: Duration = Duration::from_secs(10);

/// Bytes of a connector's document. Real exports reach a few hundred kilobytes; an edit copies the text.
pub const ELEMENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of a resource's path, ours or the provider's. Servers refuse longer addresses.
pub const RESOURCE_PATH_BYTES_MAX: usize = 2_048;

/// Bytes of a `where` clause. It travels in an address.
pub const QUERY_BYTES_MAX: usize = 8_192;

/// Comparisons of a `where` clause, and values of one `IN`.
pub const QUERY_COMPARISONS_MAX: usize = 200;

/// Parentheses of a `where` clause inside one another: they are read by recursion.
pub const QUERY_DEPTH_MAX: usize = 32;

/// Steps of a field's path in a mapping: walking it is a recursion over the record.
pub const MAPPING_DEPTH_MAX: usize = 32;

/// Records that one call may ask for with `pageSize`. More would be one answer that nobody can hold.
pub const CALL_PAGE_SIZE_MAX: u32 = 10_000;

/// Provider requests that one call may make: pages merged for one `pageSize`, a chain, a renewed try.
pub const REQUESTS_PER_CALL_MAX: u32 = 100;

/// Bytes of a page token of ours. It travels in an address and in a header.
pub const PAGE_TOKEN_BYTES_MAX: usize = 4_096;

/// Paths of an API description that are turned into resources of a connector.
pub const OPENAPI_OPERATIONS_MAX: usize = 5_000;

/// Time before a token's end at which it is renewed: a request may take that long, and clocks differ (catalogue E05).
pub const TOKEN_MARGIN: Duration = Duration::from_secs(120);

/// Bytes of a flow's value as JSON: what one card may hand to the next, and what a run may hold (design: 64 MiB).
pub const FLOW_VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Cards that one run of a flow may carry out: a loop over the largest list, with a few cards per item.
pub const FLOW_CARDS_MAX: u64 = 100_000;

/// Flows that call one another. Recursion without an end is found here, long before memory.
pub const FLOW_DEPTH_MAX: usize = 32;

/// Time that a run of a flow may spend waiting, all pauses together. A longer pause is the next run's start.
pub const FLOW_WAITS_MAX: Duration = Duration::from_secs(300);

/// Time that a run of a flow may take, waits included. Its connection is busy meanwhile.
pub const FLOW_TIME_MAX: Duration = Duration::from_secs(1_800);

/// Pages of a Paginate and calls of a Repeat (the field's limit).
pub const FLOW_ITERATIONS_MAX: usize = 5_000;

/// Records that one run may return: they become events in one transaction.
pub const FLOW_RECORDS_MAX: usize = 50_000;

/// Bytes of all values that a run makes or walks over. At some hundred megabytes a second it ends within a minute.
pub const FLOW_WORK_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// Bytes of one value that a run's trace shows.
pub const FLOW_TRACE_VALUE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a run's whole trace.
pub const FLOW_TRACE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a provider's own words that an error of a card keeps.
pub const FLOW_RAW_ERROR_BYTES_MAX: usize = 8 * 1024;

/// Items of a list that a card makes anew: more than a run may return, and few enough to walk in no time.
pub const FLOW_LIST_ITEMS_MAX: usize = 1_000_000;

/// Bytes of a text that one card makes. Replacing can multiply a text many times over.
pub const FLOW_TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a regular expression, a date format, a formula or a path in a card: written by people, read by recursion.
pub const FLOW_PATTERN_BYTES_MAX: usize = 1_024;

/// Bytes that a compiled regular expression of a card may take.
pub const FLOW_REGEX_BYTES_MAX: usize = 1024 * 1024;

const _: () = assert!(RECORD_BYTES_MAX <= BODY_BYTES_MAX); // A record never exceeds its page.
const _: () = assert!(BODY_BYTES_MAX <= BODIES_BYTES_SUM_MAX); // One answer always fits the sum.
const _: () = assert!(FLOW_TEXT_BYTES_MAX <= FLOW_VALUE_BYTES_MAX); // A text that was made may travel.
const _: () = assert!(HOOK_TIME_MAX.as_secs() * 4 < HOOK_WORKER_CPU_MAX.as_secs()); // A run never meets that limit.
