/**
 * Template sets and options template sets of NetFlow v9 (RFC 3954 §5.2, §6.1) and IPFIX (RFC 7011 §3.4). A record that promises more
 * fields than its set holds, or data records of no octets at all, is refused.
 */
import type { LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { MalformedReason } from "./DecodeOutcome.ts"
import { VARIABLE_LENGTH } from "./plan.ts"

export type TemplateFields = LearnedTemplate["fields"]

/** Enterprise of NetFlow v9 scope fields, whose numbers (1 system, 2 interface, 3 line card, 4 cache, 5 template) are a list of their own. */
export const SCOPE_ENTERPRISE = -1

/** Why a template cannot be used; undefined when it can. Holds for what the wire says and for what a store or another worker tells. */
export const refusalOf = (learned: LearnedTemplate): MalformedReason | undefined => {
  if (!Number.isInteger(learned.id) || learned.id < 256 || learned.id > 65535) return "template-id"
  if (learned.fields.length === 0) return "template-field-count"
  if (learned.scopeFieldCount > learned.fields.length) return "template-scope"
  let octets = 0
  for (const [, , length] of learned.fields) octets += length === VARIABLE_LENGTH ? 1 : length
  // Records of no octets would never end; records longer than any datagram never come.
  if (octets === 0) return "template-zero-length"
  return octets > 65535 ? "set-length" : undefined
}

/** Takes what the readers find. The readers return the first complaint; what came before it has been taken. */
export interface TemplateSink {
  readonly template: (
    id: number,
    scopeFieldCount: number,
    options: boolean,
    at: number,
    end: number,
    fields: () => TemplateFields
  ) => void
  /** IPFIX: field count 0. */
  readonly withdrawal: (id: number, options: boolean) => void
}

/** NetFlow v9 field specifiers from `at`; the first `scope` of them are scope fields. */
const fieldsOf9 = (view: DataView, at: number, count: number, scope: number): TemplateFields => {
  const fields: Array<readonly [number, number, number]> = []
  for (let i = 0; i < count; i++, at += 4) {
    fields.push([i < scope ? SCOPE_ENTERPRISE : 0, view.getUint16(at), view.getUint16(at + 2)])
  }
  return fields
}

/** Template FlowSet (id 0) between `at` and `end`. */
export const readTemplates9 = (view: DataView, at: number, end: number, sink: TemplateSink): MalformedReason | undefined => {
  while (end - at >= 4) {
    const id = view.getUint16(at)
    const count = view.getUint16(at + 2)
    if (id === 0 && count === 0) return undefined // padding
    const first = at + 4
    if (id < 256) return "template-id"
    if (count === 0 || count * 4 > end - first) return "template-field-count"
    const next = first + count * 4
    sink.template(id, 0, false, at, next, () => fieldsOf9(view, first, count, 0))
    at = next
  }
  return undefined
}

/** Options Template FlowSet (id 1): lengths in octets, scope fields first (RFC 3954 §6.1). */
export const readOptionsTemplates9 = (view: DataView, at: number, end: number, sink: TemplateSink): MalformedReason | undefined => {
  while (end - at >= 6) {
    const id = view.getUint16(at)
    const scopeOctets = view.getUint16(at + 2)
    const optionOctets = view.getUint16(at + 4)
    if (id === 0 && scopeOctets === 0 && optionOctets === 0) return undefined
    const first = at + 6
    if (id < 256) return "template-id"
    const octets = scopeOctets + optionOctets
    if (scopeOctets % 4 !== 0 || optionOctets % 4 !== 0) return "template-scope"
    if (octets === 0 || octets > end - first) return "template-field-count"
    const scope = scopeOctets / 4
    const next = first + octets
    sink.template(id, scope, true, at, next, () => fieldsOf9(view, first, octets / 4, scope))
    at = next
  }
  return undefined
}

/** Template set (id 2) or options template set (id 3); field specifiers are 4 octets, 8 with an enterprise number. */
export const readTemplates10 = (
  view: DataView,
  at: number,
  end: number,
  options: boolean,
  sink: TemplateSink
): MalformedReason | undefined => {
  while (end - at >= 4) {
    const start = at
    const id = view.getUint16(at)
    const count = view.getUint16(at + 2)
    at += 4
    if (count === 0) {
      if (id === 0) return undefined // padding
      // RFC 7011 §8.1: id 2 or 3 withdraws all templates or all options templates.
      if (id < 256 && id !== 2 && id !== 3) return "template-id"
      sink.withdrawal(id < 256 ? 0 : id, id < 256 ? id === 3 : options)
      continue
    }
    if (id < 256) return "template-id"
    let scope = 0
    if (options) {
      if (end - at < 2) return "template-field-count"
      scope = view.getUint16(at)
      at += 2
      // RFC 7011 §3.4.2.2: the scope field count must not be 0; exporters that send 0 are understood all the same.
      if (scope > count) return "template-scope"
    }
    if (count * 4 > end - at) return "template-field-count"
    const first = at
    for (let i = 0; i < count; i++) {
      const size = end - at >= 4 && (view.getUint16(at) & 0x8000) !== 0 ? 8 : 4
      if (size > end - at) return "template-field-count"
      at += size
    }
    sink.template(id, scope, options, start, at, () => fieldsOf10(view, first, count))
  }
  return undefined
}

const fieldsOf10 = (view: DataView, at: number, count: number): TemplateFields => {
  const fields: Array<readonly [number, number, number]> = []
  for (let i = 0; i < count; i++) {
    const element = view.getUint16(at)
    const length = view.getUint16(at + 2)
    if ((element & 0x8000) === 0) {
      fields.push([0, element, length])
      at += 4
    } else {
      fields.push([view.getUint32(at + 4), element & 0x7fff, length])
      at += 8
    }
  }
  return fields
}
