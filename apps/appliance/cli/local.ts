/** What commands on the machine itself share: the terminal, the options, and the way to the running appliance's database. */
import { existsSync, readFileSync } from "node:fs"
import { text as readText } from "node:stream/consumers"
import { type ParseArgsOptionsConfig, parseArgs } from "node:util"
import { Effect, Layer, Result } from "effect"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { type Config, loadConfig } from "../config.ts"
import { isDatabaseAway } from "../http/faults.ts"
import { attach } from "../postgres/EmbeddedPostgres.ts"
import { problemLines, type Terminal } from "./config-check.ts"

export interface LocalTerminal extends Terminal {
  /** Standard input, to its end. */
  readonly input: () => Promise<string>
}

export const ownLocalTerminal: LocalTerminal = {
  env: process.env,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  input: () => readText(process.stdin)
}

/** Exit codes: 1 it could not be done, 2 the command itself is wrong. */
export class CommandFailed extends Error {
  readonly code: 1 | 2
  constructor(code: 1 | 2, message: string) {
    super(message)
    this.code = code
  }
}

export const wrongUse = (message: string) => new CommandFailed(2, message)
export const failed = (message: string) => new CommandFailed(1, message)

export const optionsOf = <const T extends ParseArgsOptionsConfig>(argv: ReadonlyArray<string>, options: T) => {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    const message = (error as Error).message.split("\n")[0]!.split(". ")[0]!.replace(/\.$/, "")
    throw wrongUse(message.charAt(0).toLowerCase() + message.slice(1))
  }
}

/** Runs a command and turns what went wrong into a line and an exit code. */
export const runCommand = async (terminal: Terminal, name: string, usage: string, run: () => Promise<void>): Promise<number> => {
  try {
    await run()
    return 0
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    terminal.err(`flowlens ${name}: ${error.message}${error.code === 2 ? `\n\n${usage}` : ""}`)
    return error.code
  }
}

export const localConfig = (terminal: Terminal, path: string | undefined): Config => {
  const result = loadConfig({ path, env: terminal.env })
  if (Result.isFailure(result)) throw failed(problemLines(result.failure).join("\n"))
  return result.success.config
}

const Stores = Layer.mergeAll(OperatorStore.layer, TokenStore.layer, SessionStore.layer, AuditStore.layer)
type StoreServices = OperatorStore | TokenStore | SessionStore | AuditStore

/** Does something in the running appliance's database: its own, or the one that is configured. */
export const inDatabase = async <A, E>(config: Config, use: Effect.Effect<A, E, StoreServices>): Promise<A> => {
  const url = config.database.url ?? (await Effect.runPromise(attach(config.data)))
  if (url === undefined) {
    throw failed(
      existsSync(config.data)
        ? `the appliance of ${config.data} does not run; start it (flowlens start) and try again`
        : `there is no data folder ${config.data}; name it with FLOWLENS_DATA or --config, or start the appliance first`
    )
  }
  const result = await Effect.runPromise(
    use.pipe(Effect.provide(Stores.pipe(Layer.provide(Sql.layer({ url, maxConnections: 1 })))), Effect.result)
  )
  if (Result.isSuccess(result)) return result.success
  const error: unknown = result.failure
  if (error instanceof CommandFailed) throw error
  if (isDatabaseAway(error)) throw failed("the database does not answer; is the appliance running?")
  const code = (error as { readonly reason?: { readonly cause?: { readonly code?: string } } }).reason?.cause?.code
  // undefined_table
  if (code === "42P01") throw failed("the database is not set up; start the appliance once and try again")
  throw failed(String((error as Error).message ?? error))
}

/** The first line of standard input, or of a file: no secret on a command line, where every process can read it. */
export const secretFrom = async (terminal: LocalTerminal, file: string | undefined): Promise<string> => {
  const text = file === undefined ? await terminal.input() : readFileSync(file, "utf8")
  return text.split(/\r?\n/, 1)[0]!
}

/** Lines of columns, as wide as their widest. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}
