# SPDX-License-Identifier: Apache-2.0
@0xf3b1c5a47e2d9086;

# An event as it is stored. One message is one event: the words of a single unpacked segment, without a segment table
# (the batch's framing carries the length; docs/log_format.md).
#
# Rules for whoever changes this file
#  - Ordinals are never renumbered, reused or retyped: every book ever written is read through this file.
#  - Cap'n Proto ignores fields it does not know, and a reader must not. So a field added to an event (or to a struct inside
#    it), and a new value of an enum in it, raise the revision of that event type in event_codec.cpp. A field added to
#    RecordedEvent itself raises all of them.
#  - A new event type is appended to the union in `body`.
#
# Units: times and durations are microseconds. Wall clock: since 1970-01-01 UTC. Boot time: since the machine started, suspend
# included. Book time: the book's own clock, never steps back. Data is used for every text, because what users and
# systems supply is not promised to be UTF-8. Name ids stand for interned names (NameDefined); 0 is "none".

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("daybook::wire");

struct RecordedEvent {
  sequence @0 :UInt64;    # from 1, without gaps
  epoch @1 :UInt64;       # of the writer: counts read-write openings
  wall @2 :Int64;         # wall clock, raw
  boot @3 :Int64;         # boot time, raw, of the boot that the epoch's BookOpened names

  type @4 :UInt16;        # which event: the number of the member of `body`, 0 for bookOpened and so on in order
  revision @5 :UInt16;    # of that event type, from 1

  by :group {
    actor @6 :UInt32;     # name id
    origin @7 :ActorOrigin;
    cause @8 :UInt64;     # sequence of the event that led to this one; 0: none named
    reason @9 :Data;      # given by an operator; may be empty
    trace @10 :Data;      # W3C traceparent; may be empty
  }

  request :group {
    present @11 :Bool;    # false: the request carried no id, and the rest means nothing
    client @12 :UInt32;   # name id
    id @13 :Data;
    command @14 :UInt16;  # index within the request's batch, from 0
  }

  body :union {
    bookOpened @15 :BookOpened;
    bookClosed @16 :BookClosed;
    clockStepped @17 :ClockStepped;
    configurationChanged @18 :ConfigurationChanged;
    nameDefined @19 :NameDefined;
    generationBegun @20 :GenerationBegun;
    bookAdopted @21 :BookAdopted;
    queuePaused @22 :QueuePaused;
    queueResumed @23 :QueueResumed;
    workerJoined @24 :WorkerJoined;
    workerLeft @25 :WorkerLeft;
    jobScheduled @26 :JobScheduled;
    duplicateSuppressed @27 :DuplicateSuppressed;
    jobClaimed @28 :JobClaimed;
    leasesRenewed @29 :LeasesRenewed;
    jobCompleted @30 :JobCompleted;
    attemptFailed @31 :AttemptFailed;
    leaseExpired @32 :LeaseExpired;
    jobSnoozed @33 :JobSnoozed;
    jobReleased @34 :JobReleased;
    cancelRequested @35 :CancelRequested;
    jobCancelled @36 :JobCancelled;
    jobRescheduled @37 :JobRescheduled;
    jobRetried @38 :JobRetried;
    outcomeRefused @39 :OutcomeRefused;
    requestRefused @40 :RequestRefused;

    # From feature level 2 on.
    featureLevelRaised @41 :FeatureLevelRaised;
    clockDoubted @42 :ClockDoubted;
    clockConfirmed @43 :ClockConfirmed;
    snapshotTaken @44 :SnapshotTaken;
    segmentsDropped @45 :SegmentsDropped;
    jobMarkedUncertain @46 :JobMarkedUncertain;
    gapDeclared @47 :GapDeclared;
    eventLost @48 :EventLost;
    eventSetAside @49 :EventSetAside;
    jobScheduled2 @50 :JobScheduled2;  # JobScheduled and JobCompleted once more, for those that say more than level 1 can
    jobCompleted2 @51 :JobCompleted2;
    jobReplaced @52 :JobReplaced;
    stepRecorded @53 :StepRecorded;
    resultsForgotten @54 :ResultsForgotten;
    jobsPruned @55 :JobsPruned;
    limitsSet @56 :LimitsSet;
    weightSet @57 :WeightSet;
    jobClaimed2 @58 :JobClaimed2;      # JobClaimed once more, likewise
    jobMoved @59 :JobMoved;
    operatorCommanded @60 :OperatorCommanded;
    holdPlaced @61 :HoldPlaced;
    holdLifted @62 :HoldLifted;
    jobExpired @63 :JobExpired;
    jobTimedOut @64 :JobTimedOut;
    childFreed @65 :ChildFreed;
    childDropped @66 :ChildDropped;
    childAwaits @67 :ChildAwaits;
    onDeadSet @68 :OnDeadSet;
    stateHashed @69 :StateHashed;
    recurringDeclared @70 :RecurringDeclared;
    recurringFired @71 :RecurringFired;
    recurringSkipped @72 :RecurringSkipped;
    recurringBuffered @73 :RecurringBuffered;
    recurringPaused @74 :RecurringPaused;
    recurringResumed @75 :RecurringResumed;
    recurringRemoved @76 :RecurringRemoved;
    recurringReplanned @77 :RecurringReplanned;
    recurringBackfilled @78 :RecurringBackfilled;
  }
}

