/**
 * Templates by exporter address, protocol version, observation domain and template id — never by UDP source port: exporters restart
 * on another port and keep their template ids.
 */

/** A template as plain data, to be stored, told to other workers and read back. */
export interface LearnedTemplate {
  readonly exporter: string
  /** 9 or 10. */
  readonly version: number
  readonly domain: number
  readonly id: number
  readonly kind: "data" | "options"
  readonly scopeFieldCount: number
  /** [enterprise, element, length]; length 65535 is variable (RFC 7011 §7). NetFlow v9 scope fields carry enterprise -1. */
  readonly fields: ReadonlyArray<readonly [enterprise: number, element: number, length: number]>
}

/** All counters are totals since the cache was made. */
export interface TemplateCounters {
  learned: number
  changed: number
  refreshed: number
  evicted: number
  expired: number
  withdrawn: number
}

export interface TemplateCache {
  readonly size: number
  readonly counters: Readonly<TemplateCounters>
  /** Adds, replaces or refreshes. */
  readonly learn: (learned: LearnedTemplate, nowMs: number) => "added" | "changed" | "unchanged" | "refused"
  /** Forgets templates that were neither received nor used for `maxAgeMs`. Returns how many. */
  readonly expire: (nowMs: number, maxAgeMs: number) => number
  /** Everything known, to be persisted; feed it back through `learn`. */
  readonly export: () => ReadonlyArray<LearnedTemplate>
  readonly countByExporter: (exporter: string) => number
}

export declare const makeTemplateCache: (options?: {
  readonly capacity?: number
  readonly capacityPerExporter?: number
}) => TemplateCache
