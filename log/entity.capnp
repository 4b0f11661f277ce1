# SPDX-License-Identifier: Apache-2.0
@0xddf22eb4a34d17b8;

# The entities as a snapshot stores them. One message is one entity: the words of a single unpacked segment, without a segment table,
# in Cap'n Proto's canonical form, so that equal entities are equal bytes whoever wrote them. Type and revision stand in the record's
# frame (docs/snapshot_format.md).
#
# Rules for whoever changes this file
#  - Ordinals are never renumbered, reused or retyped.
#  - A field added to an entity (or to a struct inside it, those of event.capnp included), and a new value of an enum in it, raise the
#    revision of that entity in entity_codec.cpp. Its default must mean what the entity was before there was the field: then the
#    canonical form of an entity that does not use it stays the same, and so does its hash.
#  - A new entity gets the next number in entity_codec.hpp.
#
# Units and conventions are those of event.capnp: microseconds, three clocks, Data for every text, name ids.

using Cxx = import "/capnp/c++.capnp";
using Event = import "event.capnp";
$Cxx.namespace("daybook::wire");

struct Book {
  head @0 :UInt64;            # the snapshot's sequence
  headWall @1 :Int64;         # wall clock of that event
  headBoot @2 :Int64;         # boot time of it
  epoch @3 :UInt64;           # of the last opening
  bootId @4 :Data;            # 16 bytes: the boot that boot times of this epoch belong to
  bookOffset @5 :Int64;       # book time = boot time + this, within this boot
  open @6 :Bool;
  era @7 :UInt32;
  names @8 :UInt32;           # interned so far
  generation @9 :UInt32;
  generationTag @10 :UInt32;
  held @11 :Bool;
  featureLevel @12 :UInt32 = 1;
  clockDoubted @13 :Bool;
  droppedThrough @14 :UInt64;  # sequence of the last event that can no longer be looked into; 0: none
  lostThrough @15 :UInt64;     # sequence with which the last gap that was declared ends; 0: none
}

struct Name {
  id @0 :UInt32;
  sort @1 :Event.NameSort;
  text @2 :Data;
}

struct Setting {
  key @0 :Data;
  value @1 :Data;
}

struct Queue {
  id @0 :UInt32;  # name id
  paused @1 :Bool;

  # Revision 2: any of these is set.
  running @2 :UInt32;             # limits; 0: none; likewise the next
  runningPerGroup @3 :UInt32;
  rate @4 :Event.Rate;            # a null pointer: no limit; likewise the next
  ratePerGroup @5 :Event.Rate;
  turnGroup @6 :UInt32;           # name id of the group whose turn it is
  turnLeft @7 :UInt32;            # starts left in it
  bucket @8 :Event.Bucket;        # of `rate`; a null pointer: full
  onDeadKind @9 :UInt32;          # name id of the kind to schedule when a job dies; 0: nothing, and the next as well
  onDeadQueue @10 :UInt32;        # name id
}

struct Group {
  queue @0 :UInt32;               # name id
  id @1 :UInt32;                  # name id
  weight @2 :UInt32;
  bucket @3 :Event.Bucket;        # of the queue's `ratePerGroup`; a null pointer: full
}

struct Worker {
  id @0 :UInt32;             # name id
  holder @1 :Event.Holder;
  slots @2 :UInt32;
  queues @3 :List(UInt32);   # name ids
  kinds @4 :List(UInt32);    # name ids; empty: any
  joinedAt @5 :Int64;        # wall clock
  epoch @6 :UInt64;          # of the opening it joined in
}

struct Request {
  client @0 :UInt32;     # name id
  id @1 :Data;
  first @2 :UInt64;      # sequence of the first event recorded for it …
  last @3 :UInt64;       # … and of the last
  recordedAt @4 :Int64;  # book time
}

struct Job {
  sequence @0 :UInt64;    # of its JobScheduled
  generation @1 :UInt32;  # generation tag

  # What was asked for.
  queue @2 :UInt32;       # name id
  kind @3 :UInt32;        # name id
  priority @4 :Int32;     # lower is sooner
  retry :group {
    backoff @5 :Event.Backoff;
    first @6 :Int64;              # duration
    cap @7 :Int64;                # duration
    jitterPermille @8 :UInt16;
    maxAttempts @9 :UInt32;
  }
  uniqueKey @10 :Data;    # empty: none
  tags @11 :List(Event.Tag);
  payload @12 :Event.Envelope;

