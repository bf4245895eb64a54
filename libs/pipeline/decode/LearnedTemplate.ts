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
