/**
 * The filter line, the same in every list, on the map and in the API:
 *
 *     web type:db seen:<1h port:5432 service:postgresql 10.2.0.0/16 internal:yes confidence:>0.8 -tag:lab
 *
 * Terms are joined by "and"; `-` before a term turns it around; a word without a key is part of a name, an address or a network; double
 * quotes hold spaces together. Pure and safe in a browser: the console completes with the same table that the server parses with.
 */
import { Result } from "effect"
import { type Condition, type FilterSubject, filterAliases, filterFields, readNetwork } from "./filter-fields.ts"
import { FilterInvalid } from "./Topology.ts"

export type { Comparison, Condition, FilterSubject, NumberField, TextField } from "./filter-fields.ts"

export interface Term {
  readonly negated: boolean
  readonly condition: Condition
  /** Where it stands in the line, in characters. */
  readonly position: number
}
export type Filter = ReadonlyArray<Term>

/** Longer lines are nobody's typing. */
export const filterLimit = 1000

interface Token {
  readonly position: number
  readonly negated: boolean
  readonly key: string | undefined
  readonly value: string
  readonly valuePosition: number
}

/** Cuts the line into terms. `position` of an unclosed quote is that quote's. */
const tokens = (line: string): Result.Result<ReadonlyArray<Token>, { readonly position: number; readonly expected: string }> => {
  const found: Array<Token> = []
  let at = 0
  while (at < line.length) {
    if (/\s/.test(line[at]!)) {
      at++
      continue
    }
    const position = at
    const negated = line[at] === "-" && at + 1 < line.length && !/\s/.test(line[at + 1]!)
    if (negated) at++
    const keyed = /^([a-zA-Z]+):/.exec(line.slice(at))
    // an IPv6 address has colons, too: fe80::1
    const key = keyed !== null && readNetwork(line.slice(at).split(/\s/, 1)[0]!) === undefined ? keyed[1]!.toLowerCase() : undefined
    if (key !== undefined) at += key.length + 1
    const valuePosition = at
    let value = ""
    while (at < line.length && !/\s/.test(line[at]!)) {
      if (line[at] !== '"') {
        value += line[at++]
        continue
      }
      const close = line.indexOf('"', at + 1)
      if (close < 0) return Result.fail({ position: at, expected: "a closing quote" })
      value += line.slice(at + 1, close)
      at = close + 1
    }
    found.push({ position, negated, key, value, valuePosition })
  }
  return Result.succeed(found)
}

export const parseFilter = (line: string, subject: FilterSubject): Result.Result<Filter, FilterInvalid> => {
  const refuse = (position: number, expected: string) =>
    Result.fail(new FilterInvalid({ filter: line.slice(0, filterLimit), position, expected }))
  if (line.length > filterLimit) return refuse(filterLimit, `at most ${filterLimit} characters`)
  if (line.includes("\0")) return refuse(line.indexOf("\0"), "text")
  const cut = tokens(line)
  if (Result.isFailure(cut)) return refuse(cut.failure.position, cut.failure.expected)
  const terms: Array<Term> = []
  for (const { position, negated, key, value, valuePosition } of cut.success) {
    if (key === undefined) {
      if (value === "") return refuse(position, "a word or a key such as type:")
      const network = readNetwork(value)
      terms.push({
        position,
        negated,
        condition: network === undefined ? { kind: "word", text: value } : { kind: "network", network, end: "any" }
      })
      continue
    }
    const field = filterFields.find(
      (candidate) => candidate.key === (filterAliases[key] ?? key) && candidate.subjects.includes(subject)
    )
    if (field === undefined) {
      return refuse(
        position,
        `one of ${filterFields
          .filter((known) => known.subjects.includes(subject))
          .map((known) => `${known.key}:`)
          .join(" ")}`
      )
    }
    const condition = value === "" ? undefined : field.read(value)
    if (condition === undefined) return refuse(valuePosition, field.expected)
    terms.push({ position, negated, condition })
  }
  return Result.succeed(terms)
}

export interface Completion {
  /** Replaces the characters from `from` to the cursor. */
  readonly text: string
  readonly from: number
  readonly title: string
}

/** What may stand at the cursor: keys that begin with what is there, or values of the key before it. */
export const completeFilter = (line: string, cursor: number, subject: FilterSubject): ReadonlyArray<Completion> => {
  const start = line.slice(0, cursor).search(/\S*$/)
  const from = line[start] === "-" ? start + 1 : start
  const word = line.slice(from, cursor).toLowerCase()
  const colon = word.indexOf(":")
  const fields = filterFields.filter((field) => field.subjects.includes(subject))
  if (colon < 0) {
    return fields
      .filter((field) => field.key.startsWith(word))
      .map((field) => ({ text: `${field.key}:`, from, title: field.title }))
  }
  const key = word.slice(0, colon)
  const field = fields.find((candidate) => candidate.key === (filterAliases[key] ?? key))
  const begun = word.slice(colon + 1)
  return (field?.values ?? [])
    .filter((value) => value.startsWith(begun) && value !== begun)
    .map((value) => ({ text: value, from: from + colon + 1, title: field!.title }))
}
