/* kafka_slot.pml - one slot of a service over Kafka, as kafka/ does it, for Spin (make prove-model).
 *
 * Two processes of one service may each be running, stopped for as long as it takes (a zombie is a
 * process whose next step comes late), killed, and started again as a new member, with or without
 * their folder. Each wants to carry N records of the input through the slot: an output, a change of state
 * and the position of each, 1 or 2 of them a transaction.
 *
 * The broker: a coordinator with one transactional.id and three partitions (outputs, changelog,
 * positions), whose markers come in any order and at any time after the coordinator has decided;
 * EndTxn requests may be late; the coordinator ends what nobody ends (transaction.timeout.ms).
 * A commit is answered when it is decided, before its markers are written, as Kafka does.
 *
 * Asserted: outputs, changes and positions are committed each once, in order, together; a process
 * that has taken the slot stands where the slot stands; what was accepted is committed and what was
 * rejected never is; an older process disturbs a newer one once at most; and when nothing moves any
 * more, all is done, and every process but the newest is over.
 *
 * Each rule of the protocol can be taken away by a switch; then Spin finds a way to break it:
 *   NO_BARRIER       init_transactions() returns before the markers of the last transaction are there
 *   READ_FIRST       positions are read before init_transactions(), not after
 *   NO_MEMBERS       members are not looked at: who is fenced takes the slot back
 *   MEMBERS_BEFORE   members are read before init_transactions() only, and not again after it
 *   NO_AUTHOR        the commit_seq alone decides, not whose it is
 *   GUESS_COMMITTED  no answer is taken for a commit
 *   GUESS_ABORTED    no answer is taken for an abort
 *   FENCED_ABORTED   being fenced is taken for an abort
 *   SAME_PRODUCER    after no answer: abort, and go on with the same epoch
 *   NO_RESTORE       the changelog is not replayed when the slot is taken
 *   FOLDER_POSITIONS positions are the folder's, not those read
 *   FOLDER_FIRST     the folder has the commit before the cluster
 *   NOTE_FIRST       the changelog offset is noted in a frame before that of the change
 *   NO_FLUSH         EndTxn before every record is acknowledged
 *   CHANGES_APART    changes of state are written outside of the transaction
 *   POSITIONS_APART  positions are written in a transaction of their own
 * RESEND is no rule of ours: EndTxn is sent twice with one epoch (a client's retry on a second
 * connection), which tears transactions in Kafka before transaction.version 2.
 */
#ifndef N
#define N 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif

/* == The cluster ============================================================================ */

byte members = 0;            /* end of the members topic; a process's rank is its offset + 1 */

/* Whose epoch is the newest: that process + 1; 0: nobody's, the coordinator has raised it. What is
 * under way with an older epoch has no effect any more, and is dropped when a newer one is given. */
byte owner = 0;
byte txn = 0;                /* 0 none, 1 open, 2 committing, 3 aborting */
bool has_o, has_c, has_p;    /* records of the transaction; markers are still to be written for them */
byte from, to, by, by_seq;   /* what these records say */
byte answer = 0;             /* to EndTxn: 0 none yet, 1 committed, 2 aborted */

byte outputs = 0, changes = 0; /* what a read_committed reader sees: so many */
byte position = 0, seq = 0, author = 0;

chan end_txn = [2] of { bool }; /* to commit it, or not */

/* == What is known to us only ================================================================ */

byte faults = 0;
byte rank[2], fate[2];       /* of the commit that is at work: 0 open, 1 committed, 2 rejected */
bool disturbed[2], over[2];

#define FAULT faults < FAULTS -> faults++
#define GIVEN_UP from = 0; to = 0; by = 0; by_seq = 0; has_o = 0; has_c = 0; has_p = 0

inline new_epoch(who)
{
    owner = who;
    answer = 0;
    do :: len(end_txn) > 0 -> end_txn ? _ :: else -> break od;
    if :: txn == 1 -> txn = 3 :: else fi
}

