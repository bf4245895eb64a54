/** What exporters tell about their data, as plain data: to be stored, told to other workers and read back. */

/** A template. */
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

/** What an exporter announced for one observation domain, in options data: without it volumes are too small after a restart. */
export interface Announcement {
  readonly exporter: string
  readonly version: number
  readonly domain: number
  /** IE 160; 0 not heard. */
  readonly systemInitMs: number
  /** Rate for no sampler in particular, and the last one announced for anything; 0 none. */
  readonly general: number
  readonly rate: number
  readonly bySampler: ReadonlyArray<readonly [sampler: number, rate: number]>
  readonly byInterface: ReadonlyArray<readonly [ifIndex: number, rate: number]>
}
