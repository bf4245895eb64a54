/** Exporters nobody here wrote, watching real traffic: every record read, all that ran found, nothing else, the volumes the kernel's. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { unreadOctets } from "../rig/sockets.ts"
import { account, type Collector, collect, comingIn, read, withoutTail } from "./collected.ts"
import { makeStages } from "./conclude.ts"
import { type ExporterKind, exporterKinds } from "./exporters.ts"
import { type LabRun, missing, runLabs, runWatched } from "./Lab.ts"
import { makeNetwork, missingFor } from "./network.ts"
import { missingCollectors, storedBy } from "./nfdump.ts"
import { type OpenVswitch, openvswitchPrograms, startOpenVswitch } from "./openvswitch.ts"
import type { LabFault } from "./processes.ts"
import { serverPrograms } from "./servers.ts"
import { HEADERS, label } from "./traffic.ts"

interface Subject {
  readonly protocol: ExporterProtocol
  readonly sampling: number
  /** nfcapd takes the running totals that Open vSwitch sends beside the counts of a record for those counts. */
  readonly misread?: boolean
}

type Ran = Omit<LabRun, "sampling">
type Run = (port: (subject: string) => number) => Effect.Effect<Ran, LabFault, Scope.Scope>

class Watched extends Context.Service<
  Watched,
  { readonly run: Ran; readonly datagrams: (subject: string) => ReadonlyArray<Uint8Array> }
>()("test/lab/Watched") {
  static readonly layer = (subjects: ReadonlyArray<string>, run: Run) =>
    Layer.effect(
      Watched,
      Effect.gen(function* () {
        const collectors = new Map<string, Collector>()
        for (const subject of subjects) collectors.set(subject, yield* collect)
        const ran = yield* Effect.scoped(run((subject) => collectors.get(subject)!.port))
        // what the exporters sent last may be in the sockets' buffers
        while ([...collectors.values()].some(({ port }) => unreadOctets(port) > 0)) yield* Effect.sleep("20 millis")
        return Watched.of({ run: ran, datagrams: (subject) => collectors.get(subject)!.datagrams })
      })
    )
}

/** A packet sampler of one in four, over some thousand packets. */
const SAMPLED_ERROR = 0.25
/** Besides IP there are a few ARP packets on the wires. */
const EXACT_ERROR = 0.005

/** Version 5 has no IPv6. */
const visible = (run: Ran, { protocol }: Subject) =>
  run.dependencies.filter(({ client }) => protocol !== "netflow5" || !client.includes(":"))

const findsAll = Effect.fnUntraced(function* (name: string, subject: Subject) {
  const { run, datagrams } = yield* Watched
  const reading = read(datagrams(name), run.exporterAddress)
  assert.isAbove(datagrams(name).length, 0)
  assert.deepStrictEqual([reading.complaints, reading.waiting], [0, 0])
  const { found, strays } = account(comingIn(withoutTail(reading.rows)), visible(run, subject))
  assert.deepStrictEqual(strays, [])
  for (const { dependency, clientPorts, bytesToServer, bytesToClient } of found) {
    if (subject.sampling > 1) {
      if (dependency.payloadToClient > 0) assert.isAbove(bytesToClient, 0, label(dependency))
      continue
    }
    // A socket may by chance get the port that an earlier one had
    assert.isAtMost(clientPorts.size, dependency.connections, label(dependency))
    assert.isAtLeast(clientPorts.size, dependency.connections - 1, label(dependency))
    assert.isAbove(bytesToServer, 0, label(dependency))
    assert.isAbove(bytesToClient, dependency.payloadToClient, label(dependency))
    if (dependency.payloadToClient > 0) assert.isBelow(bytesToClient, dependency.payloadToClient * HEADERS, label(dependency))
  }
})

