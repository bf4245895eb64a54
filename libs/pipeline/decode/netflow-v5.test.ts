import { assert, describe, it } from "@effect/vitest"
import { EXPORT_SECONDS, ipv4, netflow5, type Record5, UPTIME } from "./encode.fixture.ts"
import { DIRECTION_UNKNOWN } from "./FlowBatch.ts"
import { makeBench } from "./rows.fixture.ts"

const record: Record5 = {
  source: ipv4("10.1.2.3"),
  destination: ipv4("172.16.5.6"),
  nextHop: ipv4("10.0.0.1"),
  input: 65535,
  output: 2,
  packets: 4294967295,
  octets: 4000000000,
  first: UPTIME - 5000,
  last: UPTIME - 1000,
  sourcePort: 50123,
  destinationPort: 443,
  tcpFlags: 0x1b,
  protocol: 6
}

describe("NetFlow v5", () => {
  it("reads every column of a record", () => {
    const bench = makeBench()
    const outcome = bench.feed(netflow5({ sequence: 77, engine: 0x0102, sampling: 0x4064 }, [record]))
    assert.deepStrictEqual(bench.take(), [
      {
        exporter: 7,
        family: 4,
        source: "10.1.2.3",
        destination: "172.16.5.6",
        sourcePort: 50123,
        destinationPort: 443,
        protocol: 6,
        tcpFlags: 0x1b,
        bytes: 4000000000,
        packets: 4294967295,
        reverseBytes: 0,
        reversePackets: 0,
        start: EXPORT_SECONDS * 1000 - 5000,
        end: EXPORT_SECONDS * 1000 - 1000,
        inputInterface: 65535,
        outputInterface: 2,
        sampling: 100,
        direction: DIRECTION_UNKNOWN
      }
    ])
    assert.strictEqual(outcome.version, 5)
    assert.strictEqual(outcome.records, 1)
    assert.strictEqual(outcome.sequence, 77)
    assert.strictEqual(outcome.sequenceStep, 1)
    assert.strictEqual(outcome.observationDomain, 0x0102)
    assert.strictEqual(outcome.exportMs, EXPORT_SECONDS * 1000)
    assert.strictEqual(outcome.uptimeMs, UPTIME)
    assert.strictEqual(outcome.malformed, "")
  })

  it("refuses a count the datagram does not hold, and counts the refusal", () => {
    const seen: Array<string> = []
    const bench = makeBench({ onMalformed: (reason, exporter) => seen.push(`${exporter} ${reason}`) })
    const outcome = bench.feed(netflow5({ count: 3 }, [record, record]))
    assert.strictEqual(outcome.malformed, "record-count")
    assert.strictEqual(outcome.complaints, 1)
    assert.strictEqual(outcome.sequenceStep, -1)
    assert.deepStrictEqual(bench.take(), [])
    assert.deepStrictEqual(seen, ["192.0.2.1 record-count"])
  })

  it("ignores octets after the last counted record", () => {
    const bench = makeBench()
    assert.strictEqual(bench.feed(netflow5({ count: 1 }, [record, record])).malformed, "")
    assert.strictEqual(bench.take().length, 1)
  })

  it("places a flow that began before the exporter's uptime wrapped", () => {
    const bench = makeBench()
    bench.feed(netflow5({ uptime: 2000 }, [{ ...record, first: 4294967296 - 3000, last: 1000 }]))
    const [row] = bench.take()
    assert.strictEqual(row?.start, EXPORT_SECONDS * 1000 - 5000)
    assert.strictEqual(row?.end, EXPORT_SECONDS * 1000 - 1000)
  })

  it("refuses a datagram shorter than the header", () => {
    const bench = makeBench()
    assert.strictEqual(bench.feed(netflow5({}, []).subarray(0, 23)).malformed, "short-header")
  })

  it("hands over a full batch and goes on with the next record", () => {
    const bench = makeBench({ batchRows: 4 })
    const records = Array.from({ length: 30 }, (_, i) => ({ ...record, sourcePort: i }))
    assert.strictEqual(bench.feed(netflow5({}, records)).records, 30)
    assert.deepStrictEqual(
      bench.take().map((row) => row.sourcePort),
      records.map((one) => one.sourcePort)
    )
  })
})
