/**
 * What another worker or an earlier run learned becomes this worker's, and what waited here for it is decoded: by what people decided about
 * its exporter, as if its own datagram had brought the template.
 */
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { Decoder } from "#pipeline/decode/Decoder.ts"
import type { FlowBatch } from "#pipeline/decode/FlowBatch.ts"
import type { TemplateCache } from "#pipeline/decode/TemplateCache.ts"
import type { ExporterTable } from "#pipeline/ingest/ExporterTable.ts"
import type { Part } from "./part.ts"
import type { Rulings } from "./rulings.ts"

export interface AdoptOptions {
  readonly exporters: ExporterTable
  readonly rulings: Rulings
  readonly templates: TemplateCache
  readonly decoding: Part
  readonly decoder: () => Decoder
  readonly batch: FlowBatch
  readonly now: () => number
  /** Time that no setting of our clock moves. */
  readonly steady: (nowMs: number) => number
}

const nameOf = (of: Announcement | LearnedTemplate) => `${of.version} ${of.domain} ${of.exporter}`

/** Rows are appended to the batch. */
export const makeAdopt =
  ({ batch, decoder, decoding, exporters, now, rulings, steady, templates }: AdoptOptions) =>
  (known: ReadonlyArray<LearnedTemplate>, said: ReadonlyArray<Announcement>): void => {
    const at = now()
    const heard = new Map(said.map((one) => [nameOf(one), one]))
    for (const template of known) {
      const index = exporters.indexOf(template.exporter, template.version === 9 ? "netflow9" : "ipfix")
      rulings.begin(index ?? -1)
      const released = decoding.guard(() => decoder().adopt(template, steady(at), batch, heard.get(nameOf(template))))
      rulings.end()
      if (index !== undefined) exporters.released(index, released ?? 0, at)
    }
    // Of domains whose templates were known already.
    for (const one of said) templates.learnAnnouncement(one)
  }
