/**
 * The accounts of all flow workers together, over restarts of their threads: a worker counts from its own start, people ask since the
 * appliance's. Plain numbers, changed by messages; nothing here waits.
 */
import { type NetworkSet, networkSet } from "#domain/Address.ts"
import type { ExporterProtocol, ExporterState } from "#domain/Exporter.ts"
import { mergeMeasures } from "#domain/ExporterMeasures.ts"
import type { ExporterReading, ExporterResume } from "#pipeline/ingest/exporter-reading.ts"
import { makeSequenceJudge } from "#pipeline/ingest/SequenceJudge.ts"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import { makeSubnetBook, type SubnetBook } from "../coverage/SubnetBook.ts"
import type { FlowWarning, FlowWorkerReport, UnknownElement } from "../flow-worker/messages.ts"

/** Totals since the appliance started; see FlowAccount in the domain. */
export interface FlowTotals {
  readonly datagrams: number
  readonly decoded: number
  readonly records: number
  readonly malformed: number
  readonly refused: number
  readonly kernelDropped: number
  readonly failed: number
  readonly late: number
  /** Records folded into windows, written in slices, and lost with a thread that died. */
  readonly folded: number
  readonly written: number
  readonly lost: number
}

const none: FlowTotals = {
  datagrams: 0,
  decoded: 0,
  records: 0,
  malformed: 0,
  refused: 0,
  kernelDropped: 0,
  failed: 0,
  late: 0,
  folded: 0,
  written: 0,
  lost: 0
}

/** One exporter over all workers and their earlier threads. */
export interface ExporterTotals extends Omit<ExporterReading, "malformedReasons"> {
  readonly malformedReasons: Readonly<Record<string, number>>
}

interface WorkerAccount {
  /** What the threads before this one counted. */
  before: FlowTotals
  exportersBefore: ReadonlyMap<string, ExporterTotals>
  report: FlowWorkerReport | undefined
  warnings: ReadonlyArray<FlowWarning>
  /** Records handed over in slices by this thread, and of those written, by all threads. */
  handedOver: number
  written: number
}

export const exporterKey = (address: string, protocol: ExporterProtocol): string => `${protocol} ${address}`

/** `internal`: the networks that are ours, of which it is counted which exporter sees them. */
export const makeFlowLedger = (internal: NetworkSet = networkSet([])) => {
  const workers = new Map<string, WorkerAccount>()
  const judge = makeSequenceJudge()
  const of = (worker: string): WorkerAccount => {
    let account = workers.get(worker)
    if (account === undefined) {
      account = { before: none, exportersBefore: new Map(), report: undefined, warnings: [], handedOver: 0, written: 0 }
      workers.set(worker, account)
    }
    return account
  }
  const subnets: SubnetBook = makeSubnetBook(internal)
  const totals = (): FlowTotals => [...workers.values()].map(totalsOf).reduce(add, none)
  return {
    report: (report: FlowWorkerReport, warnings: ReadonlyArray<FlowWarning>) => {
      const account = of(report.worker)
      account.report = report
      account.warnings = warnings
    },
    /** Numbers that exporters gave their datagrams, where several workers hear them. */
    sequences: judge.take,
    /** Exporters an earlier run followed. */
    resume: (exporters: ReadonlyArray<ExporterResume>) => {
      for (const { address, protocol, sequences, lastSeen } of exporters) judge.resume(address, protocol, sequences, lastSeen)
    },
    /** A slice came out of the worker; the thread no longer answers for its records. */
    handedOver: (worker: string, records: number) => {
      of(worker).handedOver += records
    },
    written: (worker: string, records: number) => {
      of(worker).written += records
    },
    /** A slice could not be written and was given up. */
    lostSlice: (worker: string, records: number) => {
      const account = of(worker)
      account.before = { ...account.before, lost: account.before.lost + records }
    },
    /** The thread is gone. What it had folded and not handed over is lost, unless it said good-bye. */
    threadEnded: (worker: string) => {
      const account = of(worker)
      const lost = Math.max(0, (account.report?.windows.folded ?? 0) - account.handedOver)
      account.before = { ...totalsOf(account), lost: account.before.lost + lost, written: 0 }
      account.exportersBefore = exportersOf(account)
      account.report = undefined
      account.warnings = []
      account.handedOver = 0
      judge.left(worker)
    },
    /** What earlier threads counted of it is nobody's any more. */
    forget: (address: string, protocol: ExporterProtocol) => {
      const key = exporterKey(address, protocol)
      judge.forget(address, protocol)
      for (const account of workers.values()) {
        account.exportersBefore = new Map([...account.exportersBefore].filter(([known]) => known !== key))
      }
    },
    totals,
    subnets,
    /** One record of so many is kept by the worker that keeps least. */
    pressure: (): number => Math.max(1, ...[...workers.values()].map((w) => w.report?.windows.pressureSampling ?? 1)),
    exporters: (): ReadonlyArray<ExporterTotals> => {
      const merged = new Map<string, ExporterTotals>()
      for (const account of workers.values()) {
        for (const [key, exporter] of exportersOf(account)) {
          const known = merged.get(key)
          merged.set(key, known === undefined ? exporter : mergeExporters(known, exporter, "rates add"))
        }
      }
      return [...merged.values()].map((one) => {
        const judged = judge.of(one.address, one.protocol)
        if (judged === undefined) return one
        const { lostLately, ...verdicts } = judged
        return { ...one, ...verdicts, measures: { ...one.measures, lost: lostLately } }
      })
    },
    listeners: (): ReadonlyArray<ListenerReading> => [...workers.values()].flatMap((w) => w.report?.listeners ?? []),
    warnings: (): ReadonlyArray<FlowWarning> => [...workers.values()].flatMap((w) => w.warnings),
    unknownElements: (): ReadonlyArray<UnknownElement> => [...workers.values()].flatMap((w) => w.report?.unknownElements ?? []),
    recordsPerSecond: (): number =>
      [...workers.values()].flatMap((w) => w.report?.exporters ?? []).reduce((sum, e) => sum + e.recordsPerSecond, 0)
  }
}

