/**
 * The decoders and the whole flow plane behind them under one protocol's broken datagrams. Every input goes through a plane with a clock
 * of its own, through a decoder with narrow bounds, and through one that shows each record to people. Another exporter sends good
 * datagrams all the while, and must be believed to the octet.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { type DecodeOutcome, malformedReasons } from "#pipeline/decode/DecodeOutcome.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { type Random, seeded } from "#pipeline/decode/encode.fixture.ts"
import { type FlowBatch, makeSharedBatch } from "#pipeline/decode/FlowBatch.ts"
import { describeTemplateRecord } from "#pipeline/decode/record.ts"
import { describeFlowSample } from "#pipeline/decode/sflow-record.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { makeTestPlane } from "../../apps/appliance/flow-worker/FlowPlane.fixture.ts"
import { aDatagram, aFlow, aTemplate } from "../rig/netflow9-datagrams.ts"
import { corpusDatagrams } from "./corpus.ts"
import { generate } from "./generate.ts"
import { mutate } from "./mutate.ts"
import { assertThat, makePool, type Subject } from "./Subject.ts"

const MOST = 65_507
const words: Record<ExporterProtocol, ReadonlyArray<number>> = {
  netflow5: [0, 5],
  netflow9: [0, 9],
  ipfix: [0, 10],
  sflow5: [0, 0, 0, 5, 0, 0, 0, 1]
}

/** Whoever says the wrong version, or another agent each time, is turned away at the door: most inputs shall come further. */
const made = (random: Random, protocol: ExporterProtocol, octets: Uint8Array): Uint8Array => {
  if (random.below(20) === 0) return octets
  const word = words[protocol]
  if (octets.length >= word.length) octets.set(word)
  if (protocol === "ipfix" && octets.length >= 4 && random.below(10) > 0)
    new DataView(octets.buffer, octets.byteOffset).setUint16(2, octets.length)
  if (protocol === "sflow5" && octets.length >= 12) octets.set([192, 0, 2, random.below(8)], 8)
  return octets
}

/** Rows that were decoded, as one number of each, and whether they are numbers at all. */
const summed = () => {
  const sum = { rows: 0, hash: 0, wrong: 0 }
  return {
    sum,
    drain: (b: FlowBatch) => {
      for (let i = 0; i < b.length; i++) {
        const figures =
          b.bytes[i]! + 3 * b.packets[i]! + 5 * b.reverseBytes[i]! + 7 * b.reversePackets[i]! + 11 * b.start[i]! + 13 * b.end[i]!
        if (!Number.isFinite(figures)) sum.wrong++
        sum.hash += figures + b.sourcePort[i]! * 17 + b.destinationPort[i]! * 19 + b.protocol[i]! * 23 + b.sampling[i]! * 29
      }
      sum.rows += b.length
      b.length = 0
    }
  }
}

const bounds = { maxHeldBytes: 100_000, maxHeldBytesPerExporter: 20_000, maxHeldSets: 500 }
const TEMPLATES = 200

/** A decoder, alone; `shows` each record in words. */
const makeAlone = (shows: boolean) => {
  const templates = makeTemplateCache({ capacity: TEMPLATES })
  const batch = makeSharedBatch(64)
  const { drain, sum } = summed()
  let said = 0
  const decoder = makeDecoder({
    templates,
    shared: batch.shared,
    full: drain,
    onInterfaceCounters: () => undefined,
    seed: 7,
    ...bounds,
    ...(shows
      ? {
          trace: {
            templateRecord: (...of: Parameters<typeof describeTemplateRecord>) => {
              if (++said % 16 === 0) JSON.stringify(describeTemplateRecord(...of))
            },
            flowSample: (...of: Parameters<typeof describeFlowSample>) => {
              if (++said % 4 === 0) JSON.stringify(describeFlowSample(...of))
            }
          }
        }
      : {})
  })
  return {
    decoder,
    templates,
    decode: (input: Uint8Array, exporter: string, now: number) => {
      Object.assign(sum, { rows: 0, hash: 0, wrong: 0 })
      const outcome = decoder.decode(input, input.length, 0, exporter, now, batch)
      drain(batch)
      assertThat("a figure that is no number", sum.wrong === 0)
      assertThat(
        "rows are not records and released ones",
        sum.rows === outcome.records + outcome.released - outcome.denied,
        sum.rows,
        outcome.records,
        outcome.released,
        outcome.denied
      )
      assertThat("more records than octets", outcome.records <= input.length, outcome.records, input.length)
      assertThat(
        "complaints without a reason",
        outcome.complaints > 0 === (outcome.malformed !== ""),
        outcome.complaints,
        outcome.malformed
      )
      assertThat("an unknown reason", outcome.malformed === "" || malformedReasons.includes(outcome.malformed), outcome.malformed)
      assertThat("sets that wait are not those without a template", outcome.unknownSets === outcome.held + outcome.heldRefused)
      return outcome
    },
    sum,
    bounded: () => {
      assertThat("templates past their bound", templates.size <= TEMPLATES, templates.size)
      assertThat("held octets past their bound", decoder.held.bytes <= bounds.maxHeldBytes, decoder.held.bytes)
      assertThat("held sets past their bound", decoder.held.sets <= bounds.maxHeldSets, decoder.held.sets)
      assertThat("unknown elements past their bound", decoder.unknownElements().length <= 4097)
    }
  }
}

