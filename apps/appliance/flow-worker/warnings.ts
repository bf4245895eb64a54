/** What a flow worker's figures say that people should act on. Pure: two reports in, conditions out. */
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
        severity: "critical",
        title: "Flow listener is down",
        detail: listener.lastError.message,
        hint: listener.lastError.hint,
        subject
      })
    }
    if (listener.bufferHint !== "") {
      warnings.push({
        code: "receive-buffer",
        severity: "warning",
        title: "Receive buffer is smaller than configured",
        detail: `asked for ${count(listener.bufferAsked)} octets, granted ${count(listener.bufferGranted)}`,
        hint: listener.bufferHint.slice(listener.bufferHint.indexOf(": ") + 2),
        subject
      })
    }
    const earlier = before?.listeners.find((one) => one.port === listener.port)
    const dropped = listener.kernelDropped - (earlier?.kernelDropped ?? 0)
    if (dropped > 0) {
      warnings.push({
        code: "kernel-drops",
        severity: "critical",
        title: "The kernel drops flow datagrams",
        detail: `${count(dropped)} datagrams dropped on port ${listener.port} in the last minutes, ${count(listener.kernelDropped)} since the start`,
        hint: "raise ingestion.receive_buffer_size and net.core.rmem_max, or ingestion.workers when the worker is busy all the time",
        subject
      })
    }
  }
  const subject = `flow/${now.worker}/window`
  const { datagrams, windows } = now
  if (datagrams.flushesHeldBack > (before?.datagrams.flushesHeldBack ?? 0) || windows.pressureSampling > 1) {
    warnings.push({
      code: "store-lags",
      severity: "warning",
      title: "The store is slower than the flows",
      detail:
        `${windows.slicesInFlight} slices wait; ${count(windows.conversations)} conversations stay in memory` +
        (windows.pressureSampling > 1 ? `; one record of ${windows.pressureSampling} is kept` : ""),
      hint: "look at the database's load and disk; nothing is lost while the conversations have room",
      subject
    })
  }
  const full = windows.refusedConversations - (before?.windows.refusedConversations ?? 0)
  if (full > 0) {
    warnings.push({
      code: "conversations-full",
      severity: "critical",
      title: "Too many conversations",
      detail: `${count(full)} flow records refused in the last minutes: the open windows hold as many conversations as they may`,
      hint: "a scan or a flood makes many conversations; otherwise flush more often (aggregation.flush_interval_seconds)",
      subject
    })
  }
  const strangers = datagrams.refusedExporters - (before?.datagrams.refusedExporters ?? 0)
  if (strangers > 0) {
    warnings.push({
      code: "exporters-full",
      severity: "warning",
      title: "Too many exporters",
      detail: `${count(strangers)} datagrams of unknown senders refused in the last minutes`,
      hint: "somebody may invent sender addresses; let only exporters reach the flow ports",
      subject: `flow/${now.worker}`
    })
  }
  return warnings
}
