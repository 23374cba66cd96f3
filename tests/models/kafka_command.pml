/* kafka_command.pml - the command topic of a service, as kafka/command.c writes and reads it, for
 * Spin (make prove-model).
 *
 * Two processes each give TRIES statements. A command says on which command it is based; one counts
 * if and only if that is the last one that counts before it. A write may be answered late or not at
 * all: its author writes the same again, or gives up; what was on its way may be there later. A
 * process may be killed at any step and begins anew, with its folder, reading from where that is.
 *
 * Asserted: a statement that was said to be done counts, and once; one that was said to be refused
 * does not, and never will; the catalog of an engine that runs is that of the commands that count
 * up to where it has read, and so is its folder's.
 *
 * Each rule can be taken away by a switch:
 *   NO_BASED_ON    every command counts, whatever it is based on
 *   NO_READ        a statement is done when its command is written, without reading to the end
 *   NO_FOREIGN     a command that the engine does not know goes into the folder, and the engine on
 *   GIVEN_UP_GONE  a command that was given up is not waited for by anybody: its author's reader
 *                  passes it over when it comes after all
 *   NOTE_FIRST     the folder notes the command before it has what the command does
 */
#ifndef TRIES
#define TRIES 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#define ROOM 7 /* commands in the topic, at most */

byte based[ROOM], id[ROOM];    /* 255: on none; id: which statement it is */
byte size = 0;
byte last = 255;               /* the last that counts; the catalog is the sum of their ids' bits */
byte catalog = 0;
byte faults = 0;
byte next_id = 0;
byte done, refused;            /* statements that their users were told of, as bits */
chan network = [2] of { byte, byte }; /* on its way: based on, id */

#define BIT(i) (1 << (i))
#define FAULT faults < FAULTS && size + len(network) < ROOM - 1 -> faults++

inline append(on, which)
{
    based[size] = on;
    id[size] = which;
#ifdef NO_BASED_ON
    last = size; catalog = catalog ^ BIT(which);
#else
    if
    :: on == last -> last = size; assert(!(catalog & BIT(which))); catalog = catalog | BIT(which)
    :: else
    fi;
#endif
    assert(!(refused & catalog));
    size++
}

active proctype Network()
{
    byte on, which;
end:
    do
    :: atomic { network ? on, which -> append(on, which); on = 0; which = 0 }
    od
}

proctype Process(byte me)
{
    byte folder_read = 0, folder_last = 255, folder_catalog = 0; /* on disk */
    byte engine;                  /* the catalog as the engine has it */
    byte mine = 255, written_on;  /* the statement at work: not yet told */
    bool found, running;
    byte given_up = 255;
    byte tries = 0;

start:
    running = 0; mine = 255; given_up = 255; found = 0;
read:
    /* Reads to the end. */
    do
    :: atomic { folder_read < size ->
           if
#ifdef NO_BASED_ON
           :: true ->
#else
           :: based[folder_read] == folder_last ->
#endif
                  if
                  :: id[folder_read] == mine -> found = 1
#ifdef GIVEN_UP_GONE
                  :: id[folder_read] == given_up && id[folder_read] != mine -> goto passed
#endif
                  :: else ->
#ifndef NO_FOREIGN
                         if :: running -> goto over :: else fi
#endif
                  fi;
                  folder_last = folder_read;
#ifdef NOTE_FIRST
                  folder_read++;
                  if :: FAULT; goto killed :: true fi;
                  folder_read--;
#endif
                  folder_catalog = folder_catalog | BIT(id[folder_read])
           :: else
           fi;
passed:    folder_read++ }
    :: atomic { folder_read == size -> break }
    :: FAULT; goto killed
    od;
    atomic {
        if
        :: !running -> running = 1; engine = folder_catalog
        :: found -> engine = engine | BIT(mine); found = 0;
               done = done | BIT(mine); assert((catalog & done) == done); mine = 255
        :: running && mine != 255 && !found && folder_last != written_on ->
               refused = refused | BIT(mine); assert(!(refused & catalog)); mine = 255
        :: else
        fi;
        assert(engine == folder_catalog);
        assert(folder_read != size || folder_catalog == catalog) }
    if
    :: atomic { mine != 255 && FAULT } -> goto write       /* not there yet: the same again */
    :: atomic { mine != 255 -> given_up = mine; mine = 255 } -> goto ready
    :: mine == 255 -> goto ready
    fi;
ready:
    if
    :: atomic { tries < TRIES && size + len(network) < ROOM - 1 ->
           tries++; mine = next_id; next_id++; written_on = folder_last }
    :: atomic { tries >= TRIES || size + len(network) >= ROOM - 1 -> goto rest }
    :: FAULT; goto killed
    fi;
write:
    if
    :: atomic { size + len(network) < ROOM -> append(written_on, mine) }
    :: atomic { FAULT; network ! written_on, mine }        /* no answer: it comes late, or never */
    :: atomic { FAULT }
    fi;
#ifdef NO_READ
    atomic { done = done | BIT(mine); assert((catalog & done) == done) }
#endif
    goto read;
rest:
    if
    :: folder_read < size -> goto read
    :: FAULT; goto killed
    fi;
killed:
    goto start;
over:
    goto start /* it ends as fenced, and is started again */
}

init { atomic { run Process(0); run Process(1) } }