active proctype Coordinator()
{
    bool commit;
    do
    :: atomic { end_txn ? commit ->
           if
           :: txn == 1 && commit ->
                  txn = 2; answer = 1;
                  if
                  :: by == rank[0] -> assert(fate[0] != 2); fate[0] = 1
                  :: by == rank[1] -> assert(fate[1] != 2); fate[1] = 1
                  :: else
                  fi
           :: txn == 1 && !commit -> txn = 3; answer = 2
           :: else -> answer = (commit -> 1 : 2)
           fi;
           commit = 0 }
    :: atomic { txn == 2 && has_o -> assert(from == outputs); outputs = to; has_o = 0 }
    :: atomic { txn == 2 && has_c -> assert(from == changes); changes = to; has_c = 0 }
    :: atomic { txn == 2 && has_p -> assert(from == position); position = to; has_p = 0;
           seq = by_seq; author = by }
    :: atomic { txn == 2 && !has_o && !has_c && !has_p -> txn = 0; GIVEN_UP }
    :: atomic { txn == 3 -> txn = 0; GIVEN_UP }
    :: atomic { txn == 1 && FAULT; new_epoch(0) }
    od
}

/* == A process =============================================================================== */

/* Whose transaction is it that the positions tell of? */
#ifdef NO_AUTHOR
#define OURS      (read_seq == my_seq)
#define AS_BEFORE (read_seq == base_seq)
#else
#define OURS      (read_seq == my_seq && read_author == rank[me])
#define AS_BEFORE (read_seq == base_seq && read_author == base_author)
#endif
#define READ_POSITIONS read_position = position; read_seq = seq; read_author = author

/* A record of the transaction; the first one opens it. */
inline produce(has)
{
    if
    :: atomic { owner == me + 1 && txn <= 1 ->
           txn = 1; has = 1; from = base; to = base + n; by = rank[me]; by_seq = my_seq }
    :: owner != me + 1 -> goto fenced
    :: FAULT; goto killed
    fi
}

