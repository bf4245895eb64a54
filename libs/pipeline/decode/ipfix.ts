/** IPFIX (RFC 7011): header with the message's length, then sets. */
import { type MalformedReason, VERSION_IPFIX } from "./DecodeOutcome.ts"
import { complain } from "./Reading.ts"
import type { TemplateReader } from "./TemplateReader.ts"
import { readTemplates10 } from "./template.ts"

const HEADER = 16

export const readIpfix = (reader: TemplateReader): void => {
  const { reading } = reader
  const { outcome, view } = reading
  outcome.version = VERSION_IPFIX
  const { start } = reading
  if (reading.end - start < HEADER) {
    complain(outcome, "short-header")
    return
  }
  reading.exportMs = view.getUint32(start + 4) * 1000
  outcome.exportMs = reading.exportMs
  outcome.sequence = view.getUint32(start + 8)
  outcome.observationDomain = view.getUint32(start + 12)
  const end = start + view.getUint16(start + 2)
  // A message is one datagram (RFC 7011 §10.3.3): one cut short is refused, octets after it are not looked at.
  if (end - start < HEADER || end > reading.end) {
    complain(outcome, "message-length")
    return
  }
  reader.enter()
  let at = start + HEADER
  const note = (reason: MalformedReason | undefined) => {
    if (reason !== undefined) complain(outcome, reason)
  }
  while (end - at >= 4) {
    const id = view.getUint16(at)
    const length = view.getUint16(at + 2)
    if (length < 4 || length > end - at) {
      complain(outcome, "set-length")
      break
    }
    const next = at + length
    if (id >= 256) reader.dataSet(id, at + 4, next)
    else if (id === 2 || id === 3) note(readTemplates10(view, at + 4, next, id === 3, reader))
    // Other ids below 256 are reserved (RFC 7011 §3.3.2) and skipped.
    at = next
  }
  // RFC 7011 §3.1: the sequence number counts data records, options included. Unknown when one set could not be read.
  outcome.sequenceStep = outcome.complaints > 0 || outcome.unknownSets > 0 ? -1 : outcome.records + outcome.optionsRecords
}
