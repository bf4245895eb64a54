/**
 * Who is running: every actor of this process, and those that another thread reports, in one tree by path. The health page,
 * `/metrics` and `flowlens status` read it; it never makes an actor wait.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type ActorEntry, type ActorError, type ActorState, isWithin } from "./ActorEntry.ts"
import type { MailboxReading } from "./Mailbox.ts"

/** Two actors cannot have one path. */
export class ActorPathTaken extends Data.TaggedError("ActorPathTaken")<{ readonly path: string }> {
  override get message() {
    return `an actor runs at ${this.path} already`
  }
}

export class ActorNotRestartable extends Data.TaggedError("ActorNotRestartable")<{
  readonly path: string
  readonly reason: "unknown" | "out of reach"
}> {
  override get message() {
    return this.reason === "unknown" ? `no actor has the path ${this.path}` : `nothing here can restart ${this.path}`
  }
}

/** `entry` is undefined when the actor has left the registry. */
export interface ActorChange {
  readonly path: string
  readonly entry: ActorEntry | undefined
}

/** How a supervisor keeps an actor's entry. */
export interface Seat {
  readonly set: (state: ActorState, error?: ActorError) => Effect.Effect<void>
  /** Counts a restart; the state changes with the next `set`. */
  readonly countRestart: Effect.Effect<void>
  /** A number shown with the actor until the scope closes; a second one of that name takes its place. */
  readonly gauge: (name: string, read: () => number) => Effect.Effect<void, never, Scope.Scope>
}

export interface SeatOptions {
  readonly path: string
  readonly mailbox?: { readonly read: () => MailboxReading } | undefined
  readonly gauges?: Readonly<Record<string, () => number>> | undefined
  readonly restart?: Effect.Effect<void> | undefined
}

interface Occupied {
  readonly options: SeatOptions
  readonly gauges: Map<string, () => number>
  state: ActorState
  since: number
  restarts: number
  lastError: ActorError | null
}

