/** The bodies of the actors that keep rows of what the flow workers say: exporters, progress, templates. */
import { Effect } from "effect"
import type { SqlError } from "effect/sql"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
import type { LearnedTemplate } from "#pipeline/decode/TemplateCache.ts"
import { BootStore } from "#pipeline/store/BootStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import type { ExporterTotals, FlowLedger } from "./FlowLedger.ts"
import type { TemplateChange } from "./flow-worker-actor.ts"

export const progressOf = (ledger: FlowLedger) => {
  const { datagrams, folded, written, lost } = ledger.totals()
  return { datagrams, records: folded, recordsWritten: written + lost }
}

/** What could not be kept now is kept at the next turn: the figures are totals. A database that is away is no reason to give up. */
const orNextTime = <A, R>(keep: Effect.Effect<A, SqlError.SqlError, R>) =>
  keep.pipe(
    Effect.asVoid,
    Effect.catch((error) => limited("keep-accounts")(Effect.logWarning("could not keep accounts", error)))
  )

/** Senders of nothing decodable that are kept while they are few: one of them is a device to be mended, many are invented addresses. */
const mostUnproven = 64

export const worthKeeping = (exporters: ReadonlyArray<ExporterTotals>): ReadonlyArray<ExporterTotals> =>
  exporters.filter(({ proven }) => !proven).length <= mostUnproven ? exporters : exporters.filter(({ proven }) => proven)

/** Once a second. */
export const keepProgress = (boot: string, ledger: FlowLedger) =>
  Effect.gen(function* () {
    const boots = yield* BootStore
    const exporters = yield* ExporterStore
    for (;;) {
      yield* Effect.sleep("1 second")
      // Both of one moment: what came after the numbers that are kept shows as a gap of its exporter at the next start, and must not
      // stand among the records of this row, too.
      const heard = worthKeeping(ledger.exporters())
      const progress = progressOf(ledger)
      yield* orNextTime(exporters.upsert(heard))
      yield* orNextTime(boots.progress(boot, progress))
    }
  })

/** Every template known, by exporter, version, domain and id; the workers' own caches are bounded, and so is this. */
export const makeTemplateBook = (stored: ReadonlyArray<LearnedTemplate>) => {
  const key = (exporter: string, version: number, domain: number, id: number) => `${exporter} ${version} ${domain} ${id}`
  const book = new Map(stored.map((t) => [key(t.exporter, t.version, t.domain, t.id), t]))
  const bound = 20_000
  return {
    all: (): ReadonlyArray<LearnedTemplate> => [...book.values()],
    apply: ({ learned, withdrawn }: TemplateChange) => {
      for (const t of learned) {
        const at = key(t.exporter, t.version, t.domain, t.id)
        // newest last, so that a flood of invented templates pushes out the oldest
        book.delete(at)
        book.set(at, t)
      }
      for (const { exporter, domain, id } of withdrawn) {
        for (const [at, t] of book) {
          const all = id === 0 || (id === 2 && t.kind === "data") || (id === 3 && t.kind === "options")
          if (t.version === 10 && t.exporter === exporter && t.domain === domain && (all || t.id === id)) book.delete(at)
        }
      }
      for (const at of book.keys()) {
        if (book.size <= bound) break
        book.delete(at)
      }
    }
  }
}

export type TemplateBook = ReturnType<typeof makeTemplateBook>

export const keepTemplates = (mailbox: Mailbox<TemplateChange>, book: TemplateBook) =>
  Effect.gen(function* () {
    const exporters = yield* ExporterStore
    for (;;) {
      for (const change of yield* mailbox.takeAll) book.apply(change)
      yield* orNextTime(exporters.saveTemplates(book.all()))
      // templates are repeated every minute or so, changes come in bursts
      yield* Effect.sleep("2 seconds")
    }
  })
