/**
 * The body of `flow/resolve`: when the backlog says so, slices of one window are read, merged, collapsed and written in one transaction.
 * What waits survives a crash of the actor. A database that is away is waited for. A group that the database refuses for its own sake is
 * halved until the slice is found that is to blame; that one is set aside after a few tries, so that one bad slice does not stop the map.
 */
import { Cause, Clock, Effect, Exit, Queue, Result } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { WindowSlice } from "#domain/Window.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { SliceEdges } from "#pipeline/resolve/collapse/edges.ts"
import { Resolver, type WriteResult } from "#pipeline/resolve/Resolver.ts"
import { makeMerger } from "#pipeline/window/merge-slices.ts"
import type { Spool } from "#pipeline/window/Spool.ts"
import type { Backlog, Waiting } from "./Backlog.ts"

export interface ResolveOptions {
  readonly backlog: Backlog
  readonly spool: Spool
  readonly collapse: (slice: WindowSlice) => SliceEdges
  /** These are in the store now, or were before. */
  readonly written: (waiting: ReadonlyArray<Waiting>, result: WriteResult) => Effect.Effect<void>
  /** Given up: its records are lost. */
  readonly lost: (waiting: Waiting) => Effect.Effect<void>
}

/** How writing goes; outlives the runs of the actor. */
export interface WriteState {
  /** Times in a row that the database was away or out of room. */
  failures: number
  lastError: string | undefined
  /** When the write that runs now began, ms since 1970. */
  since: number | undefined
  /** Writes, and slices in them. */
  writes: number
  slices: number
}

export const makeWriteState = (): WriteState => ({ failures: 0, lastError: undefined, since: undefined, writes: 0, slices: 0 })

const triesOfOneSlice = 3
/** After so many failures in a row one slice at a time: the group may be more than the database can take in its time. */
const failuresBeforeSingles = 3

type Outcome = "settled" | "later"

export const resolveSlices = (options: ResolveOptions, state: WriteState) =>
  Effect.gen(function* () {
    const { backlog } = options
    const resolver = yield* Resolver
    const sql = yield* SqlClient.SqlClient
    const changed = yield* Queue.sliding<void>(1)
    backlog.onChange(() => Queue.offerUnsafe(changed, undefined))
    for (;;) {
      const began = yield* Clock.currentTimeMillis
      const due = backlog.dueIn(began)
      if (due > 0) {
        yield* Effect.raceFirst(Queue.take(changed), due === Number.POSITIVE_INFINITY ? Effect.never : Effect.sleep(due))
        continue
      }
      // what came until now is one round; what comes meanwhile waits for the next
      let spent = 0
      for (;;) {
        const group = backlog.next(began, state.failures >= failuresBeforeSingles ? 1 : undefined)
        if (group.length === 0) break
        const from = yield* Clock.currentTimeMillis
        state.since = from
        const outcome = yield* writeGroup(group, options, resolver, state).pipe(
          Effect.ensuring(Effect.sync(() => (state.since = undefined)))
        )
        if (outcome === "later") yield* untilBack(sql, state, backlog)
        else spent += (yield* Clock.currentTimeMillis) - from
      }
      backlog.wrote(yield* Clock.currentTimeMillis, spent)
    }
  })

/** Longer pauses with each failure; what waits is not touched before the database answers at all. */
const untilBack = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, state: WriteState, backlog: Backlog) {
  for (;;) {
    // in pieces: nobody waits for a pause when the process ends
    for (let ms = Math.min(5000, 250 * 2 ** Math.min(state.failures - 1, 5)); ms > 0; ms -= 250) {
      yield* Effect.sleep("250 millis")
      if (backlog.ending()) break
    }
    const back = yield* sql`SELECT 1`.pipe(
      Effect.as(true),
      Effect.timeout("10 seconds"),
      Effect.orElseSucceed(() => false)
    )
    if (back) return
    state.failures++
  }
})

