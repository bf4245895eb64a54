/**
 * What a flow worker's figures say that people should act on. Pure: two reports in, conditions out. How bad each is and what to do about
 * it stands in health/warnings.ts, the one table.
 */
import type { FlowWarning, FlowWorkerReport } from "./messages.ts"

const count = (value: number): string => value.toLocaleString("en")

/** The conditions that hold now; `before` is an earlier report, for what grows: a warning of growth stands until that one is replaced. */
export const warningsOf = (now: FlowWorkerReport, before: FlowWorkerReport | undefined): ReadonlyArray<FlowWarning> => {
  const warnings: Array<FlowWarning> = []
  for (const listener of now.listeners) {
    const subject = `flow/${now.worker}/udp:${listener.port}`
    if (listener.state === "restarting" && listener.lastError !== null) {
      warnings.push({
        code: "listener-down",
        detail: `${listener.lastError.message}; ${listener.lastError.hint}`,
        subject
      })
    }
    if (listener.bufferHint !== "") {
      warnings.push({
        code: "receive-buffer",
        detail: `asked for ${count(listener.bufferAsked)} octets, granted ${count(listener.bufferGranted)}`,
        subject
      })
    }
    const earlier = before?.listeners.find((one) => one.port === listener.port)
    const dropped = listener.kernelDropped - (earlier?.kernelDropped ?? 0)
    if (dropped > 0) {
      warnings.push({
        code: "kernel-drops",
        detail: `${count(dropped)} datagrams dropped on port ${listener.port} in the last minutes, ${count(listener.kernelDropped)} since the start`,
        subject
      })
    }
  }
  const subject = `flow/${now.worker}/window`
  const { datagrams, windows } = now
  if (datagrams.flushesHeldBack > (before?.datagrams.flushesHeldBack ?? 0) || windows.pressureSampling > 1) {
    warnings.push({
      code: "store-lags",
      detail:
        `${windows.slicesInFlight} slices wait; ${count(windows.conversations)} conversations stay in memory` +
        (windows.pressureSampling > 1 ? `; one record of ${windows.pressureSampling} is kept` : ""),
      subject
    })
  }
  const full = windows.refusedConversations - (before?.windows.refusedConversations ?? 0)
  if (full > 0) {
    warnings.push({
      code: "conversations-full",
      detail: `${count(full)} flow records refused in the last minutes: the open windows hold as many conversations as they may`,
      subject
    })
  }
  const strangers = datagrams.refusedExporters - (before?.datagrams.refusedExporters ?? 0)
  if (strangers > 0) {
    warnings.push({
      code: "exporters-full",
      detail: `${count(strangers)} datagrams of unknown senders refused in the last minutes`,
      subject: `flow/${now.worker}`
    })
  }
  for (const exporter of now.exporters) {
    const earlier = before?.exporters.find((one) => one.address === exporter.address && one.protocol === exporter.protocol)
    const turnedAway = exporter.overLimit - (earlier?.overLimit ?? 0)
    if (turnedAway === 0) continue
    warnings.push({
      code: "exporter-over-limit",
      detail:
        `${count(turnedAway)} datagrams of ${exporter.address} turned away in the last minutes` +
        (exporter.limit === null ? "" : `; its limit is ${count(exporter.limit)} a second`),
      subject: `exporter ${exporter.address}`
    })
  }
  if (now.clock.steps > (before?.clock.steps ?? 0)) {
    warnings.push({
      code: "own-clock-set",
      detail: `the clock of this machine was set by ${count(now.clock.lastStepMs)} ms`,
      subject: `flow/${now.worker}`
    })
  }
  return warnings
}
