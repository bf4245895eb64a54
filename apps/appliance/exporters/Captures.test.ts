import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { onTestFinished } from "vitest"
import { Address } from "#domain/Address.ts"
import { ExporterId } from "#domain/ids.ts"
import { splitCapture } from "../cli/capture.ts"
import { FlowLine } from "../flow/FlowLine.ts"
import type { CapturedDatagram, ToFlowWorker } from "../flow-worker/messages.ts"
import { Captures } from "./Captures.ts"

const exporter = { id: ExporterId.make("7"), address: Address.make("192.0.2.1"), protocol: "netflow9" } as const
const at = (seconds: number, mark: number): CapturedDatagram => ({
  at: 1_700_000_000_000_000 + seconds * 1_000_000 + 250_000 + mark,
  from: "192.0.2.1",
  fromPort: 5000 + mark,
  toPort: 2055,
  payload: Uint8Array.of(0, 9, mark)
})
const withCaptures = <A, E>(run: Effect.Effect<A, E, Captures | FlowLine>) => {
  const dataFolder = mkdtempSync(join(tmpdir(), "flowlens-captures-"))
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }))
  return Effect.scoped(
    Effect.provide(run, Captures.layer({ dataFolder, bindAddress: "0.0.0.0" }).pipe(Layer.provideMerge(FlowLine.layer)))
  )
}

it.effect("puts the last datagrams of several workers into one file in order, no more than wanted, at once", () =>
  withCaptures(
    Effect.gen(function* () {
      const captures = yield* Captures
      const line = yield* FlowLine
      const told: Array<ToFlowWorker> = []
      line.attach((message) => {
        told.push(message)
        return 2
      })
      const { id } = yield* captures.start(exporter, { last: 3 })
      assert.deepInclude(told[0], { type: "capture", capture: id, address: "192.0.2.1", last: 3, next: 0 })
      line.captured(id, "last", [at(1, 1), at(3, 3)])
      assert.strictEqual((yield* captures.list(exporter.id))[0]!.state, "running", "the other has not answered")
      line.captured(id, "last", [at(0, 0), at(2, 2)])
      const [capture, path] = yield* captures.file(exporter.id, id)
      assert.deepStrictEqual([capture.state, capture.datagrams, capture.wanted], ["ready", 3, 3])
      const bytes = readFileSync(path)
      assert.strictEqual(capture.octets, BigInt(bytes.length))
      assert.deepStrictEqual(
        splitCapture(bytes, "pcap").map(({ atMs, payload, source, sourcePort, destinationPort }) => [
          Math.floor(atMs),
          payload[2],
          source,
          sourcePort,
          destinationPort
        ]),
        [1, 2, 3].map((mark) => [1_700_000_000_250 + mark * 1000, mark, "192.0.2.1", 5000 + mark, 2055])
      )
    })
  )
)

it.effect("goes on with the next ones behind the last, and is one at a time for an exporter", () =>
  withCaptures(
    Effect.gen(function* () {
      const captures = yield* Captures
      const line = yield* FlowLine
      line.attach(() => 1)
      const { id } = yield* captures.start(exporter, { last: 2, next: 2, seconds: 60 })
      assert.match((yield* Effect.flip(captures.start(exporter, { last: 1 }))).message, /one of this exporter is running/)
      line.captured(id, "last", [at(1, 1)])
      line.captured(id, "next", [at(2, 2)])
      assert.deepInclude((yield* captures.list(exporter.id))[0], { state: "running", datagrams: 2, wanted: 4 })
      line.captured(id, "next", [at(3, 3), at(4, 4)])
      assert.deepInclude((yield* captures.list(exporter.id))[0], { state: "ready", datagrams: 3 })
    })
  )
)

it.effect("is cancelled when there was none, ends when it is told to, and its file goes with it", () =>
  withCaptures(
    Effect.gen(function* () {
      const captures = yield* Captures
      const line = yield* FlowLine
      line.attach(() => 1)
      const none = yield* captures.start(exporter, { last: 5 })
      line.captured(none.id, "last", [])
      assert.strictEqual((yield* captures.list(exporter.id))[0]!.state, "cancelled")
      yield* captures.end(none.id)
      const { id } = yield* captures.start(exporter, { next: 5 })
      line.captured(id, "next", [at(1, 1)])
      assert.strictEqual((yield* captures.end(id)).state, "running")
      const [, path] = yield* captures.file(exporter.id, id)
      assert.strictEqual(splitCapture(readFileSync(path), "pcap").length, 1)
      yield* captures.end(id)
      assert.deepStrictEqual(yield* captures.list(exporter.id), [])
      assert.throws(() => readFileSync(path))
    })
  )
)

it.effect.skipIf(spawnSync("tcpdump", ["--version"]).error !== undefined)("is read by tcpdump, times and ports as they were", () =>
  withCaptures(
    Effect.gen(function* () {
      const captures = yield* Captures
      const line = yield* FlowLine
      line.attach(() => 1)
      const { id } = yield* captures.start(exporter, { last: 2 })
      line.captured(id, "last", [at(1, 1), at(2, 2)])
      const [, path] = yield* captures.file(exporter.id, id)
      const text = execFileSync("tcpdump", ["-tt", "-vnr", path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      assert.deepStrictEqual(text.match(/^\d+\.\d+/gm), ["1700000001.250001", "1700000002.250002"])
      assert.deepStrictEqual(text.match(/192\.0\.2\.1\.\d+ > 0\.0\.0\.0\.2055/g), [
        "192.0.2.1.5001 > 0.0.0.0.2055",
        "192.0.2.1.5002 > 0.0.0.0.2055"
      ])
      assert.notMatch(text, /bad (udp )?cksum/)
    })
  )
)