proctype Process(byte me)
{
    byte folder = 0;               /* on disk: the state, that is how many records are in it */
    byte note = 0;                 /* the changelog offset noted with it */
    byte folder_position = 0;
    bool hot, pending;             /* the task runs; the end of its commit is not known */
    byte base, n, my_seq;          /* up to where it is committed; records in the commit */
    byte base_seq, base_author;    /* of the last commit before it */
    byte read_position, read_seq, read_author;

start:
    atomic { members++; rank[me] = members; fate[me] = 0; disturbed[me] = 0 }
take:
#ifndef NO_MEMBERS
    if
    :: members > rank[me] -> goto ended
    :: else
    fi;
#endif
#ifdef READ_FIRST
    atomic { READ_POSITIONS }
#endif
    atomic {
        new_epoch(me + 1);
        if
        :: members > rank[me] -> assert(!disturbed[me]); disturbed[me] = 1
        :: else
        fi }
    if
#ifdef NO_BARRIER
    :: owner == me + 1
#else
    :: owner == me + 1 && txn == 0
#endif
    :: owner != me + 1 -> goto take
    :: FAULT; goto killed
    fi;
#if !defined(NO_MEMBERS) && !defined(MEMBERS_BEFORE)
    if
    :: members > rank[me] -> goto ended
    :: else
    fi;
#endif
#ifndef READ_FIRST
    atomic { READ_POSITIONS }
#endif
    atomic {
        if
        :: hot && pending && OURS -> goto accepted
        :: hot && !(pending && OURS) && AS_BEFORE ->
               if
               :: pending -> assert(fate[me] != 1); fate[me] = 2; pending = 0
               :: else
               fi
        :: hot && !(pending && OURS) && !AS_BEFORE ->
               assert(members > rank[me]); goto ended /* somebody newer has written */
        :: !hot ->
#ifdef FOLDER_POSITIONS
               base = folder_position;
#else
               base = read_position;
#endif
               folder_position = read_position;
               base_seq = read_seq; base_author = read_author
        fi;
        read_position = 0; read_seq = 0; read_author = 0 }
#ifndef NO_RESTORE
    /* The changelog from the noted offset to its end, in pieces, each with its note. */
    do
    :: atomic { !hot && note < changes -> note++; folder = note }
    :: note >= changes || hot -> break
    :: FAULT; goto killed
    od;
#endif
    atomic {
        hot = 1;
        if
        :: owner == me + 1 -> assert(base == position && base == changes && base == folder)
        :: else
        fi }

next:
    if
    :: atomic { base < N -> n = 1 }
    :: atomic { base + 1 < N -> n = 2 }
    :: base >= N && members > rank[me] -> goto ended /* the Kafka thread follows the members */
    fi;
    atomic { my_seq = base_seq + 1; pending = 1; fate[me] = 0;
#ifdef FOLDER_FIRST
             folder = base + n; note = base + n; folder_position = base + n
#endif
           }
    produce(has_o);
#ifdef CHANGES_APART
    atomic { assert(changes == base); changes = base + n }
#else
    produce(has_c);
#endif
#ifdef POSITIONS_APART
    end_txn ! 1;
    if
    :: atomic { answer == 1 -> answer = 0 }
    :: owner != me + 1 -> goto fenced
    :: FAULT; goto killed
    fi;
#endif
#ifndef NO_FLUSH
    produce(has_p);
    if
    :: true
    :: FAULT; goto abort           /* one of the records has failed */
    fi;
#endif
    if
    :: atomic { owner == me + 1 -> end_txn ! 1;
#ifdef RESEND
                end_txn ! 1;
#endif
       }
    :: owner != me + 1 -> goto fenced
    fi;
#ifdef NO_FLUSH
    produce(has_p);
#endif
    if
    :: atomic { owner == me + 1 && answer == 1 -> answer = 0; goto accepted }
    :: owner != me + 1 -> goto fenced
    :: FAULT; goto unknown         /* no answer within the time-out */
    :: FAULT; goto killed
    fi;

accepted:
    /* One frame of the folder: positions, state, and the offset of the changelog. */
    atomic { assert(fate[me] == 1); fate[me] = 0; pending = 0;
#ifdef NOTE_FIRST
             note = base + n }
    if
    :: true
    :: FAULT; goto killed
    fi;
    atomic {
#endif
             folder = base + n; note = base + n; folder_position = base + n;
             base = base + n; base_seq = my_seq; base_author = rank[me]; n = 0; my_seq = 0;
             if
             :: read_seq -> read_position = 0; read_seq = 0; read_author = 0; goto owned
             :: else
             fi }
    if
    :: goto next
    :: FAULT; goto killed
    fi;
owned:
    atomic {
        if
        :: owner == me + 1 -> assert(base == position && base == changes)
        :: else
        fi;
        goto next }

abort:
    if
    :: atomic { owner == me + 1 -> end_txn ! 0 }
    :: owner != me + 1 -> goto fenced
    fi;
    if
    :: atomic { owner == me + 1 && answer == 2 ->
           answer = 0; assert(fate[me] != 1); fate[me] = 2; pending = 0; n = 0; goto next }
    :: owner != me + 1 -> goto fenced
    :: FAULT; goto unknown
    :: FAULT; goto killed
    fi;

unknown:
#ifdef SAME_PRODUCER
    goto abort;
#endif
#ifdef GUESS_COMMITTED
    goto accepted;
#endif
#ifdef GUESS_ABORTED
    atomic { assert(fate[me] != 1); fate[me] = 2; pending = 0 }
#endif
    goto take;
fenced:
#ifdef FENCED_ABORTED
    atomic { assert(fate[me] != 1); fate[me] = 2; pending = 0 }
#endif
    goto take;

killed:
    atomic {
        hot = 0; pending = 0; base = 0; n = 0; my_seq = 0; base_seq = 0; base_author = 0;
        read_position = 0; read_seq = 0; read_author = 0; fate[me] = 0;
        if
        :: goto start
        :: folder = 0; note = 0; folder_position = 0; goto start /* the folder is lost too */
        fi }

ended:
    atomic { over[me] = 1; hot = 0; pending = 0; base = 0; n = 0; my_seq = 0; base_seq = 0;
        base_author = 0; read_position = 0; read_seq = 0; read_author = 0; fate[me] = 0;
        folder = 0; note = 0; folder_position = 0 }
}

/* When nothing moves any more. */
active proctype Rest()
{
    timeout ->
    assert(position == N && outputs == N && changes == N);
    assert(over[0] == (rank[0] != members) && over[1] == (rank[1] != members))
}

init { atomic { run Process(0); run Process(1) } }