const writeGroup = (
  group: ReadonlyArray<Waiting>,
  options: ResolveOptions,
  resolver: Resolver["Service"],
  state: WriteState
): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const { backlog, collapse, lost, spool, written } = options
    const gone = (one: Waiting) =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          backlog.drop(one)
          return Effect.andThen(one.spooled === undefined ? Effect.void : spool.setAside(one.spooled), lost(one))
        })
      )
    const { merged, present } = yield* read(group, spool, gone)
    if (merged === undefined) return present.length < group.length ? "settled" : yield* failedOnce(state, "cannot read the spool")
    const [head] = present
    const attempt = yield* Effect.exit(
      Effect.suspend(() => {
        const slice = collapse(merged)
        const { windowSeconds, windowStart } = head!.facts
        const { final, pressureSampling } = merged
        const claims = present.map(({ facts }) => facts)
        return resolver
          .write({ claims, windowStart, windowSeconds, final, pressureSampling, slice })
          .pipe(
            Effect.onExit((exit) => (Exit.isSuccess(exit) && exit.value.written ? Effect.void : Effect.sync(() => slice.undo?.())))
          )
      })
    )
    if (Exit.isSuccess(attempt)) {
      const { alreadyWritten } = attempt.value
      const names = new Set(alreadyWritten.map(nameOf))
      const done = attempt.value.written ? present : present.filter(({ facts }) => names.has(nameOf(facts)))
      // a write that says neither would be tried for ever
      if (done.length === 0) return yield* Effect.die(new Error("a write was refused without a name"))
      yield* Effect.uninterruptible(
        Effect.gen(function* () {
          state.failures = 0
          state.lastError = undefined
          state.writes++
          state.slices += done.length
          for (const one of done) backlog.drop(one)
          yield* written(done, attempt.value)
          yield* spool.remove(done.flatMap(({ spooled }) => spooled ?? []))
        })
      )
      return "settled"
    }
    if (Cause.hasInterrupts(attempt.cause)) return yield* Effect.interrupt
    const error = Cause.findError(attempt.cause)
    const why = Cause.squash(attempt.cause)
    if (Result.isSuccess(error) && mayPass(error.success)) {
      return yield* failedOnce(state, why)
    }
    yield* limited("resolve")(Effect.logWarning("could not write", attempt.cause))
    if (present.length > 1) {
      const half = present.length >> 1
      const first = yield* writeGroup(present.slice(0, half), options, resolver, state)
      return first === "later" ? first : yield* writeGroup(present.slice(half), options, resolver, state)
    }
    if (++head!.tries < triesOfOneSlice) {
      yield* Effect.sleep("250 millis")
      return "settled"
    }
    const { worker, sequence, records } = head!.facts
    yield* Effect.logError("gives a slice up, its records are lost", { worker, sequence, records, file: head!.spooled?.file })
    yield* gone(head!)
    return "settled"
  })

const nameOf = ({ boot, worker, sequence }: { readonly boot: string; readonly worker: string; readonly sequence: number }) =>
  `${boot} ${worker} ${sequence}`

const failedOnce = (state: WriteState, why: unknown): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    state.failures++
    state.lastError = why instanceof Error ? why.message : String(why)
    return Effect.as(limited("resolve")(Effect.logWarning("could not write, tries again", why)), "later" as const)
  })

/** Those that could be read, merged. What is torn is given up; a disk that does not answer is tried again later. */
const read = Effect.fnUntraced(function* (
  group: ReadonlyArray<Waiting>,
  spool: Spool,
  gone: (one: Waiting) => Effect.Effect<void>
) {
  const merger = makeMerger(seed)
  const present: Array<Waiting> = []
  let only: WindowSlice | undefined
  for (const one of group) {
    const slice =
      one.slice ??
      (yield* spool.read(one.spooled!).pipe(
        Effect.catchTag("SpoolTorn", (torn) =>
          Effect.as(Effect.andThen(Effect.logError(torn.message, { records: one.facts.records }), gone(one)), undefined)
        ),
        Effect.catchTag("SpoolFault", (fault) => Effect.as(limited("spool")(Effect.logWarning(fault.message)), undefined))
      ))
    if (slice === undefined) continue
    present.push(one)
    if (group.length === 1) only = slice
    else {
      merger.add(slice)
      // each takes some milliseconds
      yield* Effect.yieldNow
    }
  }
  return { merged: only ?? merger.merged(), present }
})

const seed = (Math.random() * 0x1_0000_0000) | 0

/** The database is away, busy or out of room: the same slices will do later. Anything else is about these. */
const mayPass = (error: SqlError.SqlError): boolean =>
  error.isRetryable || error.reason._tag === "ConnectionError" || error.reason._tag === "AuthenticationError" || isOutOfRoom(error)

/** SQLSTATE classes 53 (insufficient resources: disk full, too many connections), 57 (shut down, starting up) and 58 (I/O). */
const isOutOfRoom = (error: SqlError.SqlError): boolean => {
  const code = (error.reason.cause as { readonly code?: unknown } | undefined)?.code
  return typeof code === "string" && /^(53|57|58|08)/.test(code)
}
