/** What NetFlow v9 and IPFIX have in common: templates learned, data sets decoded or put aside until their template arrives. */
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { readDataSet } from "./data-set.ts"
import type { HeldSet, HeldSets } from "./HeldSets.ts"
import type { Positions } from "./interpret.ts"
import { makeOptionsFacts, readOptions } from "./options.ts"
import { complain, type Reading } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import { defaultRate } from "./sampling.ts"
import { announcementOf, type Domain, type Template, type TemplateCache } from "./TemplateCache.ts"
import { refusalOf, type TemplateSink } from "./template.ts"

export interface TemplateReader extends TemplateSink {
  readonly reading: Reading
  /** The header is read: find what is known of this exporter and domain. */
  readonly enter: () => void
  readonly dataSet: (id: number, at: number, end: number) => void
  /** Decodes what waited for templates learned since the last call. Overwrites the reading's bytes. */
  readonly release: () => number
  /** Learns from elsewhere than the wire. */
  readonly adopt: (template: LearnedTemplate) => void
}

export interface TemplateReaderOptions {
  readonly reading: Reading
  readonly positions: Positions
  readonly templates: TemplateCache
  readonly held: HeldSets
  readonly onTemplate: ((learned: LearnedTemplate) => void) | undefined
  readonly onAnnouncement: ((announcement: Announcement) => void) | undefined
  readonly onWithdrawal: ((exporterAddress: string, domain: number, id: number, kind: "data" | "options") => void) | undefined
  readonly trace: RecordTrace | undefined
}

const TWO_32 = 4294967296

export const makeTemplateReader = (options: TemplateReaderOptions): TemplateReader => {
  const { held, onAnnouncement, onTemplate, onWithdrawal, positions, reading, templates, trace } = options
  const { outcome } = reading
  const facts = makeOptionsFacts()
  const optionsSeen = trace?.optionsRecord
  /** Templates learned in this datagram, whose held sets are decoded after it. */
  let fresh: Array<LearnedTemplate> = []
  let domain: Domain | undefined

  const adoptDomain = (): void => {
    reading.sampling = domain?.sampling
    reading.rate = domain === undefined ? 0 : defaultRate(domain.sampling)
    if (outcome.version === 10) {
      // RFC 7011 §4.5 and IE 160: uptimes mean something only once the exporter has said when it started.
      reading.hasUptime = domain !== undefined && domain.systemInitMs > 0
      reading.uptime = reading.hasUptime ? (reading.exportMs - domain!.systemInitMs) % TWO_32 : 0
    }
  }

  const enter = (): void => {
    domain = templates.domain(reading.exporterAddress, outcome.version, outcome.observationDomain)
    adoptDomain()
  }

  const decode = (template: Template, at: number, end: number): number => {
    templates.touch(template, reading.arrivalMs)
    if (template.learned.kind === "data") return readDataSet(template, reading, positions, at, end, trace)
    template.records++
    const before = outcome.optionsRecords
    const news = readOptions(template, domain!, reading, positions, facts, at, end, optionsSeen)
    const records = outcome.optionsRecords - before
    for (let i = 0; i < template.unknown.length; i++) template.unknown[i]!.records += records
    adoptDomain()
    if (news) onAnnouncement?.(announcementOf(domain!))
    return 0
  }

  const dataSet = (id: number, at: number, end: number): void => {
    const template = domain?.templates.get(id)
    if (template !== undefined) {
      outcome.records += decode(template, at, end)
      return
    }
    outcome.unknownSets++
    const accepted = held.offer({
      exporterAddress: reading.exporterAddress,
      exporterIndex: reading.exporterIndex,
      version: outcome.version,
      domain: outcome.observationDomain,
      templateId: id,
      exportMs: reading.exportMs,
      uptime: reading.uptime,
      arrivalMs: reading.arrivalMs,
      bytes: reading.bytes.slice(at, end)
    })
    if (accepted) outcome.held++
    else outcome.heldRefused++
  }

  const adopt = (template: LearnedTemplate): void => {
    const result = templates.learn(template, reading.arrivalMs)
    if (result === "added" || result === "changed") fresh.push(template)
  }

  const releaseSet = (set: HeldSet): number => {
    const template = templates.domain(set.exporterAddress, set.version, set.domain)?.templates.get(set.templateId)
    if (template === undefined) return 0
    reading.bytes.set(set.bytes)
    reading.start = 0
    reading.end = set.bytes.length
    reading.exporterAddress = set.exporterAddress
    reading.exporterIndex = set.exporterIndex
    reading.exportMs = set.exportMs
    reading.arrivalMs = set.arrivalMs
    reading.uptime = set.uptime
    reading.hasUptime = set.version === 9
    domain = templates.domain(set.exporterAddress, set.version, set.domain)
    adoptDomain()
    return decode(template, 0, set.bytes.length)
  }

  return {
    reading,
    enter,
    dataSet,
    template: (id, scopeFieldCount, isOptions, at, end, fields) => {
      if (isOptions) outcome.optionsTemplates++
      else outcome.templates++
      const known = domain?.templates.get(id)
      if (known !== undefined && known.raw !== undefined && sameBytes(known, isOptions, reading.bytes, at, end)) {
        templates.refresh(known, reading.arrivalMs)
        return
      }
      const learned: LearnedTemplate = {
        exporter: reading.exporterAddress,
        version: outcome.version,
        domain: outcome.observationDomain,
        id,
        kind: isOptions ? "options" : "data",
        scopeFieldCount,
        fields: fields()
      }
      const refusal = refusalOf(learned)
      if (refusal !== undefined) {
        complain(outcome, refusal)
        return
      }
      const result = templates.learn(learned, reading.arrivalMs)
      enter()
      const template = domain?.templates.get(id)
      if (template !== undefined) template.raw = reading.bytes.slice(at, end)
      if (result !== "unchanged") {
        onTemplate?.(learned)
        fresh.push(learned)
      }
    },
    withdrawal: (id, isOptions) => {
      outcome.withdrawals++
      const kind = isOptions ? "options" : "data"
      templates.withdraw(reading.exporterAddress, outcome.version, outcome.observationDomain, id, kind)
      onWithdrawal?.(reading.exporterAddress, outcome.observationDomain, id, kind)
      enter()
    },
    adopt,
    release: () => {
      if (fresh.length === 0) return 0
      const ready = fresh
      fresh = []
      let released = 0
      for (const template of ready) {
        for (const set of held.take(template.exporter, template.version, template.domain, template.id)) released += releaseSet(set)
      }
      return released
    }
  }
}

const sameBytes = (template: Template, isOptions: boolean, bytes: Uint8Array, at: number, end: number): boolean => {
  const raw = template.raw!
  if (raw.length !== end - at || (template.learned.kind === "options") !== isOptions) return false
  for (let i = 0; i < raw.length; i++) if (raw[i] !== bytes[at + i]) return false
  return true
}
