/**
 * The data plane of one flow worker: sockets → decoder → open windows → slices. Plain code on one thread, no Effect; the thread around it
 * (flow-worker.ts) only carries messages.
 *
 * datagrams = decoded + malformed + refused + failed, always.
 */
import { makePortRanks } from "#domain/PortRank.ts"
import { chunkBuffers } from "#domain/RawChunk.ts"
import type { MalformedReason } from "#pipeline/decode/DecodeOutcome.ts"
import { type Decoder, type DecoderOptions, makeDecoder } from "#pipeline/decode/Decoder.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { services } from "#pipeline/enrich/services.ts"
import { type Heading, readHeading } from "#pipeline/ingest/dispatch.ts"
import { makeExporterTable } from "#pipeline/ingest/ExporterTable.ts"
import { makeMeasurer } from "#pipeline/ingest/measure.ts"
import { makeSequenceLog } from "#pipeline/ingest/sequence-log.ts"
import { makeWindows } from "#pipeline/window/window.ts"
import { makeAdopt } from "./adopt.ts"
import { makeCaptures } from "./captures.ts"
import { giveBack } from "./give-back.ts"
import type { FlowWorkerReport, FlowWorkerSettings, FromFlowWorker, ToFlowWorker } from "./messages.ts"
import { makeNews } from "./news.ts"
import { makeOutlet } from "./outlet.ts"
import { makeOwnClock } from "./own-clock.ts"
import { makePart } from "./part.ts"
import { makeRawRecords } from "./raw-records.ts"
import { kindOf, makeRecent, TROUBLE } from "./recent.ts"
import { newTally, reportOf } from "./report.ts"
import { makeRulings } from "./rulings.ts"
import { makeSifter } from "./sifter.ts"
import { makeSockets } from "./sockets.ts"
import { useful } from "./useful.ts"
import { warningsOf } from "./warnings.ts"

/** Rows that are folded together: enough to spread the cost of the call, few enough to stay in the cache. */
const FOLD_ROWS = 1024
const HELD_SET_MAX_AGE_MS = 10 * 60_000
const TEMPLATE_MAX_AGE_MS = 7 * 24 * 3600_000
/** A warning of something that grew stands for one to two times as long. */
const WARNING_TICKS = 60

export interface FlowPlane {
  readonly handle: (message: Exclude<ToFlowWorker, { readonly type: "start" | "stop" }>) => void
  /** Takes one datagram, as a listener does. */
  readonly take: (datagram: Uint8Array, from: string, fromPort?: number, toPort?: number, at?: number, place?: number) => void
  /** Once a second. */
  readonly tick: () => void
  readonly report: () => FlowWorkerReport
  readonly open: () => void
  readonly stop: () => Promise<void>
}

export type Post = (message: FromFlowWorker, transfer?: Array<ArrayBuffer>) => void

