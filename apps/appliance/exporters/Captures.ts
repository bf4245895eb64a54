/**
 * Captures of exporters: taken in the flow workers, put together here, written as pcap to a file in the data folder, and removed a day
 * later. One at a time per exporter; files are few and bounded, the oldest goes first.
 */
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Context, DateTime, Effect, Layer, Schedule, Stream, SubscriptionRef } from "effect"
import { Capture, CaptureId, type CaptureRequest } from "#domain/Capture.ts"
import type { Exporter } from "#domain/Exporter.ts"
import { ExporterId } from "#domain/ids.ts"
import { CaptureBusy, CaptureNotFound } from "#domain/rpc/ExporterRpcs.ts"
import { pcapHeading, pcapRecord } from "#pipeline/ingest/pcap.ts"
import { FlowLine } from "../flow/FlowLine.ts"
import type { CapturedDatagram } from "../flow-worker/messages.ts"

/** Of the next datagrams: a thousand that fit an Ethernet frame are 1.5 MB, fragmented ones may be 64 kB each. */
const MOST_OCTETS = 16 * 1024 ** 2
const DEFAULT_SECONDS = 30
const MOST_FILES = 16
const MOST_RUNNING = 4
const KEPT_MS = 24 * 3600_000
/** A worker says what it has at once or within a second; what it does not say in this time after the end does not come. */
const GRACE_MS = 2500

/** A capture that runs, and what came of it so far. */
interface Gathered {
  capture: Capture
  readonly request: { readonly last: number; readonly next: number }
  /** Workers that have not told their last ones yet. */
  awaited: number
  readonly last: Array<CapturedDatagram>
  readonly next: Array<CapturedDatagram>
  nextOctets: number
}

const byTime = (a: CapturedDatagram, b: CapturedDatagram) => a.at - b.at

export class Captures extends Context.Service<
  Captures,
  {
    readonly start: (
      exporter: Pick<Exporter, "id" | "address" | "protocol">,
      request: CaptureRequest
    ) => Effect.Effect<Capture, CaptureBusy>
    /** Ends it and keeps what it has; one that has ended is removed. Answers with what it was before. */
    readonly end: (id: CaptureId) => Effect.Effect<Capture, CaptureNotFound>
    readonly list: (exporter: ExporterId) => Effect.Effect<ReadonlyArray<Capture>>
    readonly watch: (exporter: ExporterId) => Stream.Stream<ReadonlyArray<Capture>>
    /** Path of the file of a capture that is ready. */
    readonly file: (exporter: ExporterId, id: CaptureId) => Effect.Effect<readonly [Capture, path: string], CaptureNotFound>
  }
>()("appliance/exporters/Captures") {
  static readonly layer = (options: { readonly dataFolder: string; readonly bindAddress: string }) =>
    Layer.effect(Captures, make(options))
}

const namePattern = /^([0-9a-f]{16})\.(\d+)\.(\d+)\.(\d+)\.pcap$/

/** What an earlier run left, from the files' names; what is no capture or was not finished is removed. */
const found = (folder: string): ReadonlyArray<Capture> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return readdirSync(folder).flatMap((file) => {
    const [, id, exporter, startedAt, datagrams] = namePattern.exec(file) ?? []
    if (id === undefined) {
      rmSync(join(folder, file), { force: true })
      return []
    }
    const { mtimeMs, size } = statSync(join(folder, file))
    return [
      new Capture({
        id: CaptureId.make(id),
        exporter: ExporterId.make(exporter!),
        state: "ready",
        startedAt: DateTime.makeUnsafe(Number(startedAt)),
        endsAt: DateTime.makeUnsafe(mtimeMs),
        datagrams: Number(datagrams),
        wanted: Number(datagrams),
        octets: BigInt(size),
        expiresAt: DateTime.makeUnsafe(mtimeMs + KEPT_MS)
      })
    ]
  })
}