enum ActorOrigin {
  declared @0;
  peerCredential @1;
  token @2;
}

struct Envelope {
  # Bytes of a user: payload, result, error, progress. A null pointer to an envelope is an empty one.
  codec @0 :UInt16;    # 0: plain; others are reserved for sealed contents
  keyId @1 :UInt32;    # the sealing key; 0: none
  subject @2 :Data;    # whom the contents are about; empty: nobody
  nonce @3 :Data;
  bytes @4 :Data;
}

# ---- the book

struct BookOpened {
  epoch @0 :UInt64;
  bootId @1 :Data;       # 16 bytes
  bookOffset @2 :Int64;  # book time = boot time + this, until the next opening
  newBoot @3 :Bool;      # the boot id differs from that of the opening before
  tail @4 :TailStatus;   # how the log was found
  bytesCut @5 :UInt64;   # with torn: kept in quarantine
  cutSha256 @6 :Data;    # with torn: 32 bytes, else empty
  process @7 :UInt32;    # pid
  host @8 :Data;
  release @9 :Data;      # of Daybook
}

enum TailStatus {
  created @0;
  clean @1;
  unclean @2;
  torn @3;
}

struct BookClosed {
}

struct ClockStepped {
  by @0 :Int64;    # duration; the wall clock moved this much against boot time
  era @1 :UInt32;  # the one that begins
}

struct ConfigurationChanged {
  key @0 :Data;
  value @1 :Data;
  before @2 :Data;  # empty: was not set
}

struct NameDefined {
  id @0 :UInt32;
  sort @1 :NameSort;
  text @2 :Data;
}

enum NameSort {
  none @0;  # never stored
  queue @1;
  kind @2;
  worker @3;
  actor @4;
  errorKind @5;
  client @6;
  group @7;  # revision 2 of NameDefined: this and the next
  recurring @8;
}

struct GenerationBegun {
  number @0 :UInt32;
  tag @1 :UInt32;
  held @2 :Bool;         # a copy: nothing can be claimed until somebody adopts it
  copiedFrom @3 :Data;   # 16 bytes: uuid of the log it was made from; zeros: none
  nonceSalt @4 :UInt64;
}

struct BookAdopted {
}

# ---- queues and workers

struct QueuePaused {
  queue @0 :UInt32;  # name id
}

struct QueueResumed {
  queue @0 :UInt32;  # name id
}