  # What became of it.
  state @13 :JobState;
  deadReason @14 :Event.DeadReason;
  cancelRequested @15 :Bool;
  attempt @16 :UInt32;
  attemptsAllowed @17 :UInt32;
  due :group {
    at @18 :Int64;        # wall clock
    relative @19 :Bool;   # true: `after` decides whether it is due
    after @20 :Int64;     # book time
  }
  scheduledAt @21 :Int64;     # wall clock
  finalized @22 :Bool;        # false: `finalizedAt` means nothing and is 0
  finalizedAt @23 :Int64;     # wall clock
  lease @24 :Lease;           # a null pointer: none
  hasCompletedBy @25 :Bool;   # false: `completedBy` means nothing and is 0
  completedBy :group {
    claim @26 :UInt64;
    generation @27 :UInt32;
  }
  progress @28 :Event.Envelope;  # a null pointer: empty; likewise the next two
  result @29 :Event.Envelope;
  error @30 :Event.Envelope;
  errorKind @31 :UInt32;         # name id
  trace @32 :Data;
  lastEvent @33 :UInt64;         # sequence
  refused @34 :List(RefusedOutcome);

  # What a unique key and a result are kept for.
  uniqueScope :group {
    completed @35 :Bool;
    cancelled @36 :Bool;
    dead @37 :Bool;
  }
  keyHandedOver @38 :Bool;
  hasUniqueUntil @39 :Bool;   # false: `uniqueUntil` means nothing and is 0
  uniqueUntil @40 :Int64;     # book time
  dueLatest @41 :Event.Due;   # a null pointer: no bound
  hasKeptResult @42 :Bool;    # false: `keepResult` means nothing and is 0
  keepResult @43 :Int64;      # duration
  hasResultUntil @44 :Bool;   # false: `resultUntil` means nothing and is 0
  resultUntil @45 :Int64;     # wall clock
  steps @46 :List(Step);

  # Revision 2: a group, and deadlines.
  group @47 :UInt32;          # name id; 0: none
  specStartBy @48 :Event.Due; # the start deadline that was asked for; a null pointer: none
  runTimeout @49 :Int64;      # duration; 0: none
  totalTimeout @50 :Int64;    # duration; 0: none
  startByCounts @51 :Bool;    # it was not claimed yet
  hasEndBy @52 :Bool;         # false: `endBy` means nothing and is 0
  endBy @53 :Int64;           # book time: the total timeout ends it

  # Revision 2: parents.
  dependencies @54 :Event.Dependencies;  # a null pointer: none
  awaits @55 :UInt64;         # sequence of the parent whose end is looked at next; 0: it awaits none
  finalEvent @56 :UInt64;     # sequence of the event that made it final, if somebody waited for it then; 0 otherwise

  # Revision 2: a recurring schedule.
  recurring @57 :UInt32;      # name id; 0: none, and the next means nothing and is 0
  nominal @58 :Int64;         # wall clock
}

struct Step {
  name @0 :Data;
  result @1 :Event.Envelope;
}

enum JobState {
  waiting @0;
  awaiting @1;
  running @2;
  completed @3;
  cancelled @4;
  dead @5;
  uncertain @6;
}

struct Lease {
  token :group {
    claim @0 :UInt64;
    generation @1 :UInt32;
  }
  worker @2 :UInt32;      # name id
  holder @3 :Event.Holder;
  length @4 :Int64;       # duration
  endsAt @5 :Int64;       # book time
  endsAtWall @6 :Int64;   # wall clock, for people
  claimedAt @7 :Int64;    # wall clock
  hasRunEndsAt @8 :Bool;  # false: `runEndsAt` means nothing and is 0
  runEndsAt @9 :Int64;    # book time: the run timeout ends the attempt
}

struct RefusedOutcome {
  token :group {
    claim @0 :UInt64;
    generation @1 :UInt32;
  }
  reason @2 :UInt16;      # number of the refusal code
}

struct Hold {
  id @0 :UInt64;          # sequence of its HoldPlaced
  filter @1 :Data;
  reason @2 :Data;
  actor @3 :UInt32;       # name id
  placedAt @4 :Int64;     # wall clock
}

struct Recurring {
  id @0 :UInt32;                   # name id
  owner @1 :Data;
  terms @2 :Event.RecurringTerms;  # a null pointer: removed
  paused @3 :Bool;
  pauseReason @4 :Data;
  handled @5 :Int64;               # wall clock, like all instants here
  next @6 :Event.Occurrence;       # a null pointer: none
  hasPausedUntil @7 :Bool;         # false: `pausedUntil` means nothing and is 0
  pausedUntil @8 :Int64;
  buffer @9 :List(Int64);
  live @10 :List(UInt64);          # sequences of jobs
  unmade @11 :List(Stretch);
  hasLast @12 :Bool;               # false: `last` means nothing and is 0
  last @13 :Int64;
  lastJob :group {
    sequence @14 :UInt64;
    generation @15 :UInt32;
  }
}

struct Stretch {
  from @0 :Int64;                  # both included
  until @1 :Int64;
}
