/** What the decoder learned since it was last told: templates, withdrawals, announced rates, interface counters. Bounded. */
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { DecoderOptions } from "#pipeline/decode/Decoder.ts"
import type { InterfaceCounters } from "#pipeline/decode/interface-counters.ts"
import type { SequenceNotes } from "#pipeline/ingest/sequence-log.ts"
import type { FromFlowWorker, Withdrawal } from "./messages.ts"

/** Interface counters kept between two messages. */
const MOST_COUNTERS = 10_000
/** Domains whose announcements are kept between two messages. */
const MOST_ANNOUNCED = 4096

export const makeNews = (post: (message: FromFlowWorker, transfer?: Array<ArrayBuffer>) => void) => {
  let learned: Array<LearnedTemplate> = []
  let withdrawn: Array<Withdrawal> = []
  /** The latest of each domain since the last message. */
  const announcements = new Map<string, Announcement>()
  let counters: Array<InterfaceCounters> = []
  const take = {
    onTemplate: (template) => learned.push(template),
    onAnnouncement: (said) => {
      const key = `${said.version} ${said.domain} ${said.exporter}`
      if (announcements.size < MOST_ANNOUNCED || announcements.has(key)) announcements.set(key, said)
    },
    onWithdrawal: (exporter, domain, id, kind) => withdrawn.push({ exporter, domain, id, kind }),
    onInterfaceCounters: (reading) => {
      if (counters.length < MOST_COUNTERS) counters.push({ ...reading })
    }
  } satisfies Partial<DecoderOptions>
  return {
    /** The decoder's callbacks. */
    take,
    tell: (sequences?: SequenceNotes) => {
      if (sequences !== undefined) post({ type: "sequences", notes: sequences }, [sequences.values.buffer as ArrayBuffer])
      if (learned.length + withdrawn.length + announcements.size > 0) {
        post({ type: "templates", learned, withdrawn, announced: [...announcements.values()] })
        learned = []
        withdrawn = []
        announcements.clear()
      }
      if (counters.length > 0) {
        post({ type: "interfaces", counters })
        counters = []
      }
    }
  }
}
