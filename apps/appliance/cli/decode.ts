/**
 * `flowlens decode [--as datagram|pcap|message-stream] [--exporter ADDR] [--hold] FILE…`: one JSON object per flow record, then one
 * line `{"summary": …}`. Exits 0 whatever the octets; 2 when it was called wrongly, 1 when a file cannot be read.
 */
import { type DecodeOutcome, makeDecodeOutcome } from "#pipeline/decode/DecodeOutcome.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { type DescribedRecord, describeTemplateRecord, type RecordTrace } from "#pipeline/decode/record.ts"
import { describeFlowSample } from "#pipeline/decode/sflow-record.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { type CapturedDatagram, type CaptureFormat, captureFormats, readCapture } from "./capture.ts"

const usage = "usage: flowlens decode [--as datagram|pcap|message-stream] [--exporter ADDRESS] [--hold] FILE..."

interface Arguments {
  readonly format: CaptureFormat | undefined
  readonly exporter: string
  /** Decode data that came before its template when the template arrives, as the appliance does; else it is only counted. */
  readonly hold: boolean
  readonly files: ReadonlyArray<string>
}

const parse = (argv: ReadonlyArray<string>): Arguments | string => {
  const files: Array<string> = []
  let format: CaptureFormat | undefined
  let exporter = "0.0.0.0"
  let hold = false
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!
    if (argument === "--as") {
      const value = argv[++i]
      format = captureFormats.find((known) => known === value)
      if (format === undefined) return `unknown format ${value ?? ""}`
    } else if (argument === "--exporter") {
      const value = argv[++i]
      if (value === undefined) return "--exporter needs an address"
      exporter = value
    } else if (argument === "--hold") hold = true
    else if (argument === "--json") continue
    else if (argument.startsWith("-")) return `unknown option ${argument}`
    else files.push(argument)
  }
  return files.length === 0 ? "no file given" : { format, exporter, hold, files }
}

/** Whether a UDP payload of a capture is flow export at all: 5, 9 or 10 in 16 bits, or 5 in 32. */
const isFlowExport = (payload: Uint8Array): boolean => {
  if (payload.length < 4) return false
  const word = payload[0]! * 256 + payload[1]!
  return word === 5 || word === 9 || word === 10 || (word === 0 && payload[2] === 0 && payload[3] === 5)
}

const makeSummary = () => ({
  datagrams: 0,
  datagramsOfOtherTraffic: 0,
  malformedDatagrams: 0,
  malformedReasons: {} as Record<string, number>,
  templates: 0,
  optionsTemplates: 0,
  templateWithdrawals: 0,
  dataRecords: 0,
  optionsRecords: 0,
  undecodableSets: 0,
  releasedRecords: 0,
  flowSamples: 0,
  expandedFlowSamples: 0,
  counterSamples: 0,
  expandedCounterSamples: 0,
  discardSamples: 0,
  otherSamples: 0
})
type Summary = ReturnType<typeof makeSummary>

const count = (summary: Summary, outcome: DecodeOutcome): void => {
  summary.datagrams++
  summary.malformedDatagrams += outcome.complaints
  if (outcome.malformed !== "") {
    summary.malformedReasons[outcome.malformed] = (summary.malformedReasons[outcome.malformed] ?? 0) + 1
  }
  summary.templates += outcome.templates
  summary.optionsTemplates += outcome.optionsTemplates
  summary.templateWithdrawals += outcome.withdrawals
  summary.dataRecords += outcome.records + outcome.released
  summary.releasedRecords += outcome.released
  summary.optionsRecords += outcome.optionsRecords
  summary.undecodableSets += outcome.unknownSets
  summary.flowSamples += outcome.flowSamples
  summary.expandedFlowSamples += outcome.expandedFlowSamples
  summary.counterSamples += outcome.counterSamples
  summary.expandedCounterSamples += outcome.expandedCounterSamples
  summary.discardSamples += outcome.discardSamples
  summary.otherSamples += outcome.otherSamples
}

const decodeFiles = (args: Arguments, write: (line: string) => void): void => {
  const batch = makeFlowBatch()
  const templates = makeTemplateCache()
  const summary = makeSummary()
  let exporter = args.exporter
  let outcome = makeDecodeOutcome()
  let current: Record<string, unknown> = {}
  const emit = (record: DescribedRecord) => write(JSON.stringify({ ...current, ...record }))
  const trace: RecordTrace = {
    templateRecord: (template, reading, positions, row) => emit(describeTemplateRecord(template, reading, positions, row)),
    flowSample: (reading, start, end, expanded, row) => emit(describeFlowSample(reading, start, end, expanded, row))
  }
  const decoder = makeDecoder({
    templates,
    trace,
    full: (rows) => {
      rows.length = 0
    },
    ...(args.hold ? {} : { maxHeldSets: 0 })
  })
  const one = (datagram: CapturedDatagram): void => {
    if (datagram.source !== undefined && !isFlowExport(datagram.payload)) {
      summary.datagramsOfOtherTraffic++
      return
    }
    exporter = datagram.source ?? args.exporter
    current = { datagram: summary.datagrams, exporter }
    batch.length = 0
    outcome = decoder.decode(datagram.payload, datagram.payload.length, 0, exporter, datagram.atMs, batch)
    count(summary, outcome)
  }
  for (const file of args.files) for (const datagram of readCapture(file, args.format)) one(datagram)
  const unknown = decoder.unknownElements()
  write(JSON.stringify({ summary: { ...summary, templatesKnown: templates.size, unknownElements: unknown } }))
}

/** Runs the command; `write` gets one line at a time, without the newline. Returns the exit code. */
export const runDecode = (argv: ReadonlyArray<string>, write: (line: string) => void): number => {
  const args = parse(argv)
  if (typeof args === "string") {
    process.stderr.write(`flowlens decode: ${args}\n${usage}\n`)
    return 2
  }
  try {
    decodeFiles(args, write)
    return 0
  } catch (cause) {
    // Only the file system can fail here: decoding never throws.
    process.stderr.write(`flowlens decode: could not read: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    return 1
  }
}

if (import.meta.main) {
  // A reader that has seen enough (`| head`) is no fault.
  process.stdout.on("error", () => process.exit(0))
  let waiting = ""
  process.exitCode = runDecode(process.argv.slice(2), (line) => {
    waiting += `${line}\n`
    if (waiting.length < 65_536) return
    process.stdout.write(waiting)
    waiting = ""
  })
  process.stdout.write(waiting)
}