const concludesDirections = Effect.fnUntraced(function* (name: string, subject: Subject) {
  const { run, datagrams } = yield* Watched
  const now = yield* Clock.currentTimeMillis
  const stages = makeStages([run.exporterAddress])
  for (const datagram of datagrams(name)) stages.hear(0, datagram, now)
  const edges = stages.conclude(now).flatMap((slice) => slice.edges.filter((edge) => edge.kind === "dependency"))
  const concluded = [...new Set(edges.map(label))].sort()
  const ran = visible(run, subject)
  if (subject.sampling === 1) {
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

const addsUp = Effect.fnUntraced(function* (name: string, { protocol, sampling }: Subject) {
  const { run, datagrams } = yield* Watched
  const rows = comingIn(withoutTail(read(datagrams(name), run.exporterAddress).rows))
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row) * row.sampling, 0)
  const packets = sum((row) => row.packets + row.reversePackets)
  const bytes = sum((row) => row.bytes + row.reverseBytes)
  const { arrived, sent } = run.wires
  const within = (seen: number, least: number, most: number, error: number, what: string) => {
    assert.isAbove(seen / least, 1 - error, what)
    assert.isBelow(seen / most, 1 + error, what)
  }
  if (protocol === "netflow5") {
    const six = run.dependencies.filter(({ client }) => client.includes(":")).reduce((total, d) => total + d.payloadToClient, 0)
    within(bytes, arrived.bytes - six, sent.bytes - six, 0.03, "bytes")
    return
  }
  const error = sampling > 1 ? SAMPLED_ERROR : EXACT_ERROR
  within(packets, arrived.packets, sent.packets, error, "packets")
  within(bytes, arrived.bytes, sent.bytes, error, "bytes")
})

const readsAlike = Effect.fnUntraced(function* (name: string, { protocol }: Subject) {
  const { run, datagrams } = yield* Watched
  const ours = sums(read(datagrams(name), run.exporterAddress).rows.map((row) => ({ ...row, by: row.sampling })))
  const stored = yield* storedBy(protocol === "sflow5" ? "sfcapd" : "nfcapd", datagrams(name))
  const theirs = sums(stored.map((row) => ({ ...row, by: 1 })))
  assert.isAbove(Object.keys(theirs).length, 50)
  assert.deepStrictEqual(protocol === "sflow5" ? framed(ours, theirs) : ours, theirs)
})

type Sums = Record<string, readonly [packets: number, bytes: number]>

/**
 * sfcapd counts whole frames, we count IP packets. What a frame has beside is the same for every packet of an exporter: 14 octets of
 * Ethernet header, with or without the 4 of the check sum.
 */
const framed = (ours: Sums, theirs: Sums): Sums => {
  const [key, [packets, bytes]] = Object.entries(theirs)[0]!
  const beside = (bytes - (ours[key]?.[1] ?? Number.NaN)) / packets
  assert.include([14, 18], beside, "octets a frame has beside the packet")
  return Object.fromEntries(Object.entries(ours).map(([k, [n, octets]]) => [k, [n, octets + n * beside]]))
}

interface Counted {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly packets: number
  readonly bytes: number
  readonly reversePackets: number
  readonly reverseBytes: number
  readonly by: number
}

/** Packets and octets of each direction. TCP and UDP only: of ICMP one prints type and code, the other the field they came in. */
const sums = (rows: ReadonlyArray<Counted>): Sums => {
  const found: Sums = {}
  const add = (from: string, to: string, protocol: number, packets: number, bytes: number) => {
    if (packets === 0) return
    const key = `${from} → ${to} ${protocol}`
    const [before, beforeBytes] = found[key] ?? [0, 0]
    found[key] = [before + packets, beforeBytes + bytes]
  }
  for (const row of rows) {
    if (row.protocol !== 6 && row.protocol !== 17) continue
    const source = `${row.source} ${row.sourcePort}`
    const destination = `${row.destination} ${row.destinationPort}`
    add(source, destination, row.protocol, row.packets * row.by, row.bytes * row.by)
    add(destination, source, row.protocol, row.reversePackets * row.by, row.reverseBytes * row.by)
  }
  return found
}

const claims = [
  ["finds all that ran and nothing else in", findsAll],
  ["concludes who serves whom from", concludesDirections],
  ["adds up to the kernel's own count in", addsUp],
  ["reads what an independent collector reads in", readsAlike]
] as const

const unread = missingCollectors()

/** All claims about each subject; those that cannot be tried are skipped by name. */
const check = (
  subjects: Record<string, Subject>,
  lacking: (subject: string) => ReadonlyArray<string>,
  run: (able: ReadonlyArray<string>) => Run
) => {
  const able = Object.keys(subjects).filter((subject) => lacking(subject).length === 0)
  for (const subject of Object.keys(subjects)) {
    if (!able.includes(subject)) {
      for (const [claim] of claims)
        it.skip(`${claim} what ${subject} sends (skipped: needs ${lacking(subject).join(", ")})`, () => undefined)
    }
  }
  if (able.length === 0) return
  layer(Watched.layer(able, run(able)), { timeout: "400 seconds", excludeTestServices: true })((it) => {
    for (const subject of able) {
      for (const [claim, body] of claims) {
        if (body === readsAlike && subjects[subject]?.misread === true) continue
        if (body === readsAlike && unread.length > 0) {
          it.effect.skip(`${claim} what ${subject} sends (skipped: needs ${unread.join(", ")})`, () => Effect.void)
        } else {
          it.effect(`${claim} what ${subject} sends`, () => body(subject, subjects[subject]!))
        }
      }
    }
  })
}

describe("the namespace lab, watched by programs on the router,", () => {
  check(
    exporterKinds,
    (subject) => missing(subject as ExporterKind),
    (able) => (port) => runLabs(able.map((subject) => ({ exporter: subject as ExporterKind, collectorPort: port(subject) })))
  )
})

describe("the namespace lab, watched by its own switch,", () => {
  check(
    {
      "openvswitch-v5": { protocol: "netflow5", sampling: 1 },
      "openvswitch-ipfix": { protocol: "ipfix", sampling: 1, misread: true },
      "openvswitch-sflow": { protocol: "sflow5", sampling: 4 }
    },
    () => missingFor(...openvswitchPrograms, ...serverPrograms),
    () => (port) =>
      Effect.gen(function* () {
        let found: OpenVswitch | undefined
        const network = yield* makeNetwork((folder, router) =>
          Effect.tap(startOpenVswitch(folder, router, "clients"), (started) =>
            Effect.sync(() => {
              found = started
            })
          )
        )
        const to = (subject: string) => `${network.hostAddress}:${port(subject)}`
        const collectors = { netflow5: to("openvswitch-v5"), ipfix: to("openvswitch-ipfix"), sflow: to("openvswitch-sflow") }
        const exporting = found!.exportTo({ ...collectors, sampling: 4, agent: network.watched })
        // Its caches empty by themselves
        return yield* runWatched(network, Effect.as(exporting, Effect.sleep("2 seconds")))
      })
  )
})
