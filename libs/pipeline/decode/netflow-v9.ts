/** NetFlow v9 (RFC 3954): header, then FlowSets. The header's count is not a limit: some exporters put the number of FlowSets there. */
import { type MalformedReason, VERSION_NETFLOW9 } from "./DecodeOutcome.ts"
import { complain } from "./Reading.ts"
import type { TemplateReader } from "./TemplateReader.ts"
import { readOptionsTemplates9, readTemplates9 } from "./template.ts"

const HEADER = 20

export const readNetflow9 = (reader: TemplateReader): void => {
  const { reading } = reader
  const { outcome, view } = reading
  outcome.version = VERSION_NETFLOW9
  const { end, start } = reading
  if (end - start < HEADER) {
    complain(outcome, "short-header")
    return
  }
  const uptime = view.getUint32(start + 4)
  reading.exportMs = view.getUint32(start + 8) * 1000
  reading.uptime = uptime
  reading.hasUptime = true
  outcome.uptimeMs = uptime
  outcome.exportMs = reading.exportMs
  outcome.sequence = view.getUint32(start + 12)
  outcome.sequenceStep = 1
  outcome.observationDomain = view.getUint32(start + 16)
  reader.enter()
  let at = start + HEADER
  const note = (reason: MalformedReason | undefined) => {
    if (reason !== undefined) complain(outcome, reason)
  }
  while (end - at >= 4) {
    const id = view.getUint16(at)
    const length = view.getUint16(at + 2)
    // Zeros up to the end of the datagram are padding of the datagram: v9 has no message length.
    if (id === 0 && length === 0 && isZero(reading.bytes, at, end)) return
    if (length < 4 || length > end - at) {
      complain(outcome, "set-length")
      return
    }
    const next = at + length
    if (id >= 256) reader.dataSet(id, at + 4, next)
    else if (id === 0) note(readTemplates9(view, at + 4, next, reader))
    else if (id === 1) note(readOptionsTemplates9(view, at + 4, next, reader))
    // Other ids below 256 are reserved (RFC 3954 §5.2) and skipped.
    at = next
  }
}

const isZero = (bytes: Uint8Array, at: number, end: number): boolean => {
  for (let i = at; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
