/**
 * What a flow worker's figures say that people should act on. Pure: two reports in, conditions out. How bad each is and what to do about
 * it stands in health/warnings.ts, the one table.
 */
import { inFull } from "#domain/digits.ts"
import { MOST_TEMPLATES } from "#pipeline/decode/TemplateCache.ts"
import type { FlowWarning, FlowWorkerReport } from "./messages.ts"

/** New templates of one exporter in a minute or two that no device needs: a chassis of forty cards that starts again has some hundreds. */
const FLOOD_TEMPLATES = 1000
const NEARLY_FULL = 0.9

/** The conditions that hold now; `before` is an earlier report, for what grows: a warning of growth stands until that one is replaced. */
export const warningsOf = (now: FlowWorkerReport, before: FlowWorkerReport | undefined): ReadonlyArray<FlowWarning> => [
  ...ofListeners(now, before),
  ...ofWindows(now, before),
  ...ofExporters(now, before),
  ...ofTemplates(now, before),
  ...ofClock(now, before)
]

function* ofListeners(now: FlowWorkerReport, before: FlowWorkerReport | undefined): Iterable<FlowWarning> {
  for (const listener of now.listeners) {
    const subject = `flow/${now.worker}/udp:${listener.port}`
    if (listener.state === "restarting" && listener.lastError !== null) {
      yield { code: "listener-down", detail: `${listener.lastError.message}; ${listener.lastError.hint}`, subject }
    }
    if (listener.bufferHint !== "") {
      const detail = `asked for ${inFull(listener.bufferAsked)} octets, granted ${inFull(listener.bufferGranted)}`
      yield { code: "receive-buffer", detail, subject }
    }
    if (listener.state === "running" && !listener.batches) {
      yield { code: "datagrams-singly", detail: `port ${listener.port} is read one datagram a call`, subject }
    }
    const earlier = before?.listeners.find((one) => one.port === listener.port)
    const dropped = listener.kernelDropped - (earlier?.kernelDropped ?? 0)
    if (dropped > 0) {
      const detail = `${inFull(dropped)} datagrams dropped on port ${listener.port} in the last minutes, ${inFull(listener.kernelDropped)} since the start`
      yield { code: "kernel-drops", detail, subject }
    }
  }
}

function* ofWindows(now: FlowWorkerReport, before: FlowWorkerReport | undefined): Iterable<FlowWarning> {
  const subject = `flow/${now.worker}/window`
  const { datagrams, windows } = now
  if (datagrams.flushesHeldBack > (before?.datagrams.flushesHeldBack ?? 0) || windows.pressureSampling > 1) {
    const detail =
      `${windows.slicesInFlight} slices wait; ${inFull(windows.conversations)} conversations stay in memory` +
      (windows.pressureSampling > 1 ? `; one record of ${windows.pressureSampling} is kept` : "")
    yield { code: "store-lags", detail, subject }
  }
  const full = windows.refusedConversations - (before?.windows.refusedConversations ?? 0)
  if (full > 0) {
    const detail = `${inFull(full)} flow records refused in the last minutes: the open windows hold as many conversations as they may`
    yield { code: "conversations-full", detail, subject }
  }
}

function* ofExporters(now: FlowWorkerReport, before: FlowWorkerReport | undefined): Iterable<FlowWarning> {
  const strangers = now.datagrams.refusedExporters - (before?.datagrams.refusedExporters ?? 0)
  if (strangers > 0) {
    const detail = `${inFull(strangers)} datagrams of unknown senders refused in the last minutes`
    yield { code: "exporters-full", detail, subject: `flow/${now.worker}` }
  }
  const earlier = new Map(before?.exporters.map((one) => [`${one.protocol} ${one.address}`, one]))
  for (const { address, limit, overLimit, protocol, templates, templatesTaught } of now.exporters) {
    const known = earlier.get(`${protocol} ${address}`)
    const subject = `exporter ${address}`
    const turnedAway = overLimit - (known?.overLimit ?? 0)
    if (turnedAway > 0) {
      const detail =
        `${inFull(turnedAway)} datagrams of ${address} turned away in the last minutes` +
        (limit === null ? "" : `; its limit is ${inFull(limit)} a second`)
      yield { code: "exporter-over-limit", detail, subject }
    }
    const taught = templatesTaught - (known?.templatesTaught ?? 0)
    if (taught >= FLOOD_TEMPLATES) {
      const detail = `${inFull(taught)} new templates of ${address} in the last minutes; ${inFull(templates)} of them are kept`
      yield { code: "template-flood", detail, subject }
    }
  }
}

/** There is hardly room for more, whoever they are from. */
function* ofTemplates(now: FlowWorkerReport, before: FlowWorkerReport | undefined): Iterable<FlowWarning> {
  const { crowdedOut, size } = now.templates
  const gaveUp = crowdedOut - (before?.templates.crowdedOut ?? 0)
  if (gaveUp === 0 && size < MOST_TEMPLATES * NEARLY_FULL) return
  const most = now.exporters
    .toSorted((a, b) => b.templates - a.templates)
    .slice(0, 3)
    .map(({ address, templates }) => `${address} has ${inFull(templates)}`)
  const detail = `${inFull(size)} of ${inFull(MOST_TEMPLATES)} templates are kept, ${inFull(gaveUp)} given up in the last minutes; ${most.join(", ")}`
  yield { code: "templates-full", detail, subject: `flow/${now.worker}/decode` }
}

function* ofClock(now: FlowWorkerReport, before: FlowWorkerReport | undefined): Iterable<FlowWarning> {
  if (now.clock.steps <= (before?.clock.steps ?? 0)) return
  const detail = `the clock of this machine was set by ${inFull(now.clock.lastStepMs)} ms`
  yield { code: "own-clock-set", detail, subject: `flow/${now.worker}` }
}
