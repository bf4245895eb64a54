/**
 * Captures of exporters: armed in the flow workers, written here to files in the data folder as pcap, and removed a day later. One at a
 * time per exporter; files are few and bounded, the oldest goes first.
 */
import { randomBytes } from "node:crypto"
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Context, DateTime, Effect, Layer, Schedule, Stream, SubscriptionRef } from "effect"
import { Capture, CaptureId, type CaptureRequest } from "#domain/Capture.ts"
import type { Exporter } from "#domain/Exporter.ts"
import { ExporterId } from "#domain/ids.ts"
import { CaptureBusy, CaptureNotFound } from "#domain/rpc/ExporterRpcs.ts"
import { pcapHeading, pcapRecord } from "#pipeline/ingest/pcap.ts"
import { FlowLine } from "../flow/FlowLine.ts"

/** A thousand datagrams of an Ethernet frame are 1.5 MB; fragmented ones may be 64 kB each. */
const MOST_OCTETS = 16 * 1024 ** 2
const MOST_FILES = 16
const MOST_RUNNING = 4
const KEPT_MS = 24 * 3600_000
/** A worker says what it has once a second; what it does not say in this time after the end does not come. */
const GRACE_MS = 2500

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

  const running = (id: string) => current.find((one) => one.id === id && one.state === "running")
  const finish = (id: string, state: "ready" | "failed" = "ready"): void => {
    const capture = running(id)
    if (capture === undefined) return
    line.tell({ type: "capture-end", capture: id })
    const over = { endsAt: DateTime.makeUnsafe(now()), expiresAt: DateTime.makeUnsafe(now() + KEPT_MS) }
    const ended = new Capture({ ...capture, ...over, state: capture.datagrams === 0 && state === "ready" ? "cancelled" : state })
    if (ended.state === "ready") renameSync(partOf(capture), pathOf(ended))
    else rmSync(partOf(capture), { force: true })
    put(ended)
    prune()
  }

  const to = options.bindAddress
  line.onCaptured((id, datagrams) => {
    const capture = running(id)
    if (capture === undefined) return
    // several workers may each have as many as are wanted
    const taken = datagrams.slice(0, capture.wanted - capture.datagrams)
    let { octets } = capture
    try {
      for (const one of taken) {
        const bytes = pcapRecord({ ...one, to })
        appendFileSync(partOf(capture), bytes)
        octets += BigInt(bytes.length)
      }
    } catch {
      return finish(id, "failed")
    }
    put(new Capture({ ...capture, datagrams: capture.datagrams + taken.length, octets }))
    if (capture.datagrams + taken.length >= capture.wanted || octets >= MOST_OCTETS) finish(id)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const one of current) if (one.state === "running") finish(one.id)
    })
  )
  yield* Effect.forkScoped(Effect.repeat(Effect.sync(prune), Schedule.spaced("1 minute")))

  const busy = (exporter: ExporterId): string | undefined => {
    const active = current.filter((one) => one.state === "running")
    return active.some((one) => one.exporter === exporter)
      ? "one of this exporter is running"
      : active.length >= MOST_RUNNING
        ? `${MOST_RUNNING} captures are running`
        : undefined
  }
  const ofExporter = (captures: ReadonlyArray<Capture>, exporter: ExporterId) =>
    captures
      .filter((one) => one.exporter === exporter)
      .sort((a, b) => DateTime.toEpochMillis(b.startedAt) - DateTime.toEpochMillis(a.startedAt))

  return Captures.of({
    start: Effect.fn("Captures.start")(function* (exporter, { datagrams, seconds }) {
      const why = busy(exporter.id)
      if (why !== undefined) return yield* new CaptureBusy({ why })
      const startedAt = now()
      const capture = new Capture({
        id: CaptureId.make(randomBytes(8).toString("hex")),
        exporter: exporter.id,
        state: "running",
        startedAt: DateTime.makeUnsafe(startedAt),
        endsAt: DateTime.makeUnsafe(startedAt + seconds * 1000),
        datagrams: 0,
        wanted: datagrams,
        octets: 24n,
        expiresAt: null
      })
      try {
        writeFileSync(partOf(capture), pcapHeading(), { mode: 0o600 })
      } catch (error) {
        return yield* new CaptureBusy({ why: `its file cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"})` })
      }
      put(capture)
      const { address, protocol } = exporter
      line.tell({ type: "capture", capture: capture.id, address, protocol, datagrams, untilMs: startedAt + seconds * 1000 })
      yield* Effect.sync(() => finish(capture.id)).pipe(Effect.delay(seconds * 1000 + GRACE_MS), Effect.forkIn(scope))
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
