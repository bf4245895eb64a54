/** Exporters of the seeded world, and what is decided about them: kept for as long as the mock runs. */
import { Effect, Stream } from "effect"
import { Capture, CaptureId } from "#domain/Capture.ts"
import { Exporter, nothingHeard } from "#domain/Exporter.ts"
import { ExporterPolicy, undecided } from "#domain/ExporterPolicy.ts"
import { ExporterId } from "#domain/ids.ts"
import { CurrentCaller } from "#domain/Operator.ts"
import { Authorised } from "#domain/rpc/Authorised.ts"
import { CaptureBusy, CaptureNotFound, ExporterExists, ExporterNotFound, ExporterRpcs } from "#domain/rpc/ExporterRpcs.ts"
import type { Bench } from "./Bench.ts"
import { histories } from "./seed/exporters.ts"
import { instant, type World } from "./seed/World.ts"

const heardNow = (world: World): ReadonlyArray<Exporter> => {
  const now = Date.now()
  const seconds = BigInt(Math.floor((now - world.startedAt) / 1000) % 86_400)
  return world.exporters.map((e) =>
    e.state === "heard" && e.policy.approval !== "blocked"
      ? new Exporter({
          ...e,
          lastSeen: instant(now - 300),
          recordsPerSecond: Math.round(e.recordsPerSecond * (0.97 + 0.06 * Math.sin(now / 5000) ** 2)),
          records: e.records + seconds * BigInt(e.recordsPerSecond)
        })
      : e
  )
}

/** A capture that runs takes twenty datagrams a second; it began with the last ones. */
const advanced = (one: Capture): Capture => {
  if (one.state !== "running") return one
  const now = Date.now()
  const datagrams = Math.min(one.wanted, one.datagrams + Math.floor(((now - one.startedAt.epochMilliseconds) / 1000) * 20))
  const over = datagrams === one.wanted || now >= one.endsAt.epochMilliseconds
  return new Capture({
    ...one,
    datagrams,
    octets: BigInt(datagrams) * 1412n + 24n,
    state: over ? "ready" : "running",
    expiresAt: over ? instant(now + 86_400_000) : null
  })
}

export const exporterHandlers = (bench: Bench) => {
  const world = (headers: Record<string, string>) => Effect.sync(() => bench.worldOf(headers))
  const find = Effect.fnUntraced(function* (headers: Record<string, string>, id: string) {
    const w = yield* world(headers)
    const found = w.exporters.find((e) => e.id === id)
    return found === undefined ? yield* new ExporterNotFound({ id }) : ([w, found] as const)
  })
  return ExporterRpcs.middleware(Authorised).of({
    ExportersWatch: (_, { headers }) =>
      bench.seedOf(headers) === "failing"
        ? Stream.die(new Error("the exporter table did not answer"))
        : Stream.tick("1 second").pipe(Stream.mapEffect(() => Effect.map(world(headers), heardNow))),
    ExporterTemplates: Effect.fnUntraced(function* ({ id }, { headers }) {
      const [w, { protocol, templates }] = yield* find(headers, id)
      return protocol === "ipfix" && templates > 0 ? w.templates : []
    }),
    ExporterHistoryWatch: (_, { headers }) =>
      Stream.tick("10 seconds").pipe(Stream.mapEffect(() => Effect.map(world(headers), (w) => histories(w.exporters, Date.now())))),
    ExporterAdd: Effect.fnUntraced(function* ({ address, protocol, name }, { headers }) {
      const w = yield* world(headers)
      if (w.exporters.some((e) => e.address === address && e.protocol === protocol)) {
        return yield* new ExporterExists({ address, protocol })
      }
      const id = ExporterId.make(String(1 + Math.max(0, ...w.exporters.map((e) => Number(e.id)))))
      const { name: by } = yield* CurrentCaller
      const now = instant(Date.now())
      const policy = new ExporterPolicy({ ...undecided, approval: "approved", decidedBy: by, decidedAt: now })
      w.exporters = [
        ...w.exporters,
        new Exporter({ ...nothingHeard, id, address, protocol, name, firstSeen: now, lastSeen: now, policy })
      ]
      return id
    }),
    ExporterChange: Effect.fnUntraced(function* ({ id, change }, { headers }) {
      const [w, before] = yield* find(headers, id)
      const { name: by } = yield* CurrentCaller
      const { name, ...rest } = change
      const policy = new ExporterPolicy({ ...before.policy, ...rest, decidedBy: by, decidedAt: instant(Date.now()) })
      const after = new Exporter({ ...before, policy, ...(name === undefined ? {} : { name }) })
      w.exporters = w.exporters.map((e) => (e.id === id ? after : e))
      return { name: before.name, policy: before.policy }
    }),
    ExporterForget: Effect.fnUntraced(function* ({ id }, { headers }) {
      const [w] = yield* find(headers, id)
      w.exporters = w.exporters.filter((e) => e.id !== id)
    }),
    CaptureStart: Effect.fnUntraced(function* ({ id, request }, { headers }) {
      const [w] = yield* find(headers, id)
      if (w.captures.some((one) => one.exporter === id && advanced(one).state === "running")) {
        return yield* new CaptureBusy({ why: "one of this exporter is running" })
      }
      const now = Date.now()
      const capture = new Capture({
        id: CaptureId.make(now.toString(16).padStart(16, "0")),
        exporter: id,
        state: "running",
        startedAt: instant(now),
        endsAt: instant(now + (request.next ? (request.seconds ?? 30) * 1000 : 0)),
        datagrams: request.last ?? 0,
        wanted: (request.last ?? 0) + (request.next ?? 0),
        octets: 0n,
        expiresAt: null
      })
      w.captures = [capture, ...w.captures]
      return capture
    }),
    CaptureEnd: Effect.fnUntraced(function* ({ id }, { headers }) {
      const w = yield* world(headers)
      const found = w.captures.find((one) => one.id === id)
      if (found === undefined) return yield* new CaptureNotFound({ id })
      const now = advanced(found)
      w.captures =
        now.state === "running"
          ? w.captures.map((one) =>
              one.id === id ? new Capture({ ...now, state: "ready", endsAt: instant(Date.now()), wanted: now.datagrams }) : one
            )
          : w.captures.filter((one) => one.id !== id)
    }),
    CapturesWatch: ({ id }, { headers }) =>
      Stream.tick("500 millis").pipe(
        Stream.mapEffect(() =>
          Effect.map(world(headers), (w) => {
            w.captures = w.captures.map((one) => (advanced(one).state === "running" ? one : advanced(one)))
            return w.captures.filter((one) => one.exporter === id).map(advanced)
          })
        )
      )
  })
}