export type FlowLedger = ReturnType<typeof makeFlowLedger>

const totalsOf = ({ before, report, written }: WorkerAccount): FlowTotals =>
  add(
    { ...before, written },
    report === undefined
      ? none
      : {
          datagrams: report.datagrams.datagrams,
          decoded: report.datagrams.decoded,
          records: report.datagrams.records,
          malformed: report.datagrams.malformed,
          refused: report.datagrams.refused,
          kernelDropped: report.datagrams.kernelDropped,
          failed: report.datagrams.failed,
          late: report.windows.late,
          folded: report.windows.folded,
          written: 0,
          lost: 0
        }
  )

const add = (a: FlowTotals, b: FlowTotals): FlowTotals =>
  Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + b[name as keyof FlowTotals]])) as unknown as FlowTotals

const exportersOf = (account: WorkerAccount): ReadonlyMap<string, ExporterTotals> => {
  const all = new Map(account.exportersBefore)
  for (const reading of account.report?.exporters ?? []) {
    const key = exporterKey(reading.address, reading.protocol)
    const now = { ...reading, malformedReasons: reading.malformedReasons as Readonly<Record<string, number>> }
    const before = all.get(key)
    all.set(key, before === undefined ? now : mergeExporters(before, now, "rate of the later"))
  }
  return all
}

type Counts = Readonly<Record<string, number>>

const addCounts = (a: Counts, b: Counts): Counts => {
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

const stateOrder: ReadonlyArray<ExporterState> = ["silent", "heard", "waiting"]

const mergeExporters = (a: ExporterTotals, b: ExporterTotals, rates: "rates add" | "rate of the later"): ExporterTotals => {
  const later = a.lastSeen >= b.lastSeen ? a : b
  const sum = (name: keyof ExporterTotals) => (a[name] as number) + (b[name] as number)
  return {
    address: a.address,
    protocol: a.protocol,
    state: rates === "rates add" && stateOrder.indexOf(a.state) > stateOrder.indexOf(b.state) ? a.state : b.state,
    firstSeen: Math.min(a.firstSeen, b.firstSeen),
    lastSeen: later.lastSeen,
    datagrams: sum("datagrams"),
    octets: sum("octets"),
    records: sum("records"),
    recordsPerSecond: rates === "rates add" ? sum("recordsPerSecond") : b.recordsPerSecond,
    sequenceLost: sum("sequenceLost"),
    sequenceResets: sum("sequenceResets"),
    malformed: sum("malformed"),
    malformedReasons: addCounts(a.malformedReasons, b.malformedReasons),
    unknownElements: addCounts(a.unknownElements, b.unknownElements),
    proven: a.proven || b.proven,
    heldSets: rates === "rates add" ? sum("heldSets") : b.heldSets,
    heldDropped: sum("heldDropped"),
    templates: Math.max(a.templates, b.templates),
    templatesTaught: sum("templatesTaught"),
    optionsRecords: sum("optionsRecords"),
    sampling: Math.max(a.sampling, b.sampling),
    clockSkewMs: later.clockSkewMs,
    observationDomains: [...new Set([...a.observationDomains, ...b.observationDomains])],
    sequences: [...new Map([...(later === a ? b : a).sequences, ...later.sequences])],
    blocked: sum("blocked"),
    withheld: sum("withheld"),
    overLimit: sum("overLimit"),
    limit: a.limit === null ? b.limit : b.limit === null ? a.limit : Math.min(a.limit, b.limit),
    denied: sum("denied"),
    tunnelled: sum("tunnelled"),
    clockJumps: sum("clockJumps"),
    recordsRefused: sum("recordsRefused"),
    recordsLeftOut: sum("recordsLeftOut"),
    recordsLate: sum("recordsLate"),
    measures: rates === "rates add" ? mergeMeasures(a.measures, b.measures) : b.measures
  }
}
