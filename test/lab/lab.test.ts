/** Exporters nobody here wrote, watching real traffic: every record read, all that ran found, nothing else, the volumes the kernel's. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Context, Effect, Layer } from "effect"
import { account, collect, read, withoutTail } from "./collected.ts"
import { makeStages } from "./conclude.ts"
import { type ExporterKind, exporterKinds } from "./exporters.ts"
import { type LabRun, missing, runLabs } from "./Lab.ts"
import { missingCollectors, storedBy } from "./nfdump.ts"

class Watched extends Context.Service<
  Watched,
  { readonly run: Omit<LabRun, "sampling">; readonly datagrams: (exporter: ExporterKind) => ReadonlyArray<Uint8Array> }
>()("test/lab/Watched") {
  static readonly layer = (exporters: ReadonlyArray<ExporterKind>) =>
    Layer.effect(
      Watched,
      Effect.gen(function* () {
        const collectors = new Map(
          yield* Effect.forEach(exporters, (exporter) => Effect.map(collect, (collector) => [exporter, collector] as const))
        )
        const run = yield* Effect.scoped(
          runLabs([...collectors].map(([exporter, { port }]) => ({ exporter, collectorPort: port })))
        )
        // What the exporters sent last is in the sockets' buffers
        yield* Effect.sleep("200 millis")
        return Watched.of({ run, datagrams: (exporter) => collectors.get(exporter)!.datagrams })
      })
    )
}

const kinds = Object.keys(exporterKinds) as ReadonlyArray<ExporterKind>
const unread = missingCollectors()
const able = kinds.filter((kind) => missing(kind).length === 0)

/** A packet sampler of one in four, over some thousand packets. */
const SAMPLED_ERROR = 0.25