const some = (n: number): number => (n === 0 ? 0 : Math.min(6, 1 + Math.floor(Math.log10(n))))
const behaviour = (o: DecodeOutcome): string =>
  [
    o.version,
    o.malformed,
    ...[o.complaints, o.records, o.released, o.denied, o.tunnelled, o.optionsRecords, o.templates, o.optionsTemplates].map(some),
    ...[o.withdrawals, o.held, o.heldRefused, o.flowSamples, o.expandedFlowSamples, o.counterSamples, o.discardSamples].map(some)
  ].join()

/** An input is one datagram; its first octet chooses the address that it comes from. */
const good = "203.0.113.77"
const goodFlow = { ...aFlow, source: 0x0a4d0001, destination: 0x0a4d0002, startedAgo: 200, endedAgo: 100 }
const GOOD_RECORDS = 7
const EVERY = 500

const makePlane = () => {
  const { accept, now, plane, wait } = makeTestPlane({ maxConversations: 200_000 })
  let sent = 0
  let goodSent = 0
  let folded = 0
  let goodBytes = 0
  const count = (slice: WindowSlice) => {
    folded += slice.records
    const { bytesAb, bytesBa, exporter } = slice.columns
    for (let i = 0; i < slice.rows; i++) {
      const bytes = bytesAb[i]! + bytesBa[i]!
      assertThat("octets of a conversation are no number", Number.isFinite(bytes) && bytes >= 0, bytes)
      if (slice.exporters[exporter[i]!]?.address === good) goodBytes += bytes
    }
  }
  const take = (input: Uint8Array, from: string) => {
    sent++
    plane.take(input, from)
  }
  return {
    plane,
    now,
    take: (input: Uint8Array, from: string) => {
      wait(2)
      take(input, from)
    },
    check: () => {
      // its template once only: a flood of others must not push it out
      if (goodSent === 0) take(aTemplate(now(), 0), good)
      goodSent += GOOD_RECORDS
      take(aDatagram(now(), 1 + (goodSent - GOOD_RECORDS) / GOOD_RECORDS, new Array(GOOD_RECORDS).fill(goodFlow)), good)
      plane.tick()
      // A window may hold what was said again (repeats.ts), and no conversation.
      for (let i = 0, slices = 1; i < 100 && slices > 0; i++) {
        plane.handle({ type: "flush" })
        const emitted = accept()
        emitted.forEach(count)
        slices = emitted.length
      }
      const { datagrams: d, exporters, windows: w } = plane.report()
      assertThat("the decoder threw", d.failed === 0, ...plane.report().actors.map((one) => one.lastError?.message))
      assertThat(
        "the windows threw",
        d.recordsFailed === 0 && w.failed === 0,
        ...plane.report().actors.map((one) => one.lastError?.message)
      )
      assertThat(
        "a datagram is in no account",
        d.datagrams === sent && d.datagrams === d.decoded + d.malformed + d.refused + d.failed,
        JSON.stringify(d),
        sent
      )
      assertThat(
        "a record is in no account",
        w.records === w.folded + w.late + w.refusedConversations + w.refusedNoAddress + w.skipped + w.failed,
        JSON.stringify(w)
      )
      assertThat(
        "records decoded are not those that came to the windows",
        d.records === w.records + d.recordsFailed,
        d.records,
        w.records
      )
      assertThat("records folded are not those of the slices", w.conversations === 0 && folded === w.folded, folded, w.folded)
      const one = exporters.find(({ address }) => address === good)
      assertThat(
        "the good exporter",
        one?.records === goodSent && one.malformed === 0 && one.sequenceLost === 0,
        JSON.stringify(one),
        goodSent
      )
      assertThat("octets of the good exporter", goodBytes === goodSent * goodFlow.bytes, goodBytes, goodSent * goodFlow.bytes)
      assertThat("exporters past their bound", exporters.length <= 4096)
    }
  }
}

export const makeDatagramSubject = (protocol: ExporterProtocol): Subject => {
  const start = seeded(77)
  const pool = makePool([...corpusDatagrams(protocol), ...Array.from({ length: 60 }, () => generate(start, protocol))])
  const plane = makePlane()
  const quick = makeAlone(false)
  const showing = makeAlone(true)
  let turn = 0
  const check = () => {
    plane.check()
    quick.bounded()
    showing.bounded()
  }
  return {
    next: (random) => {
      if (random.below(4) === 0) {
        const fresh = generate(random, protocol).slice(0, MOST)
        return random.below(2) === 0 ? fresh : made(random, protocol, mutate(random, fresh, pool.all, MOST))
      }
      return made(random, protocol, mutate(random, random.pick(pool.all), pool.all, MOST))
    },
    take: (input) => {
      const from = `192.0.2.${turn % 20}`
      plane.take(input, from)
      const a = quick.decode(input, from, plane.now())
      const b = showing.decode(input, from, plane.now())
      assertThat(
        "shown otherwise than decoded",
        JSON.stringify(a) === JSON.stringify(b) && Object.is(quick.sum.hash, showing.sum.hash),
        JSON.stringify(a),
        JSON.stringify(b),
        quick.sum.hash,
        showing.sum.hash
      )
      if (++turn % EVERY === 0) check()
      return behaviour(a)
    },
    keep: pool.keep,
    check,
    pool: () => pool.all.length
  }
}
