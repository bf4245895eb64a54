/** Every finding of the coach, from datagrams as exporters send them through the worker that measures them; and none of a good exporter. */
import { assert, describe, it } from "@effect/vitest"
import { coach } from "#domain/coach.ts"
import { FindingCode as Codes, type FindingCode } from "#domain/ExporterFinding.ts"
import type { SamplingOverride } from "#domain/ExporterPolicy.ts"
import { dataSet, type Field, ipfix, netflow9, optionsTemplate10, template10, uint } from "#pipeline/decode/encode.fixture.ts"
import { makeNetflow5 } from "../demo/encode-netflow5.ts"
import { makeTestPlane, tuesday } from "./FlowPlane.fixture.ts"

const address = "192.0.2.1"

/** What a record says, by element number. */
type Said = Readonly<Record<number, number>>
const lengths: Record<number, number> = { 1: 8, 2: 8, 4: 1, 6: 2, 7: 2, 8: 4, 10: 4, 11: 2, 12: 4, 14: 4, 61: 1, 152: 8, 153: 8 }
const fieldsOf = (said: Said): ReadonlyArray<Field> =>
  Object.keys(said).map((one) => [0, Number(one), lengths[Number(one)]!] as const)

interface Sending {
  readonly skewMs?: number
  readonly override?: SamplingOverride
  readonly bufferAsked?: number
  readonly bufferGranted?: number
}

/** An exporter and a worker on a clock that the test moves. */
const making = ({ bufferAsked = 0, bufferGranted = 0, override, skewMs = 0 }: Sending = {}) => {
  let sequence = 0
  const { accept, now, plane, wait } = makeTestPlane({
    exporters: {
      requireApproval: false,
      policies: override === undefined ? [] : [{ address, protocol: "ipfix", approval: "new", sampling: override }]
    }
  })
  const seconds = () => Math.floor((now() - skewMs) / 1000)
  const exporter = {
    now: () => now() - skewMs,
    take: (datagram: Uint8Array) => plane.take(datagram, address),
    options: () => {
      const rate = optionsTemplate10(400, [[0, 149, 4]], [[0, 34, 4]])
      plane.take(ipfix({ seconds: seconds(), sequence }, rate, dataSet(400, [...uint(1, 4), ...uint(1, 4)])), address)
      sequence++
    },
    template: (said: Said) => plane.take(ipfix({ seconds: seconds(), sequence }, template10(300, fieldsOf(said))), address),
    records: (all: ReadonlyArray<Said>, perDatagram = 10) => {
      for (let from = 0; from < all.length; from += perDatagram) {
        const part = all.slice(from, from + perDatagram)
        const rows = part.map((said) => Object.entries(said).flatMap(([element, value]) => uint(value, lengths[Number(element)]!)))
        plane.take(ipfix({ seconds: seconds(), sequence }, dataSet(300, ...rows)), address)
        sequence += part.length
      }
    },
    lose: (records: number) => {
      sequence += records
    },
    wait: (ms: number) => {
      // a worker ticks once a second; a minute is enough here
      for (let left = ms; left > 0; left -= 30_000) {
        wait(Math.min(left, 30_000))
        plane.tick()
        accept()
      }
    },
    reading: () => plane.report().exporters[0]!,
    findings: () => {
      const { clockSkewMs, measures, protocol, sampling } = plane.report().exporters[0]!
      return coach({
        protocol,
        measures,
        sampling,
        override: override ?? null,
        clockSkewMs,
        windowSeconds: 300,
        bufferAsked,
        bufferGranted
      })
    }
  }
  return exporter
}
type Exporter = ReturnType<typeof making>

const both = (i: number, nowMs: number, change: Said = {}): ReadonlyArray<Said> => {
  const forth: Said = {
    8: 0x0a000001,
    12: 0x0a000100 + (i % 200),
    7: 20_000 + i,
    11: 443,
    4: 6,
    6: 0x1b,
    2: 12,
    1: 9000,
    10: 1,
    14: 2,
    61: 0,
    152: nowMs - 500 - (i % 40) * 1400,
    153: nowMs - 500
  }
  const back: Said = { ...forth, 8: forth[12]!, 12: forth[8]!, 7: forth[11]!, 11: forth[7]!, 10: 2, 14: 1 }
  return [
    { ...forth, ...change },
    { ...back, ...change }
  ]
}
const traffic = (count: number, nowMs: number, change: Said = {}): ReadonlyArray<Said> =>
  Array.from({ length: count }, (_, i) => both(i, nowMs, change)).flat()
const without = (said: Said, ...elements: ReadonlyArray<number>): Said =>
  Object.fromEntries(Object.entries(said).filter(([element]) => !elements.includes(Number(element))))

const codesOf = (exporter: Exporter): ReadonlyArray<FindingCode> => exporter.findings().map(({ code }) => code)

