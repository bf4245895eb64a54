/** The bodies of the actors that keep rows of what the flow workers say: exporters, progress, templates. */
import { Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
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

export const worthKeeping = (exporters: ReadonlyArray<ExporterTotals>): ReadonlyArray<ExporterTotals> => {
  // of a blocked one nothing was taken: its row says what it was before
  const heard = exporters.filter(({ datagrams }) => datagrams > 0)
  return heard.filter(({ proven }) => !proven).length <= mostUnproven ? heard : heard.filter(({ proven }) => proven)
}

/** At a clean end: the next run follows the exporters from their last datagram. */
export const keepLast = (boot: string, ledger: FlowLedger) =>
  Effect.gen(function* () {
    yield* orNextTime((yield* ExporterStore).upsert(worthKeeping(ledger.exporters())))
    yield* (yield* BootStore).end(boot, progressOf(ledger))
  })

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
      // the row first: killed between the two, something is told twice, and nothing is told to nobody
      yield* orNextTime(boots.progress(boot, progress))
      yield* orNextTime(exporters.upsert(heard))
    }
  })

/**
 * Every template known, by exporter, version, domain and id, and what was announced for each domain; the workers' own caches are bounded,
 * and so is this.
 */
export const makeTemplateBook = (stored: ReadonlyArray<LearnedTemplate>, heard: ReadonlyArray<Announcement> = []) => {
  const key = (exporter: string, version: number, domain: number, id: number) => `${exporter} ${version} ${domain} ${id}`
  const book = new Map(stored.map((t) => [key(t.exporter, t.version, t.domain, t.id), t]))
  const announcements = new Map(heard.map((said) => [key(said.exporter, said.version, said.domain, 0), said]))
  const bound = 20_000
  return {
    all: (): ReadonlyArray<LearnedTemplate> => [...book.values()],
    announcements: (): ReadonlyArray<Announcement> => [...announcements.values()],
    apply: ({ learned, withdrawn, announced }: TemplateChange) => {
      for (const said of announced) {
        const at = key(said.exporter, said.version, said.domain, 0)
        announcements.delete(at)
        announcements.set(at, said)
      }
      for (const at of announcements.keys()) {
        if (announcements.size <= bound) break
        announcements.delete(at)
      }
      for (const t of learned) {
        const at = key(t.exporter, t.version, t.domain, t.id)
        // newest last, so that a flood of invented templates pushes out the oldest
        book.delete(at)
        book.set(at, t)
      }
      for (const { exporter, domain, id, kind } of withdrawn) {
        for (const [at, t] of book) {
          const meant = id === 0 ? t.kind === kind : t.id === id
          if (t.version === 10 && t.exporter === exporter && t.domain === domain && meant) book.delete(at)
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
      const changes = yield* mailbox.takeAll
      for (const change of changes) book.apply(change)
      yield* orNextTime(exporters.saveTemplates(book.all()))
      if (changes.some(({ announced }) => announced.length > 0))
        yield* orNextTime(exporters.saveAnnouncements(book.announcements()))
      // templates are repeated every minute or so, changes come in bursts
      yield* Effect.sleep("2 seconds")
    }
  })
