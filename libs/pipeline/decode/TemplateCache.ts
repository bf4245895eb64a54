/**
 * Templates by exporter address, protocol version, observation domain and template id — never by UDP source port: exporters restart
 * on another port and keep their template ids. Bounded in all and per exporter; what was never used goes first, then what was used
 * longest ago, so that a flood of invented templates does not push out the ones that work.
 */

import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { SharedMemory } from "./FlowBatch.ts"
import { compilePlan, type Plan } from "./plan.ts"
import { type Runner, runnerOf } from "./Runner.ts"
import { announce, makeSampling, type Sampling } from "./sampling.ts"
import { refusalOf } from "./template.ts"
import { type ElementCounter, makeUnknownElements, type UnknownElements } from "./UnknownElements.ts"

/** Totals since the cache was made. */
export interface TemplateCounters {
  learned: number
  changed: number
  refreshed: number
  evicted: number
  /** Of the evicted, those that went for lack of room for all exporters together; the others gave up their own. */
  crowdedOut: number
  expired: number
  withdrawn: number
}

/** What one observation domain of one exporter has told. */
export interface Domain {
  readonly exporter: string
  readonly version: number
  readonly domain: number
  readonly templates: Map<number, Template>
  readonly sampling: Sampling
  /** IE 160 from options data: when the exporter started, ms since 1970; 0 not heard. */
  systemInitMs: number
}

export interface Template {
  readonly learned: LearnedTemplate
  readonly plan: Plan
  /** The octets of the template record as last received, to see a repetition without reading it. */
  raw: Uint8Array | undefined
  runner: Runner | undefined
  /** Records decoded with it; past a threshold it is worth generated code. */
  records: number
  /** Elements nobody here has a name for. */
  readonly unknown: ReadonlyArray<ElementCounter>
  seenMs: number
  /** Ticks of the cache's own clock at the last use. */
  used: number
}

export interface TemplateCache {
  readonly size: number
  readonly counters: Readonly<TemplateCounters>
  readonly unknownElements: UnknownElements
  /** Adds, replaces or refreshes. */
  readonly learn: (learned: LearnedTemplate, nowMs: number) => "added" | "changed" | "unchanged" | "refused"
  /** Forgets templates that were neither received nor used for `maxAgeMs`. Returns how many. */
  readonly expire: (nowMs: number, maxAgeMs: number) => number
  /** RFC 7011 §8.1: one template, or all of a kind with id 0. Returns how many went. */
  readonly withdraw: (exporter: string, version: number, domain: number, id: number, kind: "data" | "options") => number
  /** Everything known, to be persisted; feed it back through `learn`. */
  readonly export: () => ReadonlyArray<LearnedTemplate>
  /** What was announced by options data; feed it back through `learnAnnouncement` after the templates. */
  readonly exportAnnouncements: () => ReadonlyArray<Announcement>
  /** False when no template of that domain is known: then nothing can be decoded by it either. */
  readonly learnAnnouncement: (announcement: Announcement) => boolean
  readonly countByExporter: (exporter: string) => number
  readonly domain: (exporter: string, version: number, domain: number) => Domain | undefined
  /** Notes that a template worked. */
  readonly touch: (template: Template, nowMs: number) => void
  /** Notes that the same template was received again. */
  readonly refresh: (template: Template, nowMs: number) => void
}

export const MOST_TEMPLATES = 10_000

export interface TemplateCacheOptions {
  /** Default MOST_TEMPLATES. */
  readonly capacity?: number
  /** Default a quarter of the capacity. */
  readonly capacityPerExporter?: number
}

/** Records a template decodes before code is generated for it: a flood of new templates must not buy 100 µs of compiler each. */
export const GENERATE_AFTER = 64

interface Exporter {
  count: number
  readonly domains: Map<number, Domain>
}

export const announcementOf = (domain: Domain): Announcement => ({
  exporter: domain.exporter,
  version: domain.version,
  domain: domain.domain,
  systemInitMs: domain.systemInitMs,
  general: domain.sampling.general,
  rate: domain.sampling.rate,
  bySampler: [...domain.sampling.bySampler],
  byInterface: [...domain.sampling.byInterface]
})

const domainKey = (version: number, domain: number): number => version * 4294967296 + domain

/** Who is evicted first: what never worked, then what was used longest ago. Ranks are distinct, because `used` is. */
const rankOf = (template: Template): number => (template.records > 0 ? 2 ** 50 : 0) + template.used

const sameFields = (a: LearnedTemplate, b: LearnedTemplate): boolean =>
  a.kind === b.kind &&
  a.scopeFieldCount === b.scopeFieldCount &&
  a.fields.length === b.fields.length &&
  a.fields.every((field, i) => {
    const other = b.fields[i]!
    return field[0] === other[0] && field[1] === other[1] && field[2] === other[2]
  })