export class Registry extends Context.Service<
  Registry,
  {
    /** Takes the path for as long as the scope lives. A seat whose actor has stopped or given up may be taken over. */
    readonly enter: (options: SeatOptions) => Effect.Effect<Seat, ActorPathTaken, Scope.Scope>
    /** Every actor, in the order of the paths. */
    readonly snapshot: Effect.Effect<ReadonlyArray<ActorEntry>>
    /**
     * Every actor once, then each whose state, error or restarts changed, or that came or went. A reader that is slow gets the
     * latest of each path and misses the steps between; it never holds an actor up.
     */
    readonly changes: Stream.Stream<ActorChange>
    /**
     * What another thread says of its actors: takes the place of what was reported under this prefix before. A path outside the
     * prefix is put below it. An actor of this process wins over a reported one with the same path.
     */
    readonly report: (prefix: string, entries: ReadonlyArray<ActorEntry>) => Effect.Effect<void>
    /** Forgets what was reported under the prefix: its thread has ended. */
    readonly withdraw: (prefix: string) => Effect.Effect<void>
    /** For the scope's life, `restart` of a path under the prefix that this process does not run itself goes to this callback. */
    readonly control: (prefix: string, restart: (path: string) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
    /** Asks for a restart; returns when it is asked for, not when it is done. */
    readonly restart: (path: string) => Effect.Effect<void, ActorNotRestartable>
  }
>()("pipeline/actor/Registry") {
  static readonly layer = Layer.suspend(() => Layer.sync(Registry, make))
}

const number = (read: () => number): number => {
  try {
    return read()
  } catch {
    return Number.NaN
  }
}

const sameToReaders = (a: ActorEntry, b: ActorEntry): boolean =>
  a.state === b.state &&
  a.since === b.since &&
  a.restarts === b.restarts &&
  a.lastError?.at === b.lastError?.at &&
  a.lastError?.message === b.lastError?.message

const make = (): Registry["Service"] => {
  const seats = new Map<string, Occupied>()
  const reported = new Map<string, ReadonlyMap<string, ActorEntry>>()
  const controls = new Map<string, (path: string) => Effect.Effect<void>>()
  const readers = new Set<{ readonly dirty: Set<string>; readonly latch: Latch.Latch }>()

  const touch = (path: string) => {
    for (const reader of readers) {
      reader.dirty.add(path)
      reader.latch.openUnsafe()
    }
  }

  const controlOf = (path: string) => {
    let best: string | undefined
    for (const prefix of controls.keys()) {
      if (isWithin(prefix, path) && (best === undefined || prefix.length > best.length)) best = prefix
    }
    return best === undefined ? undefined : controls.get(best)
  }

  const entryOf = (path: string): ActorEntry | undefined => {
    const seat = seats.get(path)
    if (seat !== undefined) {
      const { options, gauges, state, since, restarts, lastError } = seat
      return {
        path,
        state,
        since,
        restarts,
        lastError,
        mailbox: options.mailbox?.read() ?? null,
        gauges: Object.fromEntries([...gauges].map(([name, read]) => [name, number(read)])),
        remote: false,
        restartable: options.restart !== undefined || controlOf(path) !== undefined
      }
    }
    for (const entries of reported.values()) {
      const entry = entries.get(path)
      if (entry !== undefined) return { ...entry, remote: true, restartable: controlOf(path) !== undefined }
    }
    return undefined
  }

  const paths = () => {
    const all = new Set(seats.keys())
    for (const entries of reported.values()) for (const path of entries.keys()) all.add(path)
    return [...all].sort()
  }

  const replaceReport = (prefix: string, entries: ReadonlyArray<ActorEntry>) => {
    const before = reported.get(prefix) ?? new Map<string, ActorEntry>()
    const after = new Map<string, ActorEntry>()
    for (const entry of entries) {
      const path = isWithin(prefix, entry.path) ? entry.path : `${prefix}/${entry.path}`
      after.set(path, { ...entry, path })
    }
    if (after.size === 0) reported.delete(prefix)
    else reported.set(prefix, after)
    for (const [path, entry] of after) {
      const old = before.get(path)
      if (old === undefined || !sameToReaders(old, entry)) touch(path)
    }
    for (const path of before.keys()) if (!after.has(path)) touch(path)
  }

  const enter = Effect.fnUntraced(function* (options: SeatOptions) {
    const { path } = options
    const old = seats.get(path)
    if (old !== undefined && old.state !== "stopped" && old.state !== "given-up") return yield* new ActorPathTaken({ path })
    const seat: Occupied = {
      options,
      gauges: new Map(Object.entries(options.gauges ?? {})),
      state: "starting",
      since: yield* Clock.currentTimeMillis,
      restarts: 0,
      lastError: null
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        seats.set(path, seat)
        touch(path)
      }),
      () =>
        Effect.sync(() => {
          if (seats.get(path) !== seat) return
          seats.delete(path)
          touch(path)
        })
    )
    return {
      set: (state, error) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (error !== undefined) seat.lastError = error
          if (seat.state !== state) seat.since = now
          seat.state = state
          touch(path)
        }),
      countRestart: Effect.sync(() => {
        seat.restarts++
      }),
      gauge: (name, read) =>
        Effect.acquireRelease(
          Effect.sync(() => void seat.gauges.set(name, read)),
          () =>
            Effect.sync(() => {
              if (seat.gauges.get(name) === read) seat.gauges.delete(name)
            })
        )
    } satisfies Seat
  })

  const changes = Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const reader = { dirty: new Set(paths()), latch: Latch.makeUnsafe(true) }
          readers.add(reader)
          return reader
        }),
        (reader) => Effect.sync(() => void readers.delete(reader))
      ),
      (reader) => {
        const pull = Effect.suspend((): Effect.Effect<readonly [ActorChange, ...Array<ActorChange>]> => {
          const [first, ...rest] = [...reader.dirty].map((path) => ({ path, entry: entryOf(path) }))
          reader.dirty.clear()
          reader.latch.closeUnsafe()
          return first === undefined ? Effect.andThen(reader.latch.await, pull) : Effect.succeed([first, ...rest])
        })
        return Stream.fromPull(Effect.succeed(pull))
      }
    )
  )

  return Registry.of({
    enter,
    snapshot: Effect.sync(() => paths().map((path) => entryOf(path)!)),
    changes,
    report: (prefix, entries) => Effect.sync(() => replaceReport(prefix, entries)),
    withdraw: (prefix) => Effect.sync(() => replaceReport(prefix, [])),
    control: (prefix, restart) =>
      Effect.acquireRelease(
        Effect.sync(() => void controls.set(prefix, restart)),
        () =>
          Effect.sync(() => {
            if (controls.get(prefix) === restart) controls.delete(prefix)
          })
      ),
    restart: (path) =>
      Effect.suspend(() => {
        const own = seats.get(path)?.options.restart
        if (own !== undefined) return own
        const control = controlOf(path)
        if (control !== undefined) return control(path)
        return Effect.fail(new ActorNotRestartable({ path, reason: entryOf(path) === undefined ? "unknown" : "out of reach" }))
      })
  })
}