describe("the namespace lab", () => {
  for (const kind of kinds) {
    if (!able.includes(kind)) it.skip(`reads what ${kind} sends (skipped: needs ${missing(kind).join(", ")})`, () => undefined)
  }
  if (able.length === 0) return
  layer(Watched.layer(able), { timeout: "120 seconds", excludeTestServices: true })((it) => {
    for (const kind of able) {
      it.effect(`finds all that ran and nothing else in what ${kind} sends`, () =>
        Effect.gen(function* () {
          const { run, datagrams } = yield* Watched
          const reading = read(datagrams(kind), run.exporterAddress)
          assert.isAbove(datagrams(kind).length, 0)
          assert.deepStrictEqual([reading.complaints, reading.waiting], [0, 0])
          const { sampling, protocol } = exporterKinds[kind]
          // Version 5 has no IPv6
          const ran = run.dependencies.filter(({ client }) => protocol !== "netflow5" || !client.includes(":"))
          const { found, strays } = account(withoutTail(reading.rows), ran)
          assert.deepStrictEqual(strays, [])
          for (const { dependency, clientPorts, bytesToServer, bytesToClient } of found) {
            const name = `${dependency.client} → ${dependency.server}:${dependency.port}`
            if (sampling > 1) {
              if (dependency.payloadToClient > 0) assert.isAbove(bytesToClient, 0, name)
              continue
            }
            // A socket may by chance get the port that an earlier one had
            assert.isAtMost(clientPorts.size, dependency.connections, name)
            assert.isAtLeast(clientPorts.size, dependency.connections - 1, name)
            assert.isAbove(bytesToServer, 0, name)
            assert.isAbove(bytesToClient, dependency.payloadToClient, name)
            if (dependency.payloadToClient > 0) assert.isBelow(bytesToClient, dependency.payloadToClient * 1.08, name)
          }
        })
      )

      it.effect(`concludes who serves whom from what ${kind} sends`, () =>
        Effect.gen(function* () {
          const { run, datagrams } = yield* Watched
          const now = yield* Clock.currentTimeMillis
          const stages = makeStages([run.exporterAddress])
          for (const datagram of datagrams(kind)) stages.hear(0, datagram, now)
          const edges = stages.conclude(now).flatMap((slice) => slice.edges.filter((edge) => edge.kind === "dependency"))
          const concluded = [...new Set(edges.map(label))].sort()
          const { sampling, protocol } = exporterKinds[kind]
          const ran = run.dependencies.filter(({ client }) => protocol !== "netflow5" || !client.includes(":"))
          if (sampling === 1) {
            assert.deepStrictEqual(concluded, ran.map(label).sort())
            return
          }
          // Of a few small packets a sampler may miss all
          assert.deepStrictEqual(
            concluded.filter((edge) => !ran.map(label).includes(edge)),
            []
          )
          for (const dependency of ran) if (dependency.payloadToClient > 0) assert.include(concluded, label(dependency))
        })
      )

      it.effect(`adds up to the kernel's own count in what ${kind} sends`, () =>
        Effect.gen(function* () {
          const { run, datagrams } = yield* Watched
          const rows = withoutTail(read(datagrams(kind), run.exporterAddress).rows)
          const { sampling, protocol } = exporterKinds[kind]
          const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row) * row.sampling, 0)
          const packets = sum((row) => row.packets + row.reversePackets)
          const bytes = sum((row) => row.bytes + row.reverseBytes)
          // sFlow counts whole frames
          const expected = protocol === "sflow5" ? run.wire.bytes + run.wire.packets * 14 : run.wire.bytes
          if (protocol === "netflow5") {
            assert.isBelow(bytes, expected)
            return
          }
          // Besides IP there are a few ARP packets on the wires
          const error = sampling > 1 ? SAMPLED_ERROR : 0.005
          assert.closeTo(packets / run.wire.packets, 1, error, "packets")
          assert.closeTo(bytes / expected, 1, error, "bytes")
        })
      )

      if (unread.length > 0) {
        it.skip(`reads what an independent collector reads in what ${kind} sends (skipped: needs ${unread.join(", ")})`, () =>
          undefined)
        continue
      }
      it.effect(`reads what an independent collector reads in what ${kind} sends`, () =>
        Effect.gen(function* () {
          const { run, datagrams } = yield* Watched
          const { protocol } = exporterKinds[kind]
          const ours = new Map<string, [packets: number, bytes: number]>()
          const theirs = new Map<string, [packets: number, bytes: number]>()
          for (const row of read(datagrams(kind), run.exporterAddress).rows) {
            add(ours, row, row.packets * row.sampling, row.bytes * row.sampling)
            if (row.reversePackets > 0) add(ours, turned(row), row.reversePackets, row.reverseBytes)
          }
          const stored = yield* storedBy(protocol === "sflow5" ? "sfcapd" : "nfcapd", datagrams(kind))
          for (const row of stored) {
            add(theirs, row, row.packets, row.bytes)
            if (row.reversePackets > 0) add(theirs, turned(row), row.reversePackets, row.reverseBytes)
          }
          assert.isAbove(theirs.size, 50)
          assert.deepStrictEqual(Object.fromEntries([...ours].sort(byKey)), Object.fromEntries([...theirs].sort(byKey)))
        })
      )
    }
  })
})

const label = (d: { client: string; server: string; port: number; protocol: number }) =>
  `${d.client} → ${d.server}:${d.port}/${d.protocol}`

interface Ends {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
}

const turned = (row: Ends): Ends => ({
  ...row,
  source: row.destination,
  destination: row.source,
  sourcePort: row.destinationPort,
  destinationPort: row.sourcePort
})

const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1)

/** TCP and UDP only: of ICMP one prints type and code, the other the field they came in. */
const add = (sums: Map<string, [packets: number, bytes: number]>, row: Ends, packets: number, bytes: number) => {
  if (row.protocol !== 6 && row.protocol !== 17) return
  const key = `${row.source} ${row.sourcePort} ${row.destination} ${row.destinationPort} ${row.protocol}`
  const sum = sums.get(key) ?? [0, 0]
  sums.set(key, [sum[0] + packets, sum[1] + bytes])
}