/** `monotonic` only moves forward; the time that `wall` tells may be set by anybody. */
export const makeFlowPlane = (
  settings: FlowWorkerSettings,
  post: Post,
  wall: () => number = Date.now,
  monotonic: () => number = wall === Date.now ? () => performance.now() : wall
): FlowPlane => {
  /** What was decoded before our clock was set is folded by the time it was. */
  const clock = makeOwnClock(wall, monotonic, (byMs) => {
    const at = wall()
    fold(at - byMs)
    exporters.stepped(byMs)
    // A clock set back opens windows that were closed; what comes before the next flush is not late in them.
    windowing.guard(() => windows.flush(at, 0))
  })
  const { now } = clock
  const { worker } = settings
  const path = `flow/${worker}`
  const whole = makePart(path, now)
  const decoding = makePart(`${path}/decode`, now)
  const windowing = makePart(`${path}/window`, now)

  const measurer = makeMeasurer()
  const captures = makeCaptures((capture, which, datagrams) => post({ type: "captured", capture, which, datagrams }))
  const recent = makeRecent()
  const exporters = makeExporterTable({
    ...(settings.resume === undefined ? {} : { resume: settings.resume }),
    maxRate: settings.exporterMaxRate ?? 0,
    seed: (Math.random() * 0x1_0000_0000) | 0,
    ...(settings.reusePort ? { sequences: makeSequenceLog() } : {}),
    left: (address, index) => {
      measurer.forget(index)
      recent.forget(index)
      windows.forgetExporter(index)
      sifter.forget(index)
      tally.heldExpired += decoder.held.forget(address)
    }
  })
  const windows = makeWindows({
    boot: settings.boot,
    worker,
    windowSeconds: settings.windowSeconds,
    latenessSeconds: settings.latenessSeconds,
    firstSequence: settings.firstSequence ?? 0,
    maxConversations: settings.maxConversations ?? 1_000_000,
    ranks: makePortRanks(services, settings.declaredServices),
    seed: (Math.random() * 0x1_0000_0000) | 0,
    exporter: exporters.named,
    giveBack
  })
  const { batch } = windows
  const heading: Heading = { protocol: undefined, exportMs: 0, domain: 0, agent: "" }
  const templates = makeTemplateCache()
  const news = makeNews(post)
  const raw =
    settings.rawMaxRate === undefined
      ? undefined
      : makeRawRecords(settings.rawMaxRate, exporters.address, (chunk, leftOut) =>
          post({ type: "raw", chunk, leftOut }, chunkBuffers(chunk))
        )

  const tally = newTally()
  let hearing = -1
  let droppedBefore = 0
  let scheduled = false
  const flushMs = settings.flushIntervalSeconds * 1000
  let nextFlush = clock.steady(now()) + flushMs
  let ticks = 0
  let earlier: FlowWorkerReport | undefined

  const fold = (at = now()): void => {
    const rows = batch.length
    if (rows === 0) return
    tally.records += rows
    raw?.take(batch, exporters.columns().skewMs, at)
    let entered = false
    windowing.guard(() => {
      entered = true
      windows.fold(batch, exporters.columns(), at)
    })
    batch.length = 0
    if (!entered) tally.recordsFailed += rows
  }

  const sifter = makeSifter({ batch, exporters, windows, whole, measurer, tally, now, fold })
  const rulings = makeRulings(exporters, batch, sifter.sift)

  const decoderOptions: DecoderOptions = {
    templates,
    shared: batch.shared,
    full: () => rulings.full(fold),
    ...news.take,
    onTemplate: (template) => {
      news.take.onTemplate(template)
      if (hearing >= 0) exporters.taught(hearing)
    },
    onMalformed: (reason: MalformedReason) => {
      if (hearing >= 0) exporters.malformed(hearing, reason)
    }
  }
  let decoder = makeDecoder(decoderOptions)
  const decode = decoding.guarded((...of: Parameters<Decoder["decode"]>) => decoder.decode(...of))

  /** After a bug: a fresh decoder with the templates that were learned. What it held is given up, and counted. */
  const restartDecoder = (): void => {
    tally.failed++
    tally.heldExpired += decoder.held.sets
    decoder = makeDecoder(decoderOptions)
  }

  const foldSoon = (): void => {
    scheduled = false
    fold()
  }

  const take = (datagram: Uint8Array, from: string, fromPort = 0, toPort = 0, arrival = now(), place = -1): void => {
    tally.datagrams++
    tally.octets += datagram.length
    const { length } = datagram
    readHeading(datagram, length, heading)
    const address = heading.agent === "" ? from : heading.agent
    if (captures.armed()) captures.take(datagram, address, heading.protocol, from, fromPort, toPort)
    if (heading.protocol === undefined) {
      tally.malformed++
      recent.keepStrange(datagram, from, fromPort, toPort)
      return
    }
    const index = exporters.find(address, heading.protocol, arrival)
    if (index < 0) {
      if (index === -2) {
        tally.refusedBlocked++
        recent.keep(exporters.indexOf(address, heading.protocol)!, TROUBLE, datagram, from, fromPort, toPort)
      } else tally.refusedExporters++
      return
    }
    if (!exporters.admit(index, arrival)) {
      tally.refusedOverLimit++
      recent.keep(index, TROUBLE, datagram, from, fromPort, toPort)
      return
    }
    exporters.clock(index, heading.exportMs, arrival, fold)
    const steady = clock.steady(arrival)
    const rows = batch.length
    hearing = index
    sifter.begin(heading.domain, steady)
    rulings.begin(index)
    const outcome = decode(datagram, length, index, address, steady, batch, place)
    hearing = -1
    if (outcome === undefined) {
      recent.keep(index, TROUBLE, datagram, from, fromPort, toPort)
      restartDecoder()
      // What it had appended is not trusted.
      if (batch.length > rows) batch.length = rows
      return
    }
    recent.keep(index, kindOf(outcome), datagram, from, fromPort, toPort)
    exporters.heard(index, outcome, length, arrival)
    const first = rulings.firstRow()
    if (batch.length > first) exporters.sampled(index, batch.sampling[first]!)
    measurer.datagram(index, outcome, length, batch, first, exporters.columns().skewMs[index]!, steady)
    rulings.end()
    if (useful(outcome)) tally.decoded++
    else tally.malformed++
    if (batch.length >= FOLD_ROWS) fold(arrival)
    else if (!scheduled && batch.length > 0) {
      scheduled = true
      setImmediate(foldSoon)
    }
  }

  const { listeners, open } = makeSockets(settings, take, batch.shared, now, post)

  const outlet = makeOutlet({
    settings,
    windows,
    windowing,
    tally,
    now,
    post,
    leaving: (slice) => measurer.slice(slice, exporters.indexOf)
  })
  const flush = (): void => {
    fold()
    outlet.flush()
    if (windows.empty()) exporters.windowsEmptied(now())
  }

  const report = (): FlowWorkerReport =>
    reportOf({
      at: now(),
      settings,
      parts: { whole, decoding, windowing },
      tally,
      clock,
      inFlight: outlet.inFlight(),
      listeners: listeners.map((one) => one.read()),
      exporters,
      measured: (index, lost) => ({ ...measurer.read(index, lost, clock.steady(now())), repeatedOn: sifter.where(index) }),
      windows,
      templates,
      decoder
    })

  const adopt = makeAdopt({
    exporters,
    rulings,
    templates,
    decoding,
    batch,
    decoder: () => decoder,
    now,
    steady: clock.steady
  })

  exporters.configure(settings.exporters.policies, settings.exporters.requireApproval)
  // Nothing waits for them yet: no rows.
  adopt(settings.templates, settings.announcements ?? [])
  // From now on the judge of sequence numbers waits for this worker.
  news.tell(exporters.takeSequences(now()))

  return {
    take,
    report,
    open,
    handle: (message) => {
      switch (message.type) {
        case "windows-accepted":
          fold()
          return outlet.accepted(message.sequences)
        case "flush":
          return flush()
        case "report": {
          const reading = report()
          return post({ type: "report", report: reading, warnings: warningsOf(reading, earlier) })
        }
        case "exporters":
          return exporters.configure(message.exporters.policies, message.exporters.requireApproval)
        case "forget-exporter":
          sifter.release(clock.steady(now()), true)
          return exporters.forget(message.address, message.protocol)
        case "capture":
          return captures.start(message, recent.last(exporters.indexOf(message.address, message.protocol) ?? -1, message.last))
        case "capture-end":
          return captures.end(message.capture)
        case "adopt":
          adopt(message.templates, message.announcements)
          return fold()
        case "fail":
          if (message.part === "decode") return decoding.failNext()
          if (message.part === "window") return windowing.failNext()
          listeners.forEach((listener) => {
            if (message.part === `udp:${listener.read().port}`) listener.fail(new Error(`${message.part} was told to fail`))
          })
      }
    },
    tick: () => {
      clock.check()
      const at = now()
      const steady = clock.steady(at)
      fold(at)
      sifter.release(steady, false)
      raw?.tick()
      exporters.tick(at)
      for (const listener of listeners) listener.poll()
      const dropped = listeners.reduce((sum, listener) => sum + listener.read().kernelDropped, 0)
      exporters.balance(dropped > droppedBefore, at)
      droppedBefore = dropped
      measurer.tick(steady, dropped)
      captures.tick(at)
      recent.tick()
      if (++ticks % 10 === 0) {
        tally.heldExpired += decoder.held.expire(steady, HELD_SET_MAX_AGE_MS)
        templates.expire(steady, TEMPLATE_MAX_AGE_MS)
      }
      if (steady >= nextFlush) {
        nextFlush += Math.ceil((steady - nextFlush + 1) / flushMs) * flushMs
        flush()
      } else if (outlet.due()) flush()
      outlet.relieve()
      news.tell(exporters.takeSequences(now()))
      const reading = report()
      post({ type: "report", report: reading, warnings: warningsOf(reading, earlier) })
      if (ticks % WARNING_TICKS === 0) earlier = reading
    },
    stop: async () => {
      await Promise.all(listeners.map((listener) => listener.close()))
      sifter.release(clock.steady(now()), true)
      fold()
      outlet.close()
      raw?.tick()
      news.tell(exporters.takeSequences(now()))
      for (const part of [whole, decoding, windowing]) part.stopped()
      post({ type: "stopped", report: report() })
    }
  }
}