/** Minutes of what a good exporter sends, changed by the case. */
const minutes = (
  exporter: Exporter,
  count: number,
  each: (nowMs: number) => ReadonlyArray<Said> = (nowMs) => traffic(60, nowMs),
  options = true
) => {
  for (let minute = 0; minute < count; minute++) {
    const rows = each(exporter.now())
    if (rows[0] !== undefined) exporter.template(rows[0])
    if (options) exporter.options()
    exporter.records(rows)
    exporter.wait(60_000)
  }
}

const found = new Set<FindingCode>()
const expectFinding = (exporter: Exporter, code: FindingCode, text: RegExp) => {
  const findings = exporter.findings()
  const one = findings.find((finding) => finding.code === code)
  assert.isDefined(one, `${code} is not among ${findings.map((finding) => finding.code).join(", ")}`)
  assert.match(one!.text, text)
  found.add(code)
}

describe("the coach", () => {
  it("has nothing to say of an exporter that does well", () => {
    const exporter = making()
    minutes(exporter, 12)
    assert.deepStrictEqual(codesOf(exporter), [])
    assert.isAbove(exporter.reading().measures.conversations, 100)
  })

  it("misses the other direction, and is content once it is sent", () => {
    const exporter = making()
    minutes(exporter, 3, (nowMs) => traffic(60, nowMs).filter((_, i) => i % 2 === 0))
    expectFinding(exporter, "one-direction", /^100 % of [\d\u202f]+ TCP conversations have packets of one direction only$/)
    minutes(exporter, 12)
    assert.notInclude(codesOf(exporter), "one-direction")
  })

  it("sees what is reported on the way in and on the way out", () => {
    const exporter = making()
    minutes(exporter, 3, (nowMs) => traffic(60, nowMs).flatMap((said) => [said, { ...said, 61: 1 }]))
    expectFinding(exporter, "both-ways", /^100 % of [\d\u202f]+ conversations are reported on the way in and again on the way out$/)
  })

  it("names the interfaces on which everything is said again, where nothing says which way it was metered", () => {
    const exporter = making()
    minutes(exporter, 3, (nowMs) =>
      traffic(60, nowMs)
        .map((said) => without(said, 61))
        .flatMap((said) => [said, { ...said, 10: said[10]! + 100, 14: said[14]! + 100 }])
    )
    expectFinding(
      exporter,
      "both-ways",
      /^50 % of 720 records say again what others say: interfaces 1 → 2 and again on 101 → 102, and so of 1 other pair of places$/
    )
  })

  it("reads the active timeout from how long records last", () => {
    const long = making()
    minutes(long, 2, (nowMs) =>
      traffic(60, nowMs).map((said, i) => (i % 20 === 0 ? { ...said, 152: said[153]! - 1_790_000 } : said))
    )
    expectFinding(long, "active-timeout-long", /^12 of 240 records lasted longer than the window of 5 min, up to 30 min$/)
    const short = making()
    minutes(short, 3, (nowMs) =>
      traffic(60, nowMs).map((said, i) => ({ ...said, 152: said[153]! - (i % 2 === 0 ? 10_000 : (i % 8) * 1000) }))
    )
    expectFinding(short, "active-timeout-short", /none lasts longer: a connection of five minutes makes 30 records$/)
  })

  it("tells sampled counts without a rate, and an override that says another than is announced", () => {
    const sampled = making()
    minutes(sampled, 2, (nowMs) => traffic(60, nowMs, { 2: 1, 1: 1400, 6: 0x10 }), false)
    expectFinding(sampled, "sampling-missing", /^100 % of 240 TCP records have one packet from the middle of a connection/)
    const silent = making()
    minutes(silent, 7, undefined, false)
    expectFinding(silent, "options-missing", /^no options data in [67] min/)
    const other = making({ override: { rate: 1000, mode: "replaces" } })
    minutes(other, 1)
    expectFinding(
      other,
      "sampling-differs",
      /^it announces no sampling, the override here says 1 of 1\u202f000; volumes are multiplied by 1\u202f000$/
    )
  })

  it("tells a clock that is off, one on local time, and one that drifts", () => {
    const off = making({ skewMs: 45_000 })
    minutes(off, 1)
    expectFinding(off, "clock-off", /^its clock is 4[56] s behind ours$/)
    const zone = making({ skewMs: -7_200_000 })
    minutes(zone, 1)
    expectFinding(zone, "clock-off", /^its clock is 2 h ahead of ours: whole hours, so its clock runs on local time$/)
    const drifting = making()
    // the exporter stands at the worker's clock, and lags a little more with each minute
    let lag = 0
    for (let minute = 0; minute < 40; minute++) {
      lag += 200
      for (let i = 0; i < 20; i++) {
        const seconds = Math.floor((drifting.now() - lag) / 1000)
        drifting.take(netflow9({ seconds, sequence: minute * 20 + i }))
      }
      drifting.wait(60_000)
    }
    expectFinding(drifting, "clock-drift", /^its clock lost \d+ s in \d+ min against ours: nothing sets it$/)
  })

  it("measures how long data waits for its template, and how rarely one comes", () => {
    const exporter = making()
    exporter.records(traffic(5, exporter.now()))
    exporter.wait(240_000)
    exporter.template(traffic(1, exporter.now())[0]!)
    expectFinding(exporter, "template-interval", /^data waited 4 min for its template/)
    const rare = making()
    rare.template(traffic(1, rare.now())[0]!)
    for (let minute = 0; minute < 14; minute++) {
      rare.records(traffic(5, rare.now()))
      rare.wait(60_000)
    }
    rare.records(traffic(5, rare.now()))
    expectFinding(rare, "template-interval", /^14 min passed without a template$/)
  })

  it("tells loss on the way from loss at our own socket", () => {
    const exporter = making()
    minutes(exporter, 1)
    exporter.lose(55)
    minutes(exporter, 1)
    expectFinding(exporter, "loss-network", /^55 flow records \(\d+ %\) did not arrive in \d+ (s|min), and our kernel dropped none/)
    const { measures, ...reading } = exporter.reading()
    // the worker's own sockets dropped something meanwhile (measure.test.ts counts them)
    const input = { ...reading, override: null, windowSeconds: 300, bufferAsked: 0, bufferGranted: 0 }
    const [one] = coach({ ...input, measures: { ...measures, kernelDropped: 7 } })
    assert.deepStrictEqual([one!.code, /our kernel dropped 7 datagrams/.test(one!.text)], ["loss-here", true])
    found.add("loss-here")
  })

  it("says how long the receive buffer lasts at the exporter's rate", () => {
    const exporter = making({ bufferAsked: 16_777_216, bufferGranted: 4096 })
    exporter.template(traffic(1, exporter.now())[0]!)
    for (let second = 0; second < 12; second++) {
      for (let i = 0; i < 4; i++) exporter.records(traffic(100, exporter.now()), 25)
      exporter.wait(1000)
    }
    expectFinding(exporter, "receive-buffer", /^at its 0\.0 MB\/s our receive buffer of 4\u202f096 octets lasts \d+ ms$/)
    const roomy = making({ bufferAsked: 16_777_216, bufferGranted: 16_777_216 })
    minutes(roomy, 1)
    assert.deepStrictEqual(codesOf(roomy), [])
  })

  it("names the fields that are missing", () => {
    const cases: ReadonlyArray<readonly [FindingCode, ReadonlyArray<number>, RegExp]> = [
      ["no-tcp-flags", [6], /^none of 120 TCP records has flags$/],
      ["no-interfaces", [10, 14], /^none of 120 records names an interface$/],
      ["no-times", [152, 153], /^none of 120 records says when its flow was$/],
      ["no-direction", [61], /^none of 120 records says whether it was taken on the way in or out$/],
      ["no-ports", [7, 11], /^100 % of 120 TCP and UDP records have no ports$/]
    ]
    for (const [code, missing, text] of cases) {
      const exporter = making()
      minutes(exporter, 1, (nowMs) => traffic(60, nowMs).map((said) => without(said, ...missing)))
      expectFinding(exporter, code, text)
    }
  })

  it("sees datagrams that must have been fragmented", () => {
    const exporter = making()
    exporter.template(traffic(1, exporter.now())[0]!)
    exporter.options()
    exporter.records(traffic(1500, exporter.now()), 60)
    expectFinding(exporter, "fragments", /^\d+ % of its datagrams do not fit a frame of 1\u202f500 octets \(largest [\d\u202f]+\)/)
  })

  it("says what NetFlow v5 cannot", () => {
    const exporter = making()
    const octets = (value: number) => Uint8Array.from(uint(value, 4))
    const v5 = makeNetflow5({ bootMs: tuesday - 3_600_000 })
    const record = {
      source: octets(0x0a000001),
      destination: octets(0x0a000002),
      sourcePort: 40_000,
      destinationPort: 443,
      protocol: 6,
      tcpFlags: 0x1b,
      packets: 9,
      bytes: 900,
      reversePackets: 0,
      reverseBytes: 0,
      reverseFlags: 0,
      startMs: tuesday - 2000,
      endMs: tuesday - 100,
      input: 1,
      output: 2
    }
    for (const datagram of v5.encode([record], tuesday)) exporter.take(datagram)
    expectFinding(exporter, "netflow5-limits", /^NetFlow v5 has no IPv6/)
  })

  it("has no finding that the tests above did not see", () => {
    assert.deepStrictEqual([...found].sort(), [...Codes.literals].sort())
  })
})