export const makeTemplateCache = (options: TemplateCacheOptions = {}): TemplateCache => {
  const capacity = Math.max(1, options.capacity ?? MOST_TEMPLATES)
  const capacityPerExporter = Math.max(1, options.capacityPerExporter ?? Math.ceil(capacity / 4))
  const exporters = new Map<string, Exporter>()
  const counters: TemplateCounters = { learned: 0, changed: 0, refreshed: 0, evicted: 0, crowdedOut: 0, expired: 0, withdrawn: 0 }
  const unknownElements = makeUnknownElements()
  let size = 0
  let clock = 0
  /** What was asked for last: most datagrams come after another of the same domain. */
  let last: Domain | undefined

  const remove = (exporter: Exporter, domain: Domain, id: number): void => {
    if (!domain.templates.delete(id)) return
    size--
    exporter.count--
    if (domain.templates.size === 0) {
      exporter.domains.delete(domainKey(domain.version, domain.domain))
      last = undefined
    }
    if (exporter.count === 0) exporters.delete(domain.exporter)
  }

  /** Evicts about 3 % at a time, so that one pass over all templates pays for many: 2 µs a template under a flood. */
  const evict = (among: ReadonlyArray<Exporter>, bound: number): void => {
    const ranks: Array<number> = []
    for (const exporter of among) {
      for (const domain of exporter.domains.values()) for (const template of domain.templates.values()) ranks.push(rankOf(template))
    }
    const threshold = Float64Array.from(ranks).sort()[Math.max(1, bound >>> 5) - 1]!
    for (const exporter of among) {
      for (const domain of exporter.domains.values()) {
        for (const template of domain.templates.values()) {
          if (rankOf(template) > threshold) continue
          remove(exporter, domain, template.learned.id)
          counters.evicted++
        }
      }
    }
  }

  const learn: TemplateCache["learn"] = (learned, nowMs) => {
    if (refusalOf(learned) !== undefined) return "refused"
    const key = domainKey(learned.version, learned.domain)
    const old = exporters.get(learned.exporter)?.domains.get(key)?.templates.get(learned.id)
    if (old !== undefined && sameFields(old.learned, learned)) {
      refresh(old, nowMs)
      return "unchanged"
    }
    if (old === undefined) {
      const count = exporters.get(learned.exporter)?.count ?? 0
      if (count >= capacityPerExporter) evict([exporters.get(learned.exporter)!], capacityPerExporter)
      if (size >= capacity) {
        const before = counters.evicted
        evict([...exporters.values()], capacity)
        counters.crowdedOut += counters.evicted - before
      }
    }
    let exporter = exporters.get(learned.exporter)
    if (exporter === undefined) {
      exporter = { count: 0, domains: new Map() }
      exporters.set(learned.exporter, exporter)
    }
    let domain = exporter.domains.get(key)
    if (domain === undefined) {
      domain = {
        exporter: learned.exporter,
        version: learned.version,
        domain: learned.domain,
        templates: new Map(),
        sampling: makeSampling(),
        systemInitMs: 0
      }
      exporter.domains.set(key, domain)
    }
    domain.templates.set(learned.id, {
      learned,
      plan: compilePlan(learned.fields),
      raw: undefined,
      runner: undefined,
      records: 0,
      unknown: unknownElements.counters(learned.exporter, learned.version, learned.fields),
      seenMs: nowMs,
      used: ++clock
    })
    if (old === undefined) {
      size++
      exporter.count++
      counters.learned++
      return "added"
    }
    counters.changed++
    return "changed"
  }

  const refresh = (template: Template, nowMs: number): void => {
    template.seenMs = nowMs
    template.used = ++clock
    counters.refreshed++
  }

  return {
    get size() {
      return size
    },
    counters,
    unknownElements,
    learn,
    refresh,
    touch: (template, nowMs) => {
      template.seenMs = nowMs
      template.used = ++clock
    },
    domain: (exporter, version, domain) => {
      if (last === undefined || last.domain !== domain || last.version !== version || last.exporter !== exporter) {
        last = exporters.get(exporter)?.domains.get(domainKey(version, domain))
      }
      return last
    },
    countByExporter: (exporter) => exporters.get(exporter)?.count ?? 0,
    withdraw: (exporterAddress, version, domainId, id, kind) => {
      const exporter = exporters.get(exporterAddress)
      const domain = exporter?.domains.get(domainKey(version, domainId))
      if (exporter === undefined || domain === undefined) return 0
      let gone = 0
      for (const template of [...domain.templates.values()]) {
        if (id === 0 ? template.learned.kind === kind : template.learned.id === id) {
          remove(exporter, domain, template.learned.id)
          gone++
        }
      }
      counters.withdrawn += gone
      return gone
    },
    expire: (nowMs, maxAgeMs) => {
      let gone = 0
      for (const exporter of [...exporters.values()]) {
        for (const domain of [...exporter.domains.values()]) {
          for (const template of [...domain.templates.values()]) {
            if (nowMs - template.seenMs > maxAgeMs) {
              remove(exporter, domain, template.learned.id)
              gone++
            }
          }
        }
      }
      counters.expired += gone
      return gone
    },
    exportAnnouncements: () =>
      [...exporters.values()].flatMap((exporter) =>
        [...exporter.domains.values()]
          .filter((domain) => domain.systemInitMs > 0 || domain.sampling.rate > 0)
          .map((domain) => announcementOf(domain))
      ),
    learnAnnouncement: (announcement) => {
      const domain = exporters.get(announcement.exporter)?.domains.get(domainKey(announcement.version, announcement.domain))
      if (domain === undefined) return false
      for (const [sampler, rate] of announcement.bySampler) announce(domain.sampling, rate, sampler, 0)
      for (const [index, rate] of announcement.byInterface) announce(domain.sampling, rate, -1, index)
      if (announcement.general > 0) announce(domain.sampling, announcement.general, -1, 0)
      if (announcement.rate > 0) domain.sampling.rate = announcement.rate
      if (announcement.systemInitMs > 0) domain.systemInitMs = announcement.systemInitMs
      return true
    },
    export: () =>
      [...exporters.values()].flatMap((exporter) =>
        [...exporter.domains.values()].flatMap((domain) => [...domain.templates.values()].map((template) => template.learned))
      )
  }
}

/** Counts `records` decoded and generates code for that memory once they are worth it. */
export const runnerFor = (template: Template, records: number, shared: SharedMemory): Runner | undefined => {
  const before = template.records
  template.records += records
  if (before < GENERATE_AFTER && template.records >= GENERATE_AFTER) template.runner = runnerOf(template.plan, shared)
  return template.runner?.runners.shared === shared ? template.runner : undefined
}
