/**
 * Table, file and variables → one value for every knob, with where it came from; or every problem at once. Pure: nothing is read
 * here, so that a test can say what the file and the environment are.
 */
import * as Result from "effect/Result"
import { type FileEntry, readFile } from "./file.ts"
import type { Knob, Section, ValuesOf } from "./knob.ts"

export interface ConfigProblem {
  /** `ingestion.netflow_port`; undefined when the trouble is with the file as a whole. */
  readonly knob: string | undefined
  /** The value as it was given; undefined when there is none, `<redacted>` for a secret. */
  readonly value: string | undefined
  /** What would be allowed. */
  readonly allowed: string
  /** `flowlens.yaml:12` or `FLOWLENS_INGESTION_NETFLOW_PORT`. */
  readonly where: string
  /** One line that says all of it. */
  readonly message: string
}

export interface Setting {
  readonly knob: string
  readonly variable: string
  readonly description: string
  /** For people, secrets redacted. */
  readonly value: string
  /** For programs, secrets redacted. */
  readonly json: unknown
  /** `default`, `flowlens.yaml:12` or `FLOWLENS_…`. */
  readonly source: string
}

export interface Sources {
  readonly fileText?: string | undefined
  /** As it is to be shown: `flowlens.yaml` or the path that was asked for. */
  readonly filePath?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Resolved<S> {
  readonly config: ValuesOf<S>
  readonly settings: ReadonlyArray<Setting>
}

/** A rule over several knobs: the knob to blame and why, or undefined. */
export type Rule<S> = (config: ValuesOf<S>) => { readonly knob: string; readonly allowed: string } | undefined

const prefix = "FLOWLENS_"

export const variableOf = (knob: string): string => prefix + knob.replaceAll(".", "_").toUpperCase()

/** Every knob of the table with its dotted name, in the order of the table. */
export const knobsOf = (section: Section, above = ""): ReadonlyArray<readonly [name: string, knob: Knob<unknown>]> =>
  Object.entries(section.knobs).flatMap(([key, child]) => {
    const name = above === "" ? key : `${above}.${key}`
    return child._tag === "knob" ? [[name, child] as const] : knobsOf(child, name)
  })

interface Given {
  readonly value: unknown
  readonly where: string
  /** Of a list: where each element is. */
  readonly elements: ReadonlyArray<string>
}

export const resolve = <S extends Section>(
  table: S,
  rules: ReadonlyArray<Rule<S>>,
  sources: Sources,
  /** Variables with the prefix that belong to something else. */
  otherVariables: ReadonlyArray<string> = []
): Result.Result<Resolved<S>, ReadonlyArray<ConfigProblem>> => {
  const problems: Array<ConfigProblem> = []
  const file = sources.filePath ?? "flowlens.yaml"
  const knobs = new Map(knobsOf(table))

  const fromFile = new Map<string, Given>()
  const walk = (section: Section, entries: ReadonlyArray<FileEntry>, above: string) => {
    for (const { key, line, content } of entries) {
      const name = above === "" ? key : `${above}.${key}`
      const child = Object.hasOwn(section.knobs, key) ? section.knobs[key] : undefined
      const where = `${file}:${line}`
      if (child === undefined) {
        problems.push(unknown(name, where, `${above === "" ? "" : `${above}.`}${nearest(key, Object.keys(section.knobs))}`))
      } else if (child._tag === "knob") {
        const [value, elementLines] = content._tag === "value" ? [content.value, content.elementLines] : ["a section", []]
        fromFile.set(name, { value, where, elements: elementLines.map((at) => `${file}:${at}`) })
      } else if (content._tag === "map") {
        walk(child, content.entries, name)
      } else if (content.value !== null) {
        // A section whose every line is commented out is empty, not wrong.
        problems.push(wrong(name, shown(content.value), `a section with ${Object.keys(child.knobs).join(", ")}`, where))
      }
    }
  }
  if (sources.fileText !== undefined) {
    const { entries, faults } = readFile(sources.fileText)
    for (const fault of faults) {
      const where = `${file}:${fault.line}`
      problems.push({ knob: undefined, value: undefined, allowed: "valid YAML", where, message: `${fault.message} (${where})` })
    }
    walk(table, entries, "")
  }

  const variables = new Map([...knobs.keys()].map((name) => [variableOf(name), name]))
  for (const name of Object.keys(sources.env).sort()) {
    if (!name.startsWith(prefix) || variables.has(name) || otherVariables.includes(name) || sources.env[name] === undefined)
      continue
    problems.push(unknown(undefined, name, nearest(name, [...variables.keys()])))
  }

  const values = new Map<string, unknown>()
  const settings: Array<Setting> = []
  for (const [name, knob] of knobs) {
    const variable = variableOf(name)
    const text = sources.env[variable]
    const written = fromFile.get(name)
    let value: unknown = knob.default
    let source = "default"
    // Both are looked at even when the variable wins: a wrong line in the file is wrong all the same.
    if (written !== undefined) {
      const parsed = knob.fromFile(written.value)
      if (parsed === undefined) problems.push(...wrongInFile(name, knob, written))
      else [value, source] = [parsed, written.where]
    }
    if (text !== undefined) {
      const parsed = knob.fromText(text)
      if (parsed === undefined)
        problems.push(wrong(name, knob.secret ? "<redacted>" : JSON.stringify(text), knob.allowed, variable))
      else [value, source] = [parsed, variable]
    }
    values.set(name, value)
    settings.push({ knob: name, variable, description: knob.description, value: knob.show(value), json: knob.json(value), source })
  }

  const config = shape(table, values) as ValuesOf<S>
  // A rule is about right values only: a wrong one has been told already and would be told twice.
  if (problems.length === 0) {
    for (const rule of rules) {
      const broken = rule(config)
      const setting = settings.find((one) => one.knob === broken?.knob)
      if (broken !== undefined && setting !== undefined) {
        problems.push(
          wrong(setting.knob, setting.value, broken.allowed, setting.source === "default" ? "its default" : setting.source)
        )
      }
    }
  }
  return problems.length > 0 ? Result.fail(problems) : Result.succeed({ config, settings })
}

const shape = (section: Section, values: ReadonlyMap<string, unknown>, above = ""): unknown =>
  Object.fromEntries(
    Object.entries(section.knobs).map(([key, child]) => {
      const name = above === "" ? key : `${above}.${key}`
      return [key, child._tag === "knob" ? values.get(name) : shape(child, values, name)]
    })
  )

const shown = (value: unknown): string => (value === null || value === undefined ? "nothing" : JSON.stringify(value))

const wrong = (knob: string, value: string, allowed: string, where: string): ConfigProblem => ({
  knob,
  value,
  allowed,
  where,
  message: `${knob} cannot be ${value} (${where}); allowed: ${allowed}`
})

/** The wrong elements of a list by themselves, each at its line; else the value as a whole. */
const wrongInFile = (name: string, knob: Knob<unknown>, { value, where, elements }: Given): ReadonlyArray<ConfigProblem> => {
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
  const bad = list.flatMap((element, i) =>
    knob.isElement === undefined || knob.isElement(element) ? [] : [wrong(name, shown(element), knob.allowed, elements[i] ?? where)]
  )
  return bad.length > 0 ? bad : [wrong(name, knob.secret ? "<redacted>" : shown(value), knob.allowed, where)]
}

const unknown = (knob: string | undefined, where: string, near: string): ConfigProblem => ({
  knob,
  value: undefined,
  allowed: near,
  where,
  message:
    knob === undefined
      ? `unknown variable ${where}; the nearest is ${near}`
      : `unknown knob ${knob} (${where}); the nearest is ${near}`
})

/** The candidate that shares most words with the one that was meant, then the one with the fewest single-letter changes. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string => {
  const words = new Set(word.split(/[._]/))
  const score = (candidate: string) => ({
    shared: candidate.split(/[._]/).filter((one) => words.has(one)).length,
    changes: changesBetween(word, candidate)
  })
  return candidates
    .map((candidate) => ({ candidate, ...score(candidate) }))
    .reduce((best, one) => (one.shared > best.shared || (one.shared === best.shared && one.changes < best.changes) ? one : best))
    .candidate
}

/** Single-letter changes that make `b` of `a` (Levenshtein). */
const changesBetween = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
