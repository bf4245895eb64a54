/** Conversations on both sides of a gateway that translates addresses: two dependencies, each of them whole, whoever saw what. */
import { assert, describe, it } from "@effect/vitest"
import type { ExportRecord } from "../../apps/appliance/demo/ExportRecord.ts"
import { makeIpfix } from "../../apps/appliance/demo/encode-ipfix.ts"
import { makeStages } from "../lab/conclude.ts"
import { randomFrom } from "../rig/flow-records.ts"
import { noon } from "./play.ts"

const client = Uint8Array.of(10, 0, 0, 7)
const gateway = Uint8Array.of(203, 0, 113, 7)
const server = Uint8Array.of(198, 51, 100, 9)

type Side = "inside" | "outside"

/** The i-th connection as it is on one side: request and answer. */
const connection = (i: number, side: Side, translated: boolean): ReadonlyArray<ExportRecord> => {
  const address = side === "inside" ? client : gateway
  const port = side === "inside" ? 40_000 + i : 1024 + i * 7
  const post = { source: gateway, destination: server, sourcePort: 1024 + i * 7, destinationPort: 443 }
  const back = { source: server, destination: client, sourcePort: 443, destinationPort: 40_000 + i }
  const record = (there: boolean): ExportRecord => ({
    source: there ? address : server,
    destination: there ? server : address,
    sourcePort: there ? port : 443,
    destinationPort: there ? 443 : port,
    protocol: 6,
    tcpFlags: there ? 0x1b : 0x1a,
    packets: there ? 5 : 8,
    bytes: there ? 500 : 8000,
    reversePackets: 0,
    reverseBytes: 0,
    reverseFlags: 0,
    startMs: noon + i * 1000 + (there ? 0 : 20),
    endMs: noon + i * 1000 + 400,
    input: 1,
    output: 2,
    egress: false,
    ...(translated ? { post: there ? post : back } : {})
  })
  return [record(true), record(false)]
}

interface Watcher {
  readonly address: string
  readonly sides: ReadonlyArray<Side>
  /** It says the translated tuple with what it saw inside (IE 225–228). */
  readonly tells?: boolean
}

const connections = 6

/** Edges of one window, whatever order the records come in, in one slice or several. */
const play = (watchers: ReadonlyArray<Watcher>, seed: number) => {
  const next = randomFrom(seed)
  const stages = makeStages(watchers.map((one) => one.address))
  const encoders = watchers.map((one) => makeIpfix({ translation: one.tells === true }))
  const said = watchers.flatMap((one, exporter) =>
    one.sides.flatMap((side) =>
      Array.from({ length: connections }, (_, i) => connection(i, side, one.tells === true && side === "inside"))
        .flat()
        .map((record) => ({ exporter, record, turn: next(1000) }))
    )
  )
  said.sort((a, b) => a.turn - b.turn)
  const sums = new Map<string, { records: number; toServer: number; toClient: number; spared: number }>()
  const conclude = () => {
    for (const { edges } of stages.conclude(noon + 60_000)) {
      for (const edge of edges) {
        const name = `${edge.client} > ${edge.server}:${edge.port}`
        const sum = sums.get(name) ?? { records: 0, toServer: 0, toClient: 0, spared: 0 }
        sum.records += edge.flows
        sum.toServer += edge.bytesToServer
        sum.toClient += edge.bytesToClient
        sum.spared += edge.observers.reduce((total, one) => total + one.records, 0)
        sums.set(name, sum)
      }
    }
  }
  for (const { exporter, record } of said) {
    for (const datagram of encoders[exporter]!.encode([record], noon + 30_000)) stages.hear(exporter, datagram, noon + 30_000)
    if (next(8) === 0) conclude()
  }
  conclude()
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const before = "10.0.0.7 > 198.51.100.9:443"
const after = "203.0.113.7 > 198.51.100.9:443"
const whole = { toServer: connections * 500, toClient: connections * 8000 }
const volumes = (sums: ReturnType<typeof play>) =>
  Object.fromEntries(Object.entries(sums).map(([name, { toClient, toServer }]) => [name, { toServer, toClient }]))

describe("address translation", () => {
  it("told by the gateway in one record is one dependency, of the addresses before it", () => {
    for (let seed = 1; seed <= 10; seed++)
      assert.deepStrictEqual(play([{ address: "192.0.2.1", sides: ["inside"], tells: true }], seed), {
        [before]: { ...whole, records: connections * 2, spared: 0 }
      })
  })

  it("seen on both sides by one exporter is two dependencies, and neither takes the other for its own said twice", () => {
    for (let seed = 1; seed <= 10; seed++)
      assert.deepStrictEqual(play([{ address: "192.0.2.1", sides: ["inside", "outside"] }], seed), {
        [before]: { ...whole, records: connections * 2, spared: 0 },
        [after]: { ...whole, records: connections * 2, spared: 0 }
      })
  })

  it("seen on each side by an exporter, and by a gateway that tells, counts each dependency once", () => {
    const watchers: ReadonlyArray<Watcher> = [
      { address: "192.0.2.1", sides: ["inside"] },
      { address: "192.0.2.2", sides: ["outside"] },
      { address: "192.0.2.3", sides: ["inside"], tells: true }
    ]
    for (let seed = 1; seed <= 20; seed++) {
      const sums = play(watchers, seed)
      assert.deepStrictEqual(volumes(sums), { [before]: whole, [after]: whole }, `seed ${seed}`)
      assert.strictEqual(sums[before]!.records + sums[before]!.spared, connections * 4)
      assert.strictEqual(sums[after]!.spared, 0)
    }
  })
})