struct WorkerJoined {
  id @0 :UInt32;              # name id
  holder @1 :Holder;
  slots @2 :UInt32;
  queues @3 :List(UInt32);    # name ids
  kinds @4 :List(UInt32);     # name ids; empty: any
  joinedAt @5 :Int64;         # wall clock
  epoch @6 :UInt64;           # of the opening it joined in
}

enum Holder {
  external @0;
  handler @1;
}

struct WorkerLeft {
  worker @0 :UInt32;  # name id
  reason @1 :LeaveReason;
}

enum LeaveReason {
  stopped @0;
  processDied @1;
}

# ---- jobs. A job is named by the sequence and the generation tag of its JobScheduled, a token by those of its JobClaimed.

struct JobScheduled {
  generation @0 :UInt32;  # generation tag; the job's sequence is the event's
  due :group {
    at @1 :Int64;         # wall clock
    relative @2 :Bool;    # true: `after` decides whether it is due
    after @3 :Int64;      # book time
  }
  queue @4 :UInt32;       # name id
  kind @5 :UInt32;        # name id
  priority @6 :Int32;     # lower is sooner
  retry :group {
    backoff @7 :Backoff;
    first @8 :Int64;              # duration
    cap @9 :Int64;                # duration
    jitterPermille @10 :UInt16;   # of the delay, added on top
    maxAttempts @11 :UInt32;
  }
  uniqueKey @12 :Data;    # empty: none
  tags @13 :List(Tag);
  payload @14 :Envelope;
}

enum Backoff {
  fixed @0;
  exponential @1;
}

struct Tag {
  key @0 :Data;
  value @1 :Data;
}