const make = Effect.fnUntraced(function* (options: { readonly dataFolder: string; readonly bindAddress: string }) {
  const line = yield* FlowLine
  const scope = yield* Effect.scope
  const folder = join(options.dataFolder, "captures")
  const all = yield* SubscriptionRef.make<ReadonlyArray<Capture>>(yield* Effect.sync(() => found(folder)))
  const now = () => Date.now()
  let current = yield* SubscriptionRef.get(all)
  const gathered = new Map<string, Gathered>()

  const set = (next: ReadonlyArray<Capture>): void => {
    current = next
    Effect.runSync(SubscriptionRef.set(all, next))
  }
  const put = (capture: Capture): void => set([...current.filter((one) => one.id !== capture.id), capture])
  const partOf = ({ id }: Capture) => join(folder, `${id}.part`)
  const pathOf = ({ datagrams, exporter, id, startedAt }: Capture) =>
    join(folder, `${id}.${exporter}.${DateTime.toEpochMillis(startedAt)}.${datagrams}.pcap`)
  const remove = (capture: Capture): void => {
    rmSync(pathOf(capture), { force: true })
    rmSync(partOf(capture), { force: true })
    set(current.filter((one) => one.id !== capture.id))
  }
  const prune = (): void => {
    for (const one of current) if (one.expiresAt !== null && DateTime.toEpochMillis(one.expiresAt) <= now()) remove(one)
    const files = current
      .filter((one) => one.state !== "running")
      .sort((a, b) => DateTime.toEpochMillis(a.startedAt) - DateTime.toEpochMillis(b.startedAt))
    for (const one of files.slice(0, Math.max(0, files.length - MOST_FILES))) remove(one)
  }

  const to = options.bindAddress
  /** Datagrams of a capture in order: several workers may each have as many as are wanted. */
  const inOrder = ({ last, next, request }: Gathered): ReadonlyArray<CapturedDatagram> =>
    [...last.sort(byTime).slice(Math.max(0, last.length - request.last)), ...next.slice(0, request.next)].sort(byTime)
  const write = (capture: Capture, datagrams: ReadonlyArray<CapturedDatagram>): bigint => {
    const bytes = Buffer.concat([pcapHeading(), ...datagrams.map((one) => pcapRecord({ ...one, to }))])
    writeFileSync(partOf(capture), bytes, { mode: 0o600 })
    renameSync(partOf(capture), pathOf(capture))
    return BigInt(bytes.length)
  }

  const finish = (id: string): void => {
    const come = gathered.get(id)
    if (come === undefined) return
    const { capture } = come
    gathered.delete(id)
    line.tell({ type: "capture-end", capture: id })
    const datagrams = inOrder(come)
    const endsAt = DateTime.makeUnsafe(now())
    const ended = new Capture({ ...capture, state: "cancelled", endsAt, datagrams: datagrams.length })
    if (datagrams.length === 0) put(ended)
    else {
      try {
        put(
          new Capture({
            ...ended,
            state: "ready",
            octets: write(ended, datagrams),
            expiresAt: DateTime.makeUnsafe(now() + KEPT_MS)
          })
        )
      } catch {
        rmSync(partOf(capture), { force: true })
        put(new Capture({ ...ended, state: "failed" }))
      }
    }
    prune()
  }
  const goOn = (come: Gathered): void => {
    const { awaited, capture, next, nextOctets, request } = come
    come.capture = new Capture({ ...capture, datagrams: inOrder(come).length })
    put(come.capture)
    if (nextOctets >= MOST_OCTETS || (awaited <= 0 && next.length >= request.next)) finish(capture.id)
  }

  line.onCaptured((id, which, datagrams) => {
    const come = gathered.get(id)
    if (come === undefined) return
    come[which].push(...datagrams)
    if (which === "last") come.awaited--
    else come.nextOctets += datagrams.reduce((sum, { payload }) => sum + payload.length, 0)
    goOn(come)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const id of gathered.keys()) finish(id)
    })
  )
  yield* Effect.forkScoped(Effect.repeat(Effect.sync(prune), Schedule.spaced("1 minute")))

  const busy = (exporter: ExporterId): string | undefined => {
    return [...gathered.values()].some(({ capture }) => capture.exporter === exporter)
      ? "one of this exporter is running"
      : gathered.size >= MOST_RUNNING
        ? `${MOST_RUNNING} captures are running`
        : undefined
  }
  const ofExporter = (captures: ReadonlyArray<Capture>, exporter: ExporterId) =>
    captures
      .filter((one) => one.exporter === exporter)
      .sort((a, b) => DateTime.toEpochMillis(b.startedAt) - DateTime.toEpochMillis(a.startedAt))

  return Captures.of({
    start: Effect.fn("Captures.start")(function* (exporter, { last = 0, next = 0, seconds = DEFAULT_SECONDS }) {
      const why = busy(exporter.id)
      if (why !== undefined) return yield* new CaptureBusy({ why })
      const startedAt = now()
      const endsMs = next === 0 ? startedAt : startedAt + seconds * 1000
      const capture = new Capture({
        id: CaptureId.make(randomBytes(8).toString("hex")),
        exporter: exporter.id,
        state: "running",
        startedAt: DateTime.makeUnsafe(startedAt),
        endsAt: DateTime.makeUnsafe(endsMs),
        datagrams: 0,
        wanted: last + next,
        octets: 0n,
        expiresAt: null
      })
      const { id } = capture
      const come: Gathered = { capture, request: { last, next }, awaited: 0, last: [], next: [], nextOctets: 0 }
      gathered.set(id, come)
      const { address, protocol } = exporter
      come.awaited += line.tell({ type: "capture", capture: id, address, protocol, last, next, untilMs: endsMs })
      goOn(come)
      yield* Effect.sync(() => finish(id)).pipe(Effect.delay(endsMs - startedAt + GRACE_MS), Effect.forkIn(scope))
      return capture
    }),
    end: Effect.fn("Captures.end")(function* (id) {
      const capture = current.find((one) => one.id === id)
      if (capture === undefined) return yield* new CaptureNotFound({ id })
      if (capture.state === "running") finish(id)
      else remove(capture)
      return capture
    }),
    list: (exporter) => Effect.sync(() => ofExporter(current, exporter)),
    watch: (exporter) => Stream.map(SubscriptionRef.changes(all), (captures) => ofExporter(captures, exporter)),
    file: Effect.fn("Captures.file")(function* (exporter, id) {
      const capture = current.find((one) => one.id === id && one.exporter === exporter && one.state === "ready")
      return capture === undefined ? yield* new CaptureNotFound({ id }) : ([capture, pathOf(capture)] as const)
    })
  })
})
