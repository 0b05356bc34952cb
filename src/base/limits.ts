/** @module Every bound in the product, in one place; units are in the names. */

/** Bounds of queues, batches, payloads and waits. Changing one changes what the product promises. */
export const limits = {
  /** Attempts handed out by one claim. */
  claimBatch: 64,
  /** Calls of the Task Execution API in one batch request. */
  executionBatch: 256,
  /** Longest a claim waits for work before it answers with none. */
  claimWaitMsMax: 20_000,
  /** Queued tasks moved in one scheduler pass. */
  queueBatch: 256,
  /** Instances of mapped tasks made in one scheduler pass; wider tasks go on in the next ones. */
  expandBatch: 2_000,
  /** Shortest time from one look of a sensor to the next: each look is an attempt. */
  sensorEveryMsMin: 1_000,
  /** Largest task output kept inline in the database; larger ones go to object storage. */
  outputInlineBytes: 64 * 1024,
  /** Largest task output at all. */
  outputBytes: 64 * 1024 * 1024,
  /** What a success says beside its output: publish intents, lineage, quarantine samples, state. */
  effectsBytes: 16 * 1024 * 1024,
  /** Durable state of one task, all keys together; each of its attempts is handed all of it. */
  stateBytes: 1024 * 1024,
  /** One input of a task as part of a message; a larger one goes by way of object storage. */
  inputsInlineBytes: 4 * 1024 * 1024,
  /** Lists in object storage that the API keeps in memory to hand out their items, all together. */
  listCacheBytes: 128 * 1024 * 1024,
  /** Largest JSON body of a REST request. */
  requestBytes: 4 * 1024 * 1024,
  /** Largest body of a batch of the Task Execution API. */
  batchBytes: 64 * 1024 * 1024,
  /** Largest body of a webhook's call, and largest message of a topic: both are kept as events. */
  eventBytes: 1024 * 1024,
  /** Of what was refused of a topic: the bytes of a message that are kept. */
  refusedEventBytes: 64 * 1024,
  /** Files that a watched folder may hold. */
  watchedFiles: 100_000,
  /** Partitions that wait for one DAG and are looked at, the oldest; the others follow. */
  pendingPartitions: 20_000,
  /** Pause between two looks at watched folders and prefixes, and at who watches what. */
  watchEveryMs: 2_000,
  /** Largest conf or params document. */
  confBytes: 256 * 1024,
  /** Largest bundle of one DAG file: modules, data files and lock. */
  bundleBytes: 16 * 1024 * 1024,
  /** Files in one bundle. */
  bundleFiles: 500,
  /** One line of a task's log; the rest is cut with a note. */
  logLineBytes: 64 * 1024,
  /** One attempt's log; later lines are dropped with a note. */
  logBytes: 64 * 1024 * 1024,
  /** One frame between a supervisor and its child. */
  frameBytes: 80 * 1024 * 1024,
  /** From the start of one interval of a continuous schedule to the next run, at least. */
  continuousEveryMsMin: 1_000,
  /** Tasks of one DAG. */
  tasksPerDag: 10_000,
  /** Items of one mapped task. */
  mapLength: 100_000,
  /** Rows of a quarantine kept in the database; all rows are in the quarantine file. */
  quarantineRowsInline: 100,
  /** Dates of one backfill. */
  backfillDates: 100_000,
  /** Runs that one request can start at once, and things that one can change by a filter. */
  bulkRuns: 10_000,
  bulkItems: 100_000,
  /** How long the answer to a bulk request waits for it to be done. */
  bulkAnswerMs: 2_000,
  /** Runs of one backfill that wait in the queue; its other dates get theirs as there is room. */
  backfillQueued: 1_000,
  /** Pause between two looks of the API at logs of ended attempts. */
  apiLookMs: 30_000,
  /** Pause between two looks of the batch manager, with something under way and without. */
  batchLookMs: 500,
  batchIdleMs: 30_000,
  /** Page size of lists: default and most. */
  pageRows: 50,
  pageRowsMax: 1_000,
  /** Safety sweep of every event-driven loop: the longest a lost hint can delay anything. */
  sweepMs: 5_000,
  /** A leader that has not renewed for this long, on the observer's own clock, is replaced. */
  leaseMs: 3_000,
  leaseRenewMs: 1_000,
  /** A transaction left idle is cut after this, so that it cannot block a takeover. */
  idleTransactionMs: 2_000,
  /** Attempts whose heartbeat stood still for this long are lost, unless a setting says otherwise. */
  heartbeatTimeoutMs: 30_000,
  heartbeatMs: 5_000,
  /** A queued task that no worker took for this long is said to be stuck in its log and in health. */
  queuedWarnMs: 600_000,
  /** Infrastructure losses that requeue one task before it counts as failed. */
  infraLossesMax: 5,
  /** Ticks of a schedule in a row that maintenance and blackout may leave without a run. */
  ticksSkipped: 100_000,
  /** Quiet times back to back that a run is moved past. */
  quietTimesInARow: 50,
  /** With `catchup: "none"`: a run that is due no longer ago than this is on time. */
  onTimeMs: 300_000,
  /** A bundled calendar that ends sooner than this is warned of. */
  calendarHorizonMs: 90 * 86_400_000,
  /** A DAG file's import: time and resident memory. */
  parseMs: 10_000,
  parseRssBytes: 512 * 1024 * 1024,
  /** From the start of a task's process until it has imported the bundle. */
  childStartMs: 60_000,
  /** Rows that retention removes in one transaction, and how often it looks. */
  retentionBatch: 100,
  retentionEveryMs: 3_600_000,
  /** Newest runs of a DAG that stay however old they are. */
  retentionRunsKept: 25,
  /** Files, bundles and caches that nobody refers to stay this long: someone may be about to. */
  leftoverMs: 86_400_000,
  /** Events that one process delivers at a time: in all, and to one target. */
  deliveriesAtOnce: 32,
  deliveriesPerTarget: 4,
  /** Longest that a receiver of events may take, and for how long nobody else tries the event. */
  deliveryMs: 10_000,
  deliveryLeaseMs: 30_000,
  /** Tries of an event until it is dead, and the longest wait between two. */
  deliveryTries: 15,
  deliveryRetryMsMax: 3_600_000,
  /** Runs that callbacks start one after the other; a circle of them ends here. */
  callbackDepth: 8,
  /** Events that were delivered stay this long; dead ones as long as runs. */
  deliveredEventDays: 7,
  /** A deadline that has passed by more than this when its run is made is not made. */
  deadlineLateMs: 86_400_000,
  /** Deadlines that are settled in one scheduler pass. */
  deadlineBatch: 500,
  /** Waits that one triggers process takes, and how many in one statement. */
  triggersPerProcess: 20_000,
  triggerBatch: 1_000,
  /** Between two looks at the same kind of wait, however many hints come. */
  triggerLookMsMin: 20,
  /** What a task puts aside when it defers, with what it asks a person. */
  parkedBytes: 64 * 1024,
  /** Grace between asking a child to stop and killing it. */
  killGraceMs: 2_000,
} as const;
