/**
 * What the appliance says: one JSON object a line (`time`, `level`, `actor`, `message`, then the ids and figures), or text for a
 * terminal. Whatever reaches a line is cut to size and stripped of secrets and control characters: it may come from the network.
 */

import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import { describeCause, describeError } from "#pipeline/actor/ActorEntry.ts"

export interface LogSettings {
  readonly level: "error" | "warning" | "info" | "debug"
  readonly format: "json" | "text"
  /** Takes a line without its end; standard output unless told otherwise. */
  readonly write?: (line: string) => void
  /** Colour in `text`; on by itself when standard output is a terminal. */
  readonly colour?: boolean
}

export interface LogLine {
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string
  readonly level: string
  /** Path of the actor that speaks, `appliance` outside of any. */
  readonly actor: string
  readonly message: string
  /** Ids and figures, plain JSON. */
  readonly fields: Readonly<Record<string, unknown>>
  /** What went wrong, in one line. */
  readonly cause?: string
  /** Where, for a defect only: an expected failure needs no stack. */
  readonly stack?: string
}

const minimum = { error: "Error", warning: "Warn", info: "Info", debug: "Debug" } as const

const levelName: Readonly<Record<LogLevel, string>> = {
  All: "debug",
  Trace: "debug",
  Debug: "debug",
  Info: "info",
  Warn: "warning",
  Error: "error",
  Fatal: "error",
  None: "info"
}

/** The one logger of the process. */
export const loggingLayer = (settings: LogSettings): Layer.Layer<never> => {
  const write = settings.write ?? standardOutput()
  const colour = settings.colour ?? (settings.write === undefined && process.stdout.isTTY === true)
  const logger = Logger.make<unknown, void>((options) => {
    const line = lineOf(options)
    write(settings.format === "json" ? formatJson(line) : formatText(line, colour))
  })
  return Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, minimum[settings.level]))
}

/** A reader that goes away (`| head`, a log daemon that restarts) must not take the appliance with it. */
const standardOutput = (): ((line: string) => void) => {
  if (!process.stdout.listeners("error").includes(ignore)) process.stdout.on("error", ignore)
  return (line) => void process.stdout.write(`${line}\n`)
}
const ignore = () => {}

/** Texts of a log call are its message; objects in it, and the annotations around it, are its fields. */
export const lineOf = (options: Logger.Options<unknown>): LogLine => {
  const words: Array<string> = []
  let error: string | undefined
  const fields: Record<string, unknown> = {}
  const add = (entries: object) => {
    for (const [key, value] of Object.entries(entries)) {
      // Who has the cause in words already gives it as a field; it goes where a caught one goes.
      if (key === "cause") error = typeof value === "string" ? cut(value, 2000) : describeError(value)
      else fields[reserved.has(key) ? `${key}_` : key] = plain(value, key)
    }
  }
  const { actor, ...annotations } = options.fiber.getRef(References.CurrentLogAnnotations)
  add(annotations)
  for (const part of Array.isArray(options.message) ? options.message : [options.message]) {
    if (part instanceof Error) error = describeError(part)
    else if (isRecord(part)) add(part)
    else words.push(String(plain(part)))
  }
  const { cause } = options
  const failed = cause.reasons.length > 0
  const described = failed ? describeCause(cause) : error
  return {
    time: options.date.toISOString(),
    level: levelName[options.logLevel],
    actor: typeof actor === "string" ? actor : "appliance",
    message: words.join(" ") || described || "",
    fields,
    ...(described === undefined ? {} : { cause: described }),
    ...(failed && Cause.hasDies(cause) ? { stack: cut(Cause.pretty(cause), 4000) } : {})
  }
}

export const formatJson = ({ fields, cause, stack, ...line }: LogLine): string =>
  JSON.stringify({ ...line, ...fields, cause, stack })

const colours: Readonly<Record<string, string>> = { error: "31", warning: "33", info: "36", debug: "90" }

export const formatText = (line: LogLine, colour: boolean): string => {
  const paint = (code: string, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const fields = Object.entries({ ...line.fields, ...(line.cause === undefined ? {} : { cause: line.cause }) })
  const head = [
    paint("90", line.time.slice(11, 23)),
    paint(colours[line.level] ?? "0", line.level.padEnd(7)),
    visible(line.actor),
    visible(line.message),
    ...fields.map(
      ([key, value]) => paint("90", `${visible(key)}=`) + visible(typeof value === "string" ? quoted(value) : JSON.stringify(value))
    )
  ].join(" ")
  return line.stack === undefined ? head : [head, ...line.stack.split("\n").map((one) => `    ${visible(one)}`)].join("\n")
}

const reserved = new Set(["time", "level", "message", "stack"])

/** Redacted values hide themselves; this is for those that were never wrapped. */
const secretName =
  /pass(word|phrase)|secret|token|credential|authori[sz]ation|cookie|private_?key|setup_?code|snmp.?community|^community$/i

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Redacted.isRedacted(value) && !(value instanceof Date)

/** Plain JSON of a value, bounded in every direction. */
const plain = (value: unknown, key = "", depth = 0): unknown => {
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (secretName.test(key) && (typeof value === "string" || typeof value === "object") && value !== null) return "<redacted>"
  switch (typeof value) {
    case "string":
      return cut(value, 2000)
    case "bigint":
      return value.toString()
    case "number":
      return Number.isFinite(value) ? value : String(value)
    case "function":
    case "symbol":
      return String(value).slice(0, 100)
    case "undefined":
      return null
    case "boolean":
      return value
  }
  if (value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString()
  if (value instanceof Error) return describeError(value)
  if (depth >= 4) return "…"
  if (ArrayBuffer.isView(value)) return `${value.byteLength} octets`
  if (Array.isArray(value) || value instanceof Set) {
    const all = [...value]
    const shown = all.slice(0, 50).map((one) => plain(one, "", depth + 1))
    return all.length > 50 ? [...shown, `and ${all.length - 50} more`] : shown
  }
  const record = value instanceof Map ? Object.fromEntries(value) : value
  if ("toJSON" in record && typeof record.toJSON === "function") return plain(record.toJSON(), key, depth + 1)
  return Object.fromEntries(
    Object.entries(record)
      .slice(0, 50)
      .map(([name, one]) => [name, plain(one, name, depth + 1)])
  )
}

const cut = (text: string, longest: number): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)

const quoted = (text: string): string => (/^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text))

/** A terminal obeys control characters, and some of this text was chosen by strangers. */
const visible = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