struct DuplicateSuppressed {
  job :group {           # the one that has the unique key
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  kind @2 :UInt32;       # name id, of the job that was not scheduled
  answer @3 :OnConflict;
}

enum OnConflict {
  reject @0;
  returnExisting @1;
  replace @2;   # revision 2 of DuplicateSuppressed: this and those below
  debounce @3;
  throttle @4;
}

struct JobClaimed {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  generation @2 :UInt32;       # of the token; its sequence is the event's
  attempt @3 :UInt32;          # from 1
  worker @4 :UInt32;           # name id
  holder @5 :Holder;
  lease @6 :Int64;             # duration
  leaseEndsAt @7 :Int64;       # book time
  leaseEndsAtWall @8 :Int64;   # wall clock, for people
}

struct LeasesRenewed {
  lease @0 :Int64;  # duration
  reason @1 :RenewReason;
  renewals @2 :List(Renewal);  # at least one
}

enum RenewReason {
  heartbeat @0;
  newBoot @1;
}

struct Renewal {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  leaseEndsAt @4 :Int64;      # book time
  leaseEndsAtWall @5 :Int64;  # wall clock, for people
  hasProgress @6 :Bool;       # false: the checkpoint there is stays
  progress @7 :Envelope;
}

struct JobCompleted {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  attempt @4 :UInt32;
  result @5 :Envelope;
}

struct AttemptFailed {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  attempt @4 :UInt32;
  error @5 :Envelope;
  errorKind @6 :UInt32;  # name id
  retryable @7 :Bool;    # as the worker said
  next :union {          # what follows
    again :group {       # waits until due
      at @8 :Int64;      # wall clock
      relative @9 :Bool;
      after @10 :Int64;  # book time
    }
    dead @11 :DeadReason;
    cancelled @12 :Void;  # a cancellation had been asked for
  }
}

enum DeadReason {
  none @0;
  attemptsExhausted @1;
  notRetryable @2;
  expired @3;       # only in entity.capnp: the event for it is JobExpired
  leaseLost @4;
  parentFailed @5;  # only in entity.capnp: the event for it is ChildDropped
  timedOut @6;      # only in entity.capnp: the event for it is JobTimedOut
}

struct LeaseExpired {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  attempt @4 :UInt32;
  reason @5 :ExpiryReason;
  next :union {
    again :group {
      at @6 :Int64;
      relative @7 :Bool;
      after @8 :Int64;
    }
    dead @9 :DeadReason;
    cancelled @10 :Void;
  }
}

enum ExpiryReason {
  expired @0;
  processDied @1;
  anotherHistory @2;
}

struct JobSnoozed {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  next :union {
    again :group {
      at @4 :Int64;
      relative @5 :Bool;
      after @6 :Int64;
    }
    dead @7 :DeadReason;
    cancelled @8 :Void;
  }
}

struct JobReleased {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  next :union {
    again :group {
      at @4 :Int64;
      relative @5 :Bool;
      after @6 :Int64;
    }
    dead @7 :DeadReason;
    cancelled @8 :Void;
  }
}

struct CancelRequested {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
}

struct JobCancelled {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
}

struct JobRescheduled {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  due :group {
    at @2 :Int64;
    relative @3 :Bool;
    after @4 :Int64;
  }
}

struct JobRetried {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  due :group {
    at @2 :Int64;
    relative @3 :Bool;
    after @4 :Int64;
  }
  attemptsAllowed @5 :UInt32;
}

# ---- refusals that are on record

struct OutcomeRefused {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  outcome @4 :OutcomeKind;
  reason @5 :UInt16;  # number of the refusal code
}

enum OutcomeKind {
  complete @0;
  fail @1;
  renew @2;
  snooze @3;
  release @4;
  step @5;     # revision 2 of OutcomeRefused
}

struct RequestRefused {
  code @0 :UInt16;    # number of the refusal code; revision 2: above 24
  sentence @1 :Data;
  job @2 :UInt64;     # sequence of the job concerned; 0: none
}

# ---- feature level 2

struct FeatureLevelRaised {
  before @0 :UInt32;
  after @1 :UInt32;
}

struct ClockDoubted {
  lastWall @0 :Int64;  # wall clock of the last event before the opening
  by @1 :Int64;        # duration from there to the clock of the opening
}

struct ClockConfirmed {
}

struct SnapshotTaken {
  sequence @0 :UInt64;    # the last event whose effect is in it
  stateHash @1 :Data;     # 32 bytes
  fileSha256 @2 :Data;    # 32 bytes
  jobs @3 :UInt64;
}

struct SegmentsDropped {
  first @0 :UInt64;
  last @1 :UInt64;
}

struct JobMarkedUncertain {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  why @2 :Data;
}

struct GapDeclared {
  last @0 :UInt64;    # the gap begins with this event's own sequence
  reason @1 :Data;
}

struct EventLost {
}

struct EventSetAside {
  why @0 :Data;
  stored @1 :Data;    # the event's own message
}

struct Due {
  at @0 :Int64;        # wall clock
  relative @1 :Bool;   # true: `after` decides
  after @2 :Int64;     # book time
}

struct JobScheduled2 {
  first @0 :JobScheduled;    # all that level 1 can say
  uniqueScope :group {       # final states in which the unique key is held
    completed @1 :Bool;
    cancelled @2 :Bool;
    dead @3 :Bool;
  }
  hasUniqueUntil @4 :Bool;   # false: `uniqueUntil` means nothing
  uniqueUntil @5 :Int64;     # book time
  hasKeptResult @6 :Bool;    # false: `keepResult` means nothing
  keepResult @7 :Int64;      # duration
  dueLatest @8 :Due;         # a null pointer: no bound
  keyFrom :group {           # the job that handed the unique key over; sequence 0: none
    sequence @9 :UInt64;
    generation @10 :UInt32;
  }
  group @11 :UInt32;         # name id; 0: none
  startBy @12 :Due;          # the start deadline; a null pointer: none
  runTimeout @13 :Int64;     # duration; 0: none
  totalTimeout @14 :Int64;   # duration; 0: none
  dependencies @15 :Dependencies;  # a null pointer: it waits for nobody
  awaits @16 :UInt64;        # sequence of the parent whose end is looked at first; 0: it waits for none
  recurring @17 :UInt32;     # name id of the recurring schedule; 0: none, and the next means nothing
  nominal @18 :Int64;        # wall clock
}

struct JobCompleted2 {
  first @0 :JobCompleted;
  resultUntil @1 :Int64;     # wall clock
}

struct JobReplaced {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  content @2 :JobScheduled2; # due time, `dueLatest` and all that was asked for; the rest of it is empty
  attemptsAllowed @3 :UInt32;
  policy @4 :OnConflict;
}

struct StepRecorded {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  name @4 :Data;
  result @5 :Envelope;
}

struct JobName {             # a job, where a list of them is
  sequence @0 :UInt64;
  generation @1 :UInt32;
}

struct ResultsForgotten {
  jobs @0 :List(JobName);    # at least one
}

struct JobsPruned {
  jobs @0 :List(PrunedJob);  # at least one
}

struct PrunedJob {
  sequence @0 :UInt64;
  generation @1 :UInt32;
  state @2 :FinalState;
  finalizedAt @3 :Int64;     # wall clock
  lastEvent @4 :UInt64;      # sequence: the job's history ends there
}

enum FinalState {
  completed @0;
  cancelled @1;
  dead @2;
}

struct JobClaimed2 {
  first @0 :JobClaimed;      # all that level 1 can say
  turned @1 :Bool;           # true: the turn is the job's group's, and `turnLeft` is what is left of it
  turnLeft @2 :UInt32;
  queueBucket @3 :Bucket;    # a null pointer: as it was; likewise the next
  groupBucket @4 :Bucket;
}

struct Bucket {
  level @0 :Int64;  # millionths of a start
  at @1 :Int64;     # book time at which it was so full
}

struct LimitsSet {
  queue @0 :UInt32;            # name id
  running @1 :UInt32;          # 0: no limit; likewise the next
  runningPerGroup @2 :UInt32;
  rate @3 :Rate;               # a null pointer: no limit; likewise the next
  ratePerGroup @4 :Rate;
}

struct Rate {
  starts @0 :UInt32;  # in every period
  burst @1 :UInt32;   # at once after a pause
  per @2 :Int64;      # duration
}

struct WeightSet {
  queue @0 :UInt32;   # name id
  group @1 :UInt32;   # name id
  weight @2 :UInt32;  # starts in a turn
}

struct JobMoved {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  queue @2 :UInt32;   # name id
}

struct OperatorCommanded {
  verb @0 :OperatorVerb;
  filter @1 :Data;
  matched @2 :UInt64;
  hasDue @3 :Bool;    # false: `due` means nothing and is 0
  due :group {
    at @4 :Int64;
    relative @5 :Bool;
    after @6 :Int64;
  }
  queue @7 :UInt32;   # name id; 0: none
}

enum OperatorVerb {
  retry @0;
  cancel @1;
  reschedule @2;
  move @3;
}

struct HoldPlaced {
  filter @0 :Data;
}

struct HoldLifted {
  hold @0 :UInt64;    # sequence of its HoldPlaced
}

struct JobExpired {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
}

struct JobTimedOut {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  token :group {        # of the attempt that it ended; zeros: none ran
    claim @2 :UInt64;
    generation @3 :UInt32;
  }
  cancelled @4 :Bool;   # false: dead
}

# ---- jobs that wait for others

enum RunWhen {
  succeeded @0;   # all parents are completed
  failed @1;      # one at least is dead or cancelled
  always @2;
}

enum Otherwise {
  fail @0;        # dead
  cancel @1;      # cancelled
}

struct Dependencies {
  parents @0 :List(JobName);   # at least one, each once
  runWhen @1 :RunWhen;
  otherwise @2 :Otherwise;
  onDead @3 :Bool;             # its queue asked for it when its one parent died
}

struct ChildFreed {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  parent :group {     # whose end was awaited last
    sequence @2 :UInt64;
    generation @3 :UInt32;
  }
}

struct ChildDropped {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  parent :group {     # whose end was awaited last
    sequence @2 :UInt64;
    generation @3 :UInt32;
  }
  cancelled @4 :Bool; # false: dead
}

struct ChildAwaits {
  job :group {
    sequence @0 :UInt64;
    generation @1 :UInt32;
  }
  next :group {       # the parent whose end is looked at next
    sequence @2 :UInt64;
    generation @3 :UInt32;
  }
}

struct OnDeadSet {
  queue @0 :UInt32;   # name id
  kind @1 :UInt32;    # name id of the kind to schedule; 0: nothing, and the next as well
  into @2 :UInt32;    # name id of the queue to schedule it in
}

struct StateHashed {
  sequence @0 :UInt64;    # of the event behind which the state had this hash
  stateHash @1 :Data;     # 32 bytes
}

# ---- recurring schedules. `recurring` is the name id of the schedule, instants are of the wall clock.

struct Occurrence {
  nominal @0 :Int64;
  due @1 :Int64;
}

enum DstGap {
  skip @0;
  shift @1;
}

enum DstRepeat {
  first @0;
  last @1;
  both @2;
}

enum Missed {
  skip @0;
  once @1;
  all @2;
}

enum Overlap {
  skip @0;
  bufferOne @1;
  bufferAll @2;
  cancelOther @3;
  allow @4;
}

struct RecurringTerms {
  rule :union {
    cron :group {
      expression @0 :Data;
      zone @1 :Data;
      gap @2 :DstGap;
      repeat @3 :DstRepeat;
    }
    interval :group {
      period @4 :Int64;         # duration
      anchor @5 :Int64;
    }
    calendar @6 :List(Int64);
  }
  hasStart @7 :Bool;            # false: `start` means nothing and is 0; so below
  start @8 :Int64;
  hasEnd @9 :Bool;
  end @10 :Int64;
  jitter @11 :Int64;            # duration
  job @12 :JobScheduled2;       # what is asked of each job; the rest of it is empty
  hasStartDeadline @13 :Bool;
  startDeadline @14 :Int64;     # duration
  missed @15 :Missed;
  window @16 :Int64;            # duration
  cap @17 :UInt32;
  overlap @18 :Overlap;
}

struct RecurringDeclared {
  recurring @0 :UInt32;
  owner @1 :Data;
  terms @2 :RecurringTerms;     # never null
  handled @3 :Int64;
  next @4 :Occurrence;          # a null pointer: none; so in all of these
  changed @5 :Bool;
}

enum FiredBy {
  timer @0;
  catchUp @1;
  buffer @2;
  runNow @3;
  backfill @4;
}

struct RecurringFired {
  recurring @0 :UInt32;
  nominal @1 :Int64;
  by @2 :FiredBy;
  next @3 :Occurrence;
}

enum SkipReason {
  missed @0;
  outOfWindow @1;
  cap @2;
  overlap @3;
  bufferFull @4;
  tooManyLive @5;
  paused @6;
  replaced @7;
  removed @8;
}

struct RecurringSkipped {
  recurring @0 :UInt32;
  from @1 :Int64;               # nominal instant of the first, and of the last
  until @2 :Int64;
  count @3 :UInt64;
  reason @4 :SkipReason;
  buffered @5 :Bool;            # they had waited for jobs to end
  next @6 :Occurrence;
}

struct RecurringBuffered {
  recurring @0 :UInt32;
  nominal @1 :Int64;
  next @2 :Occurrence;
}

struct RecurringPaused {
  recurring @0 :UInt32;
  problem @1 :Data;             # empty: somebody paused it
}

struct RecurringResumed {
  recurring @0 :UInt32;
  until @1 :Int64;              # the end of the pause
  next @2 :Occurrence;
}

struct RecurringRemoved {
  recurring @0 :UInt32;
}

struct RecurringReplanned {
  recurring @0 :UInt32;
  next @1 :Occurrence;
}

struct RecurringBackfilled {
  recurring @0 :UInt32;
  from @1 :Int64;
  until @2 :Int64;              # not included
  count @3 :UInt64;
}
